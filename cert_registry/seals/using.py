"""Uses of seals: taken one by one inside the transaction that records them, and listed.

A use counts a document once, however often sealing it was tried, and is taken before the signature: the limit
is never exceeded, a crash loses nothing and counts nothing twice. The seal is looked at in the same transaction,
so a stop that was committed before is seen, and one that is committed later comes after this one document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from sqlalchemy import Select, delete, func, or_, select, update

from cert_registry.seals.book import seal_of
from cert_registry.seals.errors import SealUnusable
from cert_registry.seals.rules import require_usable
from cert_registry.seals.tables import SEALS
from cert_registry.seals.types import SealId, SealUse
from cert_registry.store.tables import ECERTS, INTENTS, SEAL_USES
from cert_registry.types import DepartmentCode, EcertIdentifier, EcertState

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Connection, Row

    from cert_registry.organisations.types import TypeSlug
    from cert_registry.store.engine import Database

_IN_FORCE = (EcertState.VALID.value, EcertState.SUSPENDED.value)


def take_use(
    connection: Connection, seal_id: str, intent_id: str, certificate_type: TypeSlug, *, on: date
) -> None:
    """Look at the seal again and count this document, inside the transaction that records the use.

    Raises:
        SealUnusable: It was stopped, its dates or types do not allow it, or its limit is reached.
    """
    row = connection.execute(select(SEALS).where(SEALS.c.seal_id == seal_id).with_for_update()).one_or_none()
    if row is None:
        raise SealUnusable("没有这枚印章。", reason="no-seal")
    mine = select(SEAL_USES.c.use_id).where(
        SEAL_USES.c.intent_id == intent_id, SEAL_USES.c.seal_id == seal_id
    )
    is_counted = connection.execute(mine.limit(1)).one_or_none() is not None
    require_usable(seal_of(row), certificate_type, on=on, is_counted=is_counted)
    if not is_counted:
        connection.execute(update(SEALS).where(SEALS.c.seal_id == seal_id).values(used=SEALS.c.used + 1))


def require_still_usable(
    connection: Connection, seal_id: str, certificate_type: TypeSlug, *, on: date
) -> None:
    """Evidence that a seal may be used for a document that is counted already.

    Raises:
        SealUnusable: It was stopped, or its dates or types do not allow it.
    """
    row = connection.execute(select(SEALS).where(SEALS.c.seal_id == seal_id)).one_or_none()
    if row is None:
        raise SealUnusable("没有这枚印章。", reason="no-seal")
    require_usable(seal_of(row), certificate_type, on=on, is_counted=True)


def give_back_use(connection: Connection, seal_id: str, intent_id: str, use_id: int) -> None:
    """Take back a use that came to no signature; the document is counted no more unless it was tried before.

    A use that sealed, or that is gone already, stays as it is.
    """
    gone = connection.execute(
        delete(SEAL_USES).where(SEAL_USES.c.use_id == use_id, SEAL_USES.c.outcome == "started")
    ).rowcount
    others = select(SEAL_USES.c.use_id).where(
        SEAL_USES.c.intent_id == intent_id, SEAL_USES.c.seal_id == seal_id
    )
    if gone and connection.execute(others.limit(1)).one_or_none() is None:
        connection.execute(update(SEALS).where(SEALS.c.seal_id == seal_id).values(used=SEALS.c.used - 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class UseFilter:
    """Which uses are meant; empty values stand for all.

    Attributes:
        identifier: A part of the ecert's identifier or of the case number.
        since: From this instant on.
        until: Before this instant.
    """

    type_code: str = ""
    identifier: str = ""
    since: datetime | None = None
    until: datetime | None = None


@final
class SqlSealUses:
    """What a seal was used for."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def count(self, seal_id: SealId, wanted: UseFilter) -> int:
        """How many uses the filter leaves."""
        with self._database.reading() as connection:
            inner = _query(seal_id, wanted).subquery()
            return connection.scalar(select(func.count()).select_from(inner)) or 0

    def listed(
        self, seal_id: SealId, wanted: UseFilter, *, offset: int = 0, limit: int | None = None
    ) -> tuple[SealUse, ...]:
        """Uses, newest first."""
        query = _query(seal_id, wanted).order_by(SEAL_USES.c.use_id.desc()).offset(offset)
        with self._database.reading() as connection:
            rows = connection.execute(query if limit is None else query.limit(limit)).all()
        return tuple(_use(row) for row in rows)

    def page(
        self, seal_id: SealId, wanted: UseFilter, *, rising: bool, beyond: int | None, limit: int
    ) -> tuple[SealUse, ...]:
        """Uses in the order of their numbers.

        Args:
            seal_id: The seal.
            wanted: Which.
            rising: Oldest first.
            beyond: Only those behind this use's number, in that order.
            limit: Rows at most.
        """
        number = SEAL_USES.c.use_id
        query = _query(seal_id, wanted).order_by(number if rising else number.desc()).limit(limit)
        if beyond is not None:
            query = query.where(number > beyond if rising else number < beyond)
        with self._database.reading() as connection:
            return tuple(_use(row) for row in connection.execute(query))

    def sealed_since(self, seal_id: SealId, since: datetime) -> tuple[SealedSince, ...]:
        """Every ecert that was sealed since an instant, oldest first, and which of them must be sealed again."""
        query = (
            select(SEAL_USES.c.started_at, ECERTS)
            .join(ECERTS, ECERTS.c.intent_id == SEAL_USES.c.intent_id)
            .where(
                SEAL_USES.c.seal_id == seal_id,
                SEAL_USES.c.outcome == "sealed",
                SEAL_USES.c.started_at >= since,
            )
            .order_by(SEAL_USES.c.use_id)
        )
        with self._database.reading() as connection:
            return tuple(
                SealedSince(
                    identifier=EcertIdentifier(row.identifier),
                    type_code=row.type_code,
                    issuer_code=DepartmentCode(row.issuer_code),
                    sealed_at=row.started_at,
                    is_to_be_resealed=row.replaced_by is None and row.state in _IN_FORCE,
                )
                for row in connection.execute(query)
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedSince:
    """An ecert that a compromised seal has sealed.

    Attributes:
        is_to_be_resealed: Neither ended nor replaced: its holder needs a file under another seal.
    """

    identifier: EcertIdentifier
    type_code: str
    issuer_code: DepartmentCode
    sealed_at: datetime
    is_to_be_resealed: bool


def _query(seal_id: SealId, wanted: UseFilter) -> Select[Any]:
    query = (
        select(SEAL_USES, INTENTS.c.identifier, INTENTS.c.type_code, INTENTS.c.case_number)
        .join(INTENTS, INTENTS.c.intent_id == SEAL_USES.c.intent_id)
        .where(SEAL_USES.c.seal_id == seal_id)
    )
    if wanted.type_code:
        query = query.where(INTENTS.c.type_code == wanted.type_code)
    if wanted.identifier:
        text = wanted.identifier
        query = query.where(
            or_(
                INTENTS.c.identifier.contains(text, autoescape=True),
                INTENTS.c.case_number.contains(text, autoescape=True),
            )
        )
    if wanted.since is not None:
        query = query.where(SEAL_USES.c.started_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(SEAL_USES.c.started_at < wanted.until)
    return query


def _use(row: Row[Any]) -> SealUse:
    return SealUse(
        use_id=row.use_id,
        seal_id=SealId(row.seal_id),
        identifier=row.identifier,
        type_code=row.type_code,
        case_number=row.case_number,
        started_at=row.started_at,
        outcome=row.outcome,
        sealed_digest=row.sealed_digest,
    )
