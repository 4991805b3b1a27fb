"""What can go wrong while the archive is examined or renewed."""

from typing import ClassVar

from cert_registry.errors import RegistryError


class ArchiveError(RegistryError):
    """Base of every error of this room."""

    code: ClassVar[str] = "archive-error"


class RenewalRunning(ArchiveError):
    """Another run is renewing this archive; two would stamp the same files."""

    code: ClassVar[str] = "archive-renewal-running"


class NothingGained(ArchiveError):
    """A stamp made now would end as early as the one before it: first a new unit, CA, list or algorithm."""

    code: ClassVar[str] = "archive-nothing-gained"


class StampsUnavailable(ArchiveError):
    """Time stamps or revocation lists cannot be had now; the run stopped and can be continued."""

    code: ClassVar[str] = "archive-stamps-unavailable"
