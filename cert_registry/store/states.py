"""Writing state changes: event, row, leaf and notices in one transaction."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, final

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from cert_registry.errors import StateChangeConflict
from cert_registry.log_events import state_leaf
from cert_registry.store.engine import insert_missing
from cert_registry.store.events import append_event
from cert_registry.store.outbox import put_leaf
from cert_registry.store.tables import ECERT_HOLDERS, ECERTS, NOTICES

if TYPE_CHECKING:
    from datetime import datetime

    from cert_registry.store.ecerts import SqlEcerts
    from cert_registry.store.engine import Database
    from cert_registry.types import EcertIdentifier, EcertSummary, StateEvent


@final
class SqlStates:
    """The state book in SQL."""

    def __init__(self, *, database: Database, ecerts: SqlEcerts) -> None:
        self._database = database
        self._ecerts = ecerts

    def find(self, identifier: EcertIdentifier) -> EcertSummary | None:
        """One row, pending ones included."""
        return self._ecerts.find(identifier)

    def history(self, identifier: EcertIdentifier) -> tuple[StateEvent, ...]:
        """Every event of the ecert, oldest first."""
        return self._ecerts.history(identifier)

    def apply(self, event: StateEvent, *, now: datetime) -> None:
        """In one transaction: event, row, leaf in the outbox, notices.

        Raises:
            StateChangeConflict: Another event took this sequence number.
        """
        leaf = state_leaf(event, salt=secrets.token_bytes(32))
        try:
            with self._database.writing() as connection:
                append_event(connection, event)
                moved = connection.execute(
                    update(ECERTS)
                    .where(
                        ECERTS.c.identifier == event.identifier,
                        ECERTS.c.state_sequence == event.sequence - 1,
                    )
                    .values(
                        state=event.state.value,
                        file_state=event.file_state.value,
                        state_sequence=event.sequence,
                    )
                ).rowcount
                if moved != 1:
                    raise StateChangeConflict("证照状态已被他人变更，请刷新后再办。")
                put_leaf(connection, event.identifier, leaf, now=now)
                for reference in connection.scalars(
                    select(ECERT_HOLDERS.c.holder_reference).where(
                        ECERT_HOLDERS.c.identifier == event.identifier
                    )
                ).all():
                    insert_missing(
                        connection,
                        NOTICES,
                        holder_reference=reference,
                        identifier=event.identifier,
                        kind=event.operation.value,
                        sequence=event.sequence,
                        created_at=now,
                    )
        except IntegrityError as error:
            raise StateChangeConflict("证照状态已被他人变更，请刷新后再办。") from error
