"""Every page works without JavaScript; only the QR address needs it, and then says what to do."""

from __future__ import annotations

from collections.abc import Callable

from browser_people import (
    CITIZEN,
    DRAFTER,
    LAND_DRAFTER,
    SIGNER,
    Licence,
    case_number,
    change_state,
    download,
    licence_face,
    sign_in_by_real_name,
    sign_off,
)
from playwright.sync_api import Page, expect

from deploy.configuration import Configuration
from deploy.demo.accounts import person
from deploy.demo.scanning import qr_text_of

OpenPage = Callable[..., Page]


def test_issue_download_check_and_cancel(open_page: OpenPage) -> None:
    drafter = open_page("/officer/", who=DRAFTER, javascript=False)
    drafter.goto("/officer/drafts/new?type=food-business-licence")
    for key, value in licence_face().items():
        control = drafter.locator(f"#face-{key}")
        if key == "business_form":
            control.select_option(value)
        else:
            control.fill(value)
    drafter.get_by_label("办件编号").fill(case_number("SP"))
    drafter.get_by_role("button", name="保存草稿，去预览").click()
    expect(drafter.locator("h1")).to_contain_text("等待签发")
    signer = open_page("/officer/", who=SIGNER, javascript=False)
    identifier = sign_off(signer, drafter.url)
    citizen = open_page(f"/my/ecerts/{identifier}", who=CITIZEN, javascript=False)
    pdf = download(citizen)
    public = open_page("/verify", javascript=False)
    public.get_by_label("选择电子证照文件").set_input_files(
        {"name": "ecert.pdf", "mimeType": "application/pdf", "buffer": pdf}
    )
    public.get_by_role("button", name="查验文件").click()
    expect(public.locator(".answer")).to_have_attribute("data-outcome", "valid", timeout=60_000)
    expect(public.get_by_role("button", name="打印或存成 PDF")).to_be_hidden()
    basis = "《中华人民共和国行政许可法》第七十条"
    change_state(signer, identifier, operation="注销", reason="主体申请注销", legal_basis=basis)


def test_rows_are_added(open_page: OpenPage) -> None:
    page = open_page("/officer/drafts/new?type=real-estate-title", who=LAND_DRAFTER, javascript=False)
    page.locator("#face-holders-0-name").fill("赵明")
    page.get_by_role("button", name="再加一项").click()
    expect(page.locator("#face-holders-0-name")).to_have_value("赵明")
    expect(page.locator("#face-holders-1-name")).to_have_value("")


def test_signing_in_by_real_name_and_out(open_page: OpenPage, system: Configuration) -> None:
    page = open_page("/my", javascript=False)
    sign_in_by_real_name(page, system, person(CITIZEN))
    page.wait_for_url("**/my")
    page.get_by_role("button", name="退出登录").click()
    page.wait_for_url(f"{system.public_url}/")


def test_the_qr_address_opens_the_form_that_can_be_filled_in(open_page: OpenPage, licence: Licence) -> None:
    page = open_page(qr_text_of(licence.file.read_bytes()), javascript=False)
    expect(page.get_by_label("证照标识")).to_be_visible()
    expect(page.locator("noscript .notice")).to_be_visible()


def test_a_wrong_draft_shows_its_errors(open_page: OpenPage) -> None:
    page = open_page("/officer/drafts/new?type=business-licence", who=DRAFTER, javascript=False)
    page.get_by_label("办件编号").fill("X-1")
    page.get_by_role("button", name="保存草稿，去预览").click()
    expect(page.locator(".error-summary")).to_contain_text("统一社会信用代码：")
