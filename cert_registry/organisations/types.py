"""The parts of a chart. Every part has a first day and a last day, both included; no last day means open."""

from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import NewType, Protocol

from cert_registry.types import DepartmentCode, StaffId

TypeSlug = NewType("TypeSlug", str)
"""A certificate type by its slug, as in ``catalog/types/<slug>/``."""
ClientId = NewType("ClientId", str)


class Dated(Protocol):
    """Something that holds from a day to a day."""

    @property
    def valid_from(self) -> date:
        """First day."""

    @property
    def valid_to(self) -> date | None:
        """Last day, included; None while it is open."""


def in_force(part: Dated, on: date) -> bool:
    """Whether ``part`` holds on that civil day."""
    return part.valid_from <= on and (part.valid_to is None or on <= part.valid_to)


class Level(Enum):
    """Level of administration; the order is the rank."""

    PROVINCE = "province"  # 省
    CITY = "city"  # 市州
    COUNTY = "county"  # 县(市、区)

    @property
    def rank(self) -> int:
        """0 is the highest."""
        return list(Level).index(self)


class Role(Enum):
    """What an appointment lets a member of staff do."""

    DRAFTER = "drafter"  # 制证人
    SIGNER = "signer"  # 签发人
    CHECKER = "checker"  # 核验人
    OPERATOR = "operator"
    AUDITOR = "auditor"
    SEAL_APPLICANT = "seal-applicant"  # 印章申请人
    SEAL_APPROVER = "seal-approver"  # 印章审批人
    SEAL_CUSTODIAN = "seal-custodian"  # 印章管理人


class Operation(Enum):
    """An act that needs a right."""

    DRAFT = "draft"  # 制证
    SIGN = "sign"  # 签发
    CHANGE_STATE = "change-state"  # 暂扣, 撤销, 吊销, 注销
    ISSUE = "issue"  # by an approval system
    PUSH = "push"  # 增量汇集
    REQUIREMENTS = "requirements"  # which documents are held already
    VERIFY = "verify"
    COMPARE = "compare"  # yes or no a field, nothing read
    READ = "read"

    @property
    def issues(self) -> bool:
        """Whether the act makes or changes ecerts, for which the department needs an issuing right."""
        return self in ISSUING_OPERATIONS


ISSUING_OPERATIONS = frozenset(
    {Operation.DRAFT, Operation.SIGN, Operation.CHANGE_STATE, Operation.ISSUE, Operation.PUSH}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """A department; where it hangs in the tree is its placement."""

    code: DepartmentCode  # 18 characters
    slug: str
    name: str
    area_code: str  # 6 digits
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a department hangs, from a day to a day; the root's parent is None."""

    department: DepartmentCode
    parent: DepartmentCode | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Appointment:
    """A member of staff holds a role in a department."""

    staff_id: StaffId
    name: str = field(repr=False)
    department: DepartmentCode
    role: Role
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuingRight:
    """A department may issue a type, and act for departments below ``within`` that may issue it too.

    Attributes:
        within: root of the subtree that the right reaches; the department itself by default.
    """

    department: DepartmentCode
    certificate_type: TypeSlug
    within: DepartmentCode
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRight:
    """A department's system, and its checking staff, may do one operation on one type.

    Attributes:
        certificate_type: None for an operation that is not about one type.
        within: only ecerts of issuers in this subtree.
        fields: names of the face's fields; None for all.
    """

    client_id: ClientId
    department: DepartmentCode
    operation: Operation
    certificate_type: TypeSlug | None
    within: DepartmentCode
    fields: frozenset[str] | None
    valid_from: date
    valid_to: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffActor:
    """A member of staff acts."""

    staff_id: StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientActor:
    """A department's system acts."""

    client_id: ClientId


Actor = StaffActor | ClientActor


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Evidence that an act is allowed; only `rules.authorise` makes it.

    Attributes:
        acting_department: where the actor belongs.
        department: in whose name the act is done; for checking, whose ecert is checked.
        fields: fields of the face that may be touched; None for all.
    """

    actor: Actor
    operation: Operation
    acting_department: DepartmentCode
    department: DepartmentCode
    certificate_type: TypeSlug | None
    on: date
    fields: frozenset[str] | None
