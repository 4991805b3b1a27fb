"""Legal persons as others see them."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from idp.identity.holder import HolderReference


class LegalPersonKind(Enum):
    """What kind of subject it is."""

    ENTERPRISE = "企业"
    FARMER_COOPERATIVE = "农民专业合作社"
    SOLE_TRADER = "个体工商户"
    PUBLIC_INSTITUTION = "事业单位"
    GOVERNMENT_BODY = "机关"
    SOCIAL_ORGANISATION = "社会组织"
    OTHER = "其他"


class LegalPersonState(Enum):
    """State of its registration."""

    EXISTING = "存续"
    CANCELLED = "注销"
    LICENCE_REVOKED = "吊销"
    MOVED_OUT = "迁出"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalPersonEntry:
    """One entry as a register delivers it; the head's number and name never leave memory unencrypted.

    Attributes:
        unverified_credit_code: 18 characters.
        unverified_head_number: citizen number of the legal representative, operator or head.
        source: which register delivered it.
    """

    unverified_credit_code: str
    name: str
    kind: LegalPersonKind
    state: LegalPersonState
    unverified_head_number: str = field(repr=False)
    head_name: str = field(repr=False)
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalPerson:
    """One legal person; the head is a reference.

    Attributes:
        holder_reference: under which the registry keeps its ecerts.
        head_reference: the person who represents it.
    """

    credit_code: str
    holder_reference: HolderReference
    name: str
    kind: LegalPersonKind
    state: LegalPersonState
    head_reference: HolderReference
    source: str
    updated_at: datetime


class Upsert(Enum):
    """What an entry did."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
