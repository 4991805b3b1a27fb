"""The life of an account over HTTP with the real Keycloak: lost factors, theft, signing out everywhere."""

import time
from collections.abc import Iterator

import pytest
import requests
from e2e_people import PASSWORD, Administration, enrol_after_proof
from test_e2e_displacement import at_the_counter, counter, forget

from deploy.configuration import Configuration
from deploy.form_client import (
    Citizen,
    FormClient,
    Phone,
    give_code,
    prove_by_name,
    set_first_password,
    sign_in_with_password,
)

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def officer(system: Configuration) -> FormClient:
    """One officer, signed in once: a phone's codes work once."""
    return counter(system)


@pytest.fixture
def owner(
    system: Configuration, people: dict[str, Citizen], admin: Administration, officer: FormClient
) -> Iterator[tuple[Citizen, Phone]]:
    """Somebody with an account of this test alone, and a phone with one-time codes."""
    citizen = people["冯立夏"]
    forget(admin, citizen.mobile)
    site = system.sites["site-a"].url
    client = FormClient()
    client.open(f"{site}/sign-in")
    client.follow("实名认证登录")
    page = prove_by_name(client, system.public_url, citizen)
    if "继续" not in [words for _, words in page.links]:  # an earlier run left the account reported
        at_the_counter(officer, system, citizen, own="no")
        client.open(f"{site}/sign-in")
        client.follow("实名认证登录")
        prove_by_name(client, system.public_url, citizen)
    client.follow("继续")
    set_first_password(client, PASSWORD)
    client.open(f"{site}/sign-in?action=totp")
    yield citizen, enrol_after_proof(client, system, citizen)
    forget(admin, citizen.mobile)


def signed_in(system: Configuration, citizen: Citizen) -> FormClient:
    client = FormClient()
    client.open(f"{system.sites['site-a'].url}/sign-in")
    sign_in_with_password(client, citizen.mobile, PASSWORD)
    return client


def test_lost_factors_are_taken_away_at_the_counter_and_set_up_anew(
    system: Configuration, owner: tuple[Citizen, Phone], officer: FormClient
) -> None:
    citizen, old = owner
    page = at_the_counter(officer, system, citizen, own="yes", lost=True)
    assert "已核验为 RN3" in page.text
    assert "已停用的原账号" not in page.text
    site = system.sites["site-a"].url
    client = FormClient()
    client.open(f"{site}/sign-in?action=totp")
    sign_in_with_password(client, citizen.mobile, PASSWORD)
    new = enrol_after_proof(client, system, citizen)
    assert new.secret != old.secret
    assert client.page.by_id["realname-level"] == "RN3"
    client.open(f"{site}/sign-in?level=loa2")
    assert give_code(client, new).by_id["acr"] == "loa2"


def test_signing_out_everywhere_ends_every_site(system: Configuration, owner: tuple[Citizen, Phone]) -> None:
    citizen, _ = owner
    site = system.sites["site-a"].url
    other = signed_in(system, citizen)
    assert "acr" in other.open(f"{site}/").by_id
    own = signed_in(system, citizen)
    own.open(f"{system.public_url}/idp/account/")
    page = own.press("退出所有网站和设备上的登录")
    assert "都已结束" in page.text
    for client in (own, other):
        assert "acr" not in client.open(f"{site}/").by_id
        assert client.open(f"{site}/sign-in").has_field("password")


def test_a_report_at_the_counter_needs_no_phone_and_blocks_at_once(
    system: Configuration, owner: tuple[Citizen, Phone], officer: FormClient, admin: Administration
) -> None:
    citizen, _ = owner
    thief = signed_in(system, citizen)
    user = admin.user(citizen.mobile)
    assert user is not None
    officer.open(f"{system.public_url}/idp/counter/report")
    page = officer.fill(
        {
            "document": "RESIDENT_CARD",
            "name": citizen.name,
            "number": citizen.number,
            "original": "yes",
            "same_face": "yes",
        }
    )
    assert "已停用，登录已全部结束" in page.text
    assert "登录网站" in page.text
    assert admin.connection.get("users", user["id"])["enabled"] is False
    assert "acr" not in thief.open(f"{system.sites['site-a'].url}/").by_id
    time.sleep(1.1)  # the phone's next message
    back = FormClient()
    back.open(f"{system.sites['site-a'].url}/sign-in")
    back.follow("实名认证登录")
    assert "已冻结" in prove_by_name(back, system.public_url, citizen).text


def test_ones_own_report_blocks_the_account(
    system: Configuration, owner: tuple[Citizen, Phone], admin: Administration
) -> None:
    citizen, _ = owner
    user = admin.user(citizen.mobile)
    assert user is not None
    client = signed_in(system, citizen)
    client.open(f"{system.public_url}/idp/account/report")
    page = client.press("确认挂失，立即停用")
    assert "账号已停用" in page.title
    assert admin.connection.get("users", user["id"])["enabled"] is False
    again = FormClient()
    again.open(f"{system.sites['site-a'].url}/sign-in")
    assert sign_in_with_password(again, citizen.mobile, PASSWORD).has_field("password")


def test_a_form_from_elsewhere_reports_nothing(
    system: Configuration, owner: tuple[Citizen, Phone], admin: Administration
) -> None:
    citizen, _ = owner
    client = signed_in(system, citizen)
    client.open(f"{system.public_url}/idp/account/")
    answer = client.http.post(
        f"{system.public_url}/idp/account/report", data={"csrf_token": "0" * 64}, timeout=30
    )
    assert answer.status_code == requests.codes.gone
    user = admin.user(citizen.mobile)
    assert user is not None
    assert user["enabled"] is True
