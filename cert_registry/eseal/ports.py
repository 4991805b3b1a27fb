"""What verifying an e-seal needs from outside: judging certificates and reading time stamps."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol


class Standing(Enum):
    """How a certificate stood at a moment."""

    GOOD = "good"
    UNTRUSTED = "untrusted"  # no chain to an anchor holds
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"  # nobody at hand can say whether it was revoked


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """How a certificate stood, when it was revoked, and the judge's own words."""

    standing: Standing
    revoked_at: datetime | None = None
    detail: str = ""


class CertificateJudge(Protocol):
    """Judges certificates against trust anchors and revocation data."""

    def judge(self, certificate: bytes, *, at: datetime) -> Judgement:
        """Judge a certificate (DER) at a moment."""
        ...

    def stamped_at(self, token: bytes, covered: bytes, *, now: datetime) -> datetime | None:
        """Return the time of a time-stamp token over `covered`; None unless everything about it holds."""
        ...
