"""Leaves that wait for the transparency log, written in the transaction of the event they tell of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from sqlalchemy import bindparam, insert, select, update

from cert_registry.log_events import ISSUED, REGISTERED
from cert_registry.store.tables import ECERTS, OUTBOX
from cert_registry.types import EcertIdentifier, LogLeaf, Registration

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from cert_registry.log_events import NewLeaf
    from cert_registry.store.engine import Database

_MARK: Final = update(OUTBOX).where(OUTBOX.c.leaf_id == bindparam("of_leaf"), OUTBOX.c.leaf_index.is_(None))


def put_leaf(connection: Connection, subject: EcertIdentifier, leaf: NewLeaf, *, now: datetime) -> int:
    """Add a leaf inside the caller's transaction; its number."""
    result = connection.execute(
        insert(OUTBOX),
        {
            "subject": subject,
            "kind": leaf.kind,
            "sequence": leaf.sequence,
            "event": leaf.event,
            "salt": leaf.salt,
            "leaf_entry": leaf.entry,
            "created_at": now,
        },
    )
    (leaf_id,) = result.inserted_primary_key or (0,)
    return int(leaf_id)


@final
class SqlOutbox:
    """The outbox table."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def waiting(self, limit: int) -> tuple[LogLeaf, ...]:
        """Leaves without an index, oldest first; those of issues are left to `issuance.issue`, step 9."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(OUTBOX)
                .where(OUTBOX.c.leaf_index.is_(None), OUTBOX.c.kind != ISSUED)
                .order_by(OUTBOX.c.leaf_id)
                .limit(limit)
            ).all()
        return tuple(leaf_of(row) for row in rows)

    def mark_sequenced(self, indexes: Mapping[int, int], *, now: datetime) -> None:
        """Record the index of each leaf by its id; stock whose leaf is in the log becomes effective."""
        with self._database.writing() as connection:
            for leaf_id, index in indexes.items():
                mark_leaf(connection, leaf_id, index, now=now)
                subject = select(OUTBOX.c.subject).where(
                    OUTBOX.c.leaf_id == leaf_id, OUTBOX.c.kind == REGISTERED
                )
                connection.execute(
                    update(ECERTS)
                    .where(
                        ECERTS.c.identifier == subject.scalar_subquery(),
                        ECERTS.c.registration == Registration.PENDING.value,
                    )
                    .values(registration=Registration.EFFECTIVE.value, effective_at=now)
                )

    def leaves_of(self, subject: EcertIdentifier) -> tuple[LogLeaf, ...]:
        """Every leaf about one ecert, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(OUTBOX).where(OUTBOX.c.subject == subject).order_by(OUTBOX.c.leaf_id)
            ).all()
        return tuple(leaf_of(row) for row in rows)


def mark_leaf(connection: Connection, leaf_id: int, index: int, *, now: datetime) -> None:
    """Record a leaf's index inside the caller's transaction."""
    connection.execute(_MARK, {"of_leaf": leaf_id, "leaf_index": index, "sequenced_at": now})


def leaf_of(row: Row[tuple[object, ...]]) -> LogLeaf:
    """A row as a leaf."""
    return LogLeaf(
        leaf_id=row.leaf_id,
        subject=EcertIdentifier(row.subject),
        kind=row.kind,
        sequence=row.sequence,
        event=row.event,
        salt=row.salt,
        leaf_entry=row.leaf_entry,
        leaf_index=row.leaf_index,
    )
