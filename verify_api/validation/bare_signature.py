"""The oldest kind of PDF signature: a bare PKCS #1 value in /Contents and the certificate in /Cert.

Source: ISO 32000-1 12.8.3.2 (adbe.x509.rsa_sha1, deprecated in ISO 32000-2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asn1crypto import core
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from pyhanko.pdf_utils import generic

from verify_api.validation.graph import raw_of, resolved
from verify_api.validation.known import certificate_of
from verify_api.validation.signature_values import digest_of
from verify_api.validation.verdicts import SubIndication

if TYPE_CHECKING:
    from collections.abc import Iterable

    from asn1crypto import x509

SUBFILTER = "/adbe.x509.rsa_sha1"
_DIGESTS = (
    ("sha1", hashes.SHA1),
    ("sha256", hashes.SHA256),
    ("sha384", hashes.SHA384),
    ("sha512", hashes.SHA512),
)
_MAX_CERTIFICATES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class BareSignature:
    """The value, and the certificates that the dictionary brings, the signer's first."""

    value: bytes
    certificates: tuple[x509.Certificate, ...]
    padding: bytes

    @property
    def signer(self) -> x509.Certificate | None:
        """The signer's certificate."""
        return self.certificates[0] if self.certificates else None


def read_bare(raw: bytes, dictionary: generic.DictionaryObject) -> BareSignature | None:
    """Read the value and the certificates; None when they are not what this kind has."""
    try:
        octets = core.OctetString.load(raw)
        value = octets.native
        rest = raw[len(octets.dump()) :]
        read = [certificate_of(der) for der in _certificate_values(dictionary)]
    except (ValueError, TypeError, KeyError):
        return None
    certificates = [certificate for certificate in read if certificate is not None]
    if not value or not certificates or len(certificates) < len(read):
        return None
    return BareSignature(value=value, certificates=tuple(certificates), padding=rest)


def bare_integrity(
    bare: BareSignature, parts: Iterable[bytes | memoryview]
) -> tuple[SubIndication | None, str | None]:
    """Check the value over the covered bytes.

    Returns:
        What fails, None when it holds; and the digest's name when the value could be opened.
    """
    signer = bare.signer
    pieces = list(parts)
    try:
        key = serialization.load_der_public_key(signer.public_key.dump()) if signer is not None else None
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, rsa.RSAPublicKey):
        return SubIndication.CRYPTO_CONSTRAINTS_FAILURE, None
    for name, algorithm in _DIGESTS:
        try:
            signed = key.recover_data_from_signature(bare.value, padding.PKCS1v15(), algorithm())
        except (InvalidSignature, ValueError):
            continue
        return (None if signed == digest_of(pieces, name) else SubIndication.HASH_FAILURE), name
    return SubIndication.SIG_CRYPTO_FAILURE, None


def _certificate_values(dictionary: generic.DictionaryObject) -> list[bytes]:
    raw: Any = resolved(raw_of(dictionary, "/Cert"))
    items = [raw]
    if isinstance(raw, generic.ArrayObject):
        items = [resolved(raw.raw_get(i)) for i in range(min(len(raw), _MAX_CERTIFICATES))]
    return [
        bytes(item.original_bytes)
        for item in items
        if isinstance(item, (generic.TextStringObject, generic.ByteStringObject))
    ]
