"""Who may prove people at a counter: dated grants (授权), and every act done under one."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Engine, RowMapping, insert, or_, select, update

from idp.store.marks import seconds
from idp.store.tables import counter_acts, window_grants


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowGrant:
    """The right of one member of staff to prove people at one office.

    Attributes:
        grant_id: 0 before it is recorded.
        office: name of the counter, as people know it.
        valid_from: first civil day.
        valid_to: last civil day, included; None until ended.
        basis: number of the document that grants it.
        granted_by: who granted it, on record.
    """

    grant_id: int
    staff_id: str
    department_code: str
    office: str
    valid_from: date
    valid_to: date | None
    basis: str
    granted_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterAct:
    """What an officer did, without naming the person."""

    document_kind: str
    outcome: str
    decision: str | None
    realname_ref: str | None
    displaced_ref: str | None
    number_mark: str


class WindowGrants:
    """Grants and the record of what was done under them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def in_force(self, staff_id: str, *, on: date) -> WindowGrant | None:
        """The grant of a member of staff on a civil day, None without one."""
        day = on.isoformat()
        query = select(window_grants).where(
            window_grants.c.staff_id == staff_id,
            window_grants.c.valid_from <= day,
            or_(window_grants.c.valid_to.is_(None), window_grants.c.valid_to >= day),
        )
        with self._engine.connect() as connection:
            row = connection.execute(query.order_by(window_grants.c.id.desc())).mappings().first()
        return None if row is None else _grant(row)

    def all(self) -> tuple[WindowGrant, ...]:
        """Every grant ever recorded, oldest first."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(window_grants).order_by(window_grants.c.id)).mappings().all()
        return tuple(_grant(row) for row in rows)

    def add(self, grant: WindowGrant, *, now: datetime) -> int:
        """Records a grant; its id."""
        with self._engine.begin() as connection:
            grant_id: int = connection.execute(
                insert(window_grants)
                .values(
                    staff_id=grant.staff_id,
                    department_code=grant.department_code,
                    office=grant.office,
                    valid_from=grant.valid_from.isoformat(),
                    valid_to=None if grant.valid_to is None else grant.valid_to.isoformat(),
                    basis=grant.basis,
                    granted_by=grant.granted_by,
                    recorded_at=seconds(now),
                )
                .returning(window_grants.c.id)
            ).scalar_one()
        return grant_id

    def end(self, staff_id: str, *, last_day: date) -> int:
        """Ends the grants of a member of staff; how many were ended."""
        day = last_day.isoformat()
        open_ended = or_(window_grants.c.valid_to.is_(None), window_grants.c.valid_to > day)
        with self._engine.begin() as connection:
            return connection.execute(
                update(window_grants)
                .where(window_grants.c.staff_id == staff_id, open_ended)
                .values(valid_to=day)
            ).rowcount

    def record(self, grant: WindowGrant, act: CounterAct, *, now: datetime) -> None:
        """Writes what was done under a grant."""
        with self._engine.begin() as connection:
            connection.execute(
                insert(counter_acts).values(
                    staff_id=grant.staff_id,
                    department_code=grant.department_code,
                    office=grant.office,
                    grant_id=grant.grant_id,
                    document_kind=act.document_kind,
                    outcome=act.outcome,
                    decision=act.decision,
                    realname_ref=act.realname_ref,
                    displaced_ref=act.displaced_ref,
                    number_mark=act.number_mark,
                    at=seconds(now),
                )
            )


def _grant(row: RowMapping) -> WindowGrant:
    return WindowGrant(
        grant_id=row["id"],
        staff_id=row["staff_id"],
        department_code=row["department_code"],
        office=row["office"],
        valid_from=date.fromisoformat(row["valid_from"]),
        valid_to=None if row["valid_to"] is None else date.fromisoformat(row["valid_to"]),
        basis=row["basis"],
        granted_by=row["granted_by"],
    )
