"""The signature algorithms that an e-seal may name, and verifying with a certificate's key.

The standards want SM2 with SM3; P-256 and RSA stand beside it for seals that have no SM2 key.

Source: GB/T 38540-2020 clause 6.3; GM/T 0006-2012; RFC 5758; RFC 8017.
"""

import hashlib
from types import MappingProxyType

from asn1crypto import algos
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from cert_registry.eseal.errors import EsealMalformed
from cert_registry.sm2.algorithms import SM2_WITH_SM3_OID
from cert_registry.sm2.errors import KeyRefused, SignatureInvalid
from cert_registry.sm2.public_key import Sm2PublicKey

ECDSA_SHA256_OID = "1.2.840.10045.4.3.2"
RSA_SHA256_OID = "1.2.840.113549.1.1.11"

#: Digest of the protected data and of certificates' marks that goes with each algorithm.
DIGEST_OF = MappingProxyType({SM2_WITH_SM3_OID: "sm3", ECDSA_SHA256_OID: "sha256", RSA_SHA256_OID: "sha256"})

_PARSING = (
    ValueError,
    TypeError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)

#: How digests are written in CertDigestObj: the standard leaves the text open.
_DIGEST_NAMES = MappingProxyType(
    {
        "SM3": "sm3",
        "1.2.156.10197.1.401": "sm3",
        "SHA256": "sha256",
        "SHA-256": "sha256",
        "2.16.840.1.101.3.4.2.1": "sha256",
    }
)


def digest(name: str, data: bytes) -> bytes:
    """Return a digest by the name that `DIGEST_OF` gives."""
    return hashlib.new(name, data).digest()


def digest_named(text: str) -> str | None:
    """Return the name of the digest that a CertDigestObj means, None when it is not known."""
    return _DIGEST_NAMES.get(text.upper())


def load_certificate(der: bytes) -> x509.Certificate:
    """Read a certificate inside an e-seal.

    Raises:
        EsealMalformed: It is none.
    """
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.extensions, certificate.subject, certificate.issuer
    except _PARSING as error:
        raise EsealMalformed("The certificate in the e-seal cannot be read.") from error
    return certificate


def verify_signature(certificate: x509.Certificate, algorithm: str, signature: bytes, data: bytes) -> None:
    """Verify a signature of an e-seal.

    Args:
        certificate: Whose key it must be.
        algorithm: Dotted identifier.
        signature: The signature value.
        data: What is signed.

    Raises:
        SignatureInvalid: It does not verify, or key and algorithm do not fit.
    """
    try:
        if algorithm == SM2_WITH_SM3_OID:
            Sm2PublicKey.of(certificate).verify(signature, data)
        elif algorithm == ECDSA_SHA256_OID:
            key = certificate.public_key()
            if not isinstance(key, ec.EllipticCurvePublicKey):
                raise SignatureInvalid("The key does not fit the algorithm.")
            _ = algos.DSASignature.load(signature, strict=True).native
            key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        elif algorithm == RSA_SHA256_OID:
            key = certificate.public_key()
            if not isinstance(key, rsa.RSAPublicKey):
                raise SignatureInvalid("The key does not fit the algorithm.")
            key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            raise SignatureInvalid(f"The signature algorithm {algorithm} is not known.")
    except (InvalidSignature, UnsupportedAlgorithm, KeyRefused, ValueError) as error:
        raise SignatureInvalid("The signature does not verify.") from error
