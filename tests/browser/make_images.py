"""Makes the pictures of the README anew, against the running system: `PYTHONPATH=. python tests/browser/make_images.py`.

They are written to docs/images/: a sealed certificate, two answers, my certificates on a phone, the draft form.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from browser_people import (
    CITIZEN,
    DRAFTER,
    SIGNER,
    case_number,
    change_state,
    download,
    draft_licence,
    fill_face,
    licence_face,
    sign_in_by_real_name,
    sign_in_officer,
    sign_off,
)
from playwright.sync_api import Browser, Page, sync_playwright

from deploy.configuration import Configuration, load
from deploy.demo.accounts import DemoAccounts, person
from deploy.locations import CHECKOUT, state_directory

IMAGES = CHECKOUT / "docs" / "images"
PHONE = {"width": 390, "height": 780}
DESK = {"width": 1080, "height": 800}
LAW = "《中华人民共和国食品安全法》第一百二十四条"


def main() -> None:
    system = load(state_directory())
    IMAGES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--lang=zh-CN"],
            env={**os.environ, "LANGUAGE": "zh_CN"},
        )
        drafter, signer = officer(browser, system, DRAFTER), officer(browser, system, SIGNER)
        citizen = open_page(browser, system, PHONE, scale=2)
        citizen.goto("/my")
        sign_in_by_real_name(citizen, system, person(CITIZEN))
        citizen.wait_for_url("**/my")
        face = licence_face()
        drafter.goto("/officer/drafts/new?type=food-business-licence")
        fill_face(drafter, {**face, "credit_code": "91990100C000000167"})
        drafter.get_by_label("办件编号").fill("SP-2026-0017")
        drafter.get_by_role("button", name="保存草稿，去预览").click()
        drafter.locator(".error-summary").wait_for()
        drafter.screenshot(path=IMAGES / "officer-draft-form.png", full_page=True, clip=top(1360))
        draft_licence(drafter, face, case=case_number("SP"))
        identifier = sign_off(signer, drafter.url)
        citizen.goto("/my")
        citizen.screenshot(path=IMAGES / "my-certificates-phone.png")
        citizen.goto(f"/my/ecerts/{identifier}")
        pdf = download(citizen)
        draw(pdf, IMAGES / "certificate.png")
        public = open_page(browser, system, DESK)
        answer(public, pdf, IMAGES / "verify-valid.png")
        change_state(
            signer,
            identifier,
            operation="吊销",
            reason="使用超过保质期的食品原料，情节严重",
            legal_basis=LAW,
        )
        answer(public, pdf, IMAGES / "verify-revoked.png")
        browser.close()


def open_page(browser: Browser, system: Configuration, size: dict[str, int], *, scale: float = 1) -> Page:
    context = browser.new_context(
        locale="zh-CN",
        base_url=system.public_url,
        viewport={"width": size["width"], "height": size["height"]},
        device_scale_factor=scale,
    )
    return context.new_page()


def officer(browser: Browser, system: Configuration, staff_id: str) -> Page:
    page = open_page(browser, system, {"width": 1080, "height": 1120})
    account = DemoAccounts(system).staff(staff_id)
    assert account is not None
    page.goto("/officer/")
    sign_in_officer(page, account)
    page.wait_for_url("**/officer/")
    return page


def answer(page: Page, pdf: bytes, image: Path) -> None:
    page.goto("/verify")
    page.get_by_label("选择电子证照文件").set_input_files(
        {"name": "ecert.pdf", "mimeType": "application/pdf", "buffer": pdf}
    )
    page.get_by_role("button", name="查验文件").click()
    page.locator(".answer").wait_for(timeout=60_000)
    page.screenshot(path=image, full_page=True)


def draw(pdf: bytes, image: Path) -> None:
    subprocess.run(
        [
            "pdftoppm",
            "-png",
            "-singlefile",
            "-scale-to-x",
            "1000",
            "-scale-to-y",
            "-1",
            "-",
            str(image.with_suffix("")),
        ],
        input=pdf,
        check=True,
        timeout=60,
    )


def top(height: int) -> dict[str, float]:
    return {"x": 0, "y": 0, "width": 1080, "height": height}


if __name__ == "__main__":
    main()
