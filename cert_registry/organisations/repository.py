"""Charts in the database. Every write raises the revision, so that a reader knows when its chart is old."""

import json
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, and_, select, update

from cert_registry.organisations.chart import OrganisationChart
from cert_registry.organisations.errors import UnknownOrganisation
from cert_registry.organisations.tables import (
    ORG_APPOINTMENTS,
    ORG_CLIENT_RIGHTS,
    ORG_DEPARTMENTS,
    ORG_ISSUING_RIGHTS,
    ORG_PLACEMENTS,
    ORG_REVISIONS,
)
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
from cert_registry.store.engine import Database
from cert_registry.types import DepartmentCode, StaffId

Values = dict[str, Any]


class ChartReader:
    """The present chart, read again only when its revision has changed: a right that ended is gone at once."""

    def __init__(self, database: Database) -> None:
        """Read from ``database``."""
        self._database = database
        self._held: tuple[int, OrganisationChart] | None = None

    def chart(self) -> OrganisationChart:
        """The chart as committed last."""
        with self._database.reading() as connection:
            revision = read_revision(connection)
            held = self._held
            if held is None or held[0] != revision:
                held = (revision, read_chart(connection))
                self._held = held
        return held[1]


def read_revision(connection: Connection) -> int:
    """Number of writes so far; 0 for an empty database."""
    return connection.execute(select(ORG_REVISIONS.c.revision)).scalar_one_or_none() or 0


def read_chart(connection: Connection) -> OrganisationChart:
    """Everything, past and present."""
    return OrganisationChart(
        departments=tuple(_department(row) for row in connection.execute(select(ORG_DEPARTMENTS))),
        placements=tuple(_placement(row) for row in connection.execute(select(ORG_PLACEMENTS))),
        appointments=tuple(_appointment(row) for row in connection.execute(select(ORG_APPOINTMENTS))),
        issuing_rights=tuple(_issuing_right(row) for row in connection.execute(select(ORG_ISSUING_RIGHTS))),
        client_rights=tuple(_client_right(row) for row in connection.execute(select(ORG_CLIENT_RIGHTS))),
    )


def add_missing(connection: Connection, chart: OrganisationChart) -> int:
    """Insert the parts of ``chart`` whose keys are not there; present rows keep their state and dates.

    Returns:
        Number of rows inserted.

    Raises:
        ChartRefused: what was there and what came contradict each other; nothing must be committed.
    """
    added = sum(_insert_missing(connection, table, rows) for table, rows in _rows(chart))
    if added:
        _raise_revision(connection)
        read_chart(connection).check()
    return added


def move_department(
    connection: Connection, department: DepartmentCode, *, parent: DepartmentCode, from_day: date
) -> None:
    """Hang a department elsewhere from a day on; its past stays.

    Raises:
        UnknownOrganisation: it has no open placement that began before that day, or no such parent.
        ChartRefused: the tree would run in a circle or upside down.
    """
    chart = read_chart(connection)
    chart.department(parent)
    present = chart.placement(department, from_day)
    if present is None or present.valid_from >= from_day:
        raise UnknownOrganisation(f"{department} 在 {from_day} 之前没有隶属关系。")
    table = ORG_PLACEMENTS
    _end(
        connection,
        table,
        and_(table.c.department == department, table.c.valid_from == present.valid_from),
        from_day - timedelta(days=1),
    )
    connection.execute(
        table.insert().values(
            department=department, parent=parent, valid_from=from_day, valid_to=present.valid_to
        )
    )
    read_chart(connection).check()


def end_appointment(connection: Connection, staff_id: StaffId, *, last_day: date) -> None:
    """End every appointment of a member of staff that is in force on that day.

    Raises:
        UnknownOrganisation: there is none.
    """
    table = ORG_APPOINTMENTS
    _end(connection, table, and_(table.c.staff_id == staff_id, _runs_on(table, last_day)), last_day)


def end_issuing_right(
    connection: Connection, department: DepartmentCode, certificate_type: TypeSlug, *, last_day: date
) -> None:
    """End a department's right to issue a type.

    Raises:
        UnknownOrganisation: it has none in force on that day.
    """
    table = ORG_ISSUING_RIGHTS
    which = and_(table.c.department == department, table.c.certificate_type == certificate_type)
    _end(connection, table, and_(which, _runs_on(table, last_day)), last_day)


def _runs_on(table: Table, day: date) -> ColumnElement[bool]:
    return and_(table.c.valid_from <= day, (table.c.valid_to.is_(None)) | (table.c.valid_to > day))


def _end(connection: Connection, table: Table, which: ColumnElement[bool], last_day: date) -> None:
    ended = connection.execute(update(table).where(which).values(valid_to=last_day)).rowcount
    if not ended:
        raise UnknownOrganisation("当日没有可以终止的记录。")
    _raise_revision(connection)


def _raise_revision(connection: Connection) -> None:
    raised = connection.execute(update(ORG_REVISIONS).values(revision=ORG_REVISIONS.c.revision + 1)).rowcount
    if not raised:
        connection.execute(ORG_REVISIONS.insert().values(only=1, revision=1))


def _insert_missing(connection: Connection, table: Table, rows: list[Values]) -> int:
    keys = [column.name for column in table.primary_key]
    present = {tuple(row) for row in connection.execute(select(*table.primary_key))}
    missing = [row for row in rows if tuple(row[key] for key in keys) not in present]
    if missing:
        connection.execute(table.insert(), missing)
    return len(missing)


def _rows(chart: OrganisationChart) -> list[tuple[Table, list[Values]]]:
    return [
        (ORG_DEPARTMENTS, [_department_values(each) for each in chart.departments]),
        (ORG_PLACEMENTS, [_dated(each, parent=each.parent) for each in chart.placements]),
        (
            ORG_APPOINTMENTS,
            [
                _dated(each, staff_id=each.staff_id, role=each.role.value, name=each.name)
                for each in chart.appointments
            ],
        ),
        (
            ORG_ISSUING_RIGHTS,
            [
                _dated(each, certificate_type=each.certificate_type, within=each.within)
                for each in chart.issuing_rights
            ],
        ),
        (ORG_CLIENT_RIGHTS, [_client_right_values(each) for each in chart.client_rights]),
    ]


def _dated(part: Placement | Appointment | IssuingRight | ClientRight, **values: object) -> Values:
    return {
        "department": part.department,
        "valid_from": part.valid_from,
        "valid_to": part.valid_to,
        **values,
    }


def _department_values(each: Department) -> Values:
    return {
        "code": each.code,
        "slug": each.slug,
        "name": each.name,
        "area_code": each.area_code,
        "level": each.level.value,
    }


def _client_right_values(each: ClientRight) -> Values:
    return _dated(
        each,
        client_id=each.client_id,
        operation=each.operation.value,
        certificate_type=each.certificate_type or "",
        within=each.within,
        fields=None if each.fields is None else json.dumps(sorted(each.fields), ensure_ascii=False),
    )


def _department(row: Row[Any]) -> Department:
    return Department(
        code=DepartmentCode(row.code),
        slug=row.slug,
        name=row.name,
        area_code=row.area_code,
        level=Level(row.level),
    )


def _placement(row: Row[Any]) -> Placement:
    return Placement(
        department=DepartmentCode(row.department),
        parent=DepartmentCode(row.parent) if row.parent else None,
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def _appointment(row: Row[Any]) -> Appointment:
    return Appointment(
        staff_id=StaffId(row.staff_id),
        name=row.name,
        department=DepartmentCode(row.department),
        role=Role(row.role),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def _issuing_right(row: Row[Any]) -> IssuingRight:
    return IssuingRight(
        department=DepartmentCode(row.department),
        certificate_type=TypeSlug(row.certificate_type),
        within=DepartmentCode(row.within),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def _client_right(row: Row[Any]) -> ClientRight:
    return ClientRight(
        client_id=ClientId(row.client_id),
        department=DepartmentCode(row.department),
        operation=Operation(row.operation),
        certificate_type=TypeSlug(row.certificate_type) if row.certificate_type else None,
        within=DepartmentCode(row.within),
        fields=None if row.fields is None else frozenset(json.loads(row.fields)),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )
