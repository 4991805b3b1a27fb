"""What the requirements room refuses."""

from typing import ClassVar


class RequirementsError(Exception):
    """Base of every error of the requirements room."""

    code: ClassVar[str] = "requirements-error"


class UnknownServiceItem(RequirementsError):
    """No service item has this code."""

    code = "unknown-service-item"


class ItemsMalformed(RequirementsError):
    """A file of the catalogue of service items is wrong; the sentence says where."""

    code = "service-items-malformed"
