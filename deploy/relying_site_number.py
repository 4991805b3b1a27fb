"""A demo site that the law gives the ID number to: it leads the person to confirm, then fetches it on a second channel."""

import secrets
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Flask, abort, redirect, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from deploy.configuration import Configuration, SiteSection
from deploy.number_client import fetch_number
from deploy.relying_site_sessions import Sessions
from idp.identity.masking import mask_number

# What the person is asked to do first: sign in afresh, with a second factor.
FRESH = {"scope": "openid id-number", "acr_values": "loa2", "max_age": "300"}


def add_number(
    application: Flask, configuration: Configuration, site: SiteSection, keycloak: Any, sessions: Sessions
) -> None:
    """Adds the two pages; the number itself stays on the server and is shown masked."""

    @application.get("/id-number")
    def id_number() -> AnyResponse:
        session["number"] = {"state": secrets.token_urlsafe(16), "case": f"DEMO-{secrets.token_hex(4)}"}
        session["asked_level"] = "loa2"
        answer: AnyResponse = keycloak.authorize_redirect(f"{site.url}/auth/callback", **FRESH)
        return answer

    @application.get("/id-number/back")
    def id_number_back() -> AnyResponse:
        asked = session.pop("number", None)
        person = sessions.find(session.get("id"), now=datetime.now(UTC))
        if (
            asked is None
            or person is None
            or not secrets.compare_digest(request.args.get("state", ""), asked["state"])
        ):
            abort(400)
        fetched = None
        if request.args.get("id_number") == "agreed" and site.number_purpose is not None:
            fetched = fetch_number(configuration, site.client_id, person.access_token, site.number_purpose)
        if fetched is None:
            session["notice"] = "没有取得身份证号码。"
        else:
            sessions.replace(session["id"], replace(person, number_shown=mask_number(fetched.number)))
        return redirect(url_for("home"))


def confirmation_page(configuration: Configuration, site: SiteSection) -> str | None:
    """Where the person goes after signing in, when this site is about to ask for the number."""
    asked = session.get("number")
    if asked is None or site.number_purpose is None:
        return None
    query = {"site": site.client_id, "purpose": site.number_purpose, **asked}
    return f"{configuration.section('idp')['issuer']}/account/number?{urlencode(query)}"
