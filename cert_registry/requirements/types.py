"""Service items, what they ask for, and what the registry answers."""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import NewType

from cert_registry.organisations.types import TypeSlug
from cert_registry.types import EcertIdentifier, EcertState

ServiceItemCode = NewType("ServiceItemCode", str)


class DocumentKind(Enum):
    """What kind of document is asked for."""

    CERTIFICATE = "证照"  # a licence or title that some authority issues
    PROOF = "证明"  # a statement of a third party about the applicant
    MATERIAL = "材料"  # what only the applicant can write or bring


@dataclass(frozen=True, slots=True, kw_only=True)
class RequiredDocument:
    """One document that an item asks for.

    Attributes:
        satisfied_by: certificate types of which any one will do; empty when no certificate can stand for it.
        legal_basis: law that demands it; empty is a finding of the catalogue's examination.
    """

    code: str
    name: str
    kind: DocumentKind
    satisfied_by: tuple[TypeSlug, ...]
    legal_basis: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceItem:
    """A service with its required documents.

    Attributes:
        code: as the service's own catalogue and the certificate types name it.
        slug: a readable name that does as well.
        produces: certificate type that the service ends in, if any.
    """

    code: ServiceItemCode
    slug: str
    name: str
    produces: TypeSlug | None
    documents: tuple[RequiredDocument, ...]
    legal_basis: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldEcert:
    """An ecert of a holder as the registry knows it now.

    Attributes:
        valid: in force at the time asked, not frozen, its file not voided.
        valid_until: last day, included; None for 长期.
    """

    identifier: EcertIdentifier
    type_slug: TypeSlug
    type_name: str
    issuer_name: str
    state: EcertState
    valid: bool
    valid_until: date | None


class RequirementStatus(Enum):
    """What the registry knows about one required document."""

    HELD = "held"  # valid and checkable: need not be submitted
    HELD_NOT_VALID = "held-not-valid"
    NOT_HELD = "not-held"
    NOT_A_CERTIFICATE = "not-a-certificate"
    NEEDS_AUTHORISATION = "needs-authorisation"  # whether it is held is not told

    @property
    def must_submit(self) -> bool:
        """Whether the applicant has to bring it."""
        return self in {self.HELD_NOT_VALID, self.NOT_HELD, self.NOT_A_CERTIFICATE}


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementAnswer:
    """The answer for one required document.

    Attributes:
        ecerts: for `HELD` the valid ones, for `HELD_NOT_VALID` the others; else empty.
        sentence: what an applicant can be told.
    """

    document: RequiredDocument
    status: RequirementStatus
    ecerts: tuple[HeldEcert, ...]
    sentence: str

    @property
    def must_submit(self) -> bool:
        """Whether the applicant has to bring it."""
        return self.status.must_submit
