"""Sign in with Longzheng: a whole site in Flask and Authlib."""

import os
from pathlib import Path
from typing import Any

from authlib.integrations.flask_client import OAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from flask import Flask, redirect, session, url_for
from joserfc.jwk import ECKey
from markupsafe import escape

app = Flask(__name__)
app.config.update(SECRET_KEY=os.environ["SITE_SECRET"], SESSION_COOKIE_NAME="example-site")
keycloak = OAuth(app).register(
    "keycloak",
    client_id=os.environ["SITE_CLIENT_ID"],
    client_secret=ECKey.import_key(Path(os.environ["SITE_KEY_FILE"]).read_text(encoding="ascii")),
    server_metadata_url=os.environ["SITE_ISSUER"] + "/.well-known/openid-configuration",
    client_auth_methods=[PrivateKeyJWT(alg="ES256")],
    client_kwargs={
        "scope": "openid",
        "code_challenge_method": "S256",
        "token_endpoint_auth_method": "private_key_jwt",
    },
)


@app.get("/")
def home() -> str:
    """Who is signed in."""
    who = session.get("who")
    return f"您好，{escape(who['name'])}，认证强度 {who['acr']}" if who else '<a href="/sign-in">登录</a>'


@app.get("/sign-in")
def sign_in() -> Any:
    """Off to Keycloak; add acr_values="loa2" to ask for a level."""
    return keycloak.authorize_redirect(url_for("callback", _external=True))


@app.get("/auth/callback")
def callback() -> Any:
    """Back again: Authlib has checked state, nonce, signature, issuer, audience and time."""
    claims = keycloak.authorize_access_token()["userinfo"]
    session["who"] = {key: claims.get(key) for key in ("sub", "name", "realname_level", "acr")}
    return redirect("/")
