"""Delivery to the holder: single-use download tickets that expire, and notices."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol, final

from cert_registry.errors import TicketRefused

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cert_registry.registry import Registry
    from cert_registry.types import EcertIdentifier
    from idp.identity.holder import HolderReference

TICKET_LIFE: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadTicket:
    """A right to fetch one file once.

    Attributes:
        token: 43 characters; only its hash is kept.
    """

    token: str = field(repr=False)
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadedFile:
    """A file as it is handed out."""

    identifier: EcertIdentifier
    content: bytes = field(repr=False)
    media_type: str = "application/pdf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something a holder should know: issued, or a state change."""

    notice_id: int
    identifier: EcertIdentifier
    kind: str  # `issued`, or a `StateOperation` value
    created_at: datetime
    read_at: datetime | None


class DeliveryBook(Protocol):
    """Tickets and notices."""

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
        ...

    def use_ticket(
        self, *, ticket_hash: str, references: Sequence[HolderReference], now: datetime
    ) -> EcertIdentifier | None:
        """Use a ticket once; None when it is unknown, used, expired or somebody else's."""
        ...

    def notices_for(self, references: Sequence[HolderReference], *, limit: int) -> tuple[Notice, ...]:
        """Notices, newest first."""
        ...


@final
class Delivery:
    """Hands files to their holders."""

    def __init__(self, *, registry: Registry, book: DeliveryBook) -> None:
        self._registry = registry
        self._book = book

    def ticket_for(
        self, identifier: str, holder_reference: HolderReference, *, now: datetime
    ) -> DownloadTicket:
        """A ticket for a file that this person holds, alone or for a legal person.

        Raises:
            UnknownEcert: It is not theirs, or does not exist: the same answer.
        """
        ecert = self._registry.held_ecert(identifier, holder_reference, now=now)
        token = secrets.token_urlsafe(32)
        expires_at = now + TICKET_LIFE
        self._book.add_ticket(
            ticket_hash=_hash(token),
            identifier=ecert.identifier,
            holder_reference=holder_reference,
            expires_at=expires_at,
            now=now,
        )
        return DownloadTicket(token=token, expires_at=expires_at)

    def download(
        self, unverified_token: str, holder_reference: HolderReference, *, now: datetime
    ) -> DownloadedFile:
        """The file behind a ticket; the ticket is used up, also when reading the file then fails.

        Raises:
            TicketRefused: Unknown, used, expired, or drawn by somebody else.
            ObjectMissing: The file is damaged, or there is none.
        """
        identifier = self._book.use_ticket(
            ticket_hash=_hash(unverified_token), references=(holder_reference,), now=now
        )
        if identifier is None:
            raise TicketRefused("下载链接无效、已使用或已过期，请重新获取。")
        return DownloadedFile(identifier=identifier, content=self._registry.file_of(identifier))

    def notices(
        self, holder_reference: HolderReference, *, now: datetime, limit: int = 50
    ) -> tuple[Notice, ...]:
        """What the person and those they represent should know, newest first."""
        return self._book.notices_for(self._registry.references_of(holder_reference, now=now), limit=limit)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
