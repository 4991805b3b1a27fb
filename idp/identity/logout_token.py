"""Back-channel logout: what a relying party checks of a logout token before it ends a session.

Source: OpenID Connect Back-Channel Logout 1.0, sections 2.4 and 2.6.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError

from idp.identity.access_token import ALGORITHMS, JwksSource
from idp.identity.errors import IdentityError

LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_OLDEST = timedelta(minutes=3)
_LEEWAY = timedelta(seconds=30)
_REMEMBERED = 10_000
_LONGEST = 8192


class LogoutTokenRefused(IdentityError):
    """A logout token does not hold; no session is ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutNotice:
    """Whose sessions end: the session `sid`, or every session of `subject`."""

    sid: str | None
    subject: str | None


class LogoutTokenVerifier:
    """Checks logout tokens for one client; each `jti` is taken once.

    Args:
        issuer: exact `iss`.
        client_id: must be among `aud`.
        jwks: the issuer's keys.
    """

    def __init__(self, *, issuer: str, client_id: str, jwks: JwksSource) -> None:
        self._issuer = issuer
        self._client_id = client_id
        self._jwks = jwks
        self._seen: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def verify(self, token: str, *, now: datetime) -> LogoutNotice:
        """Return whose sessions end.

        Raises:
            LogoutTokenRefused: `malformed`, `signature`, `issuer`, `audience`, `time`, `events`, `nonce`, `nobody` or `replayed`.
            AccessTokenRefused: the issuer's keys cannot be had, or none fits.
        """
        claims = self._authentic_claims(token, now)
        audience = claims.get("aud")
        _demand(claims.get("iss") == self._issuer, "issuer")
        _demand(self._client_id in (audience if isinstance(audience, list) else [audience]), "audience")
        issued_at = claims.get("iat")
        _demand(isinstance(issued_at, int), "time")
        age = now - datetime.fromtimestamp(int(issued_at or 0), tz=now.tzinfo)
        _demand(-_LEEWAY <= age <= _OLDEST, "time")
        expires_at = claims.get("exp")
        if expires_at is not None:
            _demand(isinstance(expires_at, int) and now.timestamp() < expires_at + 30, "time")
        events = claims.get("events")
        _demand(isinstance(events, dict) and isinstance(events.get(LOGOUT_EVENT), dict), "events")
        _demand("nonce" not in claims, "nonce")
        sid, subject, token_id = claims.get("sid"), claims.get("sub"), claims.get("jti")
        _demand(isinstance(sid, str) or isinstance(subject, str), "nobody")
        _demand(isinstance(token_id, str) and self._first_time(str(token_id)), "replayed")
        return LogoutNotice(
            sid=sid if isinstance(sid, str) else None, subject=subject if isinstance(subject, str) else None
        )

    def _authentic_claims(self, token: str, now: datetime) -> dict[str, Any]:
        _demand(len(token) <= _LONGEST, "malformed")
        try:
            unverified_header = jws.extract_compact(token.encode("ascii")).headers()
        except (JoseError, ValueError, UnicodeEncodeError) as error:
            raise LogoutTokenRefused("退出通知无法读取。", code="malformed") from error
        kid = unverified_header.get("kid")
        _demand(isinstance(kid, str), "malformed")
        keys = self._jwks.keys_with(str(kid), now=now)
        try:
            claims = json.loads(jws.deserialize_compact(token, keys, algorithms=list(ALGORITHMS)).payload)
        except (JoseError, ValueError) as error:
            raise LogoutTokenRefused("退出通知的签名不符。", code="signature") from error
        _demand(isinstance(claims, dict), "malformed")
        return dict(claims)

    def _first_time(self, token_id: str) -> bool:
        with self._lock:
            if token_id in self._seen:
                return False
            self._seen[token_id] = None
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
            return True


def _demand(holds: object, code: str) -> None:
    if not holds:
        raise LogoutTokenRefused("退出通知不被接受。", code=code)
