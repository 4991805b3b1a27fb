"""Sessions of a relying site, kept on the server so that Keycloak's log-out message can end them.

A cookie that carried the whole session could not be taken back from the outside; this one carries a random id.
"""

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIFETIME = timedelta(hours=10)
_TOKEN_AGE = timedelta(minutes=2)


class LogoutTokenRefused(Exception):
    """A back-channel log-out message that must not end any session.

    Attributes:
        code: which rule it broke, stable.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """One person signed in at this site.

    Attributes:
        subject: pairwise, means nothing at another site.
        keycloak_session: `sid`, by which Keycloak ends it.
        claims: of the ID token.
        id_token: sent back as hint at log-out.
        access_token: of the person, five minutes long; it says whose session an ID number is asked for.
        number_shown: the ID number, masked, once it was released to this site.
        until: end of this session at the latest, UTC.
    """

    subject: str
    keycloak_session: str
    claims: Mapping[str, Any]
    id_token: str
    until: datetime
    access_token: str = ""
    number_shown: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutNotice:
    """What a checked log-out token says: one session, or all of a subject's."""

    keycloak_session: str | None
    subject: str | None


class Sessions:
    """Who is signed in; safe to share between threads of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_id: dict[str, SignedIn] = {}
        self._seen: dict[str, datetime] = {}

    def begin(self, person: SignedIn, *, now: datetime) -> str:
        """Stores a session under a new random id."""
        session_id = secrets.token_urlsafe(32)
        with self._lock:
            self._by_id = {key: one for key, one in self._by_id.items() if one.until > now}
            self._by_id[session_id] = person
        return session_id

    def find(self, session_id: str | None, *, now: datetime) -> SignedIn | None:
        """The session, unless it ended."""
        with self._lock:
            person = self._by_id.get(session_id or "")
        return person if person is not None and person.until > now else None

    def replace(self, session_id: str, person: SignedIn) -> None:
        """Changes what a session holds, unless it ended in between."""
        with self._lock:
            if session_id in self._by_id:
                self._by_id[session_id] = person

    def end(self, session_id: str | None) -> None:
        """Ends one session; one that does not exist is ended already."""
        with self._lock:
            self._by_id.pop(session_id or "", None)

    def end_noticed(self, notice: LogoutNotice) -> int:
        """Ends all sessions that a log-out notice speaks of, and says how many."""
        with self._lock:
            ended = [key for key, one in self._by_id.items() if _concerns(notice, one)]
            for key in ended:
                del self._by_id[key]
        return len(ended)

    def use_once(self, token_id: str, *, now: datetime) -> None:
        """Remembers a log-out token's `jti` for as long as the token could be believed.

        Raises:
            LogoutTokenRefused: `replayed`.
        """
        with self._lock:
            self._seen = {key: until for key, until in self._seen.items() if until > now}
            if token_id in self._seen:
                raise LogoutTokenRefused("replayed")
            self._seen[token_id] = now + 2 * _TOKEN_AGE


def _concerns(notice: LogoutNotice, person: SignedIn) -> bool:
    if notice.keycloak_session is not None:
        return person.keycloak_session == notice.keycloak_session
    return person.subject == notice.subject


def check_logout_token(
    unverified_token: str, *, keys: KeySet, issuer: str, client_id: str, sessions: Sessions, now: datetime
) -> LogoutNotice:
    """Checks a logout token: signature, issuer, audience, age, event, that it is no ID token, and that it is new.

    Raises:
        LogoutTokenRefused: with the rule that it broke.

    Source: OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.6.
    """
    try:
        claims = jwt.decode(unverified_token, keys, algorithms=["ES256"]).claims
    except (JoseError, ValueError) as error:
        raise LogoutTokenRefused("signature") from error
    audience = claims.get("aud")
    issued_at = claims.get("iat")
    events = claims.get("events")
    rules = {
        "issuer": claims.get("iss") == issuer,
        "audience": client_id in (audience if isinstance(audience, list) else [audience]),
        "issued-at": type(issued_at) is int
        and abs(now.timestamp() - issued_at) <= _TOKEN_AGE.total_seconds(),
        "events": isinstance(events, dict) and isinstance(events.get(LOGOUT_EVENT), dict),
        "nonce": "nonce" not in claims,
        "token-id": isinstance(claims.get("jti"), str) and bool(claims["jti"]),
        "whose": isinstance(claims.get("sid"), str) or isinstance(claims.get("sub"), str),
    }
    for code, kept in rules.items():
        if not kept:
            raise LogoutTokenRefused(code)
    sessions.use_once(claims["jti"], now=now)
    return LogoutNotice(keycloak_session=claims.get("sid"), subject=claims.get("sub"))
