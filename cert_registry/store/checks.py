"""Who asked about which ecert, and why. Field names are kept, values never."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, final

from sqlalchemy import func, insert, select

from cert_registry.checks import Check, CheckRecord
from cert_registry.store.tables import CHECKS
from cert_registry.types import DepartmentCode, EcertIdentifier

if TYPE_CHECKING:
    from datetime import datetime

    from cert_registry.store.engine import Database


@final
class SqlChecks:
    """The record of checks in SQL; only ever appended to."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def add(self, check: Check, *, now: datetime) -> str:
        """Record one check, durable when this returns; its id."""
        check_id = uuid.uuid4().hex
        with self._database.writing() as connection:
            connection.execute(
                insert(CHECKS).values(
                    check_id=check_id,
                    identifier=check.identifier,
                    asked_at=now,
                    department_code=check.department_code,
                    department_name=check.department_name,
                    client_id=check.client_id,
                    officer=check.officer,
                    purpose=check.purpose,
                    service_item=check.service_item,
                    case_number=check.case_number,
                    legal_basis=check.legal_basis,
                    operation=check.operation,
                    fields=json.dumps(list(check.fields), ensure_ascii=False),
                    answer=check.answer,
                )
            )
        return check_id

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
        return tuple(
            CheckRecord(
                check_id=row.check_id,
                asked_at=row.asked_at,
                check=Check(
                    identifier=EcertIdentifier(row.identifier),
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
            for row in rows
        )
