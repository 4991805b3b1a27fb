"""Signing in to the service's own pages: code flow with PKCE at Keycloak, a session on the server, and its end.

Two of these stand side by side: `portal` for citizens (`/auth/…`) and `officer-desk` for officers
(`/officer/auth/…`). Source: OpenID Connect Core 1.0, section 3.1; RP-Initiated Logout 1.0; RFC 9207; RFC 7523.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.integrations.base_client.errors import MismatchingStateError, OAuthError
from authlib.integrations.flask_client import OAuth
from flask import Blueprint, Flask, Response, current_app, make_response, redirect, render_template, request
from flask import session as browser
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from requests import RequestException

from cert_registry.web.errors import SignInFailed
from cert_registry.web.sessions import SessionStore, WebSession
from idp.identity.access_token import JwksSource
from idp.identity.client_assertion import ShortLivedAssertion
from idp.identity.errors import IdentityError
from idp.identity.logout_token import LogoutTokenVerifier

_LOGGER = logging.getLogger(__name__)
# What a person may do to the own account on Keycloak's pages (`kc_action`); its account pages are closed.
_ACTIONS = frozenset(
    {
        "idp_link:realname",
        "CONFIGURE_TOTP",
        "CONFIGURE_RECOVERY_AUTHN_CODES",
        "UPDATE_PASSWORD",
        "webauthn-register",
    }
)
_RETURN_TO = "lz_return_to"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """What Keycloak said of the person who came back; `claims` are those of the checked ID token."""

    claims: Mapping[str, Any]
    access_token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInSettings:
    """One client of the realm.

    Attributes:
        client_id: `portal` or `officer-desk`.
        key_file: The client's private key, PEM.
        issuer: Keycloak's issuer.
        prefix: Path before `/auth/…`, empty or `/officer`.
        home: Path where people land.
        cookie: Name of the session cookie; cookies ignore ports, so each site has its own name.
        public_url: Address of the service.
    """

    client_id: str
    key_file: Path
    issuer: str
    prefix: str
    home: str
    cookie: str
    public_url: str


class SignIn:
    """Sign-in, sign-out and the current session of one client.

    Args:
        settings: The client.
        sessions: Where sessions are kept.
        jwks: Keycloak's keys.
        open_session: From the checked tokens to the session's content; raises `SignInFailed` with a sentence.
        clock: Now, UTC.
    """

    def __init__(
        self,
        settings: SignInSettings,
        *,
        sessions: SessionStore,
        jwks: JwksSource,
        open_session: Callable[[SignedIn, datetime], Mapping[str, Any]],
        clock: Callable[[], datetime],
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._open_session = open_session
        self._clock = clock
        self._notices = LogoutTokenVerifier(issuer=settings.issuer, client_id=settings.client_id, jwks=jwks)
        self._oauth = OAuth()
        self._client = self._oauth.register(
            settings.client_id,
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_id=settings.client_id,
            client_secret=ECKey.import_key(settings.key_file.read_text()),
            client_auth_methods=[ShortLivedAssertion()],
            client_kwargs={
                "scope": "openid",
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "private_key_jwt",
                "default_timeout": 10,
            },
        )

    def mount(self, application: Flask) -> Blueprint:
        """Register the paths; return the blueprint, so that CSRF protection can leave its logout notice out."""
        self._oauth.init_app(application)
        prefix = self._settings.prefix
        blueprint = Blueprint(f"sign_in_{self._settings.client_id.replace('-', '_')}", __name__)
        blueprint.add_url_rule(f"{prefix}/auth/sign-in", "start", self._start, methods=["GET"])
        blueprint.add_url_rule(f"{prefix}/auth/callback", "callback", self._callback, methods=["GET"])
        blueprint.add_url_rule(f"{prefix}/auth/sign-out", "sign_out", self._sign_out, methods=["POST"])
        application.register_blueprint(blueprint)
        notices = Blueprint(f"notices_{self._settings.client_id.replace('-', '_')}", __name__)
        notices.add_url_rule(f"{prefix}/auth/backchannel-logout", "notice", self._notice, methods=["POST"])
        application.register_blueprint(notices)
        return notices

    def current(self) -> WebSession | None:
        """Return the session of the current request's browser, or None."""
        secret = request.cookies.get(self._settings.cookie)
        if not secret:
            return None
        return self._sessions.find(secret, client_id=self._settings.client_id, now=self._clock())

    def lately(self) -> WebSession | None:
        """Return who was signed in in this browser until the session ran out; good for keeping what was typed, nothing else."""
        secret = request.cookies.get(self._settings.cookie)
        return self._sessions.lately(secret, client_id=self._settings.client_id) if secret else None

    def ask(self, *, acr: str | None = None, action: str | None = None, then: str = "") -> Response:
        """Return the redirect that signs in and comes back to the current page.

        Args:
            then: Path to come back to instead.
            acr: Strength to ask for (`loa2`, `loa3`).
            action: Keycloak's `kc_action`, such as `idp_link:realname`.
        """
        query = {"next": request.full_path if request.query_string else request.path}
        if (
            request.method != "GET"
        ):  # what was posted cannot be posted again by a redirect: back to the page it came from
            query = {"next": request.path.rsplit("/", 1)[0] or self._settings.home}
        if then:
            query = {"next": then}
        query.update({name: value for name, value in (("acr", acr), ("action", action)) if value})
        return make_response(redirect(f"{self._settings.prefix}/auth/sign-in?{urlencode(query)}"))

    def ask_anew(self) -> Response:
        """End the current session, whose link counts no more, and say how to come back."""
        self._sessions.end(request.cookies.get(self._settings.cookie, ""))
        page = render_template(
            "sorry.html",
            sentence="这个账号的登录已经结束：实名认证有变化。请重新登录；不能登录的，请带身份证到就近的政务服务窗口。",
        )
        response = make_response(page, 403)
        response.delete_cookie(self._settings.cookie, path="/")
        return response

    def _start(self) -> Response:
        browser[_RETURN_TO] = _own_path(request.args.get("next"), otherwise=self._settings.home)
        extra: dict[str, str] = {}
        if request.args.get("acr") in {"loa1", "loa2", "loa3"}:
            extra["acr_values"] = request.args["acr"]
        if request.args.get("action") in _ACTIONS:
            extra["kc_action"] = request.args["action"]
        language = current_app.jinja_env.globals.get("page_language")
        if callable(language):
            extra["ui_locales"] = language()  # the sign-in speaks the language of the page that led to it
        callback = f"{self._settings.public_url}{self._settings.prefix}/auth/callback"
        try:
            response: Response = self._client.authorize_redirect(callback, **extra)
        except (RequestException, OAuthError, ValueError) as error:
            _LOGGER.warning("sign-in cannot start: %s", type(error).__name__)
            return _sorry("统一身份认证暂时连不上，请稍后再试。", 503)
        return response

    def _callback(self) -> Response:
        now = self._clock()
        if request.args.get("iss", self._settings.issuer) != self._settings.issuer:
            return _sorry("登录答复不是本省统一身份认证发出的，请重新登录。", 400)
        try:
            token = self._client.authorize_access_token()
            claims = dict(token["userinfo"])
            content = self._open_session(SignedIn(claims=claims, access_token=token["access_token"]), now)
        except SignInFailed as refused:
            return _sorry(refused.sentence, 403)
        except MismatchingStateError:
            return _sorry("登录没有完成：这次登录已经过期，或者不是在这个浏览器里开始的。请重新登录。", 400)
        except OAuthError as error:
            _LOGGER.info("sign-in ended with %s", error.error)
            return _sorry("登录没有完成。您可以重新登录，或到就近的政务服务窗口办理。", 400)
        except (RequestException, JoseError, KeyError, ValueError) as error:
            _LOGGER.warning("sign-in failed: %s", type(error).__name__)
            return _sorry("统一身份认证的答复无法核对，请稍后重新登录。", 502)
        return_to = _own_path(browser.pop(_RETURN_TO, None), otherwise=self._settings.home)
        browser.clear()
        old = request.cookies.get(self._settings.cookie)
        if old:
            self._sessions.end(old)  # a new sign-in never continues an old session (session fixation)
        secret = self._sessions.start(
            WebSession(
                client_id=self._settings.client_id,
                subject=str(claims["sub"]),
                sid=claims.get("sid"),
                content={**content, "id_token": token["id_token"]},
            ),
            now=now,
        )
        response = make_response(redirect(return_to))
        response.set_cookie(
            self._settings.cookie,
            secret,
            httponly=True,
            samesite="Lax",
            secure=self._settings.public_url.startswith("https:"),
            path="/",
        )
        return response

    def _sign_out(self) -> Response:
        session = self.current()
        self._sessions.end(request.cookies.get(self._settings.cookie, ""))
        home = f"{self._settings.public_url}{self._settings.home}"
        query = {"client_id": self._settings.client_id, "post_logout_redirect_uri": self._after_sign_out()}
        if session is not None:
            query["id_token_hint"] = session.content["id_token"]
        try:
            endpoint = self._client.load_server_metadata().get("end_session_endpoint")
        except (RequestException, ValueError):
            endpoint = None
        response = make_response(redirect(f"{endpoint}?{urlencode(query)}" if endpoint else home))
        response.delete_cookie(self._settings.cookie, path="/")
        return response

    def _after_sign_out(self) -> str:
        return f"{self._settings.public_url}{self._settings.prefix}/"

    def _notice(self) -> Response:
        try:
            notice = self._notices.verify(request.form.get("logout_token", ""), now=self._clock())
        except IdentityError as error:
            _LOGGER.warning("a logout notice was refused: %s", error.code)
            response = make_response({"error": "invalid_request", "error_description": error.code}, 400)
        else:
            self._sessions.end_by_notice(
                client_id=self._settings.client_id, sid=notice.sid, subject=notice.subject
            )
            response = make_response("", 200)
        response.headers["Cache-Control"] = "no-store"
        return response


def _own_path(path: str | None, *, otherwise: str) -> str:
    """Return the path when it stays on this site, so that a sign-in never redirects elsewhere."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")) or "\\" in path:
        return otherwise
    parts = urlsplit(path)
    return path if not parts.scheme and not parts.netloc else otherwise


def _sorry(sentence: str, status: int) -> Response:
    return make_response(render_template("sorry.html", sentence=sentence), status)
