"""The question, the answer and its parts, which are never merged into one word (design, section 6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import Enum

CIVIL_TIME = timezone(timedelta(hours=8))
"""Civil dates are those of UTC+8."""


class Operation(Enum):
    """What a department may be entitled to, each on its own (``may ask yes or no but not read``)."""

    VERIFY = "verify"
    COMPARE = "compare"


class Outcome(Enum):
    """What the first sentence of an answer says; the parts below it carry the evidence."""

    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    ALTERED = "altered"
    UNREGISTERED = "unregistered"
    UNKNOWN = "unknown"
    NOT_OURS = "not-ours"
    NOT_CHECKED = "not-checked"


class FieldResult(Enum):
    """Result of comparing one field; the value held is never told."""

    MATCH = "match"
    MISMATCH = "mismatch"
    NOT_HELD = "not-held"


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """Why the question is asked: demanded on every call and recorded with it.

    Attributes:
        purpose: Use of the answer, 1 to 200 characters.
        service_item: Code of the service item that the case belongs to.
        case_number: The asker's own case number.
        officer: Who asks on the department's side, when a person does.
        legal_basis: Law or rule that the asker cites, if it cites one.
    """

    purpose: str
    service_item: str
    case_number: str
    officer: str | None = None
    legal_basis: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks. ``department_code`` is None for the public page.

    Attributes:
        client_id: OAuth client of the department's system, or ``public``.
        department_code: Unified social credit code of the department.
        name: Name shown to the holder.
    """

    client_id: str
    department_code: str | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDocument:
    """The PDF itself."""

    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ByDigest:
    """SHA-256 of the PDF, 32 bytes; the file stays with the caller."""

    sha256: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ByIdentifier:
    """Identifier (GB/T 36904) together with the check code (查验码) printed beside it."""

    identifier: str
    check_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ByQr:
    """Text read from the QR code."""

    text: str


Way = ByDocument | ByDigest | ByIdentifier | ByQr


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One check.

    Attributes:
        way: How the certificate is pointed at.
        purpose: Why it is asked.
        at: Day of interest, None for today.
        compare: Face field to the value that the asker holds.
    """

    way: Way
    purpose: Purpose
    at: date | None = None
    compare: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPart:
    """The seal, in the words of EN 319 102-1, section 5.

    Attributes:
        verdict: ``TOTAL-PASSED``, ``TOTAL-FAILED``, ``INDETERMINATE``, ``NO-SIGNATURE``, ``NOT-A-PDF``, or
            ``NOT-CHECKED`` when no document was shown.
        basis: ``document`` (validated now), ``digest`` (known file, seal evaluated now) or ``none``.
        reason: One sentence.
        signatures: Per signature the report of ``docs/verify-report.md``.
    """

    verdict: str
    basis: str
    reason: str
    signatures: Sequence[Mapping[str, object]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredState:
    """State of a registered ecert on a day.

    Attributes:
        outcome: State as an outcome word.
        state: Registry's state word in Chinese (有效, 暂扣, 撤销, 吊销, 注销, 失效).
        reason: Reason given with the state change, if there was one.
        legal_basis: Law cited with it.
        since: When the state took effect.
        recorded_at: When it was recorded.
        replaced_by: Identifier of the next version.
    """

    outcome: Outcome
    state: str
    reason: str | None
    legal_basis: str | None
    since: datetime | None
    recorded_at: datetime | None
    replaced_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredEcert:
    """What the registry tells the verify room of one ecert; never leaves as it is.

    Attributes:
        file_sha256: Digest of the delivered file, None for unsealed stock.
        face: Face fields by name, in clear, for comparing only.
        field_titles: Chinese titles of the comparable fields.
        sealed_at: Time of the seal, None for unsealed stock.
    """

    identifier: str
    type_code: str
    type_slug: str
    type_name: str
    issuer_code: str
    issuer_name: str
    holder_names: Sequence[str]
    issued_on: date
    expires_on: date | None
    origin: str
    file_sha256: bytes | None
    sealed_at: datetime | None
    face: Mapping[str, object]
    field_titles: Mapping[str, str]
    state: RegisteredState


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryPart:
    """What the registry says; ``found`` is False alike for an unknown identifier and a wrong check code."""

    found: bool
    sentence: str
    at: date
    ecert: RegisteredEcert | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedField:
    """One compared field.

    Attributes:
        salt: 16 random bytes; with it the asker opens ``commitment``.
        commitment: SHA-256(salt ‖ field name ‖ 0x00 ‖ value as asked), which stands in the receipt.
    """

    field: str
    title: str
    result: FieldResult
    salt: bytes
    commitment: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPart:
    """Proof that the issue was logged.

    Attributes:
        leaf: The logged entry, 32 bytes.
        index: Position in the log.
        proof: Inclusion path, 32 bytes each (RFC 9162, section 2.1.3).
        checkpoint: Signed checkpoint (C2SP signed note), text.
        salt: Salt of the leaf, so that its preimage can be rebuilt, or None where the asker may not have it.
    """

    leaf: bytes
    index: int
    proof: Sequence[bytes]
    checkpoint: str
    salt: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer with its parts kept apart, and the receipt that binds them."""

    answer_id: str
    outcome: Outcome
    sentence: str
    asked_at: datetime
    seal: SealPart
    registry: RegistryPart
    comparison: Sequence[ComparedField]
    log: LogPart | None
    receipt: str
