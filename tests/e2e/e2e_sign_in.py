"""A site's own half of the code flow, so that a test sees the tokens themselves, and sign-in by text message."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.configuration import Configuration
from deploy.form_client import FormClient, Page, read_sms

SITE = "site-a"


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a token that came straight from the token endpoint."""
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


@dataclass(slots=True)
class SiteVisit:
    """One request of the demo site, asked by the test in the site's name."""

    system: Configuration
    browser: FormClient
    _verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def callback(self) -> str:
        """Where the code goes."""
        return f"{self.system.sites[SITE].url}/auth/callback"

    def address(self, **asked: str) -> dict[str, str]:
        """The parameters of the request."""
        digest = hashlib.sha256(self._verifier.encode()).digest()
        return {
            "client_id": SITE,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": self.callback,
            "state": "s",
            "nonce": "n",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        } | asked

    def ask(self, **asked: str) -> str | None:
        """Opens the request; the code when a session answers it without a page, else None and the page is open."""
        url = f"{self.system.keycloak.issuer}/protocol/openid-connect/auth"
        answer = self.browser.http.get(url, params=self.address(**asked), allow_redirects=False, timeout=60)
        location = answer.headers.get("Location", "")
        if location.startswith(self.callback):
            return parse_qs(urlsplit(location).query)["code"][0]
        self.browser.open(url, **self.address(**asked))
        return None

    def answer(self, **values: str) -> str:
        """Fills the open form and catches the code that answers."""
        form = self.browser.page.form_with(*values)
        sent = self.browser.http.post(
            form.action, data=form.fields | values, allow_redirects=False, timeout=60
        )
        location = sent.headers.get("Location", "")
        while location and not location.startswith(self.callback):
            sent = self.browser.http.get(location, allow_redirects=False, timeout=60)
            location = sent.headers.get("Location", "")
        return parse_qs(urlsplit(location).query)["code"][0]

    def tokens(self, code: str) -> dict[str, str]:
        """The tokens for a code."""
        now = int(time.time())
        claims = {
            "iss": SITE,
            "sub": SITE,
            "aud": self.system.keycloak.issuer,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_hex(16),
        }
        key = ECKey.import_key(self.system.client_key_file(SITE).read_text(encoding="ascii"))
        body = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.callback,
            "code_verifier": self._verifier,
        }
        return self._token(body, jwt.encode({"alg": "ES256"}, claims, key))

    def _token(self, body: dict[str, str], assertion: str) -> dict[str, str]:
        proof = {
            "client_id": SITE,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }
        url = f"{self.system.keycloak.issuer}/protocol/openid-connect/token"
        answer = requests.post(url, data=body | proof, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def id_claims(self, code: str) -> dict[str, Any]:
        """What the site learns."""
        return claims_of(self.tokens(code)["id_token"])


def ask_for_sms(client: FormClient, mobile: str) -> Page:
    """From Keycloak's sign-in page to the page that asks for the code."""
    if not client.page.has_field("mobile"):
        client.press("短信验证码登录")
    return _sent(client, lambda: client.fill({"mobile": mobile}))


def ask_for_own_sms(client: FormClient) -> Page:
    """The same for somebody whom Keycloak knows already, and who types no number."""
    client.press("短信验证码登录")
    return _sent(client, lambda: client.press("获取短信验证码"))


def _sent(client: FormClient, ask: Callable[[], Page]) -> Page:
    """Asks until the cool-down of the number, one second in a demonstration, is over."""
    page = ask()
    for _ in range(20):
        if "刚刚发送过" not in client.page.text:
            break
        time.sleep(1)
        page = ask()
    return page


def sign_in_by_sms(client: FormClient, system: Configuration, mobile: str) -> Page:
    """From Keycloak's sign-in page to wherever a right code leads."""
    ask_for_sms(client, mobile)
    return client.fill({"code": read_sms(system.public_url, mobile)})
