"""Accounts that live for one test, and addresses that ask Keycloak for one of its pages."""

from __future__ import annotations

import base64
import hashlib
import secrets
from dataclasses import dataclass
from urllib.parse import urlencode

from playwright.sync_api import CDPSession, Page, expect

from deploy.configuration import Configuration
from deploy.demo.accounts import person
from deploy.form_client import Citizen, FormClient, Phone, prove_by_name, read_sms, set_first_password
from deploy.realm_connection import RealmConnection

OWNER = "冯立夏"
_CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(b"v" * 43).digest()).rstrip(b"=").decode()


def sign_in_address(system: Configuration, **asked: str) -> str:
    """Where a site would send the browser; `kc_action` and `acr_values` choose the page."""
    query = {
        "client_id": "portal",
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": f"{system.public_url}/auth/callback",
        "code_challenge": _CHALLENGE,
        "code_challenge_method": "S256",
        "state": "none",
    }
    return f"{system.keycloak.issuer}/protocol/openid-connect/auth?{urlencode(query | asked)}"


@dataclass(slots=True, kw_only=True)
class KeycloakAccount:
    """An account with a password; whose it is, if a proof stands behind it."""

    system: Configuration
    connection: RealmConnection
    user_id: str
    username: str
    password: str
    citizen: Citizen | None = None

    def give_password(self, page: Page) -> None:
        """Fills in the page that asks for user name and password."""
        page.locator("#username").fill(self.username)
        page.locator("#password").fill(self.password)
        page.locator("#kc-login").click()

    def ask(self, page: Page, **asked: str) -> None:
        """Opens what a site asks for, in a browser without a session."""
        page.context.clear_cookies()
        page.goto(sign_in_address(self.system, **asked))
        self.give_password(page)

    def prove(self, page: Page) -> None:
        """Goes through the real-name check that Keycloak leads to before the first second factor."""
        assert self.citizen is not None
        page.wait_for_url("**/idp/proof")
        page.get_by_label("姓名").fill(self.citizen.name)
        page.get_by_label("身份证号码").fill(self.citizen.number)
        page.get_by_label("手机号").fill(self.citizen.mobile)
        page.get_by_role("button", name="获取短信验证码").click()
        page.get_by_label("验证码", exact=True).fill(read_sms(self.system.public_url, self.citizen.mobile))
        page.get_by_role("button", name="提交核验").click()
        page.get_by_role("link", name="继续").click()

    def enrol_phone(self, page: Page) -> Phone:
        """Sets up one-time codes on Keycloak's page."""
        self.ask(page, kc_action="CONFIGURE_TOTP")
        self.prove(page)
        phone = Phone(secret=page.locator("#kc-totp-secret-key").inner_text().replace(" ", ""))
        page.locator("#totp").fill(phone.code())
        page.locator("#userLabel").fill("我的手机")
        page.locator("#saveTOTPBtn").click()
        expect_done(page)
        return phone

    def remove(self) -> None:
        """Takes the account away."""
        self.connection.delete("users", self.user_id)

    def credential(self, kind: str) -> str:
        """The id of a credential: `otp`, `webauthn`, `password`."""
        kept = self.connection.get("users", self.user_id, "credentials")
        return str(next(one["id"] for one in kept if one["type"] == kind))


def make_account(system: Configuration, username: str = "") -> KeycloakAccount:
    """Makes an account, in place of one of the same name."""
    connection = RealmConnection(system)
    chosen = username or f"1391111{secrets.randbelow(10_000):04d}"
    password = f"invented-{secrets.token_hex(8)}"
    for old in connection.get("users", username=chosen, exact="true"):
        connection.delete("users", old["id"])
    credential = {"type": "password", "value": password, "temporary": False}
    connection.post("users", body={"username": chosen, "enabled": True, "credentials": [credential]})
    user_id = connection.get("users", username=chosen, exact="true")[0]["id"]
    return KeycloakAccount(
        system=system, connection=connection, user_id=user_id, username=chosen, password=password
    )


def make_proved_account(system: Configuration) -> KeycloakAccount:
    """Makes the account of an invented person by a first sign-in with the real name."""
    citizen, connection = person(OWNER), RealmConnection(system)
    for old in connection.get("users", username=citizen.mobile, exact="true"):
        connection.delete("users", old["id"])
    password = f"invented-{secrets.token_hex(8)}"
    client = FormClient()
    client.open(sign_in_address(system))
    client.follow("实名认证登录")
    prove_by_name(client, system.public_url, citizen)
    client.follow("继续")
    set_first_password(client, password)
    return KeycloakAccount(
        system=system,
        connection=connection,
        user_id=connection.get("users", username=citizen.mobile, exact="true")[0]["id"],
        username=citizen.mobile,
        password=password,
        citizen=citizen,
    )


def virtual_authenticator(page: Page) -> tuple[CDPSession, str]:
    """A passkey in the device itself, whose owner always agrees: its session with the browser, and its name there."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session, str(made["authenticatorId"])


def expect_done(page: Page) -> None:
    """Keycloak has nothing more to ask and sent the browser back to the site."""
    page.wait_for_url("**/auth/callback?**")
    assert "error=" not in page.url, page.url


def expect_refused(page: Page, control: str, words: str) -> None:
    """The refusal is announced, has the focus, leads to its field, and stands beside it."""
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    expect(summary).to_have_attribute("role", "alert")
    expect(summary).to_contain_text(words)
    field = page.locator(control)
    expect(field).to_have_attribute("aria-invalid", "true")
    described = field.get_attribute("aria-describedby") or ""
    assert any(words in page.locator(f"#{one}").inner_text() for one in described.split())
    assert page.title().startswith("有错误：")
    summary.get_by_role("link").first.click()
    expect(field).to_be_focused()
