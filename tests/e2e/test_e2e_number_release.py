"""The ID number by the second channel, at a real site with a real Keycloak; and nowhere else, searched for."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import requests
from e2e_people import Account, Accounts
from joserfc.jwk import ECKey

from deploy.configuration import Configuration
from deploy.department_client import ASSERTION_TYPE, assertion, token_endpoint
from deploy.dpop import make_proof
from deploy.form_client import FormClient, give_code, sign_in_with_password
from deploy.number_client import own_token

pytestmark = pytest.mark.servers


def with_second_factor(browser: FormClient, account: Account) -> None:
    if browser.page.has_field("password"):
        sign_in_with_password(browser, account.citizen.mobile, account.password)
    if browser.page.has_field("otp"):
        give_code(browser, account.phone)


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    return claims


def test_a_site_with_the_right_gets_the_number_once_the_person_agreed_and_it_leaks_nowhere(
    system: Configuration, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    site = system.sites["site-a"].url
    browser.open(f"{site}/sign-in")
    sign_in_with_password(browser, account.citizen.mobile, account.password)
    browser.open(f"{site}/id-number")
    with_second_factor(browser, account)
    assert browser.page.by_id["site"] == "示例政务网"
    assert browser.page.by_id["purpose"] == "办理不动产转移登记"
    assert account.citizen.number not in browser.page.text
    browser.press("agree")
    browser.follow("返回网站")
    shown = browser.page.by_id["number"]
    assert shown.startswith(account.citizen.number[:6])
    assert account.citizen.number not in browser.page.text
    assert account.citizen.number not in browser.page.url
    record = browser.open(f"{system.public_url}/idp/account/")
    assert "提供身份证号码" in record.text
    assert "示例政务网：办理不动产转移登记" in record.text
    _search_for(account.citizen.number, system)


def _search_for(number: str, system: Configuration) -> None:
    """Logs, databases and session stores of all parts, byte by byte, in the encodings that they use."""
    own = [system.state_dir / name for name in ("idp.db", "idp.db-wal", "sessions.db", "sessions.db-wal")]
    places = [
        *system.log_dir.glob("*.log*"),
        *(system.keycloak_home / "data" / "h2").glob("*"),
        *(path for path in own if path.exists()),
        system.state_dir / "id-number-rights.json",
    ]
    assert len(places) > len(own)
    for place in places:
        content = Path(place).read_bytes()
        for form in (number.encode(), number.encode("utf-16-le"), base64.b64encode(number.encode())):
            assert form not in content, place


def test_a_person_who_refuses_is_asked_in_vain(
    system: Configuration, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    browser.open(f"{system.sites['site-a'].url}/id-number")
    with_second_factor(browser, account)
    browser.press("refuse")
    page = browser.follow("返回网站")
    assert "number" not in page.by_id
    assert "没有取得身份证号码" in page.text


def test_the_sites_own_token_is_bound_to_its_key_and_says_nothing_of_anybody(system: Configuration) -> None:
    key = ECKey.generate_key("P-256")
    claims = claims_of(own_token(system, "site-a", key))
    assert claims["cnf"]["jkt"] == key.thumbprint()
    assert claims["aud"] == "longzheng-idp"
    assert not {"acr", "sid", "auth_time", "name", "realname_ref"} & claims.keys()


@pytest.mark.parametrize("client_id", ["site-a", "site-b", "dept-city-market", "portal"])
def test_a_site_without_the_right_gets_no_token_for_it(system: Configuration, client_id: str) -> None:
    address = token_endpoint(system)
    answer = requests.post(
        address,
        data={
            "grant_type": "client_credentials",
            "scope": "id-number",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(system, client_id),
        },
        headers={"DPoP": make_proof(ECKey.generate_key("P-256"), "POST", address)},
        timeout=60,
    )
    assert answer.status_code in {400, 401}


def test_the_endpoint_answers_nobody_without_a_bound_token(system: Configuration) -> None:
    address = f"{system.public_url}/idp/v1/id-number"
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "DPoP x", "DPoP": "y"}):
        answer = requests.post(address, headers=headers, timeout=60)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("DPoP")
