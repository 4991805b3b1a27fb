"""Web sessions of the service's own pages, kept on the server so that a back-channel logout really ends them.

Sessions are no record: their file is made anew when it is missing, and needs no migration. The browser holds
32 random bytes; the store holds only their SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from cert_registry.store.engine import Database, open_database

_METADATA = MetaData()
_SESSIONS = Table(
    "web_sessions",
    _METADATA,
    Column("secret_sha256", LargeBinary(32), primary_key=True),
    Column("client_id", String(64), nullable=False),
    Column("subject", String(255), nullable=False, index=True),
    Column("sid", String(255), nullable=True, index=True),
    Column("content", Text, nullable=False),
    Column("last_seen", Integer, nullable=False),
    Column("ends_at", Integer, nullable=False),
)
_TOUCH_EVERY_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSession:
    """One signed-in browser.

    Attributes:
        content: What the pages need of the person or officer; JSON values only.
    """

    client_id: str
    subject: str
    sid: str | None
    content: Mapping[str, Any]


class SessionStore:
    """Sessions of one service.

    Args:
        file: SQLite file.
        idle: A session unused for so long ends.
        longest: A session ends after so long whatever its use.
    """

    def __init__(self, file: Path, *, idle: timedelta, longest: timedelta) -> None:
        self._database: Database = open_database(file)
        self._idle = idle
        self._longest = longest
        _METADATA.create_all(self._database.engine)

    def start(self, session: WebSession, *, now: datetime) -> str:
        """Keep a session; return the secret for the browser's cookie."""
        secret = secrets.token_urlsafe(32)
        with self._database.writing() as connection:
            connection.execute(delete(_SESSIONS).where(_SESSIONS.c.ends_at <= _seconds(now)))
            connection.execute(
                insert(_SESSIONS).values(
                    secret_sha256=_digest(secret),
                    client_id=session.client_id,
                    subject=session.subject,
                    sid=session.sid,
                    content=json.dumps(dict(session.content), ensure_ascii=False),
                    last_seen=_seconds(now),
                    ends_at=_seconds(now + self._longest),
                )
            )
        return secret

    def find(self, secret: str, *, client_id: str, now: datetime) -> WebSession | None:
        """Return the live session behind a cookie of this client, or None."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(_SESSIONS).where(
                    _SESSIONS.c.secret_sha256 == _digest(secret), _SESSIONS.c.client_id == client_id
                )
            ).one_or_none()
        if row is None or row.ends_at <= _seconds(now) or row.last_seen <= _seconds(now - self._idle):
            return None
        if row.last_seen <= _seconds(now) - _TOUCH_EVERY_S:
            with self._database.writing() as connection:
                connection.execute(
                    update(_SESSIONS)
                    .where(_SESSIONS.c.secret_sha256 == row.secret_sha256)
                    .values(last_seen=_seconds(now))
                )
        return WebSession(
            client_id=row.client_id, subject=row.subject, sid=row.sid, content=json.loads(row.content)
        )

    def lately(self, secret: str, *, client_id: str) -> WebSession | None:
        """Return the session behind a cookie even when it has run out; None after a sign-out."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(_SESSIONS).where(
                    _SESSIONS.c.secret_sha256 == _digest(secret), _SESSIONS.c.client_id == client_id
                )
            ).one_or_none()
        if row is None:
            return None
        return WebSession(
            client_id=row.client_id, subject=row.subject, sid=row.sid, content=json.loads(row.content)
        )

    def end(self, secret: str) -> None:
        """End one browser's session."""
        with self._database.writing() as connection:
            connection.execute(delete(_SESSIONS).where(_SESSIONS.c.secret_sha256 == _digest(secret)))

    def end_by_notice(self, *, client_id: str, sid: str | None, subject: str | None) -> int:
        """End the sessions that a logout notice names; return how many there were."""
        named = _SESSIONS.c.sid == sid if sid is not None else _SESSIONS.c.subject == subject
        with self._database.writing() as connection:
            return int(
                connection.execute(
                    delete(_SESSIONS).where(_SESSIONS.c.client_id == client_id, named)
                ).rowcount
            )


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
