"""SM2 signatures for pyHanko, which otherwise asks `cryptography` for every signature.

pyHanko takes a validator of signatures with its context, but forgets it where it checks the certificate of a
delegated OCSP responder, so its default validator is taught instead, for the whole process like the names of
`algorithms`. For every other algorithm nothing changes.

Source: GM/T 0015-2012 (certificates); GM/T 0006-2012 (identifiers).
"""

from typing import Any

from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator.errors import AlgorithmNotSupported
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_VALIDATION_CONTEXT,
    DefaultSignatureValidator,
    SignatureValidationContext,
)

from cert_registry.sm2.algorithms import SM2_WITH_SM3
from cert_registry.sm2.errors import KeyRefused, SignatureInvalid
from cert_registry.sm2.public_key import Sm2PublicKey

_theirs = DefaultSignatureValidator.validate_signature


def _validate_signature(  # noqa: PLR0917 - their signature
    self: DefaultSignatureValidator,
    signature: bytes,
    signed_data: bytes,
    public_key_info: Any,
    signature_algorithm: Any,
    context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
) -> None:
    """Verify one signature; raises `cryptography`'s InvalidSignature, as pyHanko wants it.

    A signature with another identity than the default one is beyond us, which is no proof of forgery.
    """
    if signature_algorithm["algorithm"].native != SM2_WITH_SM3:
        _theirs(self, signature, signed_data, public_key_info, signature_algorithm, context)
        return
    if context.prehashed:
        raise AlgorithmNotSupported("SM2 hashes the signer's identity and key first.")
    try:
        key = Sm2PublicKey.from_der(public_key_info.dump())
        key.verify(signature, signed_data)
    except KeyRefused as error:
        raise AlgorithmNotSupported("The key does not fit SM2.") from error
    except SignatureInvalid as error:
        if _uses_another_identity(key, signature, signed_data):
            raise AlgorithmNotSupported("SM2 with another identity than the default one.") from error
        raise InvalidSignature from error


def _uses_another_identity(key: Sm2PublicKey, signature: bytes, data: bytes) -> bool:
    """Tell whether a signature fits the empty identity, which programs take that are given none."""
    try:
        key.verify(signature, data, identity=b"")
    except SignatureInvalid:
        return False
    return True


def teach_pyhanko() -> None:
    """Let pyHanko verify SM2 with SM3; again changes nothing."""
    DefaultSignatureValidator.validate_signature = _validate_signature  # type: ignore[method-assign] # see above
