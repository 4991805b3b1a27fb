"""The language is chosen by a link that is always there, holds on every page, and works without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser_pages import check_page
from browser_people import CITIZEN, SIGNER, Licence
from playwright.sync_api import Page, expect

OpenPage = Callable[..., Page]


@pytest.mark.parametrize("javascript", [True, False])
def test_a_check_in_english(open_page: OpenPage, licence: Licence, *, javascript: bool) -> None:
    page = open_page("/verify", javascript=javascript)
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_label("Certificate identifier").fill(licence.identifier)
    page.get_by_label("Check code").fill(licence.check_code)
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator(".answer .say")).to_contain_text("is registered as valid.", timeout=60_000)
    expect(page.locator(".answer .say [lang=zh-CN]")).to_have_text("示例市市场监督管理局")
    if javascript:
        check_page(page)
    page.get_by_role("link", name="中文").click()
    expect(page.locator("h1")).to_have_text("证照查验")


@pytest.mark.parametrize(
    ("path", "who", "heading"),
    [
        ("/", None, "Electronic certificates"),
        ("/my", CITIZEN, "My certificates"),
        ("/officer/", SIGNER, "Drafting and issuing"),
        ("/officer/ecerts?state=01", SIGNER, "Issued certificates"),
    ],
)
def test_the_choice_holds_on_the_same_page(
    open_page: OpenPage, licence: Licence, path: str, who: str | None, heading: str
) -> None:
    assert licence.identifier
    page = open_page(path, who=who)
    page.get_by_role("link", name="English").click()
    page.wait_for_url(f"**{path}")
    expect(page.locator("h1")).to_contain_text(heading)
    check_page(page)
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_sign_in_follows_the_choice(open_page: OpenPage) -> None:
    page = open_page("/")
    page.get_by_role("link", name="English").click()
    page.goto("/my")
    page.wait_for_url("**/realms/gov/**")
    expect(page.locator("html")).to_have_attribute("lang", "en")
