"""A seal, its states, its acts and its uses."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from datetime import date, datetime

    from cert_registry.organisations.types import TypeSlug
    from cert_registry.types import DepartmentCode, StaffId

SealId = NewType("SealId", str)
"""`seal-<department>` or `seal-<department>-<n>`; the key in the token and the certificate file have this name."""


class SealKind(Enum):
    """Kinds of seal. Source: 国务院关于在线政务服务的若干规定 section 8; GB/T 38540-2020 leaves the kinds open."""

    LEGAL_NAME = "法定名称章"
    APPROVAL = "行政审批专用章"
    CERTIFICATE = "证照专用章"
    REPRESENTATIVE = "法定代表人名章"


class SealState(Enum):
    """Where a seal stands in its life; only `ACTIVE` seals."""

    APPLIED = "applied"
    ENDORSED = "endorsed"  # one of two approvals
    APPROVED = "approved"  # by two; key and certificate are being made, or a licensed CA's is awaited
    ACTIVE = "active"
    SUSPENDED = "suspended"  # emergency stop
    RESUMING = "resuming"  # one of two has agreed to resume; still stopped
    REFUSED = "refused"
    REPLACED = "replaced"
    REVOKED = "revoked"

    @property
    def title(self) -> str:
        """The state's name on pages."""
        return _TITLES[self]


_TITLES = {
    SealState.APPLIED: "待审批",
    SealState.ENDORSED: "待第二人审批",
    SealState.APPROVED: "已批准，待启用",
    SealState.ACTIVE: "在用",
    SealState.SUSPENDED: "已停用",
    SealState.RESUMING: "已停用，待第二人同意恢复",
    SealState.REFUSED: "未获批准",
    SealState.REPLACED: "已更换",
    SealState.REVOKED: "已注销",
}


class SealAct(Enum):
    """What happens to a seal; every one is an event with its actor and reason."""

    APPLY = "apply"
    APPROVE = "approve"
    REFUSE = "refuse"
    ACTIVATE = "activate"  # key and certificate are there
    SUSPEND = "suspend"
    AGREE_TO_RESUME = "agree-to-resume"
    RESUME = "resume"
    REPLACE = "replace"  # a successor became active
    REVOKE = "revoke"
    COMPROMISE = "compromise"  # revocation because the key is or may be in other hands
    TAKE_OVER = "take-over"  # a seal from before this life was kept

    @property
    def title(self) -> str:
        """The act's name on pages."""
        return _ACT_TITLES[self]


_ACT_TITLES = {
    SealAct.APPLY: "申请",
    SealAct.APPROVE: "同意",
    SealAct.REFUSE: "不同意",
    SealAct.ACTIVATE: "启用",
    SealAct.SUSPEND: "紧急停用",
    SealAct.AGREE_TO_RESUME: "同意恢复（第一人）",
    SealAct.RESUME: "恢复使用",
    SealAct.REPLACE: "更换",
    SealAct.REVOKE: "注销",
    SealAct.COMPROMISE: "因密钥泄露注销",
    SealAct.TAKE_OVER: "沿用既有印章",
}


class Channel(Enum):
    """By which way an act came."""

    PAGE = "page"
    COMMAND_LINE = "command-line"
    BOOTSTRAP = "bootstrap"  # first set-up of an installation, from a reviewed file
    SYSTEM = "system"  # follows from an act of people

    @property
    def title(self) -> str:
        """The channel's name on pages."""
        return {"page": "页面", "command-line": "命令行", "bootstrap": "初始启用", "system": "系统"}[
            self.value
        ]


class CertificateSource(Enum):
    """Who makes the signing certificate."""

    OWN = "own"  # the seal CA in the token
    LICENSED = "licensed"  # a licensed CA, by certificate request


@dataclass(frozen=True, slots=True, kw_only=True)
class SealActor:
    """Who acts, and by which way."""

    staff_id: StaffId
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPicture:
    """A checked picture of a seal.

    Attributes:
        media_type: `image/svg+xml` or `image/png`.
        width_mm: Real width.
        height_mm: Real height.
    """

    content: bytes = field(repr=False)
    media_type: str
    sha256: str
    width_mm: float
    height_mm: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SealApplication:
    """What is applied for.

    Attributes:
        filing_number: Number of the filing with the public-security department, 13 or 14 digits or letters.
        types: The certificate types that it may seal.
        usage_limit: How many documents it may seal in its life; None: as many as come.
        picture: None: drawn from the department's and the seal's name.
        replaces: The seal whose successor this is.
    """

    department: DepartmentCode
    name: str
    kind: SealKind
    filing_number: str
    types: frozenset[TypeSlug]
    valid_from: date
    valid_to: date | None
    usage_limit: int | None
    reason: str
    picture: SealPicture | None = None
    certificate_source: CertificateSource = CertificateSource.OWN
    replaces: SealId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A seal as it stands.

    Attributes:
        used: How many documents it was used for; each counts once, however often sealing it was tried.
        certificate: Its signing certificate, DER.
        revoked_as_of: From when on its signatures do not count; before the act when the key was compromised.
        revision: Counts its events.
    """

    seal_id: SealId
    department: DepartmentCode
    name: str
    kind: SealKind
    filing_number: str
    shape: str
    types: frozenset[TypeSlug]
    valid_from: date
    valid_to: date | None
    usage_limit: int | None
    used: int
    state: SealState
    applicant: StaffId
    certificate_source: CertificateSource
    certificate_serial: int | None
    certificate: bytes | None = field(repr=False)
    picture_sha256: str | None
    replaces: SealId | None
    replaced_by: SealId | None
    revoked_as_of: datetime | None
    revocation_pending: bool
    revision: int
    created_at: datetime

    @property
    def key_label(self) -> str:
        """Label of the key in the token `seals`, and name of the certificate in `pki/`."""
        return self.seal_id


@dataclass(frozen=True, slots=True, kw_only=True)
class SealEvent:
    """One step of a seal's life.

    Attributes:
        actor_id: Staff id; empty when the system acted.
        detail: What belongs to the step, without personal data (a certificate's digest, a date).
    """

    seal_id: SealId
    sequence: int
    act: SealAct
    state: SealState
    actor_id: str
    channel: Channel
    reason: str
    detail: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SealUse:
    """One sealing: which document, when, how it ended (`started`, `sealed`, `discarded`)."""

    use_id: int
    seal_id: SealId
    identifier: str
    type_code: str
    case_number: str
    started_at: datetime
    outcome: str
    sealed_digest: str | None
