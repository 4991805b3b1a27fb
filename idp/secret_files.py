"""Secrets in files: read with a sentence when missing, made once with tight modes."""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from idp.errors import ConfigurationError


def read_secret(path: Path) -> bytes:
    """A secret without its final line break.

    Raises:
        ConfigurationError: missing, unreadable or empty.
    """
    try:
        secret = path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise ConfigurationError(f"The secret {path} cannot be read: run ./longzheng up.") from error
    if not secret:
        raise ConfigurationError(f"The secret {path} is empty: remove it and run ./longzheng up.")
    return secret


def ensure_secret(path: Path) -> bytes:
    """The secret of a file; 32 random bytes as base64url text when there is none yet."""
    if not path.exists():
        _write_once(path, secrets.token_urlsafe(32).encode("ascii"))
    return read_secret(path)


def ensure_signing_key(path: Path) -> None:
    """Makes the P-256 key that signs ID tokens, when there is none yet."""
    if path.exists():
        return
    key = ec.generate_private_key(ec.SECP256R1())
    _write_once(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _write_once(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
