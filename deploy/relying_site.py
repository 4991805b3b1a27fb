"""A small relying site, as a department would run it: Flask, Authlib, and nothing of this project's other rooms.

Two of them run in the demo (`LONGZHENG_SITE` says which). Each has its own cookie, key and subjects, so that one can
see what crosses from one site to the other: the sign-in, and the log-out.
"""

import os
import secrets
from datetime import UTC, datetime
from typing import Any

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.flask_client import OAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import Flask, Response, abort, redirect, render_template, request, session, url_for
from joserfc.jwk import ECKey, KeySet
from werkzeug.wrappers import Response as AnyResponse

from deploy.configuration import Configuration, SiteSection, load
from deploy.locations import state_directory
from deploy.relying_site_number import add_number, confirmation_page
from deploy.relying_site_sessions import (
    LIFETIME,
    LogoutTokenRefused,
    Sessions,
    SignedIn,
    check_logout_token,
)

LEVELS = ("loa1", "loa2", "loa3")
# What a person may be sent to Keycloak for, besides signing in.
ACTIONS = {
    "link": "idp_link:realname",
    "totp": "CONFIGURE_TOTP",
    "passkey": "webauthn-register",
    "passkey-alone": "webauthn-register-passwordless",
    "codes": "CONFIGURE_RECOVERY_AUTHN_CODES",
}
_LARGEST_BODY_BYTES = 64 * 1024


def create_application() -> Flask:
    """The site that `LONGZHENG_SITE` names, configured from the state directory."""
    configuration = load(state_directory())
    return create_site(configuration, configuration.sites[os.environ["LONGZHENG_SITE"]])


def create_site(configuration: Configuration, site: SiteSection) -> Flask:
    """One relying site as a WSGI application."""
    application = Flask(__name__, template_folder="relying_site_templates")
    application.config.update(
        SECRET_KEY=site.session_secret_file.read_text(encoding="utf-8").strip(),
        SESSION_COOKIE_NAME=f"{site.name}-session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=site.url.startswith("https:"),
        MAX_CONTENT_LENGTH=_LARGEST_BODY_BYTES,
    )
    keycloak = OAuth(application).register(
        "keycloak",
        client_id=site.client_id,
        client_secret=ECKey.import_key(site.key_file.read_text(encoding="ascii")),
        server_metadata_url=f"{configuration.keycloak.issuer}/.well-known/openid-configuration",
        client_auth_methods=[PrivateKeyJWT(alg="ES256")],
        client_kwargs={
            "scope": "openid",
            "code_challenge_method": "S256",
            "token_endpoint_auth_method": "private_key_jwt",
            "default_timeout": 10,
        },
    )
    sessions = Sessions()
    _add_pages(application, configuration, site, keycloak, sessions)
    if site.number_purpose is not None:
        add_number(application, configuration, site, keycloak, sessions)
    _add_sign_out(application, site, keycloak, sessions)
    application.after_request(_harden)
    return application


def _add_pages(
    application: Flask, configuration: Configuration, site: SiteSection, keycloak: Any, sessions: Sessions
) -> None:
    @application.get("/")
    def home() -> str:
        person = sessions.find(session.get("id"), now=datetime.now(UTC))
        token = session.setdefault("form_token", secrets.token_urlsafe(16))
        notice = session.pop("notice", None)
        return render_template("home.html", site=site, person=person, form_token=token, notice=notice)

    @application.get("/sign-in")
    def sign_in() -> AnyResponse:
        level, action = request.args.get("level"), request.args.get("action")
        if (level is not None and level not in LEVELS) or (action is not None and action not in ACTIONS):
            abort(400)
        # Asking for loa1 would get a token at loa1 although the person is at loa2 already: then nothing is asked.
        asked = {} if level is None else {"acr_values": level}
        if action is not None:
            asked["kc_action"] = ACTIONS[action]
        if "silent" in request.args:
            asked["prompt"] = "none"
        session["asked_level"] = level or "loa1"
        answer: AnyResponse = keycloak.authorize_redirect(f"{site.url}/auth/callback", **asked)
        return answer

    @application.get("/auth/callback")
    def callback() -> AnyResponse:
        try:
            token = keycloak.authorize_access_token()
        except OAuthError as error:
            session["notice"] = _sentence(error.error)
            session.pop("number", None)
            return redirect(url_for("home"))
        claims = token["userinfo"]
        now = datetime.now(UTC)
        sessions.end(session.get("id"))
        session["id"] = sessions.begin(
            SignedIn(
                subject=claims["sub"],
                keycloak_session=claims["sid"],
                claims=dict(claims),
                id_token=token["id_token"],
                access_token=token["access_token"],
                until=now + LIFETIME,
            ),
            now=now,
        )
        if LEVELS.index(session.pop("asked_level", "loa1")) > _level(claims.get("acr")):
            session["notice"] = "您没有达到本次要求的认证强度，相关事项暂不能办理。"
            session.pop("number", None)
        return redirect(confirmation_page(configuration, site) or url_for("home"))

    @application.get("/healthz")
    def healthy() -> Response:
        return Response("ok\n", mimetype="text/plain")


def _add_sign_out(application: Flask, site: SiteSection, keycloak: Any, sessions: Sessions) -> None:
    @application.post("/sign-out")
    def sign_out() -> AnyResponse:
        if not secrets.compare_digest(request.form.get("form_token", ""), session.get("form_token", "")):
            abort(400)
        person = sessions.find(session.get("id"), now=datetime.now(UTC))
        sessions.end(session.get("id"))
        session.clear()
        if person is None:
            return redirect(url_for("home"))
        answer: AnyResponse = keycloak.logout_redirect(
            post_logout_redirect_uri=f"{site.url}/", id_token_hint=person.id_token
        )
        return answer

    @application.post("/auth/backchannel-logout")
    def backchannel_logout() -> Response:
        try:
            notice = check_logout_token(
                request.form.get("logout_token", ""),
                keys=KeySet.import_key_set(keycloak.fetch_jwk_set()),
                issuer=keycloak.load_server_metadata()["issuer"],
                client_id=site.client_id,
                sessions=sessions,
                now=datetime.now(UTC),
            )
        except LogoutTokenRefused as refused:
            application.logger.warning("log-out token refused: %s", refused.code)
            return Response(status=400, headers={"Cache-Control": "no-store"})
        sessions.end_noticed(notice)
        return Response(status=200, headers={"Cache-Control": "no-store"})


def _level(acr: Any) -> int:
    return LEVELS.index(acr) if acr in LEVELS else -1


def _sentence(code: str) -> str:
    """What to tell the person; never the raw code."""
    return {
        "login_required": "您在其他站点没有登录，请先登录。",
        "interaction_required": "实名核验没有完成，可以重新办理。",
        "access_denied": "您取消了登录。",
    }.get(code, "登录没有完成，请重新登录。")


def _harden(response: Response) -> Response:
    response.headers.setdefault(
        "Content-Security-Policy", "default-src 'none'; style-src 'self' 'unsafe-inline'"
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Cache-Control", "no-store")
    return response
