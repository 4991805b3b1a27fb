"""Whether a signature that a token has just returned verifies; what does not never goes on.

A soft token once in a long while returns an invalid ECDSA signature, and a device may fail: stamps, revocation
answers, checkpoints and receipts go out without another check, so each signature is verified where it is made.

Source: FIPS 186-5; RFC 8032; RFC 8017 section 8.2.
"""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from cert_registry.signing.errors import WrongSignature
from cert_registry.sm2.public_key import Sm2PublicKey

#: What keys of a PKCS#11 token have.
TokenPublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey
#: What any key has that signs here.
PublicKey = TokenPublicKey | Sm2PublicKey


def check_own_signature(public_key: TokenPublicKey, signature: bytes, data: bytes) -> None:
    """Verify a signature over `data`: DER ECDSA or PKCS#1 v1.5 over SHA-256, or Ed25519.

    Raises:
        WrongSignature: It does not verify.
    """
    try:
        if isinstance(public_key, ec.EllipticCurvePublicKey):
            public_key.verify(signature, data, ec.ECDSA(hashes.SHA256()))
        elif isinstance(public_key, rsa.RSAPublicKey):
            public_key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
        else:
            public_key.verify(signature, data)
    except (InvalidSignature, ValueError) as error:
        raise WrongSignature("The token returned a signature that does not verify.") from error
