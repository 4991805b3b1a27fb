"""Signing in with a text message and with a passkey alone, as people meet it: in a browser, from a site and back."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest
from browser_keycloak import (
    KeycloakAccount,
    expect_done,
    expect_refused,
    make_account,
    sign_in_address,
    virtual_authenticator,
)
from browser_pages import check_page
from playwright.sync_api import Page, expect

from deploy.configuration import Configuration
from deploy.form_client import read_sms
from deploy.realm_connection import RealmConnection

OpenPage = Callable[..., Page]


@pytest.fixture
def mobile(system: Configuration) -> Iterator[str]:
    """A number that nobody has an account with."""
    number = f"197{secrets.randbelow(10**8):08}"
    yield number
    connection = RealmConnection(system)
    for user in connection.get("users", username=number, exact="true"):
        connection.delete("users", user["id"])


@pytest.mark.parametrize("javascript", [True, False])
def test_a_mobile_number_registers_and_signs_in(
    *, open_page: OpenPage, system: Configuration, mobile: str, javascript: bool
) -> None:
    site = system.sites["site-a"].url
    page = open_page(f"{site}/sign-in", javascript=javascript)
    page.get_by_role("button", name="短信验证码登录").click()
    expect(page.locator("h1")).to_have_text("短信验证码登录")
    if javascript:
        check_page(page)
    page.get_by_label("手机号").fill("139")
    page.get_by_role("button", name="获取短信验证码").click()
    expect(page.locator(".error-summary")).to_contain_text("请填写 11 位手机号码")
    if javascript:
        expect_refused(page, "#mobile", "请填写 11 位手机号码")
    expect(page.get_by_label("手机号")).to_have_value("139")
    page.get_by_label("手机号").fill(mobile)
    page.get_by_role("button", name="获取短信验证码").click()
    expect(page.locator("#lz-sent")).to_have_text(f"验证码已发到 {mobile[:3]}****{mobile[7:]}。")
    if javascript:
        check_page(page)
    page.get_by_label("短信验证码").fill("12")
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.locator(".error-summary")).to_contain_text("请填写短信中的 6 位数字验证码")
    page.get_by_label("短信验证码").fill(read_sms(system.public_url, mobile))
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.locator("#realname-level")).to_have_text("RN1")
    expect(page.locator("#acr")).to_have_text("loa1")
    expect(page.get_by_role("link", name="去实名认证")).to_be_visible()


def test_another_number_can_be_given_before_the_code(
    open_page: OpenPage, system: Configuration, mobile: str
) -> None:
    page = open_page(f"{system.sites['site-a'].url}/sign-in")
    page.get_by_role("button", name="短信验证码登录").click()
    page.get_by_label("手机号").fill(f"196{secrets.randbelow(10**8):08}")
    page.get_by_role("button", name="获取短信验证码").click()
    page.get_by_role("button", name="换一个手机号").click()
    page.get_by_label("手机号").fill(mobile)
    page.get_by_role("button", name="获取短信验证码").click()
    page.get_by_label("短信验证码").fill(read_sms(system.public_url, mobile))
    page.get_by_role("button", name="登录", exact=True).click()
    expect(page.locator("#realname-level")).to_have_text("RN1")


def test_a_passkey_signs_in_alone_and_is_both_factors_in_one(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    site = system.sites["site-a"].url
    page = open_page(sign_in_address(system, kc_action="webauthn-register-passwordless"))
    session, authenticator = virtual_authenticator(page)
    account.give_password(page)
    account.prove(page)
    check_page(page)
    page.get_by_role("button", name="开始设置").click()
    expect_done(page)
    assert account.credential("webauthn-passwordless")
    (kept,) = session.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    assert kept["isResidentCredential"]

    for asked in ("", "?level=loa2"):
        page.context.clear_cookies()
        page.goto(f"{site}/sign-in{asked}")
        page.get_by_role("button", name="通行密钥登录").click()
        check_page(page)
        page.get_by_role("button", name="开始验证").click()
        expect(page.locator("#acr")).to_have_text("loa2")
    page.goto(f"{site}/sign-in?level=loa2")  # strong enough already: nothing is asked
    expect(page.locator("#acr")).to_have_text("loa2")
    page.goto(f"{site}/sign-in?level=loa3")  # and for the highest level the real-name check alone is missing
    expect(page.get_by_label("身份证号码")).to_be_visible()

    # It is a second factor too, for whoever begins with the password.
    page.context.clear_cookies()
    page.goto(f"{site}/sign-in?level=loa2")
    account.give_password(page)
    page.get_by_role("button", name="开始验证").click()
    expect(page.locator("#acr")).to_have_text("loa2")

    # A device without the passkey gets nowhere, and can take another way.
    session.send("WebAuthn.disable")
    virtual_authenticator(page)
    page.context.clear_cookies()
    page.goto(f"{site}/sign-in")
    page.get_by_role("button", name="通行密钥登录").click()
    page.get_by_role("button", name="开始验证").click()
    expect(page.locator("h1")).to_have_text("通行密钥没有验证成功")
    check_page(page)
    page.goto(f"{site}/")
    expect(page.locator("#acr")).to_have_count(0)


def test_a_passkey_of_somebody_else_raises_nobody(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    site = system.sites["site-a"].url
    page = open_page(sign_in_address(system, kc_action="webauthn-register-passwordless"))
    virtual_authenticator(page)
    account.give_password(page)
    account.prove(page)
    page.get_by_role("button", name="开始设置").click()
    expect_done(page)
    other = make_account(system)
    page.context.clear_cookies()
    page.goto(f"{site}/sign-in")
    other.give_password(page)
    expect(page.locator("#acr")).to_have_text("loa1")
    page.goto(f"{site}/sign-in?level=loa2")
    expect(page.get_by_role("button", name="开始验证")).to_have_count(0)
    page.goto(f"{site}/")
    expect(page.locator("#acr")).to_have_text("loa1")
    other.remove()
