"""First set-up: the seals of an organisations file come into being by the same steps as any other.

The file was reviewed by two persons outside the system; the acts are recorded as `bootstrap`, in the names of the
applicant and the two approvers whom the file appoints. Broken off, it goes on where it stood; a seal that is there
is left as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cert_registry.civil_date import civil_date_at
from cert_registry.organisations.schemas import read_form
from cert_registry.organisations.types import Role, TypeSlug, in_force
from cert_registry.seals.errors import SealRightMissing
from cert_registry.seals.types import (
    Channel,
    Seal,
    SealActor,
    SealApplication,
    SealKind,
    SealState,
)
from cert_registry.types import DepartmentCode, StaffId

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from cert_registry.organisations.schemas import SealForm
    from cert_registry.seals.room import SealRoom

REASON: Final = "初始启用：按经两人审核的机构文件建立"
_UNDECIDED: Final = (SealState.APPLIED, SealState.ENDORSED)
_BEFORE_USE: Final = (*_UNDECIDED, SealState.APPROVED)
_ROLE_TITLES: Final = {Role.SEAL_APPLICANT: "印章申请人", Role.SEAL_APPROVER: "印章审批人"}


def found_seals(room: SealRoom, path: Path, *, now: datetime) -> int:
    """Bring the seals of an organisations file into being; the organisations must be loaded.

    Returns:
        How many became active.

    Raises:
        ChartRefused: The file is not of its form.
        SealRightMissing: The file appoints no applicant or fewer than two approvers who reach a department.
        SealKeyUnavailable: The token did not answer; run it again.
        SealsError: The file describes a seal that cannot be.
    """
    founded = 0
    for form in read_form(path).seals:
        seal = _find(room, form) or _apply(room, form, now)
        if seal.state not in _BEFORE_USE:
            continue
        for approver in _people(room, form, Role.SEAL_APPROVER, now, count=2):
            if seal.state in _UNDECIDED and approver not in _deciders(room, seal):
                seal = room.approve(seal.seal_id, REASON, by=_actor(approver), now=now)
        seal = room.activate(seal.seal_id, now=now)
        founded += seal.state is SealState.ACTIVE
    return founded


def _find(room: SealRoom, form: SealForm) -> Seal | None:
    of_department = room.book.of_department(DepartmentCode(form.department))
    return next((seal for seal in of_department if seal.name == form.name), None)


def _apply(room: SealRoom, form: SealForm, now: datetime) -> Seal:
    (applicant,) = _people(room, form, Role.SEAL_APPLICANT, now, count=1)
    application = SealApplication(
        department=DepartmentCode(form.department),
        name=form.name,
        kind=SealKind(form.kind),
        filing_number=form.filing_number,
        types=frozenset(TypeSlug(slug) for slug in form.types),
        valid_from=form.valid_from or civil_date_at(now),
        valid_to=form.valid_to,
        usage_limit=form.usage_limit,
        reason=REASON,
    )
    return room.apply(application, by=_actor(applicant), now=now)


def _people(room: SealRoom, form: SealForm, role: Role, now: datetime, *, count: int) -> tuple[StaffId, ...]:
    chart, on = room.chart(), civil_date_at(now)
    department = DepartmentCode(form.department)
    found = dict.fromkeys(
        one.staff_id
        for one in chart.appointments
        if one.role is role and in_force(one, on) and chart.is_within(department, one.department, on)
    )
    if len(found) < count:
        raise SealRightMissing(f"机构文件没有为 {form.name} 任命足够的{_ROLE_TITLES[role]}。")
    return tuple(found)[:count]


def _deciders(room: SealRoom, seal: Seal) -> frozenset[str]:
    return frozenset(event.actor_id for event in room.book.events(seal.seal_id))


def _actor(staff_id: StaffId) -> SealActor:
    return SealActor(staff_id=staff_id, channel=Channel.BOOTSTRAP)
