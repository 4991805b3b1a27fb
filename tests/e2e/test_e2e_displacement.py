"""The impostor first, the owner second: with the real Keycloak, register and service, over HTTP."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import requests
from e2e_people import PASSWORD, Accounts, Administration

from deploy.configuration import Configuration
from deploy.demo.accounts import DemoAccounts
from deploy.demo.seed import WINDOW_OFFICER
from deploy.form_client import (
    Citizen,
    FormClient,
    Page,
    Phone,
    give_code,
    prove_by_name,
    read_sms,
    set_first_password,
    sign_in_with_password,
)

pytestmark = pytest.mark.servers
OWN_PHONE = "13911110001"


@pytest.fixture(scope="module")
def officer(system: Configuration) -> FormClient:
    """One officer, signed in once: a phone's codes work once."""
    return counter(system)


@pytest.fixture
def victim(people: dict[str, Citizen], admin: Administration) -> Iterator[Citizen]:
    """Somebody without an account at Keycloak, whatever earlier runs left."""
    citizen = people["何秋月"]
    forget(admin, citizen.mobile)
    forget(admin, OWN_PHONE)
    yield citizen
    forget(admin, OWN_PHONE)


def forget(admin: Administration, mobile: str) -> None:
    user = admin.user(mobile)
    if user is not None:
        admin.connection.delete("users", user["id"])


def counter(system: Configuration, staff_id: str = WINDOW_OFFICER) -> FormClient:
    """An officer's browser behind the sign-in of the counter's page."""
    account = DemoAccounts(system).staff(staff_id)
    assert account is not None
    client = FormClient()
    client.open(f"{system.public_url}/idp/counter/")
    sign_in_with_password(client, account.staff_id, account.password)
    phone = Phone(secret=account.totp_secret)
    for attempt in range(4):
        if client.page.has_field("otp"):
            if attempt:  # another test gave this code just now, and two refusals at once lock the account
                time.sleep(31 - time.time() % 30)
                phone = Phone(secret=account.totp_secret)
            give_code(client, phone)
    assert client.page.url.startswith(system.public_url), client.page.text
    return client


def at_the_counter(
    client: FormClient, system: Configuration, person: Citizen, *, own: str | None, lost: bool = False
) -> Page:
    client.open(f"{system.public_url}/idp/counter/")
    values = {
        "document": "RESIDENT_CARD",
        "name": person.name,
        "number": person.number,
        "mobile": person.mobile,
        "original": "yes",
        "same_face": "yes",
    }
    page = client.fill(values)
    if page.status == requests.codes.too_many_requests:
        time.sleep(1.5)
        page = client.fill(values)
    assert page.has_field("code"), page.text
    answer = {"code": read_sms(system.public_url, person.mobile)}
    said = ({"own": own} if own else {}) | ({"lost": "yes"} if lost else {})
    return client.fill(answer | said)


def open_account(system: Configuration, person: Citizen) -> FormClient:
    client = FormClient()
    client.open(f"{system.sites['site-a'].url}/sign-in")
    client.follow("实名认证登录")
    prove_by_name(client, system.public_url, person)
    client.follow("继续")
    if client.page.has_field("password-new"):
        set_first_password(client, PASSWORD)
    return client


def standing_is_rn2(system: Configuration, person: Citizen) -> bool:
    """Whether the registers alone lead in: an earlier run may have left RN3 behind."""
    client = FormClient()
    client.open(f"{system.sites['site-a'].url}/sign-in")
    client.follow("实名认证登录")
    return "继续" in prove_by_name(client, system.public_url, person).text


def test_the_owner_at_the_counter_displaces_the_impostor(
    system: Configuration, victim: Citizen, admin: Administration, officer: FormClient
) -> None:
    if not standing_is_rn2(system, victim):
        # as the person would after losing the phone: the counter gives the account back to the first phone
        at_the_counter(officer, system, victim, own="no")
        forget(admin, victim.mobile)
    impostor = open_account(system, victim)
    site = system.sites["site-a"].url
    assert impostor.page.url.startswith(site)
    impostor.open(f"{system.public_url}/my")
    assert impostor.page.status == 200
    before = admin.user(victim.mobile)
    assert before is not None

    page = at_the_counter(officer, system, replace(victim, mobile=OWN_PHONE), own="no")
    assert "已核验为 RN3" in page.text
    assert "已停用的原账号" in page.text
    assert "登录网站" in page.text  # what the impostor did is listed for the officer
    assert "portal" in page.text
    assert victim.number not in page.html

    # frozen at once, everywhere
    account = admin.connection.get("users", before["id"])
    assert account["enabled"] is False
    assert account["username"] == f"displaced-{before['id']}"
    assert admin.links(before["id"]) == set()
    assert admin.connection.get("users", before["id"], "sessions") == []
    assert "acr" not in impostor.open(f"{site}/").by_id
    impostor.open(f"{system.public_url}/my")
    assert "我的证照" not in impostor.page.title
    again = FormClient()
    again.open(f"{site}/sign-in")
    assert sign_in_with_password(again, victim.mobile, PASSWORD).has_field("password")

    # the impostor's phone opens nothing any more
    back = FormClient()
    back.open(f"{site}/sign-in")
    back.follow("实名认证登录")
    assert "只能用当时的手机号登录" in prove_by_name(back, system.public_url, victim).text


def test_the_owner_signs_in_with_the_new_account_at_rn3_and_sees_what_was_done(
    system: Configuration, victim: Citizen, admin: Administration, officer: FormClient
) -> None:
    own = replace(victim, mobile=OWN_PHONE)
    at_the_counter(officer, system, own, own="no")
    client = FormClient()
    site = system.sites["site-a"].url
    client.open(f"{site}/sign-in")
    client.follow("实名认证登录")
    sign_in_by_own_phone(client, system, own)
    page = client.page
    assert page.by_id["realname-level"] == "RN3"
    assert page.by_id["acr"] == "loa1"  # how one signed in is another matter than who one is
    client.open(f"{system.public_url}/idp/account/")
    assert client.page.by_id["level"] == "RN3"
    assert "窗口查验证件原件和本人" in client.page.text
    assert "手机号以本人名义登记" not in client.page.text
    assert "已停用的账号" in client.page.text
    user = admin.user(OWN_PHONE)
    assert user is not None
    assert admin.links(user["id"]) == {"realname", "realname-fresh"}


def sign_in_by_own_phone(client: FormClient, system: Configuration, own: Citizen) -> None:
    """The phone of the counter is not registered to the person: the counter's proof stands for it."""
    prove_by_name(client, system.public_url, own)
    client.follow("继续")
    if client.page.has_field("password-new"):
        set_first_password(client, PASSWORD)


def test_an_officer_without_a_grant_proves_nobody(system: Configuration) -> None:
    client = counter(system, "li.wenjing")
    assert client.page.status == requests.codes.forbidden
    assert "没有窗口核验授权" in client.page.text


def test_a_citizen_reaches_no_counter(system: Configuration, accounts: Accounts) -> None:
    account = accounts.of("林晓雯")
    client = FormClient()
    client.open(f"{system.public_url}/idp/counter/")
    sign_in_with_password(client, account.citizen.mobile, account.password)
    give_code(client, account.phone)
    assert client.page.status == requests.codes.forbidden
    assert "不是工作人员账号" in client.page.text


def test_no_number_stands_in_what_is_stored_or_logged(system: Configuration, victim: Citizen) -> None:
    for path in [*(system.state_dir / "log").glob("*.log"), *system.state_dir.glob("idp.db*")]:
        assert victim.number.encode() not in path.read_bytes(), path
    # With a date of birth in it; the identifiers in addresses hold credit codes of authorities.
    anybody = r"\d{6}(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dX]"
    assert not re.search(anybody, (system.state_dir / "log" / "service.log").read_text(errors="replace"))
