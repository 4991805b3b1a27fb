"""The port that a seal signs through: a private key that is somewhere else, and how its signatures look.

PKCS#11 is one adapter (`token.TokenKey`); a key of another kind, or in another device, is another. Whoever seals
asks for an algorithm and a signature and never learns where the key is.

Source: RFC 5652 section 5.3 (signatureAlgorithm); RFC 5754 section 3; RFC 4055 section 5.
"""

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Protocol

from cert_registry.signing.errors import KeyMisuse
from cert_registry.sm2.algorithms import SM2_WITH_SM3, SM3


class KeyAlgorithm(Enum):
    """The kinds of key that the ceremony makes."""

    ECDSA_P256 = "ecdsa-p256"
    ED25519 = "ed25519"
    RSA_3072 = "rsa-3072"
    SM2 = "sm2"
    HMAC_SHA256 = "hmac-sha256"
    AES_256 = "aes-256"


class SealKey(Protocol):
    """A private key that seals: it tells its algorithm and signs, nothing else."""

    @property
    def algorithm(self) -> KeyAlgorithm:
        """The kind of the key."""
        ...

    def sign(self, data: bytes) -> bytes:
        """Sign `data` (not its digest) in the form of the algorithm's `SignatureScheme`.

        Raises:
            KeyNotFound: The device no longer holds the key.
            TokenUnavailable: The device does not answer; trying later may help.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureScheme:
    """How a seal's CMS names the algorithms of its key.

    Args:
        digest: The digest's name, as asn1crypto and hashlib know it.
        signature: signatureAlgorithm, in asn1crypto's name.
        longest_signature_bytes: The most that one signature value takes.
    """

    digest: str
    signature: str
    longest_signature_bytes: int


_SCHEMES = MappingProxyType(
    {
        # DER ECDSA-Sig-Value: two integers of at most 33 bytes, each with a header of two, in a sequence
        KeyAlgorithm.ECDSA_P256: SignatureScheme(
            digest="sha256", signature="sha256_ecdsa", longest_signature_bytes=72
        ),
        KeyAlgorithm.RSA_3072: SignatureScheme(
            digest="sha256", signature="sha256_rsa", longest_signature_bytes=384
        ),
        # DER too; SM2 signs over SM3 of the signer's identity and key and the data
        KeyAlgorithm.SM2: SignatureScheme(digest=SM3, signature=SM2_WITH_SM3, longest_signature_bytes=72),
    }
)


def scheme_of(algorithm: KeyAlgorithm) -> SignatureScheme:
    """Return how a seal with that kind of key signs.

    Raises:
        KeyMisuse: Keys of that kind do not seal.
    """
    scheme = _SCHEMES.get(algorithm)
    if scheme is None:
        raise KeyMisuse(f"Keys of the kind {algorithm.value} do not seal.")
    return scheme
