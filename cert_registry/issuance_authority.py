"""Rights for issuing and state changes, asked of the organisations room at the moment of the act."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, final

from cert_registry.catalog.errors import TypeUnknown
from cert_registry.civil_date import civil_date_at
from cert_registry.errors import NotAuthorised, SamePerson, SealNotUsable, UnknownCertificateType
from cert_registry.issuance_forms import SealGrant
from cert_registry.organisations import errors as organisations
from cert_registry.organisations import rules
from cert_registry.organisations.types import ClientActor, ClientId, Operation, StaffActor, TypeSlug
from cert_registry.seals.errors import SealUnusable
from cert_registry.seals.rules import choose_seal
from cert_registry.types import StaffId, TwoPersons

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from cert_registry.catalog.loading import Catalog
    from cert_registry.issuance_drafts import DraftContent
    from cert_registry.lifecycle import Actor
    from cert_registry.organisations.chart import OrganisationChart
    from cert_registry.organisations.repository import ChartReader
    from cert_registry.organisations.types import Actor as OrganisationsActor
    from cert_registry.organisations.types import Department, Grant
    from cert_registry.seals.ports import SealBook
    from cert_registry.types import DepartmentCode, EcertSummary, IssueOrder


@final
class OrganisationsAuthority:
    """`IssuingAuthority`, `DraftingAuthority` and `StateAuthority` over the chart of organisations and the seals."""

    def __init__(self, *, charts: ChartReader, catalog: Catalog, seals: SealBook) -> None:
        self._charts = charts
        self._catalog = catalog
        self._seals = seals

    def authorise(self, order: IssueOrder, *, now: datetime) -> None:
        """Evidence that the actors of the order hold their rights now.

        Raises:
            NotAuthorised: A right is missing, ended, or in another subtree.
            SamePerson: Drafter and signer are one person.
            UnknownCertificateType: No such type.
        """
        by = order.authority
        with _translated():
            chart = self._charts.chart()  # one chart for all that is asked here
            if isinstance(by, TwoPersons):
                drafter, signer = StaffActor(staff_id=by.drafter_id), StaffActor(staff_id=by.signer_id)
                drafting = self._grant(drafter, Operation.DRAFT, order, now, chart)
                signing = self._grant(signer, Operation.SIGN, order, now, chart)
                if order.replaces is not None:  # of the same issuer and type, as the replacement book demands
                    self._grant(signer, Operation.CHANGE_STATE, order, now, chart)
                rules.require_two_persons(drafting, signing)
            else:
                client = ClientActor(client_id=ClientId(by.client_id))
                self._grant(client, Operation.ISSUE, order, now, chart)
        if not isinstance(by, TwoPersons) and not (by.decision.strip() and order.case_number.strip()):
            raise NotAuthorised("审批系统制证须写明办件编号和审批决定。", reason="decision-missing")

    def acting_department(self, order: IssueOrder, *, now: datetime) -> DepartmentCode:
        """The department of the system or of the signer; the issuer's when the signer's right ended since."""
        by = order.authority
        if not isinstance(by, TwoPersons):
            return by.department_code
        try:
            with _translated():
                return self._grant(
                    StaffActor(staff_id=by.signer_id), Operation.SIGN, order, now
                ).acting_department
        except NotAuthorised:
            return order.issuer_code

    def seal_for(self, order: IssueOrder, *, now: datetime, taking: bool = False) -> SealGrant:
        """The active seal of the issuer for this type; with `taking` its limit is left to the use that is taken next.

        Raises:
            SealNotUsable: None is active.
        """
        with _translated():
            slug = self._slug(order.type_code)
            seal = choose_seal(
                self._seals.of_department(order.issuer_code), slug, on=civil_date_at(now), taking=taking
            )
            return SealGrant(
                seal_id=seal.seal_id,
                type_slug=slug,
                name=seal.name,
                key_label=seal.key_label,
                shape=seal.shape,
                department_code=seal.department,
                department_name=self._charts.chart().department(seal.department).name,
                picture_sha256=seal.picture_sha256,
            )

    def authorise_drafter(self, drafter_id: StaffId, content: DraftContent, *, now: datetime) -> None:
        """Evidence of the right to draft.

        Raises:
            NotAuthorised: No right, or another subtree.
        """
        with _translated():
            self._grant(StaffActor(staff_id=drafter_id), Operation.DRAFT, content, now)

    def authorise_signer(self, signer_id: StaffId, content: DraftContent, *, now: datetime) -> None:
        """Evidence of the right to sign off.

        Raises:
            NotAuthorised: No right, or another subtree.
        """
        with _translated():
            self._grant(StaffActor(staff_id=signer_id), Operation.SIGN, content, now)

    def authorise_change(self, actor: Actor, ecert: EcertSummary, *, now: datetime) -> None:
        """Evidence that the actor may change this certificate's state; a system needs its right to issue.

        Raises:
            NotAuthorised: No right, or another subtree.
        """
        who: OrganisationsActor
        if actor.is_system:
            who, operation = ClientActor(client_id=ClientId(actor.actor_id)), Operation.ISSUE
        else:
            who, operation = StaffActor(staff_id=StaffId(actor.actor_id)), Operation.CHANGE_STATE
        with _translated():
            self._grant(who, operation, ecert, now)

    def department(self, code: DepartmentCode) -> Department:
        """The department behind a code.

        Raises:
            NotAuthorised: There never was one.
        """
        with _translated():
            return self._charts.chart().department(code)

    def department_name(self, code: DepartmentCode) -> str:
        """The department's name on documents."""
        return self.department(code).name

    def _grant(
        self,
        actor: OrganisationsActor,
        operation: Operation,
        subject: IssueOrder | DraftContent | EcertSummary,
        now: datetime,
        chart: OrganisationChart | None = None,
    ) -> Grant:
        return rules.authorise(
            chart or self._charts.chart(),
            actor,
            operation,
            department=subject.issuer_code,
            certificate_type=self._slug(subject.type_code),
            on=civil_date_at(now),
        )

    def _slug(self, type_code: str) -> TypeSlug:
        try:
            return TypeSlug(self._catalog.type(type_code).slug)
        except TypeUnknown as error:
            raise UnknownCertificateType(str(error)) from error


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except organisations.NotAuthorised as error:
        if error.refusal is organisations.Refusal.SAME_PERSON:
            raise SamePerson(error.sentence, reason=error.reason) from error
        raise NotAuthorised(error.sentence, reason=error.reason) from error
    except SealUnusable as error:
        raise SealNotUsable(error.sentence) from error
    except organisations.UnknownOrganisation as error:
        raise NotAuthorised(str(error), reason=error.code) from error
