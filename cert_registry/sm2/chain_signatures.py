"""SM2 signatures for pyHanko, which otherwise asks `cryptography` for every signature.

pyHanko takes a validator of signatures with its context, but forgets it where it checks the certificate of a
delegated OCSP responder, so its default validator is taught instead, for the whole process like the names of
`algorithms`. For every other algorithm nothing changes.

Source: GM/T 0015-2012 (certificates); GM/T 0006-2012 (identifiers).
"""

from typing import Any

from cryptography.exceptions import InvalidSignature
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
    """Verify one signature; raises `cryptography`'s InvalidSignature, as pyHanko wants it."""
    if signature_algorithm["algorithm"].native != SM2_WITH_SM3:
        _theirs(self, signature, signed_data, public_key_info, signature_algorithm, context)
        return
    if context.prehashed:
        raise InvalidSignature  # SM2 hashes the signer's identity and key first
    try:
        Sm2PublicKey.from_der(public_key_info.dump()).verify(signature, signed_data)
    except (SignatureInvalid, KeyRefused) as error:
        raise InvalidSignature from error


def teach_pyhanko() -> None:
    """Let pyHanko verify SM2 with SM3; again changes nothing."""
    DefaultSignatureValidator.validate_signature = _validate_signature  # type: ignore[method-assign] # see above
