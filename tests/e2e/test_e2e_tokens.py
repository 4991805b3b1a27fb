"""What is in the tokens, and what is not: departments, officers, the portal; and Keycloak's database."""

import base64
import hashlib
import json
import secrets
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from e2e_people import Accounts, Administration
from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.configuration import Configuration
from deploy.demo.accounts import DemoAccounts
from deploy.form_client import Citizen, FormClient, Phone, enrol_phone, sign_in_with_password

pytestmark = pytest.mark.servers


def assertion(system: Configuration, client_id: str, *, key: ECKey | None = None) -> str:
    now = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": system.keycloak.issuer,
        "iat": now,
        "exp": now + 60,
        "jti": secrets.token_hex(16),
    }
    key = key or ECKey.import_key(system.client_key_file(client_id).read_text(encoding="ascii"))
    return jwt.encode({"alg": "ES256"}, claims, key)


def token_endpoint(system: Configuration) -> str:
    return f"{system.keycloak.issuer}/protocol/openid-connect/token"


def ask_token(system: Configuration, client_id: str, **parameters: str) -> requests.Response:
    body = {
        "client_id": client_id,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(system, client_id),
    } | parameters
    return requests.post(token_endpoint(system), data=body, timeout=30)


def claims_of(token: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def header_of(token: str) -> dict[str, Any]:
    return json.loads(base64.urlsafe_b64decode(token.split(".", maxsplit=1)[0] + "=="))


def sign_in_as(
    system: Configuration, client_id: str, redirect_uri: str, client: FormClient, **parameters: str
) -> str:
    """The first half of the code flow, up to Keycloak's page or the code."""
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    client.open(
        f"{system.keycloak.issuer}/protocol/openid-connect/auth",
        client_id=client_id,
        response_type="code",
        scope="openid",
        redirect_uri=redirect_uri,
        state="s",
        nonce="n",
        code_challenge=challenge,
        code_challenge_method="S256",
        **parameters,
    )
    return verifier


@pytest.mark.parametrize(
    ("scope", "audience"), [("verify", "longzheng-verify"), ("issue", "longzheng-registry")]
)
def test_a_department_gets_the_audience_of_what_it_asks_and_no_acr(
    system: Configuration, scope: str, audience: str
) -> None:
    answer = ask_token(system, "dept-city-market", grant_type="client_credentials", scope=scope)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    claims = claims_of(token)
    assert header_of(token)["alg"] == "ES256"
    assert claims["aud"] == audience
    assert claims["department_code"] == "119901000000002037"
    assert scope in claims["scope"].split()
    assert (
        not {"acr", "realm_access", "resource_access", "email", "preferred_username", "name"} & claims.keys()
    )


def test_a_department_without_a_scope_is_in_no_audience(system: Configuration) -> None:
    answer = ask_token(system, "dept-city-market", grant_type="client_credentials")
    assert "aud" not in claims_of(answer.json()["access_token"])


def test_a_department_gets_no_scope_that_is_not_its_own(system: Configuration) -> None:
    answer = ask_token(system, "dept-city-education", grant_type="client_credentials", scope="issue")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_scope"


def test_a_department_with_another_key_is_refused(system: Configuration) -> None:
    forged = assertion(system, "dept-city-market", key=ECKey.generate_key("P-256"))
    answer = ask_token(
        system, "dept-city-market", grant_type="client_credentials", scope="verify", client_assertion=forged
    )
    assert answer.status_code in {400, 401}


def test_a_site_cannot_sign_in_as_a_machine_or_by_password(system: Configuration, accounts: Accounts) -> None:
    account = accounts.of("周大伟")
    assert ask_token(system, "site-a", grant_type="client_credentials").status_code >= 400
    by_password = ask_token(
        system, "site-a", grant_type="password", username=account.citizen.mobile, password=account.password
    )
    assert by_password.status_code >= 400


def test_a_password_at_the_token_endpoint_gets_nothing_by_keycloaks_own_clients_either(
    system: Configuration, accounts: Accounts
) -> None:
    account = accounts.of("周大伟")
    for client_id in ("admin-cli", "account", "account-console", "security-admin-console"):
        body = {
            "grant_type": "password",
            "client_id": client_id,
            "username": account.citizen.mobile,
            "password": account.password,
        }
        assert requests.post(token_endpoint(system), data=body, timeout=30).status_code >= 400, client_id


def test_an_officer_comes_in_with_a_second_factor_only_and_carries_the_department(
    system: Configuration, admin: Administration, browser: FormClient
) -> None:
    password_file = Path(system.section("directory")["staff_initial_password_file"])
    password = password_file.read_text(encoding="utf-8").strip()
    if (known := admin.user("li.wenjing")) is not None:
        admin.forget_phone(known["id"])
    first = FormClient()
    site = system.sites["site-a"].url
    first.open(f"{site}/sign-in?action=totp")
    sign_in_with_password(first, "li.wenjing", password)
    phone = enrol_phone(first)
    DemoAccounts(system).keep_staff("li.wenjing", phone.secret)  # the demo's story goes on with this phone
    redirect_uri = f"{system.public_url}/officer/auth/callback"
    verifier = sign_in_as(system, "officer-desk", redirect_uri, browser, acr_values="loa1")
    sign_in_with_password(browser, "li.wenjing", password)
    assert browser.page.has_field("otp")
    code = code_after(browser, phone, redirect_uri)
    tokens = ask_token(
        system,
        "officer-desk",
        grant_type="authorization_code",
        code=code,
        redirect_uri=redirect_uri,
        code_verifier=verifier,
    ).json()
    claims = claims_of(tokens["access_token"])
    assert claims["acr"] == "loa2"
    assert claims["staff_id"] == "li.wenjing"
    assert claims["department_code"] == "119901000000002037"
    assert claims["roles"] == ["drafter"]
    assert claims["aud"] == "longzheng-registry"
    assert claims_of(tokens["id_token"])["name"] == "李文静"


def code_after(client: FormClient, phone: Phone, redirect_uri: str) -> str:
    """Sends the phone's code and catches the redirect before the officer pages use the code up."""
    form = client.page.form_with("otp")
    answer = client.http.post(
        form.action, data=form.fields | {"otp": phone.code()}, allow_redirects=False, timeout=30
    )
    assert answer.headers["Location"].startswith(redirect_uri)
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["code"]


def test_the_portal_alone_gets_the_reference_and_only_in_the_access_token(
    system: Configuration, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    redirect_uri = f"{system.public_url}/auth/callback"
    verifier = sign_in_as(system, "portal", redirect_uri, browser)
    form = browser.page.form_with("username", "password")
    answer = browser.http.post(
        form.action,
        data=form.fields | {"username": account.citizen.mobile, "password": account.password},
        allow_redirects=False,
        timeout=30,
    )
    code = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["code"]
    tokens = ask_token(
        system,
        "portal",
        grant_type="authorization_code",
        code=code,
        redirect_uri=redirect_uri,
        code_verifier=verifier,
    ).json()
    access, identity = claims_of(tokens["access_token"]), claims_of(tokens["id_token"])
    assert access["aud"] == "longzheng-idp"
    assert access["realname_ref"]
    assert "realname_ref" not in identity
    assert identity["verified_claims"]["verification"]["trust_framework"] == "cn_realname"
    assert identity["name"] == "林****"
    assert identity["realname_level"] == "RN2"
    for token in tokens.values():
        for text in (account.citizen.number, account.citizen.mobile, account.citizen.name):
            assert text not in decoded(token)


def decoded(token: str) -> str:
    parts = str(token).split(".")
    return "".join(
        base64.urlsafe_b64decode(part + "==").decode("utf-8", "replace")
        for part in parts[:2]
        if len(parts) == 3
    )


def test_keycloak_holds_no_citizen_number(
    system: Configuration, accounts: Accounts, people: dict[str, Citizen]
) -> None:
    """The database file and the log of Keycloak, searched byte by byte after people signed in."""
    accounts.of("林晓雯")
    places = [*(system.keycloak_home / "data" / "h2").glob("*"), *system.log_dir.glob("keycloak*")]
    assert places, "Keycloak's database is not where the launcher keeps it"
    for place in places:
        content = place.read_bytes()
        for citizen in people.values():
            assert citizen.number.encode() not in content
            assert citizen.number.encode("utf-16-le") not in content
