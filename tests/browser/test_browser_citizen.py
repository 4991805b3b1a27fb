"""The citizen: sign in by real name, my ecerts, download, who checked them, sign out."""

from __future__ import annotations

from collections.abc import Callable

from browser_keycloak import make_account
from browser_pages import check_page
from browser_people import CITIZEN, Licence, altered, download, sign_in_by_real_name
from playwright.sync_api import Page, expect

from deploy.configuration import Configuration
from deploy.demo.accounts import legal_person, person
from deploy.demo.seed import ENTERPRISE
from deploy.form_client import read_sms
from deploy.relying_site import LEVELS

OpenPage = Callable[..., Page]


def test_signing_in_by_real_name_and_out_again(open_page: OpenPage, system: Configuration) -> None:
    page = open_page("/")
    check_page(page)
    page.get_by_role("link", name="登录，查看我的证照").click()
    sign_in_by_real_name(page, system, person(CITIZEN))
    page.wait_for_url("**/my")
    expect(page.locator("header")).to_contain_text("林")
    assert CITIZEN not in page.locator("body").inner_text()
    check_page(page)
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url(f"{system.public_url}/")
    expect(page.get_by_role("link", name="登录，查看我的证照")).to_be_visible()
    page.goto("/my")
    assert page.url.startswith(system.keycloak.base_url), "Keycloak kept the session"
    assert page.watch.complaints == []  # type: ignore[attr-defined]  # CSP form-action held nothing back


def test_the_real_name_pages_by_keyboard_and_with_errors(open_page: OpenPage, system: Configuration) -> None:
    page = open_page("/my")
    page.get_by_role("link", name="实名认证登录").click()
    check_page(page)
    citizen = person("周大伟")
    page.get_by_label("姓名").focus()
    page.keyboard.type(citizen.name)
    page.keyboard.press("Tab")
    page.keyboard.type(citizen.number[:-1])
    page.keyboard.press("Tab")
    page.keyboard.type(citizen.mobile)
    page.keyboard.press("Enter")
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.get_by_label("姓名")).to_have_value(citizen.name)
    check_page(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("身份证号码")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type(citizen.number)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("短信验证")
    check_page(page)
    page.get_by_label("验证码", exact=True).fill("abc")
    page.get_by_role("button", name="提交核验").click()
    expect(page.locator(".error-summary")).to_be_focused()
    check_page(page)
    operator = open_page("/idp/operator/sms")
    code = read_sms(system.public_url, citizen.mobile)
    expect(operator.get_by_role("region", name="短信")).to_contain_text(code)
    check_page(operator)
    page.get_by_label("验证码", exact=True).fill(code)
    page.keyboard.press("Enter")
    expect(page.locator("[data-outcome]")).to_be_visible()
    check_page(page)


def test_my_ecerts_open_masked_and_show_more_on_demand(open_page: OpenPage, licence: Licence) -> None:
    page = open_page("/my", who=CITIZEN)
    expect(page.get_by_role("heading", name=ENTERPRISE)).to_be_visible()
    for name in ("营业执照", "不动产权证书", "食品经营许可证"):
        expect(page.get_by_role("heading", name=name).first).to_be_visible()
    page.goto(f"/my/ecerts/{licence.identifier}")
    facts = page.locator("dl.facts").first
    expect(facts).to_contain_text("林****")
    expect(facts).not_to_contain_text(CITIZEN)
    check_page(page)
    page.get_by_role("button", name="显示完整内容").click()
    expect(facts).to_contain_text(CITIZEN)
    expect(facts).to_contain_text(str(legal_person(ENTERPRISE)["code"]))
    expect(page.get_by_role("region", name="查验记录")).to_contain_text("查看完整内容")
    check_page(page)


def test_a_download_is_the_sealed_file_and_is_recorded(open_page: OpenPage, licence: Licence) -> None:
    page = open_page(f"/my/ecerts/{licence.identifier}", who=CITIZEN)
    first = download(page)
    assert first == licence.file.read_bytes()
    assert b"/ByteRange" in first
    assert altered(first) != first
    page.reload()
    expect(page.get_by_role("region", name="查验记录")).to_contain_text("下载")


def test_who_checked_it_is_shown_with_purpose_and_time(open_page: OpenPage, licence: Licence) -> None:
    stranger = open_page("/verify")
    stranger.get_by_label("证照标识").fill(licence.identifier)
    stranger.get_by_label("查验码").fill(licence.check_code)
    stranger.get_by_role("button", name="查验", exact=True).click()
    expect(stranger.locator(".answer")).to_be_visible()
    page = open_page("/my/checks", who=CITIZEN)
    table = page.get_by_role("region", name="查验记录")
    expect(table).to_contain_text("公众查验")
    expect(table).to_contain_text("公开查验")
    check_page(page)


def test_somebody_elses_ecert_is_not_told_apart_from_none(open_page: OpenPage) -> None:
    page = open_page("/my/ecerts/1.2.156.3005.2.none", who=CITIZEN)
    expect(page.locator("h1")).to_have_text("没有办成")
    check_page(page)


def test_an_example_site_takes_over_the_sign_in_and_signs_out_everywhere(
    open_page: OpenPage, system: Configuration
) -> None:
    page = open_page("/my")
    sign_in_by_real_name(page, system, person(CITIZEN))
    page.wait_for_url("**/my")
    site = system.sites["site-a"].url
    page.goto(f"{site}/sign-in")
    expect(page.locator("#acr")).to_have_text(LEVELS[0])
    page.get_by_role("button", name="退出登录").click()
    expect(page.get_by_role("heading", name="请先登录")).to_be_visible()
    page.goto("/my")
    assert page.url.startswith(system.keycloak.base_url)


def test_ways_of_signing_in_are_changed_from_ones_own_page(
    open_page: OpenPage, system: Configuration
) -> None:
    citizen = person("王𠮷")
    make_account(system, citizen.mobile).remove()  # who begins anew has no second factor to give first
    page = open_page("/my")
    sign_in_by_real_name(page, system, citizen)
    page.wait_for_url("**/my")
    for link, heading in (
        ("修改密码", "设置密码"),
        ("设置动态口令", "设置动态口令"),
        ("设置通行密钥", "设置通行密钥"),
    ):
        page.get_by_role("link", name=link).click()
        expect(page.locator("h1")).to_have_text(heading)
        page.get_by_role("button", name="取消").click()
        page.wait_for_url("**/my")
        expect(page.locator("h1")).to_have_text("我的证照")
