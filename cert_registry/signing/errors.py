"""What can go wrong while signing, sealing, stamping or issuing signing certificates."""

from typing import ClassVar


class SigningError(Exception):
    """Base of every error of this package; `code` is stable and may be shown to machines."""

    code: ClassVar[str] = "signing-error"


class ConfigurationError(SigningError):
    """The `token` section of `longzheng.yaml` is wrong; the sentence says what to change."""

    code = "signing-configuration"


class TokenUnavailable(SigningError):
    """The PKCS#11 module or its token does not answer; trying later may help."""

    code = "token-unavailable"


class TokenBusy(TokenUnavailable):
    """More callers wait for the token than may wait; the caller should come back a little later."""

    code = "token-busy"


class PinRefused(TokenUnavailable):
    """The token answered but does not accept the PIN; trying again would lock it."""

    code = "token-pin-refused"


class WrongSignature(TokenUnavailable):
    """The token returned a signature, an HMAC or a wrapped key that does not verify; none was released."""

    code = "token-wrong-signature"


class KeyNotFound(SigningError):
    """The token holds no key with that label."""

    code = "key-not-found"

    def __init__(self, token_label: str, key_label: str) -> None:
        super().__init__(f"The token {token_label!r} holds no key labelled {key_label!r}.")
        self.token_label = token_label
        self.key_label = key_label


class KeyExists(SigningError):
    """A key with that label is already on the token; keys are never overwritten."""

    code = "key-exists"


class KeyMisuse(SigningError):
    """The key exists but is not of the kind that the operation needs."""

    code = "key-misuse"


class CiphertextRefused(SigningError):
    """A ciphertext is damaged, of an unknown version, or bound to other associated data."""

    code = "ciphertext-refused"


class AuthorityUnavailable(SigningError):
    """A certificate file or the register of issued certificates is missing or unreadable."""

    code = "authority-unavailable"


class UnknownCertificate(SigningError):
    """No certificate of that name or serial number was ever issued here."""

    code = "unknown-certificate"


class CertificateExpired(SigningError):
    """A signing certificate is not valid at the time of use, or is revoked."""

    code = "certificate-not-usable"


class CertificateUnfit(SigningError):
    """A certificate that came in from a licensed CA does not fit the seal; the sentence says in what."""

    code = "certificate-unfit"


class TimeStampUnavailable(SigningError):
    """The time-stamp authority does not answer, or does not grant what it must; trying later may help."""

    code = "time-stamp-unavailable"


class DocumentRefused(SigningError):
    """The bytes to be sealed are not a PDF that a seal can be put on."""

    code = "document-refused"


class LayoutUnknown(DocumentRefused):
    """The document is not laid out as our own press does it; the reference path may still take it."""

    code = "layout-unknown"


class SealingFailed(SigningError):
    """The seal could not be made for a reason inside; nothing was produced."""

    code = "sealing-failed"


class ReleaseRefused(SigningError):
    """A sealed file failed the independent check and must not be released."""

    code = "release-refused"


class CoverageBroken(ReleaseRefused):
    """The signature does not cover the whole file, or the file is not the one expected."""

    code = "release-coverage"


class SealBroken(ReleaseRefused):
    """The signature, its attributes or its certificate are not what they must be."""

    code = "release-seal"


class StampBroken(ReleaseRefused):
    """The time stamp is missing, does not verify or does not belong to the signature."""

    code = "release-stamp"


class ContentDiffers(ReleaseRefused):
    """Pages or attachments of the sealed file are not those that were rendered."""

    code = "release-content"
