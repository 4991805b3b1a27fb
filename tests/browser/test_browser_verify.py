"""The public page: file, identifier and check code, QR address, revoked; and what it costs to open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from browser_pages import check_page
from browser_people import SIGNER, Licence, altered, change_state
from playwright.sync_api import Page, expect

from deploy.demo.scanning import qr_text_of

OpenPage = Callable[..., Page]
REASON, BASIS = "使用超过保质期的食品原料，情节严重", "《中华人民共和国食品安全法》第一百二十四条"


def check_file(page: Page, file: Path) -> None:
    page.get_by_label("选择电子证照文件").set_input_files(file)
    page.get_by_role("button", name="查验文件").click()


def check_code(page: Page, identifier: str, code: str) -> None:
    page.get_by_label("证照标识").fill(identifier)
    page.get_by_label("查验码").fill(code)
    page.get_by_role("button", name="查验", exact=True).click()


def outcome(page: Page) -> str | None:
    return page.locator(".answer").get_attribute("data-outcome", timeout=60_000)


@pytest.mark.parametrize("path", ["/", "/verify"])
def test_a_first_page_weighs_under_100_kb(open_page: OpenPage, path: str) -> None:
    page = open_page(path)
    page.wait_for_load_state("networkidle")
    sizes = page.evaluate(
        "performance.getEntriesByType('navigation').concat(performance.getEntriesByType('resource'))"
        ".map(one => [one.name, one.transferSize])"
    )
    assert sum(size for _, size in sizes) < 100_000, sizes
    check_page(page)


def test_an_original_is_valid_and_says_so_in_one_sentence(open_page: OpenPage, licence: Licence) -> None:
    page = open_page("/verify")
    check_file(page, licence.file)
    assert outcome(page) == "valid"
    expect(page.locator(".answer .say")).to_have_text("示例市市场监督管理局签发的食品经营许可证登记有效。")
    expect(page.get_by_role("heading", name="电子印章")).to_be_visible()
    page.get_by_text("印章和签名的细节").click()
    expect(page.get_by_text("没有改动")).to_be_visible()
    expect(page.get_by_text("示例市市场监督管理局证照专用章")).to_be_visible()
    check_page(page)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="保存回执").click()
    assert Path(waiting.value.path()).read_text(encoding="ascii").count(".") == 2


def test_an_altered_copy_is_shown_as_altered(open_page: OpenPage, licence: Licence, tmp_path: Path) -> None:
    copy = tmp_path / "altered.pdf"
    copy.write_bytes(altered(licence.file.read_bytes()))
    page = open_page("/verify")
    check_file(page, copy)
    assert outcome(page) == "altered"
    expect(page.locator(".answer")).to_contain_text("不要采用")
    check_page(page)


def test_a_file_of_somebody_else_is_not_ours(open_page: OpenPage, tmp_path: Path) -> None:
    file = tmp_path / "other.pdf"
    printed = open_page("/verify").pdf()
    file.write_bytes(printed)
    page = open_page("/verify")
    check_file(page, file)
    assert outcome(page) == "not-ours"
    check_page(page)


def test_identifier_and_check_code_as_printed_or_retyped(open_page: OpenPage, licence: Licence) -> None:
    page = open_page("/verify")
    spaced = " ".join(licence.check_code[at : at + 4] for at in range(0, len(licence.check_code), 4)).lower()
    check_code(page, licence.identifier, spaced)
    assert outcome(page) == "valid"
    expect(page.get_by_text("没有提交文件，未检查电子印章。")).to_be_visible()


def test_a_wrong_check_code_looks_like_an_unknown_identifier(open_page: OpenPage, licence: Licence) -> None:
    wrong = "2" * len(licence.check_code)
    page = open_page("/verify")
    check_code(page, licence.identifier, wrong)
    assert outcome(page) == "unknown"
    sentence = page.locator(".answer .say").inner_text()
    check_page(page)
    page.goto("/verify")
    check_code(page, licence.identifier.replace(".001.", ".002."), wrong)
    assert outcome(page) == "unknown"
    assert page.locator(".answer .say").inner_text() == sentence


def test_the_address_in_the_qr_code_checks_by_itself(open_page: OpenPage, licence: Licence) -> None:
    text = qr_text_of(licence.file.read_bytes())
    assert "/VERIFY#LZ1:" in text
    page = open_page(text)
    assert outcome(page) == "valid"
    assert "LZ1:" not in page.url
    check_page(page)


def test_a_forged_qr_code_is_refused_with_a_sentence(open_page: OpenPage) -> None:
    page = open_page("/VERIFY#LZ1:NCFOXN%TSMAHN")
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator(".error-summary")).to_contain_text("二维码")
    check_page(page)


def test_a_revoked_licence_says_why_at_the_very_next_check(
    open_page: OpenPage, make_licence: Callable[[], Licence]
) -> None:
    licence = make_licence()
    page = open_page("/verify")
    check_file(page, licence.file)
    assert outcome(page) == "valid"
    officer = open_page("/officer/", who=SIGNER)
    change_state(officer, licence.identifier, operation="吊销", reason=REASON, legal_basis=BASIS)
    check_page(officer)
    page.goto("/verify")
    check_file(page, licence.file)
    assert outcome(page) == "revoked"
    for words in ("吊销", REASON, BASIS):
        expect(page.locator(".answer .say")).to_contain_text(words)
    expect(page.get_by_text("签名有效，文件自签名后未被改动。").first).to_be_visible()
    check_page(page)


def test_nothing_chosen_is_told_without_leaving_the_page(open_page: OpenPage) -> None:
    page = open_page("/verify")
    page.get_by_label("证照标识").fill("1.2.156")
    page.get_by_role("button", name="查验", exact=True).click()
    assert page.locator("#check_code").evaluate("one => one.validity.valueMissing")
    assert page.get_by_label("证照标识").input_value() == "1.2.156"


def test_the_page_prints_without_its_controls(open_page: OpenPage, licence: Licence) -> None:
    page = open_page("/verify")
    check_code(page, licence.identifier, licence.check_code)
    page.emulate_media(media="print")
    expect(page.get_by_role("link", name="再查一份")).to_be_hidden()
    expect(page.locator(".answer .say")).to_be_visible()


def test_states_differ_without_colour(open_page: OpenPage) -> None:
    page = open_page("/verify")
    looks = page.evaluate(
        """() => ['valid', 'suspended', 'revoked', 'expired', 'altered', 'unknown', 'not-ours'].map(tone => {
             const one = document.querySelector('main').appendChild(document.createElement('span'));
             one.className = 'state ' + tone;
             const style = getComputedStyle(one);
             return [style.borderTopStyle, style.borderTopWidth, style.borderTopLeftRadius].join(' ')
               + getComputedStyle(one, '::before').content; })"""
    )
    assert len(set(looks)) == 7
    signs = {look.rsplit('"', 2)[1] for look in looks}
    assert len(signs) == 7
