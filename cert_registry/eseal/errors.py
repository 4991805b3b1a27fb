"""What can go wrong with e-seal structures."""

from typing import ClassVar


class EsealError(Exception):
    """Base of every error of this package; `code` is stable and may be shown to machines."""

    code: ClassVar[str] = "eseal-error"


class EsealMalformed(EsealError):
    """The bytes are not an e-seal structure in DER, or say something that the standard does not allow."""

    code = "eseal-malformed"


class EsealContentRefused(EsealError):
    """What is asked to be put into an e-seal cannot stand in one."""

    code = "eseal-content-refused"


class EsealUnavailable(EsealError):
    """There is no e-seal of that seal; the message is a Chinese sentence for a person."""

    code = "eseal-unavailable"
