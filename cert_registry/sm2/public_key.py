"""SM2 public keys: read strictly from certificates, and verifying with them.

`cryptography` loads an SM2 certificate but neither its key nor its signature, so both are taken from the DER.

Source: GB/T 32918.2-2016; GB/T 35276-2017 clause 7; GM/T 0015-2012 (certificates).
"""

import hashlib
from dataclasses import dataclass

from asn1crypto import algos, keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.sm2 import libcrypto
from cert_registry.sm2.algorithms import SM2_CURVE, SM2_WITH_SM3
from cert_registry.sm2.errors import KeyRefused, SignatureInvalid

#: Order of the group (GB/T 32918.5-2017).
ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123

_PARSING = (ValueError, TypeError, KeyError, OverflowError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2PublicKey:
    """A public key: its point as 0x04 || x || y (65 bytes)."""

    point: bytes

    @classmethod
    def from_der(cls, der: bytes) -> "Sm2PublicKey":
        """Read a SubjectPublicKeyInfo.

        Raises:
            KeyRefused: It is not an SM2 key with an uncompressed point, or not in the one encoding.
        """
        try:
            info = keys.PublicKeyInfo.load(der, strict=True)
            curve = info["algorithm"]["parameters"]
            is_sm2 = info.algorithm == "ec" and curve.name == "named" and curve.native == SM2_CURVE
            point = bytes(info["public_key"]) if is_sm2 else b""
        except _PARSING as error:
            raise KeyRefused("The public key cannot be read.") from error
        key = cls(point=point)
        if not is_sm2 or len(point) != 65 or point[0] != 4 or key.to_der() != der:
            raise KeyRefused("The public key is not an SM2 key in its usual form.")
        return key

    @classmethod
    def of(cls, certificate: x509.Certificate | asn1_x509.Certificate) -> "Sm2PublicKey":
        """Return a certificate's key; raises `KeyRefused` when it is not one for SM2."""
        if isinstance(certificate, x509.Certificate):
            certificate = to_asn1(certificate)
        return cls.from_der(certificate["tbs_certificate"]["subject_public_key_info"].dump())

    def to_der(self) -> bytes:
        """Return the SubjectPublicKeyInfo."""
        curve = keys.ECDomainParameters("named", keys.NamedCurve(SM2_CURVE))
        algorithm = keys.PublicKeyAlgorithm({"algorithm": "ec", "parameters": curve})
        return bytes(
            keys.PublicKeyInfo(
                {"algorithm": algorithm, "public_key": keys.ECPointBitString(self.point)}
            ).dump()
        )

    @property
    def identifier(self) -> bytes:
        """The subject key identifier of RFC 5280 section 4.2.1.2 (1): SHA-1 of the point, 20 bytes."""
        return hashlib.sha1(self.point, usedforsecurity=False).digest()

    def verify(self, signature: bytes, data: bytes, *, identity: bytes = libcrypto.DEFAULT_IDENTITY) -> None:
        """Verify a signature of `data`.

        Args:
            signature: DER `SEQUENCE {r, s}`, nothing else.
            data: What was signed; Z and the digest are made here.
            identity: The signer's identity, which goes into Z.

        Raises:
            SignatureInvalid: It does not verify, values are out of range, or it is not in DER.
            KeyRefused: The point is not on the curve.
            LibraryUnavailable: OpenSSL is not there.
        """
        try:
            pair = algos.DSASignature.load(signature, strict=True)
            in_range = all(0 < pair[part].native < ORDER for part in ("r", "s"))
            again = algos.DSASignature({part: pair[part].native for part in ("r", "s")}).dump()
        except _PARSING as error:
            raise SignatureInvalid("The SM2 signature is not a pair of integers in DER.") from error
        if not in_range or again != signature:
            raise SignatureInvalid("The SM2 signature's values are out of range or not in DER.")
        if not libcrypto.verify(self.to_der(), signature, data, identity=identity):
            raise SignatureInvalid("The SM2 signature does not verify.")


def uses_sm2(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate's own key is an SM2 key."""
    try:
        Sm2PublicKey.of(certificate)
    except KeyRefused:
        return False
    return True


def check_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> None:
    """Check that an SM2 issuer signed a certificate and that the names fit.

    Raises:
        SignatureInvalid: The names do not fit, the algorithm is another one, or the signature does not verify.
        KeyRefused: The issuer's key is not an SM2 key.
    """
    value = to_asn1(certificate)
    inner = value["tbs_certificate"]["signature"]
    if certificate.issuer != issuer.subject:
        raise SignatureInvalid("The certificate names another issuer.")
    if inner["algorithm"].native != SM2_WITH_SM3 or inner.dump() != value["signature_algorithm"].dump():
        raise SignatureInvalid("The certificate is not signed by SM2 with SM3.")
    Sm2PublicKey.of(issuer).verify(certificate.signature, certificate.tbs_certificate_bytes)


def to_asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    """Return the same certificate as asn1crypto reads it."""
    return asn1_x509.Certificate.load(certificate.public_bytes(Encoding.DER))
