"""Keys of the token in the form that `cryptography`'s X.509 builders accept.

The builders ask a private key for its public half and for one signature; nothing else of it is ever needed.
"""

from typing import Any, NoReturn

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from cert_registry.signing.errors import KeyMisuse
from cert_registry.signing.token import SigningKey

BuilderKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def builder_key(key: SigningKey) -> BuilderKey:
    """Wrap a signing key for `x509.CertificateBuilder.sign` and its siblings, always with SHA-256.

    Raises:
        KeyMisuse: The key's kind is not used for certificates here.
    """
    public_key = key.public_key
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return _EllipticCurveKey(key, public_key)
    if isinstance(public_key, rsa.RSAPublicKey):
        return _RsaKey(key, public_key)
    raise KeyMisuse("Only P-256 and RSA keys sign certificates, CRLs and OCSP responses.")


def _inside_token() -> NoReturn:
    raise KeyMisuse("A key of the token can sign; it cannot be taken out or used otherwise.")


class _EllipticCurveKey(ec.EllipticCurvePrivateKey):
    def __init__(self, key: SigningKey, public_key: ec.EllipticCurvePublicKey) -> None:
        self._key = key
        self._public_key = public_key

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        """Sign with SHA-256, whatever else is asked for is refused."""
        if getattr(signature_algorithm.algorithm, "name", None) != "sha256":
            raise KeyMisuse("Keys of the token sign over SHA-256.")
        return self._key.sign(bytes(data))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the public half."""
        return self._public_key

    @property
    def curve(self) -> ec.EllipticCurve:
        """The curve of the public half."""
        return self._public_key.curve

    @property
    def key_size(self) -> int:
        """Bits of the curve."""
        return self._public_key.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> NoReturn:
        """Refuse."""
        del algorithm, peer_public_key
        _inside_token()

    def private_numbers(self) -> NoReturn:
        """Refuse."""
        _inside_token()

    def private_bytes(
        self,
        encoding: serialization.Encoding,
        format: serialization.PrivateFormat,  # noqa: A002 - the name is cryptography's
        encryption_algorithm: serialization.KeySerializationEncryption,
    ) -> NoReturn:
        """Refuse."""
        del encoding, format, encryption_algorithm
        _inside_token()

    def __copy__(self) -> "_EllipticCurveKey":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "_EllipticCurveKey":
        return self


class _RsaKey(rsa.RSAPrivateKey):
    def __init__(self, key: SigningKey, public_key: rsa.RSAPublicKey) -> None:
        self._key = key
        self._public_key = public_key

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:
        """Sign with RSASSA-PKCS1-v1_5 over SHA-256; whatever else is asked for is refused."""
        if padding.name != "EMSA-PKCS1-v1_5" or getattr(algorithm, "name", None) != "sha256":
            raise KeyMisuse("RSA keys of the token sign with PKCS#1 v1.5 over SHA-256.")
        return self._key.sign(bytes(data))

    def public_key(self) -> rsa.RSAPublicKey:
        """Return the public half."""
        return self._public_key

    @property
    def key_size(self) -> int:
        """Bits of the modulus."""
        return self._public_key.key_size

    def decrypt(self, ciphertext: bytes, padding: Any) -> NoReturn:
        """Refuse."""
        del ciphertext, padding
        _inside_token()

    def private_numbers(self) -> NoReturn:
        """Refuse."""
        _inside_token()

    def private_bytes(
        self,
        encoding: serialization.Encoding,
        format: serialization.PrivateFormat,  # noqa: A002 - the name is cryptography's
        encryption_algorithm: serialization.KeySerializationEncryption,
    ) -> NoReturn:
        """Refuse."""
        del encoding, format, encryption_algorithm
        _inside_token()

    def __copy__(self) -> "_RsaKey":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "_RsaKey":
        return self
