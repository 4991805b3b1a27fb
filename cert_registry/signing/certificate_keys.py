"""The key of a certificate and who issued one, whatever the algorithm: `cryptography` has no SM2."""

import functools

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.signing.errors import KeyMisuse
from cert_registry.signing.own_signatures import PublicKey
from cert_registry.sm2.algorithms import SM3
from cert_registry.sm2.errors import KeyRefused, SignatureInvalid
from cert_registry.sm2.public_key import Sm2PublicKey, check_issued_by, uses_sm2

_KEPT = 256


def public_key_of(certificate: x509.Certificate) -> PublicKey:
    """Return a certificate's key.

    Raises:
        KeyMisuse: It is of a kind that is not used here.
    """
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        try:
            return Sm2PublicKey.of(certificate)
        except KeyRefused as error:
            raise KeyMisuse("The certificate's key is of a kind that is not used here.") from error
    if not isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey):
        raise KeyMisuse("The certificate's key is of a kind that is not used here.")
    return key


@functools.lru_cache(maxsize=_KEPT)
def der_of(certificate: x509.Certificate) -> bytes:
    """Return a certificate in DER; remembered, since `cryptography` encodes it anew each time."""
    return certificate.public_bytes(Encoding.DER)


@functools.lru_cache(maxsize=_KEPT)
def digest_of_key(certificate: x509.Certificate) -> str:
    """Return the digest that goes with signatures of a certificate's key: SM3 with SM2, else SHA-256."""
    return SM3 if uses_sm2(certificate) else "sha256"


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether a certificate's signature verifies with another's key and the names fit."""
    try:
        if uses_sm2(issuer):
            check_issued_by(certificate, issuer)
        else:
            certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, SignatureInvalid, KeyRefused):
        return False
    return True
