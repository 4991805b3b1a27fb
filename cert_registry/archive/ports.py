"""What renewing needs from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from cert_registry.archive.types import FileVersion
    from cert_registry.log_events import NewLeaf
    from cert_registry.signing.file_evidence import FileEvidence
    from cert_registry.types import EcertIdentifier, FileDigest


class ArchiveBook(Protocol):
    """The versions of every ecert's file."""

    def unexamined(self, *, after: str, limit: int) -> tuple[tuple[EcertIdentifier, FileDigest], ...]:
        """Effective ecerts sealed here whose file has no version on record yet, behind an identifier."""
        ...

    def record_first(
        self, identifier: EcertIdentifier, digest: FileDigest, evidence: FileEvidence, *, now: datetime
    ) -> None:
        """Record the file as it was sealed; recording it twice changes nothing."""
        ...

    def newest(self) -> Iterator[FileVersion]:
        """The newest version of every examined file, by identifier, read in batches."""
        ...

    def has_lowered(self) -> bool:
        """Whether there may be a file below the level of its type; cheap."""
        ...

    def record_next(
        self,
        version: FileVersion,
        digest: FileDigest,
        evidence: FileEvidence,
        *,
        reason: str,
        leaf: NewLeaf,
        now: datetime,
    ) -> bool:
        """In one transaction: the new version, the ecert's row, the leaf; False when the row moved on before."""
        ...


class RenewalGate(Protocol):
    """Lets one run in at a time, over all processes; a run that dies leaves it open."""

    def alone(self) -> AbstractContextManager[None]:
        """Hold the gate.

        Raises:
            RenewalRunning: Somebody else does.
        """
        ...
