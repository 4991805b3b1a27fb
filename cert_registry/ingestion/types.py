"""Rows on their way: what came, what it means, how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import Enum
from typing import NewType

from cert_registry.catalog.face_schema import CheckedFace
from cert_registry.types import EcertIdentifier, Holder
from idp.identity.holder import HolderReference

BatchId = NewType("BatchId", str)
"""32 hex characters, made from source, type and the file's content: the same file is the same batch."""
RowKey = NewType("RowKey", str)
"""64 hex characters: keyed digest of the certificate's own number."""


class Outcome(Enum):
    """How a row ended; every row ends as exactly one of these."""

    REGISTERED = "registered"
    DUPLICATE = "duplicate"  # the same certificate with the same content is there
    CONFLICTING = "conflicting"  # the same certificate with other content is there
    REFUSED = "refused"

    @property
    def title(self) -> str:
        """The outcome's Chinese name."""
        return {"registered": "已入库", "duplicate": "重复", "conflicting": "冲突", "refused": "退回"}[
            self.value
        ]


class Reason(Enum):
    """Why a row did not become an ecert; stable."""

    MALFORMED_ROW = "malformed-row"
    ROW_TOO_LONG = "row-too-long"
    ROW_SHAPE = "row-shape"
    MISSING_FIELD = "missing-field"
    BAD_DATE = "bad-date"
    DATE_ORDER = "date-order"
    CHECK_CHARACTER = "check-character"
    CREDIT_CODE = "credit-code"
    ISSUER_CODE = "issuer-code"
    FACE = "face"
    SAME_ROW_AGAIN = "same-row-again"
    OTHER_CONTENT = "other-content"


class Flag(Enum):
    """What is doubtful about a row that was registered all the same."""

    UNKNOWN_HOLDER = "unknown-holder"
    UNKNOWN_ISSUER = "unknown-issuer"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockEcert:
    """One row that is fit to be registered: `origin=ingested`, unsealed.

    Attributes:
        row_key: with ``source``, what makes this certificate the same as another.
        content_digest: 64 hex characters, keyed, over everything the row says.
        valid_until: last day, included; None for 长期.
        flags: doubts that verifiers may be told.
    """

    batch_id: BatchId
    source: str
    line_number: int
    row_key: RowKey
    content_digest: str
    type_code: str
    type_slug: str
    certificate_number: str = field(repr=False)
    face: CheckedFace = field(repr=False)
    holders: tuple[Holder, ...] = field(repr=False)
    holder_references: tuple[HolderReference, ...]
    issuer_code: str
    issuer_name: str
    issued_on: date
    valid_from: date
    valid_until: date | None
    flags: frozenset[Flag] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExistingStock:
    """What the registry has under a row key.

    Attributes:
        content_digest: as in `StockEcert`; None for an ecert that did not come from stock.
    """

    identifier: EcertIdentifier
    content_digest: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOutcome:
    """How one row ended.

    Attributes:
        line_number: physical line of the file where the row begins; the header is line 1.
        field: the mapping's field at fault, if one is.
        sentence: what a person at the source can act on; holds no value of the row.
    """

    line_number: int
    outcome: Outcome
    identifier: EcertIdentifier | None = None
    reason: Reason | None = None
    field: str = ""
    sentence: str = ""
    flags: frozenset[Flag] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """What became of a file.

    Attributes:
        reasons: number of rows by reason, and by field for a missing one (``missing-field:operator_name``).
        flags: number of registered rows by doubt.
        resumed_rows: rows that an earlier, interrupted run had done already.
        ignored_columns: columns that the mapping does not know.
        remarks: every row that was not registered or carries a flag, in the order of the file.
    """

    batch_id: BatchId
    source: str
    type_slug: str
    encoding: str
    rows: int
    outcomes: Mapping[Outcome, int]
    reasons: Mapping[str, int]
    flags: Mapping[Flag, int]
    resumed_rows: int
    ignored_columns: tuple[str, ...]
    started_at: datetime
    finished_at: datetime
    remarks: tuple[RowOutcome, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceQuality:
    """Quality of one source over all its batches; each number is a count of rows."""

    source: str
    rows: int
    registered: int
    missing_fields: int
    bad_check_digits: int
    unknown_holders: int
    conflicting: int
