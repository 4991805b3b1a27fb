"""Registering with a mobile number (RN1), signing in with a text message (loa1), and what sites learn of it."""

import secrets
from collections.abc import Iterator

import pytest
from e2e_people import Accounts, Administration
from e2e_sign_in import SiteVisit, ask_for_own_sms, ask_for_sms, sign_in_by_sms

from deploy.configuration import Configuration
from deploy.form_client import Citizen, FormClient, give_code, prove_by_name, read_sms, sign_in_with_password

pytestmark = pytest.mark.servers


@pytest.fixture
def mobile(admin: Administration) -> Iterator[str]:
    """A number that nobody has an account with."""
    number = f"198{secrets.randbelow(10**8):08}"
    yield number
    if (user := admin.user(number)) is not None:
        admin.connection.delete("users", user["id"])


@pytest.fixture
def site(system: Configuration) -> str:
    return system.sites["site-a"].url


def test_a_mobile_number_registers_at_rn1_and_signs_in_at_loa1(
    *, system: Configuration, admin: Administration, browser: FormClient, mobile: str
) -> None:
    visit = SiteVisit(system, browser)
    visit.ask()
    ask_for_sms(browser, mobile)
    assert admin.user(mobile) is None  # asking for a code makes nothing
    wrong = "000000" if read_sms(system.public_url, mobile) != "000000" else "111111"
    assert "验证码不正确" in browser.fill({"code": wrong}).text
    assert admin.user(mobile) is None
    claims = visit.id_claims(visit.answer(code=read_sms(system.public_url, mobile)))
    assert claims["acr"] == "loa1"
    assert claims["realname_level"] == "RN1"
    assert "name" not in claims
    verification = claims["verified_claims"]["verification"]
    assert verification["assurance_level"] == "RN1"
    assert verification["time"] == claims["verified_at"]
    (evidence,) = verification["evidence"]
    assert evidence["record"] == {"type": "mobile_number"}
    assert claims["verified_claims"]["claims"] == {"phone_number_verified": True}
    assert mobile not in str(claims)

    again = SiteVisit(system, FormClient())
    again.ask()
    ask_for_sms(again.browser, mobile)
    second = again.id_claims(again.answer(code=read_sms(system.public_url, mobile)))
    assert second["sub"] == claims["sub"]
    assert len(admin.connection.get("users", username=mobile)) == 1


def test_a_code_works_once_and_for_its_own_sign_in(
    *, system: Configuration, site: str, browser: FormClient, mobile: str
) -> None:
    browser.open(f"{site}/sign-in")
    ask_for_sms(browser, mobile)
    code = read_sms(system.public_url, mobile)
    other = FormClient()
    other.open(f"{site}/sign-in")
    ask_for_sms(other, mobile)
    stolen = other.fill({"code": code})  # of the first browser; the second was sent another one
    if read_sms(system.public_url, mobile) != code:
        assert "验证码不正确" in stolen.text
    assert browser.fill({"code": code}).by_id["acr"] == "loa1"


def test_somebody_proved_by_name_signs_in_by_text_message_and_keeps_the_proof(
    *, system: Configuration, accounts: Accounts, admin: Administration, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    before = admin.user(account.citizen.mobile)["attributes"]
    visit = SiteVisit(system, browser)
    visit.ask()
    ask_for_sms(browser, account.citizen.mobile)
    code = read_sms(system.public_url, account.citizen.mobile)
    claims = visit.id_claims(visit.answer(code=code))
    assert claims["acr"] == "loa1"
    assert claims["realname_level"] == before["realname_level"][0]
    assert claims["verified_at"] == before["realname_verified_at"][0]
    # One scale moved and the other did not: a second factor raises the strength, and proves nothing new.
    assert visit.ask(acr_values="loa2") is None
    assert browser.page.has_field("otp")
    raised = visit.id_claims(visit.answer(otp=account.phone.code()))
    assert raised["acr"] == "loa2"
    assert raised["verified_at"] == claims["verified_at"]
    assert raised["verified_claims"] == claims["verified_claims"]
    assert raised["auth_time"] >= claims["auth_time"]
    # A long session says how strong its sign-in was and when, and not that it was made anew.
    kept = visit.ask()
    assert kept is not None
    later = visit.id_claims(kept)
    assert later["acr"] == "loa2"
    assert later["auth_time"] == raised["auth_time"]


def test_signing_in_again_on_demand_is_a_new_time_and_the_same_person(
    *, system: Configuration, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    visit = SiteVisit(system, browser)
    visit.ask()
    ask_for_sms(browser, account.citizen.mobile)
    first = visit.id_claims(visit.answer(code=read_sms(system.public_url, account.citizen.mobile)))
    assert visit.ask(prompt="login") is None
    assert browser.page.has_field("password")
    assert not browser.page.has_field("username")  # who it is stands fast
    ask_for_own_sms(browser)
    again = visit.id_claims(visit.answer(code=read_sms(system.public_url, account.citizen.mobile)))
    assert again["sub"] == first["sub"]
    assert again["acr"] == "loa1"
    assert again["verified_at"] == first["verified_at"]
    assert again["auth_time"] >= first["auth_time"]


def test_a_number_that_registered_is_proved_by_name_later_and_stays_one_account(
    *,
    system: Configuration,
    site: str,
    admin: Administration,
    people: dict[str, Citizen],
    browser: FormClient,
) -> None:
    citizen = people["王𠮷"]
    if (known := admin.user(citizen.mobile)) is not None:
        admin.connection.delete("users", known["id"])
    browser.open(f"{site}/sign-in")
    page = sign_in_by_sms(browser, system, citizen.mobile)
    subject = page.by_id["subject"]
    assert page.by_id["realname-level"] == "RN1"
    browser.open(f"{site}/sign-in?action=link")
    browser.press("继续")
    prove_by_name(browser, system.public_url, citizen)
    page = browser.follow("继续")
    assert page.by_id["realname-level"] == "RN2"
    assert page.by_id["subject"] == subject
    # The link goes, the proof of the person goes with it; the number was proved by itself and still opens the account.
    user = admin.user(citizen.mobile)
    admin.connection.delete("users", user["id"], "federated-identity", "realname")
    other = FormClient()
    other.open(f"{site}/sign-in")
    page = sign_in_by_sms(other, system, citizen.mobile)
    assert page.by_id["realname-level"] == "RN1"
    assert page.by_id["subject"] == subject
    admin.connection.delete("users", user["id"])


def test_an_account_whose_number_nobody_proved_is_not_opened_by_its_number(
    *, system: Configuration, site: str, admin: Administration, browser: FormClient, mobile: str
) -> None:
    password = f"invented-{secrets.token_hex(8)}"
    credential = {"type": "password", "value": password, "temporary": False}
    admin.connection.post("users", body={"username": mobile, "enabled": True, "credentials": [credential]})
    browser.open(f"{site}/sign-in")
    page = sign_in_by_sms(browser, system, mobile)
    assert "请用密码登录" in page.text
    browser.open(f"{site}/sign-in")
    assert sign_in_with_password(browser, mobile, password).by_id["realname-level"] == "RN0"


def test_a_closed_account_is_not_opened(
    *, system: Configuration, site: str, admin: Administration, browser: FormClient, mobile: str
) -> None:
    browser.open(f"{site}/sign-in")
    sign_in_by_sms(browser, system, mobile)
    user = admin.user(mobile)
    admin.connection.put("users", user["id"], body=user | {"enabled": False})
    other = FormClient()
    other.open(f"{site}/sign-in")
    assert "账号已停用" in sign_in_by_sms(other, system, mobile).text
    assert "acr" not in other.open(f"{site}/").by_id


def test_a_text_message_then_a_code_reaches_loa3_with_a_fresh_check(
    *, system: Configuration, site: str, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    browser.open(f"{site}/sign-in?level=loa3")
    sign_in_by_sms(browser, system, account.citizen.mobile)
    give_code(browser, account.phone)
    prove_by_name(browser, system.public_url, account.citizen)
    assert browser.follow("继续").by_id["acr"] == "loa3"


def test_coming_back_from_the_fresh_check_as_somebody_else_is_refused_after_a_text_message_too(
    *, system: Configuration, site: str, accounts: Accounts, browser: FormClient
) -> None:
    begun_by, returned_as = accounts.of("林晓雯"), accounts.of("周大伟")
    browser.open(f"{site}/sign-in?level=loa3")
    sign_in_by_sms(browser, system, begun_by.citizen.mobile)
    give_code(browser, begun_by.phone)
    prove_by_name(browser, system.public_url, returned_as.citizen)
    page = browser.follow("继续")
    assert page.status == 400
    assert "acr" not in browser.open(f"{site}/").by_id
