"""The registry's words: identifiers, states, and the forms an ecert passes through while it is issued.

The type is the state: `IssueOrder` → `CheckedDraft` → `Intent` → `RenderedIntent` → `SealedIntent` →
`RegisteredEcert` → `IssuedEcert`. A function that takes a `SealedIntent` cannot be given a draft.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from idp.identity.holder import HolderReference

EcertIdentifier = NewType("EcertIdentifier", str)
"""GB/T 36904 form: `1.2.156.3005.2.<type>.<issuer>.<serial>.<version>.<check>`."""
FileDigest = NewType("FileDigest", str)
"""SHA-256 in lower-case hex."""
IntentId = NewType("IntentId", str)
DraftId = NewType("DraftId", str)
StaffId = NewType("StaffId", str)
DepartmentCode = NewType("DepartmentCode", str)


class EcertState(Enum):
    """State of a certificate. Source: status codes of the national platform, 国家政务服务平台."""

    VALID = "01"  # 有效
    SUSPENDED = "02"  # 暂扣
    REVOKED = "03"  # 撤销
    CANCELLED = "04"  # 注销
    EXPIRED = "05"  # 失效; only computed from the last day, never stored
    TRANSFERRED = "06"  # 办理转出
    PENALLY_REVOKED = "07"  # 吊销

    @property
    def title(self) -> str:
        """The state's name as pages and answers show it."""
        return _STATE_TITLES[self]


_STATE_TITLES = {
    EcertState.VALID: "有效",
    EcertState.SUSPENDED: "暂扣",
    EcertState.REVOKED: "撤销",
    EcertState.CANCELLED: "注销",
    EcertState.EXPIRED: "失效",
    EcertState.TRANSFERRED: "办理转出",
    EcertState.PENALLY_REVOKED: "吊销",
}


class FileState(Enum):
    """State of the PDF file, apart from the certificate's: renewal leaves a void file behind."""

    CURRENT = "current"
    VOIDED = "voided"  # 作废


class Registration(Enum):
    """Whether the row may be answered as valid: only `EFFECTIVE` has a leaf in the log."""

    PENDING = "pending"
    EFFECTIVE = "effective"


class Origin(Enum):
    """Where an ecert came from."""

    ISSUED = "issued"  # sealed here
    STOCK = "stock"  # 存量, registered from a batch, not sealed here
    PUSHED = "pushed"  # 增量, pushed by another registry


class StateOperation(Enum):
    """What was done to a certificate's state; each is its own act in law."""

    ISSUE = "issue"  # 新发
    SUSPEND = "suspend"  # 暂扣
    RETURN = "return"  # 发还
    REVOKE = "revoke"  # 撤销: it should never have been granted
    PENAL_REVOKE = "penal-revoke"  # 吊销: a penalty
    CANCEL = "cancel"  # 注销: it ended
    REPLACE = "replace"  # 变更, 延续: a new version took its place


class IntentStage(Enum):
    """How far an intent has come; each value is one durable write of `issuance.issue`."""

    RESERVED = "reserved"
    STORED = "stored"
    RENDERED = "rendered"
    SEALED = "sealed"
    PENDING = "pending"
    EFFECTIVE = "effective"
    DELIVERED = "delivered"
    REFUSED = "refused"  # an end: what it replaces was decided about first; its file is never delivered


class DraftStage(Enum):
    """Where a two-person draft stands."""

    DRAFTED = "drafted"  # 制证, waits for the signer
    RETURNED = "returned"  # 退回, waits for the drafter
    SIGNED = "signed"  # 签发, issuing under way
    ISSUED = "issued"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds an ecert; `number` never leaves memory unencrypted."""

    code_type: str  # GB/T 36903: 001 credit code, 111 citizen number
    number: str = field(repr=False)
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoPersons:
    """Authority by two officers: 制证人 drafts, 签发人 signs off."""

    drafter_id: StaffId
    signer_id: StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalSystem:
    """Authority by an approval system that names the case and the decision it made."""

    client_id: str
    department_code: DepartmentCode
    decision: str  # the decision's document number or its words


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueOrder:
    """What is to be issued, by whom, in which case. Not yet checked."""

    type_code: str
    issuer_code: DepartmentCode
    case_number: str
    service_item: str
    unverified_face: Mapping[str, object] = field(repr=False)
    authority: TwoPersons | ApprovalSystem
    replaces: EcertIdentifier | None = None

    @property
    def key(self) -> IssueKey:
        """What makes this order the same as another: issuer, case, type, item."""
        return IssueKey(
            issuer_code=self.issuer_code,
            case_number=self.case_number,
            type_code=self.type_code,
            service_item=self.service_item,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueKey:
    """Idempotency key of issuing."""

    issuer_code: DepartmentCode
    case_number: str
    type_code: str
    service_item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EcertSummary:
    """A registered ecert as pages and answers use it; no face value, no number."""

    identifier: EcertIdentifier
    type_code: str
    type_name: str
    issuer_code: DepartmentCode
    issuer_name: str
    version: int
    issued_on: date
    valid_from: date
    valid_until: date | None  # None: 长期
    state: EcertState
    file_state: FileState
    frozen: bool
    origin: Origin
    registration: Registration
    file_digest: FileDigest | None
    twin_digest: FileDigest | None
    state_sequence: int
    replaces: EcertIdentifier | None
    replaced_by: EcertIdentifier | None
    status_list: int | None
    status_index: int | None
    holder_references: tuple[HolderReference, ...]
    recorded_at: datetime
    sealed_level: str | None = None  # PAdES level that the file reached; None: not recorded

    @property
    def sealed(self) -> bool:
        """Whether there is a file sealed by this service; stock is marked as unsealed."""
        return self.file_digest is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class StateEvent:
    """One entry of a certificate's history."""

    identifier: EcertIdentifier
    sequence: int
    operation: StateOperation
    state: EcertState
    file_state: FileState
    reason: str
    legal_basis: str
    actor_id: str
    actor_department: DepartmentCode
    case_number: str
    effective_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLeaf:
    """An event's leaf: the hashed event, the salt that hides it, and where the log put it (None: not yet)."""

    leaf_id: int
    subject: EcertIdentifier
    kind: str
    sequence: int
    event: str
    salt: bytes
    leaf_entry: bytes
    leaf_index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedEcert:
    """The end of issuing: registered, logged, delivered."""

    intent_id: IntentId
    identifier: EcertIdentifier
    check_code: str = field(repr=False)
    file_digest: FileDigest
    leaf_index: int
    already_issued: bool  # this call found it done
