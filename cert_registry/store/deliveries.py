"""Download tickets and notices in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from sqlalchemy import insert, select, update

from cert_registry.delivery import Notice
from cert_registry.store.tables import DOWNLOADS, NOTICES
from cert_registry.types import EcertIdentifier

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cert_registry.store.engine import Database
    from idp.identity.holder import HolderReference


@final
class SqlDeliveries:
    """The delivery book in SQL."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def add_ticket(
        self,
        *,
        ticket_hash: str,
        identifier: EcertIdentifier,
        holder_reference: HolderReference,
        expires_at: datetime,
        now: datetime,
    ) -> None:
        """Record a ticket."""
        with self._database.writing() as connection:
            connection.execute(
                insert(DOWNLOADS).values(
                    ticket_hash=ticket_hash,
                    identifier=identifier,
                    holder_reference=holder_reference,
                    created_at=now,
                    expires_at=expires_at,
                )
            )

    def use_ticket(
        self, *, ticket_hash: str, references: Sequence[HolderReference], now: datetime
    ) -> EcertIdentifier | None:
        """Use a ticket once; None when it is unknown, used, expired or somebody else's."""
        with self._database.writing() as connection:
            used = connection.execute(
                update(DOWNLOADS)
                .where(
                    DOWNLOADS.c.ticket_hash == ticket_hash,
                    DOWNLOADS.c.used_at.is_(None),
                    DOWNLOADS.c.expires_at > now,
                    DOWNLOADS.c.holder_reference.in_(references),
                )
                .values(used_at=now)
            ).rowcount
            if used != 1:
                return None
            identifier = connection.scalar(
                select(DOWNLOADS.c.identifier).where(DOWNLOADS.c.ticket_hash == ticket_hash)
            )
        return None if identifier is None else EcertIdentifier(identifier)

    def notices_for(self, references: Sequence[HolderReference], *, limit: int) -> tuple[Notice, ...]:
        """Notices, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(NOTICES)
                .where(NOTICES.c.holder_reference.in_(references))
                .order_by(NOTICES.c.notice_id.desc())
                .limit(limit)
            ).all()
        return tuple(
            Notice(
                notice_id=row.notice_id,
                identifier=EcertIdentifier(row.identifier),
                kind=row.kind,
                created_at=row.created_at,
                read_at=row.read_at,
            )
            for row in rows
        )
