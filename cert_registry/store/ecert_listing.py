"""Pages of ecerts in SQL: in the order of an index and from a place on, so that no page costs more than its rows.

Each issuer is read by itself and the readings are merged: an index then gives the order, which it cannot for
several issuers at once. A search reads its hits by key, never the rows of an issuer.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, final

from sqlalchemy import and_, func, literal_column, not_, or_, select

from cert_registry.ecert_search import MAXIMUM_COUNT, MAXIMUM_HITS, EcertPage, EcertSort
from cert_registry.store.paging import from_place
from cert_registry.store.registration import face_binding
from cert_registry.store.tables import ECERT_HOLDERS, ECERT_TERMS, ECERT_TERMS_DUE, ECERTS
from cert_registry.types import EcertIdentifier, EcertState, Registration

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy import ColumnElement, Connection, Row, Select

    from cert_registry.ecert_search import EcertQuery, Sought
    from cert_registry.ports import DataCipher
    from cert_registry.store.ecerts import SqlEcerts
    from cert_registry.store.engine import Database

_AT_ONCE = 500
_COLUMNS = tuple(
    column
    for column in ECERTS.c
    if not column.name.endswith("_sealed") and column.name not in {"salt", "check_code_mac"}
)
_PASSING = (EcertState.VALID.value, EcertState.SUSPENDED.value)


@final
class SqlEcertListing:
    """`ecert_search.EcertListBook`.

    Args:
        database: Where the rows are.
        cipher: Opens faces.
        ecerts: Makes summaries of rows.
    """

    def __init__(self, *, database: Database, cipher: DataCipher, ecerts: SqlEcerts) -> None:
        self._database = database
        self._cipher = cipher
        self._ecerts = ecerts

    def page(self, query: EcertQuery, sought: Sought | None) -> EcertPage:
        """Effective ecerts in order; only those that fit `sought`, where it is given."""
        with self._database.reading() as connection:
            if sought is None:
                rows, count, more = _listed(connection, query)
            else:
                rows, count, more = _found(connection, query, sought)
            due = 0
            if sought is not None:
                due = int(connection.scalar(select(func.count()).select_from(ECERT_TERMS_DUE)) or 0)
            ecerts = self._ecerts.summaries(connection, rows)
        return EcertPage(ecerts=ecerts, count=count, more_than_count=more, not_indexed=due)

    def faces(self, identifiers: Sequence[EcertIdentifier]) -> Mapping[EcertIdentifier, Mapping[str, object]]:
        """The faces of these ecerts in clear, in one reading.

        Raises:
            ObjectMissing: One is damaged.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                select(ECERTS.c.identifier, ECERTS.c.face_sealed).where(ECERTS.c.identifier.in_(identifiers))
            ).all()
        return {
            row.identifier: json.loads(
                self._cipher.decrypt(row.face_sealed, associated_data=face_binding(row.identifier))
            )
            for row in rows
        }


def _listed(connection: Connection, query: EcertQuery) -> tuple[list[Row[Any]], int, bool]:
    conditions = _conditions(query)
    rows: list[Row[Any]] = []
    for code in query.issuer_codes:
        missing = query.limit
        for part in _parts(query):
            if missing:
                mine = connection.execute(
                    part.where(ECERTS.c.issuer_code == code, *conditions).limit(missing)
                ).all()
                rows.extend(mine)
                missing -= len(mine)
    rows.sort(key=lambda row: _rank(query.sort, row), reverse=_falling(query))
    counted = (
        select(literal_column("1"))
        .where(ECERTS.c.issuer_code.in_(query.issuer_codes), *conditions)
        .limit(MAXIMUM_COUNT + 1)
        .subquery()
    )
    count = int(connection.scalar(select(func.count()).select_from(counted)) or 0)
    return rows[: query.limit], min(count, MAXIMUM_COUNT), count > MAXIMUM_COUNT


def _found(connection: Connection, query: EcertQuery, sought: Sought) -> tuple[list[Row[Any]], int, bool]:
    hits = _hits(connection, query, sought)
    rows: list[Row[Any]] = []
    for start in range(0, min(len(hits), MAXIMUM_HITS), _AT_ONCE):
        rows.extend(
            connection.execute(
                select(*_COLUMNS).where(
                    ECERTS.c.identifier.in_(hits[start : start + _AT_ONCE]),
                    # an expression, so that no index over all rows of the issuer is taken for it
                    (ECERTS.c.issuer_code + "").in_(query.issuer_codes),
                    *_conditions(query),
                )
            ).all()
        )
    rows.sort(key=lambda row: _rank(query.sort, row), reverse=_falling(query))
    count = len(rows)
    if query.place is not None:
        start_rank, falling = _rank_of(query.place.value, query.place.identifier), _falling(query)
        rows = [
            row
            for row in rows
            if (_rank(query.sort, row) < start_rank if falling else _rank(query.sort, row) > start_rank)
        ]
    return rows[: query.limit], count, len(hits) > MAXIMUM_HITS


def _hits(connection: Connection, query: EcertQuery, sought: Sought) -> list[str]:
    """Identifiers that fit, each once, one more than `MAXIMUM_HITS` at most."""
    limit = MAXIMUM_HITS + 1
    found = dict.fromkeys(
        connection.scalars(select(ECERTS.c.identifier).where(ECERTS.c.identifier == sought.identifier)).all()
    )
    if sought.terms:
        by_term = select(ECERT_TERMS.c.identifier).where(ECERT_TERMS.c.term.in_(sought.terms)).limit(limit)
        found.update(dict.fromkeys(connection.scalars(by_term).all()))
    for reference in sought.references:
        by_holder = (
            select(ECERT_HOLDERS.c.identifier)
            .join(ECERTS, ECERTS.c.identifier == ECERT_HOLDERS.c.identifier)
            .where(
                ECERT_HOLDERS.c.holder_reference == reference,
                (ECERTS.c.issuer_code + "").in_(query.issuer_codes),
            )
            .limit(limit)
        )
        found.update(dict.fromkeys(connection.scalars(by_holder).all()))
        if len(found) >= limit:
            break
    return list(found)[:limit]


def _conditions(query: EcertQuery) -> list[ColumnElement[bool]]:
    # "not pending" rather than "effective": an equality would be looked up in an index that has all rows in one value
    conditions: list[ColumnElement[bool]] = [ECERTS.c.registration != Registration.PENDING.value]
    if query.type_code:
        conditions.append(ECERTS.c.type_code == query.type_code)
    if query.origin is not None:
        conditions.append(ECERTS.c.origin == query.origin.value)
    if query.state is not None:
        conditions.append(_in_state(query.state, query.today))
    bounds = (
        (query.issued_from, ECERTS.c.issued_on.__ge__),
        (query.issued_to, ECERTS.c.issued_on.__le__),
        (query.ends_from, ECERTS.c.valid_until.__ge__),
        (query.ends_to, ECERTS.c.valid_until.__le__),
    )
    conditions.extend(compare(day) for day, compare in bounds if day is not None)
    return conditions


def _in_state(state: EcertState, today: date) -> ColumnElement[bool]:
    """失效 is never stored: it is what 有效 and 暂扣 become after the last day."""
    ended = and_(ECERTS.c.valid_until.is_not(None), ECERTS.c.valid_until < today)
    stored: ColumnElement[bool] = ECERTS.c.state == state.value
    if state is EcertState.EXPIRED:
        return or_(stored, and_(ECERTS.c.state.in_(_PASSING), ended))
    return and_(stored, not_(ended)) if state.value in _PASSING else stored


def _parts(query: EcertQuery) -> list[Select[Any]]:
    """The order as one or two readings of an index: where a column may be empty, the rows without it are a reading apart."""
    place = query.place
    if query.sort is not EcertSort.ENDS:
        column = ECERTS.c.recorded_at if query.sort is EcertSort.RECORDED else ECERTS.c.issued_on
        return [
            _ordered(query, (column, ECERTS.c.identifier), (place.value, place.identifier) if place else None)
        ]
    within = None if place is None or place.value is None else (place.value, place.identifier)
    dated = _ordered(query, (ECERTS.c.valid_until, ECERTS.c.identifier), within)
    beyond = (place.identifier,) if place is not None and place.value is None else None
    open_ended = _ordered(query, (ECERTS.c.identifier,), beyond).where(ECERTS.c.valid_until.is_(None))
    dated = dated.where(ECERTS.c.valid_until.is_not(None))
    first, second = (open_ended, dated) if _falling(query) else (dated, open_ended)
    begins_in_second = place is not None and (place.value is None) != _falling(query)
    return [second] if begins_in_second else [first, second]


def _ordered(
    query: EcertQuery, columns: tuple[ColumnElement[Any], ...], place: tuple[object, ...] | None
) -> Select[Any]:
    return from_place(select(*_COLUMNS), columns, place, falling=_falling(query))


def _falling(query: EcertQuery) -> bool:
    return query.descending != query.backward


def _rank(sort: EcertSort, row: Row[Any]) -> tuple[int, datetime | date, str]:
    return _rank_of(getattr(row, sort.value), EcertIdentifier(row.identifier))


def _rank_of(value: datetime | date | None, identifier: str) -> tuple[int, datetime | date, str]:
    return (1, datetime.max.replace(tzinfo=UTC), identifier) if value is None else (0, value, identifier)
