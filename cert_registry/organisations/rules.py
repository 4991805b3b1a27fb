"""Who may do what, in whose name, on which day. Pure: a chart and a day in, a grant or a refusal out.

An issuing act needs, on that day:

1. the department in whose name it is done, in force in the tree;
2. an actor who belongs to a department in force: an appointment with the right role, or the department's system
   with this operation;
3. the department's own right to issue the type;
4. when the actor's department is another one: that department's right to issue the type, reaching a subtree that
   holds the department;
5. that subtree within the actor's home, the government its department hangs on: no right crosses it, whatever
   its row says.

Checking (verify, compare, read) needs 1 for the issuer, 2, and a right for operation and type whose subtree holds
the issuer. To compare is not to read.

Source: design section 3, organisations; section 6, rights.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from cert_registry.organisations.chart import OrganisationChart
from cert_registry.organisations.errors import NotAuthorised, Refusal
from cert_registry.organisations.types import (
    Actor,
    ClientActor,
    ClientRight,
    Dated,
    Grant,
    IssuingRight,
    Operation,
    Role,
    StaffActor,
    TypeSlug,
    in_force,
)
from cert_registry.types import DepartmentCode
from idp.identity.sentence import said

ROLES = {
    Operation.DRAFT: Role.DRAFTER,
    Operation.SIGN: Role.SIGNER,
    Operation.CHANGE_STATE: Role.SIGNER,
    Operation.VERIFY: Role.CHECKER,
    Operation.COMPARE: Role.CHECKER,
    Operation.READ: Role.CHECKER,
    Operation.REQUIREMENTS: Role.DRAFTER,
}
"""The role that a person needs; what is missing here only systems do."""

Part = TypeVar("Part", bound=Dated)


def authorise(
    chart: OrganisationChart,
    actor: Actor,
    operation: Operation,
    *,
    department: DepartmentCode,
    certificate_type: TypeSlug | None,
    on: date,
) -> Grant:
    """Decide one act.

    Args:
        chart: the organisations as known now.
        actor: who acts.
        operation: what is done.
        department: in whose name; for checking, the issuer of the ecert; for requirements, the asking department.
        certificate_type: None only for requirements.
        on: the civil day of the act.

    Raises:
        NotAuthorised: with the rule that refuses.
    """
    question = _Question(
        chart=chart,
        actor=actor,
        operation=operation,
        department=department,
        certificate_type=certificate_type,
        on=on,
    )
    # (1): the department exists and is in force
    _demand_in_force(chart, department, on)
    # (2): the actor belongs somewhere and may do this
    refusal: NotAuthorised | None = None
    for acting in _acting_departments(question):
        try:
            return _grant(question, acting)
        except NotAuthorised as error:
            refusal = refusal or error
    raise refusal or _not_appointed()


def require_two_persons(drafting: Grant, signing: Grant) -> None:
    """Evidence that 制证人 and 签发人 are two people.

    Raises:
        NotAuthorised: `SAME_PERSON`.
    """
    if drafting.actor == signing.actor:
        raise NotAuthorised("制证人与签发人不能是同一人。", refusal=Refusal.SAME_PERSON)


def require_fields(grant: Grant, fields: Iterable[str]) -> None:
    """Evidence that a grant covers these fields of the face.

    Raises:
        NotAuthorised: `FIELD_NOT_GRANTED`, naming the fields.
    """
    beyond = [] if grant.fields is None else sorted(set(fields) - grant.fields)
    if beyond:
        raise NotAuthorised(
            said("无权使用字段：%(fields)s。", fields=tuple(beyond)), refusal=Refusal.FIELD_NOT_GRANTED
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    chart: OrganisationChart
    actor: Actor
    operation: Operation
    department: DepartmentCode
    certificate_type: TypeSlug | None
    on: date


def _grant(question: _Question, acting: DepartmentCode) -> Grant:
    fields: frozenset[str] | None = None
    if isinstance(question.actor, ClientActor) or not question.operation.issues:
        fields = _client_right(question, acting).fields
    if question.operation.issues:
        _check_issuing(question, acting)
    return Grant(
        actor=question.actor,
        operation=question.operation,
        acting_department=acting,
        department=question.department,
        certificate_type=question.certificate_type,
        on=question.on,
        fields=fields,
    )


def _demand_in_force(chart: OrganisationChart, department: DepartmentCode, on: date) -> None:
    if all(each.code != department for each in chart.departments):
        raise NotAuthorised("没有这个部门。", refusal=Refusal.UNKNOWN_DEPARTMENT)
    if not chart.path(department, on):
        raise NotAuthorised("该部门当日不在机构序列中。", refusal=Refusal.DEPARTMENT_NOT_IN_FORCE)


def _acting_departments(question: _Question) -> list[DepartmentCode]:
    actor, chart = question.actor, question.chart
    if isinstance(actor, StaffActor):
        return _appointed_departments(question, actor)
    found = {each.department for each in chart.client_rights if each.client_id == actor.client_id}
    if not found:
        raise NotAuthorised("没有登记这个部门系统。", refusal=Refusal.UNKNOWN_CLIENT)
    for department in found:
        _demand_in_force(chart, department, question.on)
    return sorted(found)


def _appointed_departments(question: _Question, actor: StaffActor) -> list[DepartmentCode]:
    appointments = [
        each
        for each in question.chart.appointments
        if each.staff_id == actor.staff_id
        and in_force(each, question.on)
        and question.chart.path(each.department, question.on)
    ]
    if not appointments:
        raise _not_appointed()
    role = ROLES.get(question.operation)
    found = [each.department for each in appointments if each.role is role]
    if role is None or not found:
        raise NotAuthorised("该人员没有此项操作的岗位。", refusal=Refusal.ROLE_MISSING)
    return list(dict.fromkeys(found))


def _not_appointed() -> NotAuthorised:
    return NotAuthorised("该人员当日没有在任岗位。", refusal=Refusal.NOT_APPOINTED)


def _check_issuing(question: _Question, acting: DepartmentCode) -> None:
    chart, department, on = question.chart, question.department, question.on
    # (3): the department's own right
    _issuing_right(question, department)
    if acting == department:
        return
    # (5): never beyond the actor's own government, whatever the row says
    home = chart.home(acting, on)
    if not chart.is_within(department, home, on):
        raise _outside()
    # (4): a right of the actor's department that reaches it
    reach = _issuing_right(question, acting).within
    if not chart.is_within(department, reach, on) or not chart.is_within(reach, home, on):
        raise _outside()


def _issuing_right(question: _Question, department: DepartmentCode) -> IssuingRight:
    rights = [
        each
        for each in question.chart.issuing_rights
        if each.department == department and each.certificate_type == question.certificate_type
    ]
    return _current(rights, question.on, "该部门无权签发此类证照。")[0]


def _client_right(question: _Question, acting: DepartmentCode) -> ClientRight:
    actor, on = question.actor, question.on
    held = [
        each
        for each in question.chart.client_rights
        if each.department == acting
        and (isinstance(actor, StaffActor) or each.client_id == actor.client_id)
        and each.certificate_type == question.certificate_type
    ]
    rights = [each for each in held if each.operation is question.operation]
    comparing = any(each.operation is Operation.COMPARE and in_force(each, on) for each in held)
    if question.operation is Operation.READ and not rights and comparing:
        raise NotAuthorised("只可比对，不可调阅。", refusal=Refusal.COMPARE_ONLY)
    for right in _current(rights, on, "没有此类证照的此项权限。"):
        if question.chart.is_within(question.department, right.within, on):
            return right
    raise _outside()


def _current(rights: list[Part], on: date, missing: str) -> list[Part]:
    current = [each for each in rights if in_force(each, on)]
    if current:
        return current
    if rights:
        raise NotAuthorised("该项权限当日不在有效期内。", refusal=Refusal.RIGHT_ENDED)
    raise NotAuthorised(missing, refusal=Refusal.RIGHT_MISSING)


def _outside() -> NotAuthorised:
    return NotAuthorised("超出本部门的管辖范围。", refusal=Refusal.OUTSIDE_SUBTREE)
