"""Verifies one signature value, and says "beyond us" where it cannot, never "forged".

pyHanko knows the ordinary algorithms; a few that signers use besides are added here. Only a value that was
computed with and did not fit is proof of anything: a key, a parameter or an algorithm that cannot be read is not.

Source: RFC 5652 section 5.4; RFC 8702 and NIST's registry (SHA-3); BSI TR-03111 section 5.2.1 (plain ECDSA).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from asn1crypto import core
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from pyhanko.sign.general import (
    MultivaluedAttributeError,
    NonexistentAttributeError,
    find_unique_cms_attribute,
)
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_sig_integrity
from pyhanko_certvalidator.errors import AlgorithmNotSupported, DSAParametersUnavailable, PSSParameterMismatch
from pyhanko_certvalidator.sig_validate import (
    DefaultSignatureValidator,
    SignatureValidationContext,
    SignatureValidator,
)

from cert_registry.sm2.algorithms import SM3
from cert_registry.sm2.chain_signatures import teach_pyhanko
from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.known import encoding_of, remembered
from verify_api.validation.verdicts import SubIndication

if TYPE_CHECKING:
    from collections.abc import Iterable

    from verify_api.validation.signed_data import SignedContent

teach_pyhanko()  # SM2 with SM3

DIGESTS = frozenset(
    {"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_224", "sha3_256", "sha3_384", "sha3_512"}
    | {SM3}
)
_SHAKE256_BYTES = 64  # RFC 8419: id-shake256 with Ed448 yields 512 bits
_NIST_SIGNATURES = "2.16.840.1.101.3.4.3."
_SHA3 = (hashes.SHA3_224, hashes.SHA3_256, hashes.SHA3_384, hashes.SHA3_512)
_RSA_DIGESTS = (hashes.SHA1, hashes.SHA256, hashes.SHA384, hashes.SHA512)
_PLAIN_ECDSA = "0.4.0.127.0.7.1.1.4.1."
_PLAIN_HASHES = (None, hashes.SHA1, hashes.SHA224, hashes.SHA256, hashes.SHA384, hashes.SHA512)


class DigestUnknown(MalformedSyntax):
    """A digest algorithm is not one that signatures use; the message is a Chinese clause."""

    code = "digest-unknown"


class _BeyondUs(Exception):
    """The algorithm, its parameters or the key cannot be worked with."""


def digest_of(parts: Iterable[bytes | memoryview], name: str) -> bytes:
    """Return the digest of parts under an algorithm named as asn1crypto names it.

    Raises:
        DigestUnknown: The algorithm is not one that signatures use.
    """
    if name in {"shake256", "shake256_len"}:
        xof = hashlib.shake_256()
        for part in parts:
            xof.update(part)
        return xof.digest(_SHAKE256_BYTES)
    if name not in DIGESTS:
        raise DigestUnknown("签名所用的摘要算法不认识")
    machine = hashlib.new(name, usedforsecurity=False)
    for part in parts:
        machine.update(part)
    return machine.digest()


def signature_verdict(public_key: Any, algorithm: Any, signed: bytes, signature: bytes) -> bool | None:
    """Verify one plain signature: True, False, or None when the algorithm or the key is beyond us."""
    try:
        CarefulValidator().validate_signature(
            signature, signed, public_key, algorithm, context=SignatureValidationContext()
        )
    except InvalidSignature:
        return False
    except Exception:  # noqa: BLE001 - asn1crypto and cryptography raise many kinds for what they cannot read
        return None
    return True


def check_integrity(content: SignedContent, *, digest: bytes, content_type: str) -> SubIndication | None:
    """Check the message digest and the signature over the signed attributes.

    Args:
        content: The parts.
        digest: Digest of what should have been signed.
        content_type: The content type that must be signed, as asn1crypto names it.

    Returns:
        None when both hold, else what fails.
    """
    try:
        claimed = _claimed_digest(content)
        if claimed is not None and claimed != digest:
            return SubIndication.HASH_FAILURE
        if content.signer is None:
            return SubIndication.NO_SIGNING_CERTIFICATE_FOUND
        intact, valid = validate_sig_integrity(
            content.signer_info, content.signer, content_type, digest, sig_validator=CarefulValidator()
        )
    except SignatureValidationError as error:
        name = getattr(error.ades_subindication, "name", "") or ""
        known = SubIndication[name] if name in SubIndication.__members__ else SubIndication.GENERIC
        # What pyHanko calls a format failure is a rule of CMS that is broken, which proves no alteration.
        soft = known in {SubIndication.GENERIC, SubIndication.FORMAT_FAILURE}
        return SubIndication.SIG_CONSTRAINTS_FAILURE if soft else known
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - builtin errors for keys and parameters that do not fit together
        return SubIndication.CRYPTO_CONSTRAINTS_FAILURE
    if not intact:
        return SubIndication.HASH_FAILURE
    return None if valid else SubIndication.SIG_CRYPTO_FAILURE


def _claimed_digest(content: SignedContent) -> bytes | None:
    attributes = content.signer_info["signed_attrs"]
    if isinstance(attributes, core.Void):
        return None
    try:
        value = find_unique_cms_attribute(attributes, "message_digest")
    except (NonexistentAttributeError, MultivaluedAttributeError) as error:
        raise SignatureValidationError("no single message digest") from error
    return bytes(value.native)


class CarefulValidator(SignatureValidator):
    """pyHanko's validator, and the algorithms that it does not know."""

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: Any,
        signature_algorithm: Any,
        context: SignatureValidationContext = SignatureValidationContext(),  # noqa: B008 - frozen, as in the base
    ) -> None:
        """Raise InvalidSignature when the value does not fit, another error when it cannot be told."""
        asked = (
            encoding_of(public_key_info),
            encoding_of(signature_algorithm),
            hashlib.sha256(signed_data).digest(),
            signature,
            context,
        )

        def verify() -> bool:
            self._tell_apart(signature, signed_data, public_key_info, signature_algorithm, context)
            return True

        remembered("signature", asked, verify)  # only one that holds; a failure raises and is not remembered

    def _tell_apart(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: Any,
        signature_algorithm: Any,
        context: SignatureValidationContext,
    ) -> None:
        try:
            self._verify(signature, signed_data, public_key_info, signature_algorithm, context)
        except (AlgorithmNotSupported, PSSParameterMismatch, DSAParametersUnavailable) as error:
            raise _BeyondUs from error  # kinds of InvalidSignature that say nothing about the value
        except InvalidSignature:
            if _opens_otherwise(public_key_info, signature, signed_data, prehashed=context.prehashed):
                raise _BeyondUs from None
            raise

    def _verify(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: Any,
        signature_algorithm: Any,
        context: SignatureValidationContext,
    ) -> None:
        dotted = str(signature_algorithm["algorithm"].dotted)
        key = None
        if dotted.startswith((_PLAIN_ECDSA, _NIST_SIGNATURES)):
            key = serialization.load_der_public_key(public_key_info.dump())
        if dotted.startswith(_PLAIN_ECDSA) and isinstance(key, ec.EllipticCurvePublicKey):
            _verify_plain(key, signature, signed_data, dotted, prehashed=context.prehashed)
        elif dotted.startswith(_NIST_SIGNATURES) and _sha3_of(dotted) is not None:
            _verify_sha3(key, signature, signed_data, dotted, prehashed=context.prehashed)
        else:
            if context.prehashed and "ed" in public_key_info.algorithm[:2]:
                raise _BeyondUs  # EdDSA without signed attributes signs the content, not its digest
            DefaultSignatureValidator().validate_signature(
                signature, signed_data, public_key_info, signature_algorithm, context
            )


def _opens_otherwise(public_key_info: Any, signature: bytes, signed: bytes, *, prehashed: bool) -> bool:
    """Tell whether an RSA value fits under another digest than the one named: mislabelled, but not forged."""
    if public_key_info.algorithm != "rsa" or prehashed:
        return False
    key = serialization.load_der_public_key(public_key_info.dump())
    for algorithm in _RSA_DIGESTS:
        try:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, signed, padding.PKCS1v15(), algorithm())
                return True
        except InvalidSignature:
            continue
    return False


def _sha3_of(dotted: str) -> hashes.HashAlgorithm | None:
    last = dotted.removeprefix(_NIST_SIGNATURES)
    number = int(last) if last.isdigit() else 0
    # 9 to 12: ECDSA with SHA3-224 to SHA3-512; 13 to 16: RSA PKCS #1 v1.5 with the same.
    return _SHA3[(number - 9) % 4]() if 9 <= number <= 16 else None


def _verify_sha3(key: Any, signature: bytes, signed: bytes, dotted: str, *, prehashed: bool) -> None:
    algorithm = _sha3_of(dotted)
    if algorithm is None:
        raise _BeyondUs
    chosen = Prehashed(algorithm) if prehashed else algorithm
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, signed, padding.PKCS1v15(), chosen)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(chosen))
    else:
        raise _BeyondUs


def _verify_plain(
    key: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes, dotted: str, *, prehashed: bool
) -> None:
    last = dotted.removeprefix(_PLAIN_ECDSA)
    number = int(last) if last.isdigit() else 0
    kind = _PLAIN_HASHES[number] if 0 < number < len(_PLAIN_HASHES) else None
    size = (key.curve.key_size + 7) // 8
    if kind is None or len(signature) != 2 * size:
        raise _BeyondUs
    # r ‖ s, each as long as the curve's field, big-endian
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    chosen = Prehashed(kind()) if prehashed else kind()
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(chosen))
