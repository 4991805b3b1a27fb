"""Debian's chromium, and people who are signed in once for all tests of this folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_keycloak import KeycloakAccount, make_proved_account
from browser_pages import Watch
from browser_people import (
    CITIZEN,
    DRAFTER,
    SIGNER,
    Licence,
    case_number,
    download,
    draft_licence,
    licence_face,
    sign_in_by_real_name,
    sign_in_officer,
    sign_off,
)
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from deploy.configuration import Configuration
from deploy.demo.accounts import DemoAccounts, person

CHECKOUT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=zh-CN",
)
OpenPage = Callable[..., Page]
expect.set_options(timeout=30_000)  # ms; a loaded machine is no fault of a page


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser process; every page has its own cookies."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(ARGUMENTS), env={**os.environ, "LANGUAGE": "zh_CN"}
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def signed_in(chromium: Browser, system: Configuration) -> Callable[[str], Any]:
    """The storage state of somebody who is signed in; signing in happens at the first asking."""
    kept: dict[str, Any] = {}

    def of(who: str) -> Any:
        if who not in kept:
            with_cookies = chromium.new_context(locale="zh-CN")
            page = with_cookies.new_page()
            if who == CITIZEN:
                page.goto(f"{system.public_url}/my")
                sign_in_by_real_name(page, system, person(CITIZEN))
                page.wait_for_url("**/my")
            else:
                account = DemoAccounts(system).staff(who)
                assert account is not None, f"{who} has no phone yet: the demo data is not complete"
                page.goto(f"{system.public_url}/officer/")
                sign_in_officer(page, account)
                page.wait_for_url("**/officer/")
            kept[who] = with_cookies.storage_state()
            with_cookies.close()
        return kept[who]

    return of


@pytest.fixture
def open_page(
    chromium: Browser, system: Configuration, signed_in: Callable[[str], Any]
) -> Iterator[OpenPage]:
    """Opens a path as nobody or as somebody, with or without JavaScript; complaints of the browser are collected."""
    contexts: list[BrowserContext] = []

    def open_one(path: str, *, who: str | None = None, javascript: bool = True, width: int = 1280) -> Page:
        context = chromium.new_context(
            locale="zh-CN",
            storage_state=signed_in(who) if who else None,
            java_script_enabled=javascript,
            viewport={"width": width, "height": 800},
            base_url=system.public_url,
        )
        contexts.append(context)
        page = context.new_page()
        page.watch = Watch(page)  # type: ignore[attr-defined]  # travels with the page
        page.goto(path)
        return page

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def make_licence(
    chromium: Browser, system: Configuration, signed_in: Callable[[str], Any], tmp_path_factory: Any
) -> Callable[[], Licence]:
    """Issues a licence on the officers' pages and downloads it on the citizen's."""

    def page_of(who: str) -> Page:
        context = chromium.new_context(
            locale="zh-CN", storage_state=signed_in(who), base_url=system.public_url
        )
        return context.new_page()

    def make() -> Licence:
        drafter, signer, citizen = page_of(DRAFTER), page_of(SIGNER), page_of(CITIZEN)
        draft_licence(drafter, licence_face(), case=case_number("SP"))
        identifier = sign_off(signer, drafter.url)
        citizen.goto(f"/my/ecerts/{identifier}")
        file = tmp_path_factory.mktemp("licence") / "ecert.pdf"
        file.write_bytes(download(citizen))
        check_code = citizen.locator("dt:has-text('查验码') + dd").inner_text()
        for page in (drafter, signer, citizen):
            page.context.close()
        return Licence(identifier=identifier, check_code=check_code, file=file)

    return make


@pytest.fixture(scope="session")
def licence(make_licence: Callable[[], Licence]) -> Licence:
    """A licence that no test changes."""
    return make_licence()


@pytest.fixture
def account(system: Configuration) -> Iterator[KeycloakAccount]:
    """An account at Keycloak for one test: a proof and a password, no second factor."""
    made = make_proved_account(system)
    yield made
    made.remove()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the servers and the browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.servers)
