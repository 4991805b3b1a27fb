"""Who may do what with seals: three roles, each reaching the subtree of the department that it is held in.

印章申请人 (applicant) applies for seals and successors, 印章审批人 (approver) decides, stops, resumes and ends,
印章管理人 (custodian) looks after the seals in use: sees every use, stops and ends. An appointment in a government
reaches all its departments, one in a department that department alone; nobody reaches a sister county.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cert_registry.organisations.types import Role, in_force
from cert_registry.seals.errors import SealRightMissing
from cert_registry.seals.types import SealAct

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from cert_registry.organisations.chart import OrganisationChart
    from cert_registry.organisations.types import Appointment
    from cert_registry.types import DepartmentCode, StaffId

_EITHER: Final = frozenset({Role.SEAL_APPROVER, Role.SEAL_CUSTODIAN})
SEAL_ROLES: Final = frozenset({Role.SEAL_APPLICANT, *_EITHER})
"""Who may look at seals."""

ROLES: Final[Mapping[SealAct, frozenset[Role]]] = {
    SealAct.APPLY: frozenset({Role.SEAL_APPLICANT}),
    SealAct.APPROVE: frozenset({Role.SEAL_APPROVER}),
    SealAct.REFUSE: frozenset({Role.SEAL_APPROVER}),
    SealAct.ACTIVATE: _EITHER,  # importing a licensed CA's certificate
    SealAct.SUSPEND: _EITHER,
    SealAct.AGREE_TO_RESUME: frozenset({Role.SEAL_APPROVER}),
    SealAct.RESUME: frozenset({Role.SEAL_APPROVER}),
    SealAct.REVOKE: _EITHER,
    SealAct.COMPROMISE: _EITHER,
}
"""The roles of which one is needed."""


def require_right(
    chart: OrganisationChart, staff_id: StaffId, act: SealAct | None, *, department: DepartmentCode, on: date
) -> None:
    """Evidence that somebody may do this with a seal of this department on this day.

    Args:
        chart: The organisations as known now.
        staff_id: Who acts.
        act: None: looking at it.
        department: The seal's owner.
        on: Civil day.

    Raises:
        SealRightMissing: No appointment with the role reaches the department.
    """
    wanted = SEAL_ROLES if act is None else ROLES.get(act, frozenset())
    for appointment in _held(chart, staff_id, on):
        if appointment.role in wanted and chart.is_within(department, appointment.department, on):
            return
    raise SealRightMissing("您的岗位不能办理该部门印章的这一事项。")


def departments_in_reach(
    chart: OrganisationChart, staff_id: StaffId, *, roles: frozenset[Role], on: date
) -> tuple[DepartmentCode, ...]:
    """Departments whose seals somebody may look at, or act on, with one of these roles; in the chart's order."""
    held = [one.department for one in _held(chart, staff_id, on) if one.role in roles]
    return tuple(
        department.code
        for department in chart.departments
        if any(chart.is_within(department.code, root, on) for root in held)
    )


def _held(chart: OrganisationChart, staff_id: StaffId, on: date) -> Iterator[Appointment]:
    for appointment in chart.appointments:
        if (
            appointment.staff_id == staff_id
            and in_force(appointment, on)
            and chart.path(appointment.department, on)
        ):
            yield appointment
