"""What an officer may do, asked of the organisations at every request: a right that ended is gone at the next click."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from cert_registry.catalog.certificate_type import CertificateType
from cert_registry.organisations.chart import OrganisationChart
from cert_registry.organisations.errors import NotAuthorised
from cert_registry.organisations.rules import authorise
from cert_registry.organisations.types import Operation, StaffActor, TypeSlug, in_force
from cert_registry.seals.authority import SEAL_ROLES
from cert_registry.types import DepartmentCode, StaffId
from idp.identity.sentence import said


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerRights:
    """One officer on one day.

    Attributes:
        departments: Departments that the officer is appointed in, with their names.
    """

    staff_id: StaffId
    name: str
    departments: tuple[tuple[DepartmentCode, str], ...]
    chart: OrganisationChart
    on: date

    @property
    def codes(self) -> tuple[DepartmentCode, ...]:
        """Credit codes of the officer's departments."""
        return tuple(code for code, _ in self.departments)

    @property
    def sees_seals(self) -> bool:
        """Whether any of the officer's appointments has to do with seals."""
        return any(
            one.staff_id == self.staff_id and one.role in SEAL_ROLES and in_force(one, self.on)
            for one in self.chart.appointments
        )

    def name_of(self, actor_id: str) -> str:
        """Name of an officer as an appointment has it, also one that has ended; of a system, with its department's."""
        for appointment in self.chart.appointments:
            if appointment.staff_id == actor_id:
                return appointment.name
        for right in self.chart.client_rights:
            if right.client_id == actor_id:
                return said(
                    "%(department)s（%(client)s）",
                    department=self.chart.department(right.department).name,
                    client=actor_id,
                )
        return actor_id

    def may(self, operation: Operation, department: DepartmentCode, slug: str) -> bool:
        """Whether the officer may do this; for showing or hiding, never for deciding: the act decides again."""
        try:
            authorise(
                self.chart,
                StaffActor(staff_id=self.staff_id),
                operation,
                department=department,
                certificate_type=TypeSlug(slug),
                on=self.on,
            )
        except NotAuthorised:
            return False
        return True

    def types_for(
        self, operation: Operation, types: Sequence[CertificateType]
    ) -> tuple[tuple[CertificateType, DepartmentCode], ...]:
        """Types with the officer's department in whose name the act is possible."""
        return tuple(
            (one, code) for one in types for code in self.codes if self.may(operation, code, one.slug)
        )


def rights_of(staff_id: str, *, chart: Callable[[], OrganisationChart], on: date) -> OfficerRights | None:
    """Return the officer's rights, or None when no appointment is in force."""
    known = chart()
    mine = [one for one in known.appointments if one.staff_id == staff_id and in_force(one, on)]
    if not mine:
        return None
    codes = dict.fromkeys(one.department for one in mine)
    return OfficerRights(
        staff_id=StaffId(staff_id),
        name=mine[0].name,
        departments=tuple((code, known.department(code).name) for code in codes),
        chart=known,
        on=on,
    )
