"""From ``organisations.yaml`` to rows: adds what is missing, changes nothing that is there."""

from datetime import date
from pathlib import Path

from sqlalchemy import Connection

from cert_registry.organisations.chart import OrganisationChart
from cert_registry.organisations.errors import ChartRefused
from cert_registry.organisations.repository import add_missing
from cert_registry.organisations.schemas import ClientForm, OrganisationsForm, read_form
from cert_registry.organisations.types import (
    Appointment,
    ClientId,
    ClientRight,
    Department,
    IssuingRight,
    Level,
    Operation,
    Placement,
    Role,
    TypeSlug,
)
from cert_registry.types import DepartmentCode, StaffId


def load_organisations(connection: Connection, path: Path) -> int:
    """Put the file's departments, staff and rights into the database; loading again adds nothing.

    A right that was ended, a department that was moved since stay so.

    Returns:
        Number of rows inserted.

    Raises:
        ChartRefused: the file is not of its form, or contradicts itself or the database.
    """
    return add_missing(connection, read_organisations(path))


def read_organisations(path: Path) -> OrganisationChart:
    """The chart that a file describes, checked.

    Raises:
        ChartRefused: the file is not of its form or contradicts itself.
    """
    form = read_form(path)
    first_days = {each.code: each.valid_from for each in form.departments}
    _demand_known(form, first_days)
    chart = OrganisationChart(
        departments=tuple(
            Department(
                code=DepartmentCode(each.code),
                slug=each.slug,
                name=each.name,
                area_code=each.area_code,
                level=Level(each.level),
            )
            for each in form.departments
        ),
        placements=tuple(
            Placement(
                department=DepartmentCode(each.code),
                parent=DepartmentCode(each.parent) if each.parent else None,
                valid_from=each.valid_from,
                valid_to=each.valid_to,
            )
            for each in form.departments
        ),
        appointments=tuple(
            Appointment(
                staff_id=StaffId(each.staff_id),
                name=each.name,
                department=DepartmentCode(each.department),
                role=Role(role),
                valid_from=each.valid_from,
                valid_to=each.valid_to,
            )
            for each in form.staff
            for role in each.roles
        ),
        issuing_rights=_issuing_rights(form, first_days),
        client_rights=tuple(
            right for each in form.department_clients for right in _client_rights(form, each, first_days)
        ),
    )
    chart.check()
    return chart


def _demand_known(form: OrganisationsForm, first_days: dict[str, date]) -> None:
    if len(first_days) != len(form.departments):
        raise ChartRefused("两个部门用了同一代码。")
    named = {each.parent for each in form.departments if each.parent}
    for part in (form.staff, form.issuing, form.seals, form.department_clients):
        named |= {each.department for each in part}
    named |= {each.within for each in form.issuing if each.within}
    named |= {each.within for each in form.department_clients if each.within}
    unknown = sorted(named - set(first_days))
    if unknown:
        raise ChartRefused(f"没有这些代码的部门：{'、'.join(unknown)}。")


def _issuing_rights(form: OrganisationsForm, first_days: dict[str, date]) -> tuple[IssuingRight, ...]:
    return tuple(
        IssuingRight(
            department=DepartmentCode(each.department),
            certificate_type=TypeSlug(each.type),
            within=DepartmentCode(each.within or each.department),
            valid_from=each.valid_from or first_days[each.department],
            valid_to=each.valid_to,
        )
        for each in form.issuing
    )


def _client_rights(
    form: OrganisationsForm, client: ClientForm, first_days: dict[str, date]
) -> list[ClientRight]:
    """Scopes times types. Making ecerts reaches the own department, checking them the whole tree, unless said."""
    issued = {each.type for each in form.issuing if each.department == client.department}
    root = next(each.code for each in form.departments if each.parent is None)
    rights = []
    for operation in map(Operation, client.scopes):
        slugs: list[str | None] = [slug for slug in client.types if not operation.issues or slug in issued]
        if operation is Operation.REQUIREMENTS:
            slugs = [None]
        reach = client.department if operation.issues or operation is Operation.REQUIREMENTS else root
        rights += [
            ClientRight(
                client_id=ClientId(client.client_id),
                department=DepartmentCode(client.department),
                operation=operation,
                certificate_type=TypeSlug(slug) if slug else None,
                within=DepartmentCode(client.within or reach),
                fields=frozenset(client.fields[slug]) if slug in client.fields else None,
                valid_from=client.valid_from or first_days[client.department],
                valid_to=client.valid_to,
            )
            for slug in slugs
        ]
    return rights
