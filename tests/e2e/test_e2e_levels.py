"""Levels are given only for what was done: each known trap of brokered sign-in is walked into."""

import json
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import pytest
from e2e_people import Account, Accounts, Administration

from deploy.configuration import Configuration
from deploy.form_client import (
    Citizen,
    FormClient,
    Page,
    PageUnexpected,
    give_code,
    prove_by_name,
    sign_in_with_password,
)

pytestmark = pytest.mark.servers


@pytest.fixture(scope="session")
def site(system: Configuration) -> str:
    return system.sites["site-a"].url


def with_password(client: FormClient, site: str, account: Account, query: str = "") -> Page:
    client.open(f"{site}/sign-in{query}")
    return sign_in_with_password(client, account.citizen.mobile, account.password)


def prove_and_return(client: FormClient, system: Configuration, citizen: Citizen) -> Page:
    prove_by_name(client, system.public_url, citizen)
    return client.follow("继续")


def change_request(client: FormClient, site: str, query: str = "", **parameters: str) -> Page:
    """Opens the site's authorisation request with parameters that a person could write into the address."""
    answer = client.http.get(f"{site}/sign-in{query}", allow_redirects=False, timeout=30)
    parts = urlsplit(answer.headers["Location"])
    asked = dict(parse_qsl(parts.query)) | parameters
    return client.open(urlunsplit(parts._replace(query=urlencode(asked))))


def test_a_code_from_the_phone_raises_loa1_to_loa2(
    site: str, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    assert with_password(browser, site, account).by_id["acr"] == "loa1"
    browser.open(f"{site}/sign-in?level=loa2")
    assert browser.page.has_field("otp")
    assert not browser.page.has_field("password")
    assert give_code(browser, account.phone).by_id["acr"] == "loa2"


def test_a_wrong_code_raises_nothing(site: str, accounts: Accounts, browser: FormClient) -> None:
    account = accounts.of("林晓雯")
    with_password(browser, site, account, "?level=loa2")
    assert browser.fill({"otp": "000000"}).has_field("otp")
    assert "acr" not in browser.open(f"{site}/").by_id


def test_a_fresh_check_raises_to_loa3_and_is_never_reused(
    system: Configuration, site: str, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    with_password(browser, site, account, "?level=loa2")
    give_code(browser, account.phone)
    browser.open(f"{site}/sign-in?level=loa3")
    assert prove_and_return(browser, system, account.citizen).by_id["acr"] == "loa3"
    assert browser.open(f"{site}/sign-in").by_id["acr"] == "loa2"
    assert browser.open(f"{site}/sign-in?level=loa3").has_field("number")


def test_loa3_from_a_fresh_browser_takes_all_three_steps(
    system: Configuration, site: str, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    with_password(browser, site, account, "?level=loa3")
    assert browser.page.has_field("otp")
    give_code(browser, account.phone)
    assert browser.page.has_field("number")
    assert prove_and_return(browser, system, account.citizen).by_id["acr"] == "loa3"


def test_coming_back_as_somebody_else_within_one_sign_in_is_refused(
    system: Configuration, site: str, accounts: Accounts, browser: FormClient
) -> None:
    begun_by, returned_as = accounts.of("林晓雯"), accounts.of("周大伟")
    with_password(browser, site, begun_by, "?level=loa3")
    give_code(browser, begun_by.phone)
    page = prove_and_return(browser, system, returned_as.citizen)
    assert page.status == 400
    assert "不是开始登录的本人" in page.text
    assert "acr" not in browser.open(f"{site}/").by_id


def test_leaving_by_the_button_after_ones_password_and_coming_back_as_somebody_else_is_refused(
    system: Configuration, site: str, accounts: Accounts, browser: FormClient
) -> None:
    begun_by, returned_as = accounts.of("林晓雯"), accounts.of("周大伟")
    browser.open(f"{site}/sign-in?level=loa2")
    button = browser.page.link("实名认证登录")
    sign_in_with_password(browser, begun_by.citizen.mobile, begun_by.password)
    assert browser.page.has_field("otp")
    # The button's old address is out of date by now; with the code of the page that is open it would not be.
    current = dict(parse_qsl(urlsplit(browser.page.form_with("otp").action).query))["session_code"]
    parts = urlsplit(button)
    asked = dict(parse_qsl(parts.query)) | {"session_code": current}
    browser.open(urlunsplit(parts._replace(query=urlencode(asked))))
    page = prove_and_return(browser, system, returned_as.citizen)
    assert page.status == 400
    assert "不是开始登录的本人" in page.text
    assert "acr" not in browser.open(f"{site}/").by_id


def test_coming_back_as_somebody_else_in_a_session_is_refused(
    system: Configuration, site: str, accounts: Accounts, browser: FormClient
) -> None:
    begun_by, returned_as = accounts.of("林晓雯"), accounts.of("周大伟")
    with_password(browser, site, begun_by, "?level=loa2")
    subject = give_code(browser, begun_by.phone).by_id["subject"]
    browser.open(f"{site}/sign-in?level=loa3")
    assert prove_and_return(browser, system, returned_as.citizen).status == 400
    page = browser.open(f"{site}/")
    assert page.by_id["subject"] == subject
    assert page.by_id["acr"] == "loa2"


def test_a_person_without_an_account_comes_in_by_no_fresh_check(
    *,
    system: Configuration,
    site: str,
    accounts: Accounts,
    people: dict[str, Citizen],
    admin: Administration,
    browser: FormClient,
) -> None:
    account, stranger = accounts.of("林晓雯"), people["吴建国"]
    with_password(browser, site, account, "?level=loa3")
    give_code(browser, account.phone)
    prove_by_name(browser, system.public_url, stranger)
    with pytest.raises(PageUnexpected):
        browser.page.link("继续")  # an expired document proves nothing
    assert admin.user(stranger.mobile) is None
    other = people["王𠮷"]
    if (known := admin.user(other.mobile)) is not None:
        admin.connection.delete("users", known["id"])
    second = FormClient()
    with_password(second, site, account, "?level=loa3")
    give_code(second, account.phone)
    page = prove_and_return(second, system, other)
    assert page.status == 401
    assert admin.user(other.mobile) is None


def test_a_hint_in_the_address_skips_no_factor(
    system: Configuration, site: str, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    change_request(browser, site, "?level=loa3", kc_idp_hint="realname-fresh")
    page = prove_and_return(browser, system, account.citizen)
    assert page.has_field("otp")
    assert give_code(browser, account.phone).by_id["acr"] == "loa3"


def test_the_button_on_the_page_gives_loa1_whatever_is_asked(
    system: Configuration, site: str, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    browser.open(f"{site}/sign-in?level=loa3")
    browser.follow("实名认证登录")
    prove_and_return(browser, system, account.citizen)
    assert give_code(browser, account.phone).by_id["acr"] == "loa2"
    assert "没有达到" in browser.page.text


def test_an_essential_level_that_is_not_reached_ends_on_an_error_page(
    system: Configuration, site: str, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    essential = json.dumps({"id_token": {"acr": {"essential": True, "values": ["loa3"]}}})
    change_request(browser, site, claims=essential, kc_idp_hint="realname")
    prove_and_return(browser, system, account.citizen)
    page = give_code(browser, account.phone)
    assert page.status == 400
    assert "acr" not in browser.open(f"{site}/").by_id


def test_an_unknown_essential_level_is_refused_at_once(site: str, browser: FormClient) -> None:
    essential = json.dumps({"id_token": {"acr": {"essential": True, "values": ["loa9"]}}})
    page = change_request(browser, site, claims=essential)
    assert not page.has_field("password")


def test_leaving_the_fresh_check_comes_back_to_the_site_without_the_level(
    site: str, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    with_password(browser, site, account, "?level=loa3")
    give_code(browser, account.phone)
    page = browser.follow("不核验")
    assert page.url.startswith(site)
    assert "没有完成" in page.text


def test_loa2_without_a_second_factor_is_not_given(
    site: str, accounts: Accounts, admin: Administration, browser: FormClient
) -> None:
    account = accounts.of("阿依古丽·买买提")
    user = admin.user(account.citizen.mobile)
    admin.forget_phone(user["id"])
    with_password(browser, site, account, "?level=loa2")
    assert "acr" not in browser.open(f"{site}/").by_id
    accounts.change_phone(account)


def test_a_request_without_pkce_is_refused(site: str, browser: FormClient) -> None:
    answer = browser.http.get(f"{site}/sign-in", allow_redirects=False, timeout=30)
    parts = urlsplit(answer.headers["Location"])
    asked = {key: value for key, value in parse_qsl(parts.query) if not key.startswith("code_challenge")}
    page = browser.open(urlunsplit(parts._replace(query=urlencode(asked))))
    assert not page.has_field("password")


def test_a_redirect_address_that_is_not_the_sites_is_refused(site: str, browser: FormClient) -> None:
    page = change_request(browser, site, redirect_uri=f"{site}/auth/callback/elsewhere")
    assert page.status == 400
    assert not page.has_field("password")
