"""What can go wrong with SM2 keys and signatures."""

from typing import ClassVar


class Sm2Error(Exception):
    """Base of every error of this package; `code` is stable and may be shown to machines."""

    code: ClassVar[str] = "sm2-error"


class LibraryUnavailable(Sm2Error):
    """The system's OpenSSL 3 with SM2 is not there or refuses to work."""

    code = "sm2-library-unavailable"


class KeyRefused(Sm2Error):
    """The bytes are not an SM2 key in the form that is read here."""

    code = "sm2-key-refused"


class SignatureInvalid(Sm2Error):
    """The signature does not verify, or is not in the one encoding that is accepted."""

    code = "sm2-signature-invalid"
