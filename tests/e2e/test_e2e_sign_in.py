"""Signing in by real name, crossing from site to site, and signing out."""

import re

import pytest
import requests
from e2e_people import Accounts, Administration

from deploy.configuration import Configuration
from deploy.form_client import (
    Citizen,
    FormClient,
    PageUnexpected,
    claim_identity,
    prove_by_name,
    read_sms,
    set_first_password,
    sign_in_with_password,
)

pytestmark = pytest.mark.servers


def sites(system: Configuration) -> tuple[str, str]:
    return system.sites["site-a"].url, system.sites["site-b"].url


def signed_in(client: FormClient, site: str) -> bool:
    page = client.open(f"{site}/")
    return "acr" in page.by_id


def test_first_sign_in_by_real_name_makes_an_account_with_a_password(
    system: Configuration, people: dict[str, Citizen], admin: Administration, browser: FormClient
) -> None:
    site_a, _ = sites(system)
    citizen = people["钱芳"]
    known = admin.user(citizen.mobile)
    if known is not None:
        admin.connection.delete("users", known["id"])
    browser.open(f"{site_a}/")
    browser.follow("统一身份认证登录")
    browser.follow("实名认证登录")
    page = prove_by_name(browser, system.public_url, citizen)
    assert "outcome" not in page.title
    browser.follow("继续")
    page = set_first_password(browser, "another-passphrase-2")
    assert page.by_id["name"] == "钱****"
    assert page.by_id["realname-level"] == "RN2"
    assert page.by_id["acr"] == "loa1"
    again = FormClient()
    again.open(f"{site_a}/sign-in")
    assert sign_in_with_password(again, citizen.mobile, "another-passphrase-2").by_id["acr"] == "loa1"


def test_a_leaked_name_and_number_with_another_phone_is_refused(
    system: Configuration, people: dict[str, Citizen], browser: FormClient
) -> None:
    site_a, _ = sites(system)
    victim, impostor = people["林晓雯"], people["周大伟"]
    browser.open(f"{site_a}/sign-in")
    browser.follow("实名认证登录")
    forged = type(victim)(name=victim.name, number=victim.number, mobile=impostor.mobile)
    page = prove_by_name(browser, system.public_url, forged)
    with pytest.raises(PageUnexpected):
        page.link("继续")
    browser.follow("返回")
    assert not signed_in(browser, site_a)


def test_crossing_to_another_site_asks_nothing_and_subjects_differ(
    system: Configuration, accounts: Accounts, browser: FormClient
) -> None:
    site_a, site_b = sites(system)
    account = accounts.of("林晓雯")
    browser.open(f"{site_a}/sign-in")
    at_a = sign_in_with_password(browser, account.citizen.mobile, account.password)
    at_b = browser.open(f"{site_b}/sign-in")
    assert at_b.url.startswith(site_b)
    assert at_b.by_id["name"] == at_a.by_id["name"] == "林****"
    assert at_a.by_id["subject"] != at_b.by_id["subject"]


def test_signing_out_at_one_site_signs_out_at_both(
    system: Configuration, accounts: Accounts, browser: FormClient
) -> None:
    site_a, site_b = sites(system)
    account = accounts.of("林晓雯")
    browser.open(f"{site_a}/sign-in")
    sign_in_with_password(browser, account.citizen.mobile, account.password)
    browser.open(f"{site_b}/sign-in")
    assert signed_in(browser, site_a)
    assert signed_in(browser, site_b)
    browser.press("退出登录")
    assert not signed_in(browser, site_b)
    assert not signed_in(browser, site_a)
    assert "没有登录" in browser.open(f"{site_a}/sign-in?silent").text


def test_asking_silently_without_a_session_shows_no_form(system: Configuration, browser: FormClient) -> None:
    site_a, _ = sites(system)
    page = browser.open(f"{site_a}/sign-in?silent")
    assert page.url.startswith(site_a)
    assert "没有登录" in page.text


def test_asking_silently_for_a_higher_level_shows_no_form(
    system: Configuration, accounts: Accounts, browser: FormClient
) -> None:
    site_a, _ = sites(system)
    account = accounts.of("林晓雯")
    browser.open(f"{site_a}/sign-in")
    sign_in_with_password(browser, account.citizen.mobile, account.password)
    page = browser.open(f"{site_a}/sign-in?silent&level=loa2")
    assert page.url.startswith(site_a)
    assert "没有登录" in page.text


def test_a_forged_log_out_message_ends_nothing(
    system: Configuration, accounts: Accounts, browser: FormClient
) -> None:
    site_a, _ = sites(system)
    account = accounts.of("林晓雯")
    browser.open(f"{site_a}/sign-in")
    sign_in_with_password(browser, account.citizen.mobile, account.password)
    answer = requests.post(
        f"{site_a}/auth/backchannel-logout", data={"logout_token": "eyJhbGciOiJub25lIn0.e30."}, timeout=10
    )
    assert answer.status_code == 400
    assert signed_in(browser, site_a)


def test_a_number_that_has_an_account_is_not_joined_to_by_another_person(
    system: Configuration,
    people: dict[str, Citizen],
    admin: Administration,
    browser: FormClient,
) -> None:
    """Mobile numbers are given to new people: an account of that name stays its owner's."""
    site_a, _ = sites(system)
    citizen = people["赵明"]
    known = admin.user(citizen.mobile)
    if known is not None:
        admin.connection.delete("users", known["id"])
    admin.connection.post("users", body={"username": citizen.mobile, "enabled": True})
    owner = admin.user(citizen.mobile)
    try:
        browser.open(f"{site_a}/sign-in")
        browser.follow("实名认证登录")
        prove_by_name(browser, system.public_url, citizen)
        page = browser.follow("继续")
        assert page.status >= 400
        assert "已有账号" in page.text
        assert admin.links(owner["id"]) == set()
    finally:
        admin.connection.delete("users", owner["id"])


def test_no_page_address_on_the_way_holds_what_was_typed(
    system: Configuration, people: dict[str, Citizen], browser: FormClient
) -> None:
    site_a, _ = sites(system)
    citizen = people["王𠮷"]
    browser.open(f"{site_a}/sign-in")
    browser.follow("实名认证登录")
    addresses = [browser.page.url, claim_identity(browser, citizen).url]
    addresses.append(browser.fill({"code": read_sms(system.public_url, citizen.mobile)}).url)
    addresses.append(browser.follow("继续").url)
    assert not any(
        citizen.number in url or citizen.mobile in url or re.search(r"[0-9]{17}[0-9X]", url)
        for url in addresses
    )
