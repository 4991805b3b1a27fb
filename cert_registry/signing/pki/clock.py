"""Whether the clock may be believed: against the last stamp, which is kept durably, and against time servers.

A time stamp is worth what its time is worth, so the authority rather stops than stamps a time that cannot be
right. The newest stamped time is written at most once a second, before a stamp of that second leaves; so after
a crash the mark is never more than a second behind what was stamped.

Source: EN 319 421 clauses 7.7.1 (accuracy) and 7.7.2 (stop when out of it); RFC 3161 section 2.4.2 (timeNotAvailable).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic

from cert_registry.signing.errors import SigningError
from cert_registry.signing.pki.register import AuthorityRegister
from cert_registry.signing.pki.sntp import ClockOffset, PeerUnavailable, TimePeer

_MARK_EVERY = timedelta(seconds=1)
#: Name of the newest stamped time in the register.
NEWEST_STAMP = "tsa-newest-stamp"
_ASK_EVERY_S = 64.0


class TimeNotAvailable(SigningError):
    """The clock contradicts the last stamp or the time servers; nothing is stamped until it is put right."""

    code = "time-not-available"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockPolicy:
    """How much a clock may be off.

    Attributes:
        backwards: How far behind the newest stamp the clock may be.
        apart: How far from the time servers it may be; the accuracy that stamps claim.
        alone: How long it is believed when no time server answers.
    """

    backwards: timedelta = timedelta(seconds=2)
    apart: timedelta = timedelta(seconds=1)
    alone: timedelta = timedelta(hours=24)


class ClockWatch:
    """Lets a time through when nothing speaks against it; safe between threads and processes.

    Args:
        register: Keeps the newest stamped time.
        peers: Time servers; none means that only the last stamp is asked.
        policy: What is tolerated.
    """

    def __init__(
        self,
        register: AuthorityRegister,
        *,
        peers: Sequence[TimePeer] = (),
        policy: ClockPolicy | None = None,
    ) -> None:
        self._register = register
        self._peers = tuple(peers)
        self._policy = policy or ClockPolicy()
        self._lock = Lock()
        self._asking = Lock()
        self._newest: datetime | None = None
        self._asked_at: float | None = None
        self._heard_at = monotonic()
        self._apart: timedelta | None = None

    def admit(self, now: datetime) -> None:
        """Check a time that is about to be stamped, and remember it.

        Raises:
            TimeNotAvailable: It is before the newest stamp, or far from the time servers.
            AuthorityUnavailable: The newest stamped time cannot be read or written.
        """
        self._check_peers()
        with self._lock:
            if self._newest is None or not self._newest <= now < self._newest + _MARK_EVERY:
                newest = self._register.raise_mark(NEWEST_STAMP, now)  # durable before the stamp
                self._refuse_backwards(newest, now)
                self._newest = newest

    def check(self, now: datetime) -> None:
        """Check a time without stamping it; for health.

        Raises:
            TimeNotAvailable: It would not be stamped.
            AuthorityUnavailable: The newest stamped time cannot be read.
        """
        self._check_peers()
        newest = self._register.mark(NEWEST_STAMP)
        if newest is not None:
            self._refuse_backwards(newest, now)

    def accept(self, now: datetime) -> datetime | None:
        """Take the present time for right although it is before the newest stamp; returns what the mark was.

        For an operator who has found out that the clock was ahead once: stamps with too late a time are out.
        """
        with self._lock:
            before = self._register.mark(NEWEST_STAMP)
            self._register.set_mark(NEWEST_STAMP, now)
            self._newest = None
        return before

    def _refuse_backwards(self, newest: datetime, now: datetime) -> None:
        if newest - now > self._policy.backwards:
            raise TimeNotAvailable(
                f"The clock says {now:%Y-%m-%d %H:%M:%S} UTC, but {newest:%Y-%m-%d %H:%M:%S} was stamped already."
            )

    def _check_peers(self) -> None:
        if not self._peers:
            return
        due = self._asked_at is None or monotonic() - self._asked_at >= _ASK_EVERY_S
        if due and self._asking.acquire(blocking=self._asked_at is None):
            try:
                self._ask()
            finally:
                self._asking.release()
        if self._apart is not None and self._apart > self._policy.apart:
            raise TimeNotAvailable(
                f"The clock is {self._apart.total_seconds():.1f} s away from the time servers."
            )
        if monotonic() - self._heard_at > self._policy.alone.total_seconds():
            raise TimeNotAvailable("No time server has answered for too long.")

    def _ask(self) -> None:
        offsets = offsets_of(self._peers)
        self._asked_at = monotonic()
        if offsets:
            self._heard_at = self._asked_at
            self._apart = distance(offsets)


def offsets_of(peers: Sequence[TimePeer]) -> list[ClockOffset]:
    """Ask every peer; those without a believable answer are left out."""
    found: list[ClockOffset] = []
    for peer in peers:
        try:
            found.append(peer.offset())
        except PeerUnavailable:
            continue
    return found


def distance(offsets: Sequence[ClockOffset]) -> timedelta:
    """How far the clock certainly is from what most time servers say: the median, less what each may err.

    With an even number the farther of the two in the middle counts, so that two who disagree stop the stamping.
    """
    certain = sorted(max(abs(one.ahead) - one.uncertainty, timedelta()) for one in offsets)
    return certain[len(certain) // 2]
