"""Signing in to this room's own pages at Keycloak: code flow with PKCE, a key instead of a secret.

Two clients stand side by side: `counter` for officers at a window, `account` for people and their own account.
Source: OpenID Connect Core 1.0, section 3.1; RP-Initiated Logout 1.0; RFC 7636, 9207, 9700.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import requests

from idp.errors import SignInRefused
from idp.identity.access_token import AccessTokenVerifier, Caller, JwksSource
from idp.identity.logout_token import LogoutTokenVerifier
from idp.keycloak.client_key import ClientKey
from idp.keycloak.id_token import read_id_token
from idp.store.web_sessions import WebSession, WebSessions

_PENDING_S: Final = 1800
_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """One client of this room.

    Attributes:
        client_id: at Keycloak.
        issuer: Keycloak's.
        internal_url: where this process reaches Keycloak.
        key_file: the client's key.
        audience: of its access tokens.
        redirect_uri: exact.
        home_url: where a person lands after signing out.
    """

    client_id: str
    issuer: str
    internal_url: str
    key_file: Path
    audience: str
    redirect_uri: str
    home_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A sign-in that began: where the browser goes, and the handle it keeps."""

    address: str
    handle: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A session that was opened: the handle for the browser, and where it wanted to go."""

    handle: str
    return_to: str


class KeycloakSignIn:
    """Sign-in, current session and sign-out of one client.

    Args:
        content_of: from the checked access token to the session's content; raises `SignInRefused`.
    """

    def __init__(
        self,
        settings: ClientSettings,
        *,
        sessions: WebSessions,
        verifier: AccessTokenVerifier,
        jwks: JwksSource,
        content_of: Callable[[Caller], Mapping[str, Any]],
        clock: Callable[[], datetime],
    ) -> None:
        self.settings = settings
        self._sessions = sessions
        self._verifier = verifier
        self._jwks = jwks
        self._content_of = content_of
        self._clock = clock
        self._key = ClientKey(settings.client_id, settings.key_file, audience=settings.issuer)
        self._notices = LogoutTokenVerifier(issuer=settings.issuer, client_id=settings.client_id, jwks=jwks)

    def begin(self, return_to: str, **asked: str) -> Begun:
        """Opens a sign-in that waits half an hour for its answer; `asked` are further request parameters."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        pending = {"state": state, "nonce": nonce, "verifier": verifier, "return_to": return_to}
        handle = self._sessions.open(self._pending_id, pending, now=self._clock(), life_s=_PENDING_S)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": self.settings.client_id,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": self.settings.redirect_uri,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **asked,
        }
        return Begun(
            address=f"{self.settings.issuer}/protocol/openid-connect/auth?{urlencode(query)}", handle=handle
        )

    def finish(self, parameters: Mapping[str, str], handle: str | None) -> Opened:
        """Takes Keycloak's answer and opens the session under a new handle.

        Raises:
            SignInRefused: `state`, `refused`, `keycloak` or `id-token`, or what `content_of` refuses.
            AccessTokenRefused: the tokens do not hold.
        """
        now = self._clock()
        pending = self._sessions.find(handle, client_id=self._pending_id, now=now)
        expected = str(pending.content["state"]) if pending else ""
        same = hmac.compare_digest(parameters.get("state", "").encode(), expected.encode())
        right_issuer = parameters.get("iss", self.settings.issuer) == self.settings.issuer
        if pending is None or not same or not right_issuer:
            raise SignInRefused("这次登录已经过期，或者不是在这个浏览器里开始的。请重新登录。", code="state")
        self._sessions.end(handle)
        if "code" not in parameters:
            raise SignInRefused("登录没有完成，请重新登录。", code="refused")
        tokens = self._redeem(parameters["code"], str(pending.content["verifier"]), now)
        claims = read_id_token(
            str(tokens["id_token"]),
            issuer=self.settings.issuer,
            client_id=self.settings.client_id,
            nonce=str(pending.content["nonce"]),
            jwks=self._jwks,
            now=now,
        )
        caller = self._verifier.verify(str(tokens["access_token"]), audience=self.settings.audience, now=now)
        content = {**self._content_of(caller), "id_token": tokens["id_token"], "sid": claims.get("sid")}
        opened = self._sessions.open(
            self.settings.client_id,
            content,
            now=now,
            sid=claims.get("sid"),
            subject=str(claims["sub"]),
        )
        return Opened(handle=opened, return_to=str(pending.content["return_to"]))

    def session(self, handle: str | None) -> WebSession | None:
        """The session of a handle."""
        return self._sessions.find(handle, client_id=self.settings.client_id, now=self._clock())

    def keep(self, session: WebSession, **changes: Any) -> None:
        """Changes what a session holds."""
        self._sessions.change(session, {**session.content, **changes})

    def end(self, handle: str | None) -> str:
        """Ends a session here; where the browser goes to end the one at Keycloak."""
        session = self.session(handle)
        self._sessions.end(handle)
        query = {"client_id": self.settings.client_id, "post_logout_redirect_uri": self.settings.home_url}
        if session is not None:
            query["id_token_hint"] = str(session.content["id_token"])
        return f"{self.settings.issuer}/protocol/openid-connect/logout?{urlencode(query)}"

    def end_by_notice(self, logout_token: str) -> None:
        """Ends what a back-channel logout names.

        Raises:
            IdentityError: the notice does not hold.
        """
        notice = self._notices.verify(logout_token, now=self._clock())
        self._sessions.end_by_notice(
            client_id=self.settings.client_id, sid=notice.sid, subject=notice.subject
        )

    @property
    def _pending_id(self) -> str:
        return f"{self.settings.client_id} pending"

    def _redeem(self, code: str, verifier: str, now: datetime) -> Mapping[str, Any]:
        path = urlsplit(self.settings.issuer).path
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.settings.redirect_uri,
            "code_verifier": verifier,
            **self._key.assertion(now=now),
        }
        try:
            answer = requests.post(
                f"{self.settings.internal_url}{path}/protocol/openid-connect/token",
                data=form,
                timeout=_TIMEOUT_S,
                allow_redirects=False,
            )
            tokens = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise SignInRefused("统一身份认证暂时连不上，请稍后再试。", code="keycloak") from error
        if answer.status_code != 200 or not {"id_token", "access_token"} <= set(tokens):
            raise SignInRefused("统一身份认证没有给出登录结果，请重新登录。", code="keycloak")
        return dict(tokens)
