"""The words of EN 319 102-1 and the report that carries them.

Source: ETSI EN 319 102-1 table 5 and 6 (indications and sub-indications); the JSON is design section 8,
described in docs/verify-report.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime


class Indication(Enum):
    """Main indication of one signature."""

    PASSED = "TOTAL-PASSED"
    FAILED = "TOTAL-FAILED"
    INDETERMINATE = "INDETERMINATE"


class Verdict(Enum):
    """What is said of a whole file."""

    PASSED = "TOTAL-PASSED"
    FAILED = "TOTAL-FAILED"
    INDETERMINATE = "INDETERMINATE"
    NO_SIGNATURE = "NO-SIGNATURE"
    NOT_A_PDF = "NOT-A-PDF"


class SubIndication(Enum):
    """Why a signature is not TOTAL-PASSED; `indication` is the main indication that the word belongs to."""

    FORMAT_FAILURE = "FORMAT_FAILURE"
    HASH_FAILURE = "HASH_FAILURE"
    SIG_CRYPTO_FAILURE = "SIG_CRYPTO_FAILURE"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    SIG_CONSTRAINTS_FAILURE = "SIG_CONSTRAINTS_FAILURE"
    CHAIN_CONSTRAINTS_FAILURE = "CHAIN_CONSTRAINTS_FAILURE"
    CERTIFICATE_CHAIN_GENERAL_FAILURE = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE = "CRYPTO_CONSTRAINTS_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE_NO_POE = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    TIMESTAMP_ORDER_FAILURE = "TIMESTAMP_ORDER_FAILURE"
    NO_SIGNING_CERTIFICATE_FOUND = "NO_SIGNING_CERTIFICATE_FOUND"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    REVOKED_NO_POE = "REVOKED_NO_POE"
    REVOKED_CA_NO_POE = "REVOKED_CA_NO_POE"
    OUT_OF_BOUNDS_NO_POE = "OUT_OF_BOUNDS_NO_POE"
    TRY_LATER = "TRY_LATER"
    SIGNED_DATA_NOT_FOUND = "SIGNED_DATA_NOT_FOUND"
    GENERIC = "GENERIC"

    @property
    def indication(self) -> Indication:
        """The main indication under which EN 319 102-1 lists this word."""
        return Indication.FAILED if self in _FAILURES else Indication.INDETERMINATE


_FAILURES = frozenset(
    {
        SubIndication.FORMAT_FAILURE,
        SubIndication.HASH_FAILURE,
        SubIndication.SIG_CRYPTO_FAILURE,
        SubIndication.REVOKED,
        SubIndication.EXPIRED,
        SubIndication.NOT_YET_VALID,
    }
)


class Level(Enum):
    """Baseline level that the signature has the parts of (EN 319 142-1)."""

    B = "PAdES-BASELINE-B"
    T = "PAdES-BASELINE-T"
    LT = "PAdES-BASELINE-LT"
    LTA = "PAdES-BASELINE-LTA"
    OTHER = "OTHER"


class Coverage(Enum):
    """How much of the file the signature's ByteRange covers."""

    WHOLE_FILE = "whole-file"
    REVISION = "revision"
    PARTIAL = "partial"


class Modifications(Enum):
    """What was changed after the signed revision, weakest first; the order is used to find the worst."""

    NONE = "none"
    VALIDATION_DATA = "validation-data"
    PERMITTED = "permitted"
    NOT_UNDERSTOOD = "not-understood"
    NOT_PERMITTED = "not-permitted"

    @property
    def severity(self) -> int:
        """Rank among the values, 0 for none."""
        return list(Modifications).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampReport:
    """One time stamp: over the signature value, or a document time stamp that covers the signature."""

    time: datetime | None
    kind: str  # "signature" or "document"
    indication: Indication
    sub_indication: SubIndication | None
    signer: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the members of the JSON report."""
        return {
            "time": _time(self.time),
            "kind": self.kind,
            "indication": self.indication.value,
            "sub_indication": self.sub_indication.value if self.sub_indication else None,
            "signer": self.signer,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureReport:
    """One signature and everything that was found out about it."""

    field: str
    indication: Indication
    sub_indication: SubIndication | None
    level: Level
    coverage: Coverage
    modifications: Modifications
    signer: str | None
    signed_at: datetime | None
    timestamps: tuple[TimestampReport, ...]
    reason: str  # one Chinese sentence, not part of the JSON

    def to_json(self) -> dict[str, Any]:
        """Return the members of the JSON report."""
        return {
            "field": self.field,
            "indication": self.indication.value,
            "sub_indication": self.sub_indication.value if self.sub_indication else None,
            "level": self.level.value,
            "coverage": self.coverage.value,
            "modifications": self.modifications.value,
            "signer": self.signer,
            "signed_at": _time(self.signed_at),
            "timestamps": [stamp.to_json() for stamp in self.timestamps],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentReport:
    """The answer for one file."""

    verdict: Verdict
    reason: str
    signatures: tuple[SignatureReport, ...] = ()

    def to_json(self, *, file: str = "") -> dict[str, Any]:
        """Return the JSON of design section 8; `file` is the name as the caller gave it."""
        return {
            "file": file,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "signatures": [signature.to_json() for signature in self.signatures],
        }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
