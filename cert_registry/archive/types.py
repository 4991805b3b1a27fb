"""The archive's words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime, timedelta

    from cert_registry.types import EcertIdentifier, FileDigest


class DueReason(Enum):
    """Why a file needs a new time stamp."""

    LEVEL = "level"  # sealed below the level of its type, because stamps were not to be had
    UNIT = "unit"  # the certificate of the newest stamp's unit ends
    AUTHORITY = "authority"  # the certificate of a CA above it ends
    LIST = "list"  # the list that says they are not revoked ends
    ALGORITHM = "algorithm"  # the newest stamp's algorithms are not to be relied on any longer

    @property
    def title(self) -> str:
        """The reason as tables show it."""
        return _TITLES[self]


_TITLES = {
    DueReason.LEVEL: "级别待补",
    DueReason.UNIT: "时间戳证书到期",
    DueReason.AUTHORITY: "时间戳CA到期",
    DueReason.LIST: "吊销列表到期",
    DueReason.ALGORITHM: "算法到期",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileVersion:
    """One version of an ecert's file: 1 as sealed, each later one with one more time stamp at its end.

    Attributes:
        level: PAdES level reached, `B-B` to `B-LTA`.
        holds_until: Until when the file proves itself offline; None without evidence (B-B, B-T).
        ends_with: What ends first then: `unit`, `authority` or `list`.
        renewable_until: Until when a new stamp can still save it: while the newest stamp's own chain is valid.
        algorithms: Of the newest stamp.
    """

    identifier: EcertIdentifier
    type_code: str
    sequence: int
    file_digest: FileDigest
    level: str
    holds_until: datetime | None
    ends_with: str
    renewable_until: datetime | None
    algorithms: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalPolicy:
    """When a file is due.

    Attributes:
        lead: How long before its evidence ends.
        algorithms_end: Last day of algorithms, by asn1crypto's names; what is not named does not age.
    """

    lead: timedelta
    algorithms_end: tuple[tuple[str, date], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a file falls due, and why."""

    at: datetime
    reason: DueReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastMonth:
    """How many files fall due in a month, by reason; `month` is `2031-05`, or `now` for what is due already."""

    month: str
    files: int
    reasons: tuple[tuple[DueReason, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What falls due when.

    Attributes:
        months: In order, only those in which something falls due.
        files: How many were looked at.
        never: How many promise nothing that could end.
        too_late: Files whose newest stamp can no longer be proved; a new stamp would not save them.
    """

    months: tuple[ForecastMonth, ...]
    files: int
    never: int
    too_late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalReport:
    """What a run did.

    Attributes:
        due: How many files were due when they were looked at.
        renewed: How many got a stamp.
        already: How many somebody else renewed at the same moment.
        too_late: Identifiers that a stamp cannot save any more.
        failed: Identifiers with the code of what stopped each.
        unreadable: Identifiers of files that could not be examined, with the code.
    """

    due: int
    renewed: int
    already: int
    too_late: tuple[EcertIdentifier, ...]
    failed: tuple[tuple[EcertIdentifier, str], ...]
    unreadable: tuple[tuple[EcertIdentifier, str], ...]
