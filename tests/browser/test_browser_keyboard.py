"""Every job done with the keyboard alone: Tab, Shift-Tab, Enter, Space, arrows, typing."""

from __future__ import annotations

from collections.abc import Callable

from browser_keyboard import Keyboard
from browser_keycloak import KeycloakAccount, expect_done, sign_in_address
from browser_people import (
    CITIZEN,
    DRAFTER,
    SIGNER,
    Licence,
    altered,
    case_number,
    licence_face,
)
from playwright.sync_api import Page, expect

from deploy.configuration import Configuration
from deploy.demo.accounts import person
from deploy.form_client import Phone, read_sms

OpenPage = Callable[..., Page]


def test_signing_in_with_password_and_code(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system))
    phone = account.enrol_phone(page)
    page.context.clear_cookies()
    page.goto(sign_in_address(system, acr_values="loa2"))
    keys = Keyboard(page)
    expect(page.locator("#username")).to_be_focused()
    keys.skip_to_main()
    keys.to(page.locator("#username")).type(account.username)
    keys.to(page.locator("#password")).type("wrong").press("Enter")
    expect(page.locator(".error-summary")).to_be_focused()
    keys.to(page.locator(".error-summary a")).press("Enter")
    expect(page.locator("#username")).to_be_focused()
    keys.to(page.locator("#password")).type(account.password)
    keys.to(page.get_by_role("button", name="显示密码")).press("Space")
    expect(page.locator("#password")).to_have_attribute("type", "text")
    keys.to(page.get_by_role("button", name="登录", exact=True)).press("Enter")
    expect(page.locator("#otp")).to_be_focused()
    keys.back_to(page.get_by_role("link", name="换一个账号登录"))
    keys.to(page.locator("#otp")).type(phone.code())
    keys.to(page.get_by_role("button", name="继续")).press("Space")
    expect_done(page)


def test_setting_up_one_time_codes(
    open_page: OpenPage, system: Configuration, account: KeycloakAccount
) -> None:
    page = open_page(sign_in_address(system, kc_action="CONFIGURE_TOTP"))
    keys = Keyboard(page)
    keys.type(account.username).press("Tab").type(account.password).press("Enter")
    account.prove(page)  # by keys in the test of the citizen below
    expect(page.locator("h1")).to_have_text("设置动态口令")
    keys.skip_to_main()
    keys.to(page.get_by_role("link", name="正在用这部手机操作"))
    keys.to(page.locator("summary")).press("Enter")
    expect(page.locator("#kc-totp-algorithm")).to_be_visible()
    phone = Phone(secret=page.locator("#kc-totp-secret-key").inner_text().replace(" ", ""))
    keys.to(page.locator("#totp")).type(phone.code())
    keys.to(page.locator("#userLabel")).type("phone")
    keys.to(page.locator("#logout-sessions")).press("Space")
    keys.to(page.get_by_role("button", name="完成设置")).press("Enter")
    expect_done(page)


def test_a_citizen_proves_the_name_lists_downloads_and_sees_who_checked(
    open_page: OpenPage, system: Configuration, licence: Licence
) -> None:
    citizen = person(CITIZEN)
    page = open_page("/")
    keys = Keyboard(page)
    keys.skip_to_main()
    keys.to(page.get_by_role("link", name="登录，查看我的证照")).press("Enter")
    page.wait_for_url("**/realms/gov/**")
    keys.to(page.get_by_role("link", name="实名认证登录")).press("Enter")
    page.wait_for_url("**/idp/proof**")
    keys.skip_to_main()
    keys.to(page.get_by_label("姓名")).type(citizen.name)
    keys.to(page.get_by_label("身份证号码")).type(citizen.number)
    keys.to(page.get_by_label("手机号")).type(citizen.mobile)
    keys.to(page.get_by_role("button", name="获取短信验证码")).press("Enter")
    expect(page.locator("h1")).to_have_text("短信验证")
    keys.to(page.get_by_label("验证码", exact=True)).type(read_sms(system.public_url, citizen.mobile))
    keys.to(page.get_by_role("button", name="提交核验")).press("Space")
    keys.to(page.get_by_role("link", name="继续")).press("Enter")
    page.wait_for_url("**/my")
    keys.skip_to_main()
    keys.to(page.locator(f"main a[href='/my/ecerts/{licence.identifier}']").first).press("Enter")
    expect(page.locator("h1")).to_contain_text("食品经营许可证")
    keys.skip_to_main()
    keys.to(page.get_by_role("button", name="下载电子证照（PDF）"))
    with page.expect_download() as waiting:
        keys.press("Enter")
    assert waiting.value.path().read_bytes() == licence.file.read_bytes()
    keys.to(page.get_by_role("button", name="显示完整内容")).press("Enter")
    expect(page.locator("dl.facts").first).to_contain_text(CITIZEN)
    keys.to(page.get_by_role("region", name="查验记录"))
    keys.to(page.locator("summary")).press("Space")
    expect(page.locator("details li").first).to_be_visible()
    keys.back_to(page.get_by_role("link", name="谁查过我的证照")).press("Enter")
    expect(page.locator("h1")).to_contain_text("谁查过")
    keys.back_to(page.get_by_role("button", name="退出登录")).press("Enter")
    page.wait_for_url(f"{system.public_url}/")


def test_officers_draft_preview_sign_off_and_change_the_state(open_page: OpenPage) -> None:
    drafter = open_page("/officer/", who=DRAFTER)
    keys = Keyboard(drafter)
    keys.skip_to_main()
    keys.to(drafter.locator("main .cards").get_by_role("link", name="食品经营许可证")).press("Enter")
    drafter.wait_for_url("**/drafts/new**")
    keys.skip_to_main()
    case = case_number("KB")
    keys.to(drafter.get_by_label("办件编号")).type(case)
    for key, value in licence_face().items():
        control = drafter.locator(f"#face-{key}")
        if control.evaluate("one => one.tagName") == "SELECT":
            keys.choose(control, value)
        else:
            keys.to(control).type(value)
    keys.to(drafter.get_by_role("button", name="保存草稿，去预览")).press("Enter")
    expect(drafter.locator("h1")).to_contain_text("等待签发")
    signer = open_page("/officer/", who=SIGNER)
    keys = Keyboard(signer)
    keys.skip_to_main()
    keys.to(signer.get_by_role("region", name="等您签发").get_by_role("link", name=case)).press("Enter")
    signer.wait_for_url("**/officer/drafts/*")
    keys.skip_to_main()
    keys.to(signer.get_by_role("link", name="预览证照"))
    with signer.context.expect_page() as opened:
        keys.press("Enter")
    opened.value.close()
    keys.to(signer.get_by_role("button", name="同意签发")).press("Enter")
    signer.wait_for_url("**/officer/ecerts/*", timeout=90_000)
    keys.skip_to_main()
    keys.to(signer.locator("input[name=operation]").first).press("Space")
    keys.press("ArrowDown").press("ArrowUp")
    while not signer.get_by_role("radio", name="暂扣").is_checked():
        keys.press("ArrowDown")
    keys.to(signer.get_by_label("原因")).type("限期整改")
    keys.to(signer.get_by_label("法律依据")).type("《中华人民共和国行政处罚法》第九条").press("Escape")
    keys.to(signer.get_by_label("案件编号")).type(case_number("CF"))
    keys.to(signer.get_by_role("button", name="提交变更")).press("Enter")
    expect(signer.locator("h1 .state")).to_have_text("暂扣")
    keys.to(signer.get_by_role("link", name="已签发证照").last).press("Enter")
    signer.wait_for_url("**/officer/ecerts")
    keys.skip_to_main()
    keys.choose(signer.get_by_label("状态"), "暂扣")
    keys.press("Enter")


def test_anybody_checks_a_file_and_a_code(open_page: OpenPage, licence: Licence) -> None:
    page = open_page("/verify")
    keys = Keyboard(page)
    keys.skip_to_main()
    keys.take_file(page.get_by_label("选择电子证照文件"), licence.file)
    keys.to(page.get_by_role("button", name="查验文件")).press("Enter")
    expect(page.locator(".answer")).to_have_attribute("data-outcome", "valid", timeout=60_000)
    keys.skip_to_main()
    keys.to(page.locator("summary").first).press("Enter")
    expect(page.get_by_text("没有改动")).to_be_visible()
    keys.to(page.get_by_role("link", name="保存回执"))
    with page.expect_download():
        keys.press("Enter")
    keys.to(page.get_by_role("link", name="再查一份")).press("Enter")
    expect(page.locator(".answer")).to_have_count(0)
    keys.skip_to_main()
    keys.take_file(
        page.get_by_label("选择电子证照文件"),
        {"name": "a.pdf", "mimeType": "application/pdf", "buffer": altered(licence.file.read_bytes())},
    )
    keys.to(page.get_by_role("button", name="查验文件")).press("Space")
    expect(page.locator(".answer")).to_have_attribute("data-outcome", "altered", timeout=60_000)
    page.goto("/verify")
    keys.skip_to_main()
    keys.to(page.get_by_label("证照标识")).type(licence.identifier)
    keys.to(page.get_by_label("查验码")).type(licence.check_code).press("Enter")
    expect(page.locator(".answer")).to_have_attribute("data-outcome", "valid", timeout=60_000)
