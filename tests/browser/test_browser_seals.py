"""Pages for seals: applied for, approved by two, stopped by one, resumed by two, ended; uses with filter and export."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from browser_pages import check_page
from browser_people import DRAFTER, Licence
from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

OpenPage = Callable[..., Page]
CUSTODIAN = "mu.chen"  # of one bureau; may also apply
APPROVERS = ("ji.lan", "xie.qiu")
NAME = "示例市市场监督管理局试验专用章"


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A seal as a PNG at 600 dpi, see-through."""
    image = Image.new("RGBA", (992, 992), (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((9, 9, 982, 982), outline=(200, 16, 34, 230), width=26)
    out = io.BytesIO()
    image.save(out, "PNG", dpi=(600, 600))
    path = tmp_path / "seal.png"
    path.write_bytes(out.getvalue())
    return path


def fill_in(page: Page) -> None:
    page.get_by_label("所属部门").select_option("示例市市场监督管理局")
    page.get_by_label("印章名称").fill(NAME)
    page.get_by_label("种类").select_option("证照专用章")
    page.get_by_label("公安备案号").fill("9901000000777")
    page.get_by_label("食品经营许可证").check()
    page.get_by_label("使用次数上限").fill("10")
    page.get_by_label("申请理由").fill("窗口启用第二枚印章")


def decide(page: Page, button: str, reason: str) -> None:
    page.get_by_label("原因", exact=True).first.fill(reason)
    page.get_by_role("button", name=button, exact=True).click()


def state(page: Page) -> str:
    return page.locator("h1 .state").inner_text()


def apply_for(page: Page, picture: Path, wrong: Path) -> str:
    """Errors are named, lead to their field, and nothing typed is lost; returns the address of what was applied for."""
    check_page(page)
    page.get_by_role("link", name="申请印章").click()
    check_page(page)
    page.get_by_label("印章名称").fill(NAME)
    page.get_by_label("印模文件").set_input_files(wrong)
    page.get_by_role("button", name="检查并预览").click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.get_by_label("印章名称")).to_have_value(NAME)
    check_page(page)
    fill_in(page)
    page.get_by_label("印模文件").set_input_files(picture)
    page.get_by_role("button", name="检查并预览").click()
    expect(page.locator("h1")).to_have_text("核对印章申请")
    drawn = page.get_by_role("img", name=f"印章预览：{NAME}")
    expect(drawn).to_be_visible()
    assert drawn.evaluate("one => one.complete && one.naturalWidth > 0")
    check_page(page)
    page.get_by_role("button", name="返回修改").click()
    expect(page.get_by_label("公安备案号")).to_have_value("9901000000777")
    page.get_by_role("button", name="检查并预览").click()
    page.get_by_role("button", name="提交申请").click()
    assert state(page) == "待审批"
    expect(page.get_by_role("button", name="同意", exact=True)).to_have_count(0)
    check_page(page)
    return page.url


def stop_on_a_phone(page: Page) -> None:
    """Without JavaScript and on a small screen too, with confirmation and reason."""
    stop = page.get_by_role("region", name="紧急停用")
    stop.get_by_label("原因").fill("印章室门锁损坏")
    stop.get_by_role("button", name="紧急停用").click()
    expect(page.locator(".error-summary")).to_contain_text("请勾选")
    stop = page.get_by_role("region", name="紧急停用")
    expect(stop.get_by_label("原因")).to_have_value("印章室门锁损坏")
    stop.get_by_label("我确认立即停用这枚印章").check()
    stop.get_by_role("button", name="紧急停用").click()
    assert state(page) == "已停用"
    expect(page.locator(".notice.warn")).to_contain_text("印章室门锁损坏")
    expect(page.get_by_role("button", name="同意恢复")).to_have_count(0)


def end_for_compromise(page: Page) -> None:
    """The key may be in other hands."""
    page.get_by_text("注销印章").click()
    drill = page.get_by_role("region", name="密钥可能泄露")
    check_page(page)
    since = datetime.now(UTC) + timedelta(hours=8) - timedelta(minutes=30)
    drill.get_by_label("可能泄露的起始时间").fill(since.strftime("%Y-%m-%dT%H:%M"))
    drill.get_by_label("原因").fill("口令外泄")
    drill.get_by_label("我确认密钥可能已泄露，注销这枚印章").check()
    drill.get_by_role("button", name="因泄露注销").click()
    assert state(page) == "已注销"
    expect(page.get_by_role("heading", name="泄露后加盖的证照")).to_be_visible()
    expect(page.get_by_role("region", name="印章的经过").get_by_role("row")).to_have_count(9)
    check_page(page)


def test_a_seal_from_application_to_its_end(open_page: OpenPage, picture: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "seal.svg"
    wrong.write_text("<svg><script/></svg>")
    address = apply_for(open_page("/officer/seals", who=CUSTODIAN), picture, wrong)

    first = open_page("/officer/seals", who=APPROVERS[0])
    first.get_by_role("link", name=NAME).first.click()
    decide(first, "同意", "")
    expect(first.locator(".error-summary")).to_contain_text("原因")
    check_page(first)
    first.goto(address)
    decide(first, "同意", "材料齐全")
    assert state(first) == "待第二人审批"
    expect(first.get_by_role("button", name="同意", exact=True)).to_have_count(0)
    second = open_page(address, who=APPROVERS[1])
    decide(second, "同意", "与备案一致")
    assert state(second) == "在用"
    expect(second.locator("dl.facts")).to_contain_text("签发者：陇政示例电子印章CA")
    check_page(second)

    stop_on_a_phone(open_page(address, who=CUSTODIAN, javascript=False, width=360))
    for page, expected in ((first, "已停用，待第二人同意恢复"), (second, "在用")):
        page.goto(address)
        page.get_by_role("region", name="恢复使用").get_by_label("原因").fill("已换锁，未发现异常")
        page.get_by_role("button", name="同意恢复").click()
        assert state(page) == expected
    check_page(second)
    end_for_compromise(second)


def test_a_custodian_sees_every_use_and_takes_it_along(open_page: OpenPage, licence: Licence) -> None:
    page = open_page("/officer/seals/seal-city-market", who=CUSTODIAN)
    check_page(page)
    expect(page.get_by_role("region", name="使用记录")).to_contain_text(licence.identifier)
    expect(page.get_by_role("region", name="印章的经过")).to_contain_text("初始启用")
    page.get_by_label("证照类型").select_option("食品经营许可证")
    page.get_by_text("按日期筛选").click()
    page.get_by_label("自（含当日）").fill("2020-01-01")
    page.get_by_role("button", name="筛选").click()
    expect(page.get_by_role("region", name="使用记录")).to_contain_text(licence.identifier)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="导出为 CSV（Excel 可以打开）").click()
    text = Path(waiting.value.path()).read_text("utf-8-sig")
    assert text.splitlines()[0] == "时间,证照,证照标识,办件编号,结果"
    assert licence.identifier in text
    page.get_by_label("至（含当日）").fill("2020-01-02")
    page.get_by_role("button", name="筛选").click()
    expect(page.get_by_text("还没有使用记录。")).to_be_visible()
    # of another bureau nothing is seen, not even that there is a seal
    for address in ("/officer/seals/seal-city-land", "/officer/seals/seal-nobody"):
        page.goto(address)
        expect(page.get_by_text("没有这枚印章。")).to_be_visible()


def test_the_list_is_filtered_and_reached_by_keyboard(open_page: OpenPage) -> None:
    page = open_page("/officer/seals", who=APPROVERS[0])
    expect(page.get_by_role("status")).to_contain_text(re.compile(r"共 \d+ 条"))
    page.get_by_label("状态").select_option("在用")
    page.get_by_label("所属部门").select_option("示例市自然资源局")
    page.get_by_role("button", name="筛选").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**state=active*")
    expect(
        page.get_by_role("region", name="印章列表").get_by_role("link", name="示例市自然资源局")
    ).to_have_count(1)
    check_page(page)


def test_who_has_no_part_in_seals_sees_none(open_page: OpenPage) -> None:
    page = open_page("/officer/", who=DRAFTER)
    expect(page.get_by_role("link", name="电子印章", exact=True)).to_have_count(0)
    page.goto("/officer/seals")
    expect(page.get_by_text("您的岗位与印章管理无关。")).to_be_visible()
    page.goto("/officer/seals/seal-city-market")
    expect(page.get_by_text("没有这枚印章。")).to_be_visible()
