"""What people do in the browser: sign in by real name, by password and phone, fill in a licence, sign it off."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
from playwright.sync_api import Page, expect

from cert_registry.civil_date import civil_date_at
from deploy.configuration import Configuration
from deploy.demo.accounts import DemoAccounts, StaffAccount, legal_person
from deploy.demo.seed import ENTERPRISE, PREMISES
from deploy.form_client import Citizen, read_sms

CITIZEN = "林晓雯"
DRAFTER, SIGNER = "li.wenjing", "gao.yuan"
LAND_DRAFTER = "tian.hui"


@dataclass(frozen=True, slots=True, kw_only=True)
class Licence:
    """A licence that was really issued, with its file as the holder got it."""

    identifier: str
    check_code: str
    file: Path


def sign_in_by_real_name(page: Page, system: Configuration, person: Citizen) -> None:
    """Goes from Keycloak's page through the real-name pages and back; a new account gets a password."""
    page.get_by_role("link", name="实名认证登录").click()
    page.get_by_label("姓名").fill(person.name)
    page.get_by_label("身份证号码").fill(person.number)
    page.get_by_label("手机号").fill(person.mobile)
    page.get_by_role("button", name="获取短信验证码").click()
    page.get_by_label("验证码", exact=True).fill(read_sms(system.public_url, person.mobile))
    page.get_by_role("button", name="提交核验").click()
    page.get_by_role("link", name="继续").click()
    if page.locator("#password-new").count():
        password = DemoAccounts(system).citizen_password()
        page.locator("#password-new").fill(password)
        page.locator("#password-confirm").fill(password)
        page.locator("[type=submit]").click()


def sign_in_officer(page: Page, account: StaffAccount) -> None:
    """Password and code at Keycloak; a code that was used already is followed by the next."""
    page.locator("#username").fill(account.staff_id)
    page.locator("#password").fill(account.password)
    page.locator("#kc-login").click()
    step = int(time.time()) // 30
    for candidate in (step, step + 1, step - 1):
        page.locator("#otp").fill(pyotp.TOTP(account.totp_secret).at(candidate * 30))
        page.locator("#kc-login").click()
        if page.locator("#otp").count() == 0:
            return
    page.wait_for_timeout((30 - time.time() % 30) * 1000)
    page.locator("#otp").fill(pyotp.TOTP(account.totp_secret).at((int(time.time()) // 30 + 1) * 30))
    page.locator("#kc-login").click()
    expect(page.locator("#otp")).to_have_count(0)


def licence_face() -> dict[str, str]:
    """What the drafter types for the licence of the story."""
    today = civil_date_at(datetime.now(UTC))
    return {
        "operator_name": ENTERPRISE,
        "credit_code": str(legal_person(ENTERPRISE)["code"]),
        "representative": CITIZEN,
        "address": PREMISES,
        "premises": PREMISES,
        "business_form": "餐饮服务经营者",
        "operation_items": "热食类食品制售；自制饮品制售",
        "effective_date": today.isoformat(),
        "expiry_date": (today + timedelta(days=5 * 365)).isoformat(),
    }


def fill_face(page: Page, face: Mapping[str, Any]) -> None:
    """Types a face into the officer's form."""
    for key, value in face.items():
        control = page.locator(f"#face-{key}")
        if control.evaluate("one => one.tagName") == "SELECT":
            control.select_option(value)
        else:
            control.fill(value)


def case_number(prefix: str) -> str:
    """A case number that no earlier run used."""
    return f"{prefix}-{datetime.now(UTC):%Y%m%d%H%M%S%f}"


def draft_licence(page: Page, face: Mapping[str, Any], *, case: str) -> None:
    """Fills in the officer's form and keeps the draft, which is then open."""
    page.goto("/officer/drafts/new?type=food-business-licence")
    fill_face(page, face)
    page.get_by_label("办件编号").fill(case)
    page.get_by_role("button", name="保存草稿，去预览").click()
    expect(page.locator("h1")).to_contain_text("等待签发")


def sign_off(page: Page, draft_url: str) -> str:
    """Signs the draft off; returns the identifier of what was issued."""
    page.goto(draft_url)
    page.get_by_role("button", name="同意签发").click()
    page.wait_for_url("**/officer/ecerts/*", timeout=90_000)
    return page.url.rsplit("/", 1)[1]


def change_state(page: Page, identifier: str, *, operation: str, reason: str, legal_basis: str) -> None:
    """Changes the state of an ecert on the officer's page."""
    page.goto(f"/officer/ecerts/{identifier}")
    page.get_by_role("radio", name=operation).check()
    page.get_by_label("原因").fill(reason)
    page.get_by_label("法律依据").fill(legal_basis)
    page.get_by_label("案件编号").fill(case_number("CF"))
    page.get_by_role("button", name="提交变更").click()
    expect(page.locator("h1 .state")).to_have_text(operation)


def download(page: Page) -> bytes:
    """Downloads the ecert whose page is open."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="下载电子证照（PDF）").click()
    return Path(waiting.value.path()).read_bytes()


def altered(pdf: bytes) -> bytes:
    """The file with one bit of its content changed."""
    place = pdf.index(b"endstream") - 8
    return pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]
