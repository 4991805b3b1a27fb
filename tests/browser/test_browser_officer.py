"""Officers: draft from the type's schema, preview, sign off, change states."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browser_pages import check_page
from browser_people import (
    CITIZEN,
    DRAFTER,
    LAND_DRAFTER,
    SIGNER,
    Licence,
    case_number,
    change_state,
    draft_licence,
    fill_face,
    licence_face,
    sign_off,
)
from playwright.sync_api import Page, expect

OpenPage = Callable[..., Page]


def test_errors_are_named_lead_to_their_field_and_nothing_typed_is_lost(open_page: OpenPage) -> None:
    page = open_page("/officer/drafts/new?type=food-business-licence", who=DRAFTER)
    check_page(page)
    case = case_number("SP")
    fill_face(page, {**licence_face(), "credit_code": "91990100C000000167", "effective_date": "2026-13-01"})
    page.get_by_role("button", name="保存草稿，去预览").click()
    summary = page.locator(".error-summary")
    expect(summary).to_be_focused()
    assert page.title().startswith("有错误：")
    expect(summary.get_by_role("listitem")).to_have_count(3)  # the case and the face at once
    page.get_by_label("办件编号").fill(case)
    page.get_by_role("button", name="保存草稿，去预览").click()
    expect(summary.get_by_role("listitem")).to_have_count(2)
    check_page(page)
    summary.get_by_role("link", name="统一社会信用代码").click()
    field = page.get_by_label("统一社会信用代码")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("91990100C000000167")
    expect(page.get_by_label("办件编号")).to_have_value(case)
    expect(page.get_by_label("经营项目")).to_have_value(licence_face()["operation_items"])
    expect(page.get_by_label("主体业态")).to_have_value(licence_face()["business_form"])
    field.fill(licence_face()["credit_code"])
    page.get_by_label("有效期自").fill(licence_face()["effective_date"])
    page.get_by_role("button", name="保存草稿，去预览").click()
    expect(page.locator("h1")).to_contain_text("等待签发")
    expect(page.get_by_role("button", name="同意签发")).to_have_count(0)
    check_page(page)


def test_several_holders_are_added_one_by_one(open_page: OpenPage) -> None:
    page = open_page("/officer/drafts/new?type=real-estate-title", who=LAND_DRAFTER)
    holders = (("赵明", "880102198001010074"), ("钱芳", "880102198203030065"))
    for row, (name, number) in enumerate(holders):
        if row:
            page.get_by_role("button", name="再加一项").click()
            expect(page.locator(f"#face-holders-{row}-name")).to_be_focused()
        page.locator(f"#face-holders-{row}-name").fill(name)
        page.locator(f"#face-holders-{row}-code_type").select_option("居民身份证")
        page.locator(f"#face-holders-{row}-number").fill(number)
        page.locator(f"#face-holders-{row}-share").fill("1/2")
    check_page(page)
    face = {
        "ownership": "按份共有",
        "location": "示例市示范区和平路2号3单元401",
        "unit_number": "990100001001GB00001F00010002",
        "right_kind": "国有建设用地使用权/房屋所有权",
        "right_nature": "出让/市场化商品房",
        "use": "城镇住宅用地/成套住宅",
        "area": "房屋建筑面积：89.35平方米",
        "term": "国有建设用地使用权至2089年6月30日止",
        "effective_date": licence_face()["effective_date"],
        "expiry_date": "长期",
    }
    fill_face(page, face)
    page.get_by_label("办件编号").fill(case_number("BDC"))
    page.get_by_role("button", name="保存草稿，去预览").click()
    expect(page.locator("h1")).to_contain_text("等待签发")
    for name, number in holders:
        expect(page.locator("dl.facts")).to_contain_text(name)
        expect(page.locator("dl.facts")).to_contain_text(number)


def test_a_second_officer_previews_and_signs_off(open_page: OpenPage) -> None:
    drafter = open_page("/officer/", who=DRAFTER)
    case = case_number("SP")
    draft_licence(drafter, licence_face(), case=case)
    signer = open_page("/officer/", who=SIGNER)
    check_page(signer)
    signer.get_by_role("region", name="等您签发").get_by_role("link", name=case).click()
    check_page(signer)
    with signer.context.expect_page() as opened:
        signer.get_by_role("link", name="预览证照").click()
    answer = signer.request.get(f"{drafter.url}/preview.pdf")
    opened.value.close()
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.body().startswith(b"%PDF")
    identifier = sign_off(signer, drafter.url)
    assert identifier.startswith("1.2.156.3005.2.")
    expect(signer.locator("h1 .state")).to_have_text("有效")
    expect(signer.locator("dl.facts")).not_to_contain_text(CITIZEN)
    check_page(signer)
    drafter.reload()
    expect(drafter.locator("h1")).to_contain_text("已签发")
    drafter.get_by_role("link", name="查看证照").click()
    expect(drafter.get_by_role("button", name="提交变更")).to_have_count(0)


def test_a_returned_draft_shows_the_remark_and_can_be_mended(open_page: OpenPage) -> None:
    drafter = open_page("/officer/", who=DRAFTER)
    draft_licence(drafter, licence_face(), case=case_number("SP"))
    signer = open_page(drafter.url, who=SIGNER)
    signer.get_by_text("内容有误，退回制证人").click()
    signer.get_by_label("退回理由").fill("经营项目与申请不一致")
    signer.get_by_role("button", name="退回", exact=True).click()
    expect(signer.locator("h1")).to_contain_text("已退回")
    drafter.reload()
    expect(drafter.get_by_text("经营项目与申请不一致")).to_be_visible()
    drafter.get_by_role("link", name="修改").click()
    check_page(drafter)
    drafter.get_by_label("经营项目").fill("热食类食品制售")
    drafter.get_by_role("button", name="保存草稿，去预览").click()
    expect(drafter.locator("h1")).to_contain_text("等待签发")
    expect(drafter.locator("dl.facts")).to_contain_text("热食类食品制售")


def test_a_change_of_state_without_its_grounds_is_refused_and_keeps_what_was_typed(
    open_page: OpenPage, licence: Licence
) -> None:
    page = open_page(f"/officer/ecerts/{licence.identifier}", who=SIGNER)
    check_page(page)
    page.get_by_label("原因").fill("逾期未整改")
    page.get_by_role("button", name="提交变更").click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.get_by_label("原因")).to_have_value("逾期未整改")
    page.get_by_role("radio", name="暂扣").check()
    page.get_by_role("button", name="提交变更").click()
    expect(page.locator(".error-summary")).to_contain_text("法律依据")
    expect(page.get_by_role("radio", name="暂扣")).to_be_checked()
    expect(page.locator("h1 .state")).to_have_text("有效")
    check_page(page)


def test_suspended_and_given_back(open_page: OpenPage, make_licence: Callable[[], Licence]) -> None:
    licence = make_licence()
    page = open_page("/officer/", who=SIGNER)
    basis = "《中华人民共和国行政处罚法》第九条"
    change_state(page, licence.identifier, operation="暂扣", reason="限期整改", legal_basis=basis)
    check_page(page)
    page.get_by_role("radio", name="发还").check()
    page.get_by_label("原因").fill("整改合格")
    page.get_by_label("法律依据").fill(basis)
    page.get_by_label("案件编号").fill(case_number("CF"))
    page.get_by_role("button", name="提交变更").click()
    expect(page.locator("h1 .state")).to_have_text("有效")
    expect(page.get_by_role("region", name="状态历史").get_by_role("row")).to_have_count(4)


def search(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="检索").fill(text)
    page.get_by_role("button", name="检索").click()


def test_the_list_of_issued_ecerts_is_searched_filtered_sorted_and_exported(
    open_page: OpenPage, licence: Licence
) -> None:
    page = open_page("/officer/ecerts", who=SIGNER)
    check_page(page)
    search(page, licence.identifier)
    expect(page.get_by_role("status")).to_contain_text("共 1 条")
    assert licence.identifier not in page.url
    _, own_number, identifier = page.locator("td[data-label='证照']").inner_text().splitlines()
    assert (own_number[:2], identifier) == ("JY", licence.identifier)
    search(page, own_number)
    expect(page.get_by_role("status")).to_contain_text("共 1 条")
    search(page, own_number[-6:])
    expect(page.get_by_role("cell", name=own_number)).to_be_visible()
    holder = page.locator("td[data-label='持证主体']").inner_text()
    search(page, holder[3:7])
    expect(page.get_by_role("cell", name=own_number)).to_be_visible()
    page.get_by_role("columnheader", name="签发日期").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="签发日期")).to_have_attribute("aria-sort", "descending")
    expect(page.get_by_role("textbox", name="检索")).to_have_value(holder[3:7])
    check_page(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="导出为 CSV").click()
    assert own_number in download.value.path().read_text("utf-8-sig")
    page.get_by_text("导出完整姓名和证件号码").click()
    page.get_by_role("button", name="导出完整内容").click()
    expect(page.get_by_text("必须填写。")).to_have_count(2)
    check_page(page)
    page.get_by_label("状态").select_option("办理转出")  # nothing here gets into this state
    page.get_by_role("button", name="筛选").click()
    expect(page.get_by_text("没有符合条件的证照。")).to_be_visible()
    check_page(page)


@pytest.mark.parametrize("path", ["/officer/drafts", "/officer/checks"])
def test_the_other_tables(open_page: OpenPage, licence: Licence, path: str) -> None:
    page = open_page(f"/officer/ecerts/{licence.identifier}", who=SIGNER)
    page.get_by_role("button", name="显示完整内容").click()  # a check of its own department's
    page.goto(path)
    check_page(page)
    page.get_by_label("排序", exact=True).select_option(index=1)
    page.get_by_role("button", name="筛选").click()
    expect(page.locator("th[aria-sort=ascending]")).to_have_count(1)
    check_page(page)


def test_a_type_of_another_department_cannot_be_drafted(open_page: OpenPage) -> None:
    page = open_page("/officer/drafts/new?type=real-estate-title", who=DRAFTER)
    expect(page.locator("h1")).to_have_text("没有办成")
    expect(page.get_by_text("您的岗位不能制作这类证照。")).to_be_visible()
    check_page(page)


@pytest.mark.parametrize("who", [DRAFTER, SIGNER])
def test_the_form_is_reached_and_sent_by_keyboard_alone(open_page: OpenPage, who: str) -> None:
    page = open_page("/officer/ecerts", who=who)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到主要内容")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("textbox", name="检索")).to_be_focused()
    page.keyboard.type("1.2.156")
    page.keyboard.press("Enter")
    page.wait_for_url("**found=*")
    outlined = page.evaluate(
        "() => { document.querySelector('main button').focus({focusVisible: true});"
        " return getComputedStyle(document.activeElement).outlineStyle; }"
    )
    assert outlined == "solid"
