"""When a file needs its next time stamp: pure, over what is recorded of it.

Source: EN 319 142-1 clause 5.5; TS 119 312 (algorithms have a last day); docs/levels.md.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from cert_registry.archive.types import Due, DueReason, Forecast, ForecastMonth

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.archive.types import FileVersion, RenewalPolicy

LEVELS: Final = ("B-B", "B-T", "B-LT", "B-LTA")
NOW: Final = "now"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def is_below(level: str, wanted: str) -> bool:
    """Whether a level promises less than another."""
    return LEVELS.index(level) < LEVELS.index(wanted)


def due_of(version: FileVersion, *, wanted: str, policy: RenewalPolicy) -> Due | None:
    """When a file falls due first, and why; None when it promises nothing that ends.

    Args:
        version: The newest version of the file.
        wanted: The level that its type promises.
        policy: Lead time and last days of algorithms.
    """
    if is_below(version.level, wanted):
        return Due(at=_EPOCH, reason=DueReason.LEVEL)
    found: list[Due] = []
    if version.holds_until is not None:
        found.append(Due(at=version.holds_until - policy.lead, reason=DueReason(version.ends_with)))
        for name, last_day in policy.algorithms_end:
            if name in version.algorithms:
                end = datetime.combine(last_day, time.max, UTC)
                found.append(Due(at=end - policy.lead, reason=DueReason.ALGORITHM))
    return min(found, key=lambda due: due.at, default=None)


def is_too_late(version: FileVersion, *, now: datetime) -> bool:
    """Whether the newest stamp's own chain has ended: whatever is stamped now cannot prove it any more."""
    return version.renewable_until is not None and version.renewable_until < now


def forecast(
    versions: Iterable[tuple[FileVersion, str]], *, policy: RenewalPolicy, now: datetime
) -> Forecast:
    """Count what falls due by month (UTC).

    Args:
        versions: Newest versions, each with the level that its type promises.
        policy: Lead time and last days of algorithms.
        now: What is due before is counted under `now`.
    """
    months: dict[str, Counter[DueReason]] = {}
    files = never = too_late = 0
    for version, wanted in versions:
        files += 1
        due = due_of(version, wanted=wanted, policy=policy)
        if is_too_late(version, now=now):
            too_late += 1
        elif due is None:
            never += 1
        else:
            month = NOW if due.at <= now else f"{due.at:%Y-%m}"
            months.setdefault(month, Counter())[due.reason] += 1
    ordered = sorted(months.items(), key=lambda item: (item[0] != NOW, item[0]))
    return Forecast(
        months=tuple(
            ForecastMonth(
                month=month,
                files=sum(counts.values()),
                reasons=tuple(sorted(counts.items(), key=lambda item: item[0].value)),
            )
            for month, counts in ordered
        ),
        files=files,
        never=never,
        too_late=too_late,
    )
