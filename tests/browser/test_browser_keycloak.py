"""Every page of Keycloak's that a citizen, a site's user or an officer can meet, in our look and words."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable

import pytest
import zxingcpp
from browser_keycloak import (
    KeycloakAccount,
    expect_done,
    expect_refused,
    make_account,
    sign_in_address,
    virtual_authenticator,
)
from browser_pages import check_page
from browser_people import sign_in_by_real_name
from PIL import Image
from playwright.sync_api import Page, expect

from deploy.configuration import Configuration
from deploy.demo.accounts import person
from deploy.form_client import Phone

OpenPage = Callable[..., Page]


def give_code(page: Page, phone: Phone) -> None:
    page.locator("#otp").fill(phone.code())
    page.locator("#kc-login").click()


def test_signing_in_says_for_what_and_refuses_in_place(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system))
    expect(page.get_by_text("登录后进入“示例省电子证照”。")).to_be_visible()
    expect(page.locator("#username")).to_be_focused()
    check_page(page)
    page.locator("#username").fill(account.username)
    page.locator("#password").fill("wrong")
    page.get_by_role("button", name="登录", exact=True).click()
    check_page(page)
    expect_refused(page, "#username", "手机号（工号）或密码不对")
    expect(page.locator("#username")).to_have_value(account.username)
    account.give_password(page)
    expect_done(page)


def test_a_typed_password_can_be_looked_at(open_page: OpenPage, system: Configuration) -> None:
    page = open_page(sign_in_address(system))
    page.locator("#password").fill("what I typed")
    page.get_by_role("button", name="显示密码").click()
    expect(page.locator("#password")).to_have_attribute("type", "text")
    page.get_by_role("button", name="隐藏密码").click()
    expect(page.locator("#password")).to_have_attribute("type", "password")


def test_a_first_page_weighs_under_100_kb_and_loads_nothing_from_elsewhere(
    open_page: OpenPage, system: Configuration
) -> None:
    page = open_page(sign_in_address(system))
    page.wait_for_load_state("networkidle")
    loaded = page.evaluate(
        "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))"
        ".map(one => [one.name, one.transferSize])"
    )
    assert sum(size for _, size in loaded) < 100_000, loaded
    assert all(name.startswith(system.keycloak.base_url) for name, _ in loaded), loaded
    assert any("/login/longzheng/" in name and name.endswith("app.css") for name, _ in loaded)


def test_in_english(open_page: OpenPage, system: Configuration) -> None:
    page = open_page(sign_in_address(system))
    page.get_by_role("link", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    check_page(page)
    page.get_by_role("link", name="中文（简体）").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_one_time_codes_are_set_up_and_asked_for(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system, kc_action="CONFIGURE_TOTP"))
    account.give_password(page)
    account.prove(page)
    check_page(page)
    key = page.locator("#kc-totp-secret-key").inner_text().replace(" ", "")
    in_app = page.get_by_role("link", name="正在用这部手机操作").get_attribute("href")
    assert in_app is not None
    assert f"secret={key}&" in in_app
    page.get_by_role("img", name="二维码").wait_for()
    page.locator("#totp").fill("12")
    page.get_by_role("button", name="完成设置").click()
    check_page(page)
    expect_refused(page, "#totp", "动态口令不对")
    phone = Phone(secret=page.locator("#kc-totp-secret-key").inner_text().replace(" ", ""))
    page.locator("#totp").fill(phone.code())
    page.get_by_role("button", name="完成设置").click()
    expect_done(page)
    account.ask(page, acr_values="loa2")
    check_page(page)
    shown = page.locator("#kc-attempted-username")
    expect(shown).to_have_text(f"{account.username[:3]}****{account.username[7:]}")
    page.locator("#otp").fill("12")
    page.get_by_role("button", name="继续").click()
    check_page(page)
    expect_refused(page, "#otp", "动态口令不对")
    give_code(page, phone)
    expect_done(page)


def test_the_picture_to_scan_says_the_same_as_the_text_beside_it(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system, kc_action="CONFIGURE_TOTP"))
    account.give_password(page)
    account.prove(page)
    key = page.locator("#kc-totp-secret-key").inner_text().replace(" ", "")
    source = page.locator("img.qr").get_attribute("src") or ""
    picture = Image.open(io.BytesIO(base64.b64decode(source.split(",", 1)[1])))
    assert f"secret={key}" in zxingcpp.read_barcodes(picture)[0].text


def test_a_passkey_is_set_up_and_used_in_place_of_a_code(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system, kc_action="webauthn-register"))
    device, _ = virtual_authenticator(page)
    account.give_password(page)
    account.prove(page)
    check_page(page)
    page.get_by_label("通行密钥的名字").fill("家里的电脑")
    page.get_by_role("button", name="开始设置").click()
    expect_done(page)
    assert account.credential("webauthn")
    account.ask(page, acr_values="loa2")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_text("家里的电脑")
    check_page(page)
    page.get_by_role("button", name="开始验证").click()
    expect_done(page)
    device.send("WebAuthn.disable")
    virtual_authenticator(page)  # another device, which does not hold the passkey
    account.ask(page, acr_values="loa2")
    page.get_by_role("button", name="开始验证").click()
    expect(page.locator("h1")).to_have_text("通行密钥没有验证成功")
    check_page(page)
    page.get_by_role("button", name="再试一次").click()
    expect(page.get_by_role("button", name="开始验证")).to_be_visible()


def test_another_way_can_be_chosen(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system, kc_action="webauthn-register"))
    virtual_authenticator(page)
    account.give_password(page)
    account.prove(page)
    page.get_by_role("button", name="开始设置").click()
    expect_done(page)
    page.goto(sign_in_address(system, kc_action="CONFIGURE_TOTP", acr_values="loa2"))
    page.get_by_role("button", name="开始验证").click()  # a second factor is added with the first
    phone = Phone(secret=page.locator("#kc-totp-secret-key").inner_text().replace(" ", ""))
    page.locator("#totp").fill(phone.code())
    page.get_by_role("button", name="完成设置").click()
    expect_done(page)
    account.ask(page, acr_values="loa2")
    page.get_by_role("button", name="换一种方式验证").click()
    expect(page.locator("h1")).to_have_text("选择验证方式")
    check_page(page)
    page.get_by_role("button", name="动态口令").click()
    give_code(page, phone)
    expect_done(page)


def test_recovery_codes_are_kept_and_one_stands_in_for_the_phone(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system))
    phone = account.enrol_phone(page)
    page.goto(sign_in_address(system, kc_action="CONFIGURE_RECOVERY_AUTHN_CODES", acr_values="loa2"))
    give_code(page, phone)
    expect(page.locator("h1")).to_have_text("备用恢复码")
    check_page(page)
    codes = [one.replace("-", "") for one in page.locator("#kc-recovery-codes-list li").all_inner_texts()]
    with page.expect_download() as waiting:
        page.get_by_role("button", name="下载").click()
    kept = waiting.value.path().read_text("utf-8")
    assert all(f"{code[:4]}-{code[4:8]}-{code[8:]}" in kept for code in codes)
    page.get_by_role("button", name="完成设置").click()
    expect(page.locator("h1")).to_have_text("备用恢复码")  # not before they say that they have kept them
    page.get_by_label("我已经把恢复码保存在安全的地方").check()
    page.get_by_role("button", name="完成设置").click()
    expect_done(page)
    account.ask(page, acr_values="loa2")
    page.get_by_role("button", name="换一种方式验证").click()
    check_page(page)
    page.get_by_role("button", name="备用恢复码").click()
    check_page(page)
    page.get_by_label("第 1 号恢复码").fill("WRONG")
    page.get_by_role("button", name="继续").click()
    check_page(page)
    expect_refused(page, "#recoveryCodeInput", "恢复码不对")
    page.get_by_label("第 1 号恢复码").fill(codes[0])
    page.get_by_role("button", name="继续").click()
    expect_done(page)


def test_a_password_is_changed_with_every_refusal_explained(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system, kc_action="UPDATE_PASSWORD"))
    account.give_password(page)
    check_page(page)
    for first, second, control, words in (
        ("invented-passphrase", "another", "#password-confirm", "两次输入的密码不一样"),
        ("short", "short", "#password-new", "密码太短，至少要 10 个字符"),
        (account.username, account.username, "#password-new", "密码不能和账号相同"),
        (account.password, account.password, "#password-new", "用过的密码不能再用"),
    ):
        page.locator("#password-new").fill(first)
        page.locator("#password-confirm").fill(second)
        page.get_by_role("button", name="保存").click()
        check_page(page)
        expect_refused(page, control, words)
    page.locator("#password-new").fill("invented-passphrase-10")
    page.locator("#password-confirm").fill("invented-passphrase-10")
    page.get_by_role("button", name="保存").click()
    expect_done(page)


def test_the_profile_holds_what_is_the_persons_own(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system, kc_action="UPDATE_PROFILE"))
    account.give_password(page)
    check_page(page)
    page.get_by_label("电子邮箱").fill("nonsense")
    page.get_by_role("button", name="保存").click()
    check_page(page)
    expect_refused(page, "#email", "电子邮箱的格式不对")
    page.get_by_label("电子邮箱").fill("name@example.com")
    page.get_by_role("button", name="保存").click()
    expect_done(page)


def test_without_a_proof_linking_is_asked_about_and_a_second_factor_refused(
    open_page: OpenPage, system: Configuration
) -> None:
    plain = make_account(system)
    page = open_page(sign_in_address(system, kc_action="idp_link:realname"))
    plain.give_password(page)
    expect(page.locator("h1")).to_have_text("实名认证")
    check_page(page)
    page.get_by_role("button", name="取消").click()
    page.wait_for_url("**kc_action_status=cancelled**")
    page.goto(sign_in_address(system, kc_action="CONFIGURE_TOTP"))
    expect(page.locator("h1")).to_have_text("没有办成")
    expect(page.locator("main")).to_contain_text("请先在原网站完成实名核验")
    check_page(page)
    plain.remove()


def test_deleting_is_asked_about_and_can_be_left(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system))
    phone = account.enrol_phone(page)
    page.goto(sign_in_address(system, kc_action=f"delete_credential:{account.credential('otp')}"))
    give_code(page, phone)
    expect(page.locator("h1")).to_contain_text("删除")
    check_page(page)
    page.get_by_role("button", name="取消").click()
    page.wait_for_url("**kc_action_status=cancelled**")
    assert account.credential("otp")


def test_a_mobile_number_that_has_an_account_is_not_joined(
    open_page: OpenPage, system: Configuration
) -> None:
    citizen = person("王𠮷")
    holder = make_account(system, citizen.mobile)
    page = open_page(sign_in_address(system))
    sign_in_by_real_name(page, system, citizen)
    expect(page.locator("h1")).to_have_text("没有办成")
    expect(page.get_by_text("该手机号已有账号。请先用密码登录该账号")).to_be_visible()
    check_page(page)
    holder.remove()


def test_leaving_is_asked_about_and_confirmed(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system))
    account.give_password(page)
    expect_done(page)
    page.goto(f"{system.keycloak.issuer}/protocol/openid-connect/logout")
    check_page(page)
    page.get_by_role("button", name="退出登录").click()
    expect(page.locator("h1")).to_have_text("您已经退出登录。")
    check_page(page)
    page.goto(sign_in_address(system))
    expect(page.locator("#username")).to_be_visible()


def test_a_second_sign_in_asks_for_the_password_again(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system))
    account.give_password(page)
    expect_done(page)
    page.goto(sign_in_address(system, prompt="login"))
    expect(page.get_by_label("密码", exact=True)).to_be_visible()
    check_page(page)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"client_id": "nobody"}, "没有登记过这个网站"),
        ({"redirect_uri": "http://example.com/"}, "登录请求有误（redirect_uri）"),
        ({"client_id": "dept-city-market"}, "没有办成"),
    ],
)
def test_what_a_site_gets_wrong_is_told_without_blame(
    open_page: OpenPage, system: Configuration, asked: dict[str, str], words: str
) -> None:
    page = open_page(sign_in_address(system, **asked))
    expect(page.locator("h1")).to_have_text("没有办成")
    expect(page.locator("main")).to_contain_text(words)
    check_page(page)


def test_an_address_that_leads_nowhere(open_page: OpenPage, system: Configuration) -> None:
    page = open_page(f"{system.keycloak.issuer}/nothing-here")
    expect(page.locator("h1")).to_have_text("没有办成")
    check_page(page)


def test_a_page_from_before_can_be_gone_on_from(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system))
    phone = account.enrol_phone(page)
    page.context.clear_cookies()
    page.goto(sign_in_address(system, acr_values="loa2"))
    action = page.locator("#kc-form-login").get_attribute("action")
    account.give_password(page)
    expect(page.locator("#otp")).to_be_visible()
    page.evaluate(
        """action => { const form = document.createElement('form'); form.method = 'post'; form.action = action;
             document.body.append(form); form.submit(); }""",
        action,
    )
    expect(page.locator("h1")).to_have_text("页面已过期")
    check_page(page)
    page.get_by_role("link", name="继续刚才的步骤").click()
    give_code(page, phone)
    expect_done(page)


def test_a_device_without_a_keyboard(open_page: OpenPage, system: Configuration) -> None:
    page = open_page(f"{system.keycloak.issuer}/device")
    check_page(page)
    page.get_by_label("设备上显示的代码").fill("NONE-SUCH")
    page.get_by_role("button", name="继续").click()
    expect(page.locator(".error-summary")).to_contain_text("代码不对")
    check_page(page)


def test_every_page_but_passkeys_works_without_scripts(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system), javascript=False)
    phone = account.enrol_phone(page)
    account.ask(page, acr_values="loa2")
    give_code(page, phone)
    expect_done(page)
    account.ask(page, kc_action="webauthn-register", acr_values="loa2")
    give_code(page, phone)
    expect(page.locator("noscript .notice")).to_contain_text("通行密钥需要浏览器允许运行脚本")
