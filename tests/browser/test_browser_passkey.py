"""A passkey as second factor, with Chromium's own virtual authenticator: the real ceremony at Keycloak."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browser_keycloak import virtual_authenticator
from playwright.sync_api import Browser, Page, expect

from deploy.configuration import Configuration
from deploy.demo.accounts import DemoAccounts, person
from deploy.form_client import Citizen, read_sms
from deploy.realm_connection import RealmConnection

OWNER = "冯立夏"


@pytest.fixture
def owner(system: Configuration) -> Iterator[Citizen]:
    """Somebody without an account."""
    connection, citizen = RealmConnection(system), person(OWNER)

    def forget() -> None:
        for user in connection.get("users", username=citizen.mobile, exact="true"):
            connection.delete("users", user["id"])

    forget()
    yield citizen
    forget()


@pytest.fixture
def with_authenticator(chromium: Browser) -> Iterator[Callable[[], tuple[Page, Any, str]]]:
    """A browser whose device has a screen lock: its page, its session with the browser, the authenticator's id."""
    contexts = []

    def make() -> tuple[Page, Any, str]:
        context = chromium.new_context(locale="zh-CN")
        contexts.append(context)
        page = context.new_page()
        session, authenticator = virtual_authenticator(page)
        return page, session, authenticator

    yield make
    for context in contexts:
        context.close()


def prove(page: Page, system: Configuration, citizen: Citizen) -> None:
    page.get_by_label("姓名").fill(citizen.name)
    page.get_by_label("身份证号码").fill(citizen.number)
    page.get_by_label("手机号").fill(citizen.mobile)
    page.get_by_role("button", name="获取短信验证码").click()
    page.get_by_label("验证码", exact=True).fill(read_sms(system.public_url, citizen.mobile))
    page.get_by_role("button", name="提交核验").click()
    page.get_by_role("link", name="继续").click()


def test_a_passkey_is_set_up_after_a_fresh_check_and_raises_to_loa2(
    system: Configuration, owner: Citizen, with_authenticator: Callable[[], tuple[Page, Any, str]]
) -> None:
    site, password = system.sites["site-a"].url, DemoAccounts(system).citizen_password()
    page, device, authenticator = with_authenticator()
    page.goto(f"{site}/sign-in?action=passkey")
    page.get_by_role("link", name="实名认证登录").click()
    prove(page, system, owner)
    page.locator("#password-new").fill(password)
    page.locator("#password-confirm").fill(password)
    page.locator("[type=submit]").first.click()
    page.locator("[data-start], #registerWebAuthn").first.click()
    page.wait_for_url(f"{site}/**")
    (credential,) = device.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    assert credential["rpId"] == "localhost"

    page.goto(f"{site}/sign-in?level=loa2")
    start = page.locator("[data-start], #authenticateWebAuthnButton")
    if start.count():
        start.first.click()
    page.wait_for_url(f"{site}/**")
    expect(page.locator("#acr")).to_have_text("loa2")

    # Another device knows the password, and has no passkey of this account.
    other, _, _ = with_authenticator()
    other.goto(f"{site}/sign-in?level=loa2")
    other.locator("#username").fill(owner.mobile)
    other.locator("#password").fill(password)
    other.locator("#kc-login").click()
    other.locator("[data-start], #authenticateWebAuthnButton").first.click()
    expect(other.locator("body")).not_to_contain_text("loa2")
    # In a tab of its own: the refusal may still be on its way in this one.
    beside = other.context.new_page()
    beside.goto(f"{site}/")
    expect(beside.locator("#acr")).to_have_count(0)
