"""What validation refuses to start on; a bad document is an answer, never an error."""

from __future__ import annotations


class ValidationRoomError(Exception):
    """Base of this package's errors; `code` is stable, the message is for a person."""

    code = "validation-error"


class TrustListUnreadable(ValidationRoomError):
    """A trust list holds no certificate, or one that cannot be read."""

    code = "trust-list-unreadable"


class RevocationListUnreadable(ValidationRoomError):
    """A file given as a CRL is none."""

    code = "crl-unreadable"


class FileUnreadable(ValidationRoomError):
    """A path that was named cannot be read."""

    code = "file-unreadable"


class ValidatorsBusy(ValidationRoomError):
    """As many files as allowed are being validated, and none ended while this one waited: try again later."""

    code = "validators-busy"


class MalformedSyntax(ValidationRoomError):
    """Bytes that should be a PDF object are not."""

    code = "malformed-syntax"
