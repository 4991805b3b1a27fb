"""Sessions of this room's own pages: on the server, encrypted, ended by a back-channel logout."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, delete, insert, or_, select, update

from idp.ports import Cipher
from idp.store.marks import mark_of_random, seconds
from idp.store.tables import web_sessions

IDLE_S: Final = 1800
LONGEST_S: Final = 8 * 3600
_TOUCH_EVERY_S: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSession:
    """One browser at one client; `content` holds JSON values only."""

    mark: str
    content: Mapping[str, Any]


class WebSessions:
    """Keeps sessions; the browser holds a random handle, the store its mark."""

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._engine = engine
        self._cipher = cipher

    def open(
        self,
        client_id: str,
        content: Mapping[str, Any],
        *,
        now: datetime,
        sid: str | None = None,
        subject: str | None = None,
        life_s: int = LONGEST_S,
    ) -> str:
        """Opens a session and returns the handle for the browser."""
        handle = secrets.token_urlsafe(32)
        mark, moment = mark_of_random(handle), seconds(now)
        with self._engine.begin() as connection:
            connection.execute(delete(web_sessions).where(web_sessions.c.expires_at <= moment))
            connection.execute(
                insert(web_sessions).values(
                    session_mark=mark,
                    client_id=client_id,
                    content_sealed=self._seal(mark, content),
                    sid=sid,
                    subject=subject,
                    seen_at=moment,
                    expires_at=moment + life_s,
                )
            )
        return handle

    def find(self, handle: str | None, *, client_id: str, now: datetime) -> WebSession | None:
        """The session of a handle, None when unknown, idle for half an hour, or over."""
        if not handle:
            return None
        mark, moment = mark_of_random(handle), seconds(now)
        mine = (web_sessions.c.session_mark == mark) & (web_sessions.c.client_id == client_id)
        query = select(web_sessions).where(
            mine, web_sessions.c.expires_at > moment, web_sessions.c.seen_at > moment - IDLE_S
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        if moment - row["seen_at"] >= _TOUCH_EVERY_S:
            with self._engine.begin() as connection:
                connection.execute(update(web_sessions).where(mine).values(seen_at=moment))
        content = json.loads(self._cipher.decrypt(row["content_sealed"], _bound_to(mark)))
        return WebSession(mark=mark, content=content)

    def change(self, session: WebSession, content: Mapping[str, Any]) -> None:
        """Replaces what a session holds."""
        with self._engine.begin() as connection:
            connection.execute(
                update(web_sessions)
                .where(web_sessions.c.session_mark == session.mark)
                .values(content_sealed=self._seal(session.mark, content))
            )

    def end(self, handle: str | None) -> None:
        """Ends the session of a handle."""
        if handle:
            with self._engine.begin() as connection:
                connection.execute(
                    delete(web_sessions).where(web_sessions.c.session_mark == mark_of_random(handle))
                )

    def end_by_notice(self, *, client_id: str, sid: str | None, subject: str | None) -> None:
        """Ends the session `sid`, or every session of `subject`, at one client."""
        named = [column == value for column, value in _named(sid, subject) if value]
        with self._engine.begin() as connection:
            connection.execute(delete(web_sessions).where(web_sessions.c.client_id == client_id, or_(*named)))

    def _seal(self, mark: str, content: Mapping[str, Any]) -> bytes:
        return self._cipher.encrypt(json.dumps(dict(content)).encode("utf-8"), _bound_to(mark))


def _named(sid: str | None, subject: str | None) -> tuple[tuple[Any, str | None], ...]:
    # A notice with a session ends that session only, as OpenID Connect Back-Channel Logout 2.4 reads it.
    return ((web_sessions.c.sid, sid),) if sid else ((web_sessions.c.subject, subject),)


def _bound_to(mark: str) -> bytes:
    return f"longzheng idp web session v1\0{mark}".encode()
