"""Who asked about which ecert, and why. Field names are kept, values never."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, final

from sqlalchemy import false, func, insert, literal_column, or_, select

from cert_registry.checks import MAXIMUM_COUNT, Check, CheckPage, CheckRecord
from cert_registry.store.paging import from_place
from cert_registry.store.tables import CHECKS
from cert_registry.types import DepartmentCode, EcertIdentifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row

    from cert_registry.checks import CheckQuery
    from cert_registry.store.engine import Database


@final
class SqlChecks:
    """The record of checks in SQL; only ever appended to."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def add(self, check: Check, *, now: datetime) -> str:
        """Record one check, durable when this returns; its id."""
        row = _row(check, now)
        with self._database.writing() as connection:
            connection.execute(insert(CHECKS).values(row))
        return str(row["check_id"])

    def add_all(self, checks: Sequence[Check], *, now: datetime) -> None:
        """Record checks in one transaction, durable when this returns."""
        with self._database.writing() as connection:
            connection.execute(insert(CHECKS), [_row(check, now) for check in checks])

    def page(self, query: CheckQuery) -> CheckPage:
        """Checks in order."""
        conditions: list[ColumnElement[bool]] = []
        if query.operation:
            conditions.append(CHECKS.c.operation == query.operation)
        if query.since is not None:
            conditions.append(CHECKS.c.asked_at >= query.since)
        if query.until is not None:
            conditions.append(CHECKS.c.asked_at < query.until)
        falling = query.descending != query.backward
        rows: list[Row[Any]] = []
        with self._database.reading() as connection:
            for part in _parts(query):
                chosen = select(CHECKS).where(part, *conditions)
                ordered = from_place(
                    chosen, (CHECKS.c.asked_at, CHECKS.c.check_id), query.place, falling=falling
                )
                rows.extend(connection.execute(ordered.limit(query.limit)).all())
            counted = (
                select(literal_column("1"))
                .where(or_(false(), *_parts(query)), *conditions)
                .limit(MAXIMUM_COUNT + 1)
                .subquery()
            )
            count = int(connection.scalar(select(func.count()).select_from(counted)) or 0)
        rows.sort(key=lambda row: (row.asked_at, row.check_id), reverse=falling)
        return CheckPage(
            records=tuple(_record(row) for row in rows[: query.limit]),
            count=min(count, MAXIMUM_COUNT),
            more_than_count=count > MAXIMUM_COUNT,
        )

    def count(
        self,
        identifier: EcertIdentifier,
        *,
        department_code: DepartmentCode,
        answer_ends: str,
        since: datetime,
    ) -> int:
        """How many checks of one ecert by one department since a time have an answer that ends so."""
        with self._database.reading() as connection:
            found = connection.scalar(
                select(func.count()).where(
                    CHECKS.c.identifier == identifier,
                    CHECKS.c.department_code == department_code,
                    CHECKS.c.asked_at >= since,
                    CHECKS.c.answer.endswith(answer_ends, autoescape=True),
                )
            )
        return int(found or 0)

    def about(self, identifier: EcertIdentifier, *, limit: int) -> tuple[CheckRecord, ...]:
        """Checks of one ecert, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(CHECKS)
                .where(CHECKS.c.identifier == identifier)
                .order_by(CHECKS.c.asked_at.desc(), CHECKS.c.check_id)
                .limit(limit)
            ).all()
        return tuple(_record(row) for row in rows)


def _parts(query: CheckQuery) -> list[ColumnElement[bool]]:
    """What is read one after the other: each department by itself, so that the index gives the order."""
    if query.identifiers:
        return [CHECKS.c.identifier.in_(query.identifiers)]
    return [CHECKS.c.department_code == code for code in query.department_codes]


def _row(check: Check, now: datetime) -> dict[str, object]:
    return {
        "check_id": uuid.uuid4().hex,
        "identifier": check.identifier,
        "asked_at": now,
        "department_code": check.department_code,
        "department_name": check.department_name,
        "client_id": check.client_id,
        "officer": check.officer,
        "purpose": check.purpose,
        "service_item": check.service_item,
        "case_number": check.case_number,
        "legal_basis": check.legal_basis,
        "operation": check.operation,
        "fields": json.dumps(list(check.fields), ensure_ascii=False),
        "answer": check.answer,
    }


def _record(row: Row[Any]) -> CheckRecord:
    return CheckRecord(
        check_id=row.check_id,
        asked_at=row.asked_at,
        check=Check(
            identifier=None if row.identifier is None else EcertIdentifier(row.identifier),
            department_code=DepartmentCode(row.department_code),
            department_name=row.department_name,
            client_id=row.client_id,
            officer=row.officer,
            purpose=row.purpose,
            service_item=row.service_item,
            case_number=row.case_number,
            legal_basis=row.legal_basis,
            operation=row.operation,
            fields=tuple(json.loads(row.fields)),
            answer=row.answer,
        ),
    )
