"""SoftHSM on disk: its configuration file, its tokens and their PIN files."""

import os
import secrets
from pathlib import Path

from cert_registry.signing.durable_files import write_durably
from cert_registry.signing.pkcs11_module import module
from cert_registry.signing.token import Token

#: Where Debian puts the library; another one by `LONGZHENG_PKCS11_MODULE`.
SOFTHSM_MODULE = "/usr/lib/softhsm/libsofthsm2.so"


def module_path() -> str:
    """Return the PKCS#11 library to use."""
    return os.environ.get("LONGZHENG_PKCS11_MODULE", SOFTHSM_MODULE)


def configure(state_dir: Path) -> Path:
    """Write `softhsm2.conf`, point this process at it and make the library read it."""
    directory = state_dir / "softhsm"
    tokens = directory / "tokens"
    tokens.mkdir(parents=True, exist_ok=True, mode=0o700)
    directory.chmod(0o700)
    file = directory / "softhsm2.conf"
    text = (
        f"directories.tokendir = {tokens.resolve()}\n"
        "objectstore.backend = file\n"
        "log.level = ERROR\n"
        "slots.removable = false\n"
    )
    if not file.is_file() or file.read_text(encoding="utf-8") != text:
        write_durably(file, text.encode(), mode=0o600)
    if os.environ.get("SOFTHSM2_CONF") != str(file):
        os.environ["SOFTHSM2_CONF"] = str(file)
        module(module_path()).reload()
    return file


def ensure_token(state_dir: Path, label: str) -> tuple[Token, bool]:
    """Make a token that does not exist, and its PIN files; tells whether it was made.

    Raises:
        SigningError: The token cannot be made.
    """
    secrets_dir = state_dir / "secrets"
    secrets_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    secrets_dir.chmod(0o700)
    so_pin = _pin(secrets_dir / f"so-pin-{label}")
    user_pin = _pin(pin_file(state_dir, label))
    made = module(module_path()).initialise_token(label, so_pin=so_pin, user_pin=user_pin)
    return Token(module_path(), label, pin_file(state_dir, label)), made


def pin_file(state_dir: Path, label: str) -> Path:
    """Return where the user PIN of a token is kept."""
    return state_dir / "secrets" / f"pin-{label}"


def _pin(file: Path) -> str:
    if not file.is_file():
        write_durably(file, secrets.token_hex(16).encode() + b"\n", mode=0o600)
    return file.read_text(encoding="utf-8").strip()
