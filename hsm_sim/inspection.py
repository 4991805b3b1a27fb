"""Looks into a token: which keys it holds, how they are protected, and what their public halves are."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import Attribute, ObjectClass

from cert_registry.signing.errors import KeyNotFound, TokenUnavailable
from cert_registry.signing.pkcs11_module import module
from cert_registry.signing.token import Token

#: What a key made inside its token and never let out says of itself (PKCS#11 v2.40 section 4.9).
SEALED_IN = {
    "sensitive": True,
    "extractable": False,
    "always_sensitive": True,
    "never_extractable": True,
    "local": True,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A private or secret key.

    Attributes:
        protection: Its attributes by the names of `SEALED_IN`.
        public_key_sha256: Of the SubjectPublicKeyInfo (DER); None for a secret key.
    """

    label: str
    protection: dict[str, bool]
    public_key_sha256: str | None


def held_keys(module_path: str, token_label: str, pin_file: Path) -> tuple[HeldKey, ...]:
    """Every private and secret key of a token, by label.

    Raises:
        TokenUnavailable: The token does not answer.
        SigningError: It refuses the PIN.
    """
    token = Token(module_path, token_label, pin_file)
    token.probe()  # logs this process in
    library = module(module_path)
    try:
        with library.in_use(), library.find_token(token_label).open() as session:
            found = [
                (str(key.label), _protection(key))
                for object_class in (ObjectClass.PRIVATE_KEY, ObjectClass.SECRET_KEY)
                for key in session.get_objects({Attribute.CLASS: object_class})
            ]
    except pkcs11.PKCS11Error as error:
        raise TokenUnavailable(
            f"The token {token_label!r} does not answer ({type(error).__name__})."
        ) from error
    return tuple(
        HeldKey(label=label, protection=protection, public_key_sha256=public_key_sha256(token, label))
        for label, protection in sorted(found, key=lambda one: one[0])
    )


def public_key_sha256(token: Token, label: str) -> str | None:
    """Digest of a key pair's public half; None for a secret key."""
    try:
        public_key = token.public_key(label)
    except KeyNotFound:
        return None
    der = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _protection(key: Any) -> dict[str, bool]:
    return {name: bool(key[Attribute[name.upper()]]) for name in SEALED_IN}
