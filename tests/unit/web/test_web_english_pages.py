"""Pages in English: whatever is not data is English, and whatever is Chinese is marked so (WCAG 2.2, 3.1.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask
from flask_wtf.csrf import CSRFProtect
from page_rooms import CHECKOUT, Desk
from realname_world import LIN, make_world
from registry_rooms import CITY_MARKET, DRAFTER, SIGNER, food_order, sample_face
from rooms import CODE, ECERT, IDENTIFIER, NOW, VALID, make_room

from cert_registry.issuance import issue
from cert_registry.issuance_drafts import DraftContent
from cert_registry.types import IssuedEcert
from idp.web.language import install_language
from verify_api.outcome import conclude
from verify_api.throttle import AddressThrottle
from verify_api.types import Outcome, RegisteredState, RegistryPart, SealPart
from verify_api.validation.sentences import PASSED, for_problem, remembered
from verify_api.validation.verdicts import SubIndication
from verify_api.web.public import LOOKS, create_public_pages

pytestmark = pytest.mark.thorough

CJK = re.compile("[\u2e80-\u9fff\u3000-\u303f\uff00-\uffef]")
TOLD = ("aria-label", "title", "alt", "placeholder", "data-label")
VOID = {"input", "meta", "link", "img", "br", "hr"}


class Leftover(HTMLParser):
    """Collects Chinese outside elements that are marked as Chinese; what people typed is not looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        chinese = (given.get("lang") or "").startswith("zh") or (bool(self.open) and self.open[-1][1])
        chinese = chinese and given.get("lang") != "en"
        if not chinese:
            self.found += [
                f"{tag} {name}={given[name]}" for name in TOLD if CJK.search(given.get(name) or "")
            ]
        if tag not in VOID:
            self.open.append((tag, chinese or tag == "textarea"))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if CJK.search(data) and not (self.open and self.open[-1][1]):
            self.found.append(data.strip())


def leftover(page: str) -> list[str]:
    assert '<html lang="en">' in page
    reader = Leftover()
    reader.feed(page)
    return reader.found


def test_the_reader_finds_chinese_that_is_not_marked() -> None:
    page = '<html lang="en"><p>有效 <span lang="zh-CN">甘肃</span></p><i title="证">x</i><br>末</html>'
    assert leftover(page) == ["有效", "i title=证", "末"]


@pytest.fixture(scope="module")
def issued(desk: Desk) -> IssuedEcert:
    rooms = desk.rooms
    return issue(food_order(rooms, "EN-1"), room=rooms.issuing, now=datetime.now(UTC))


@pytest.fixture
def english(desk: Desk) -> Iterator[Desk]:
    desk.browser.set_cookie("lz_language", "en")
    yield desk
    desk.browser.delete_cookie("lz_language")


def test_officers_pages(english: Desk, issued: IssuedEcert) -> None:
    content = DraftContent(
        type_code=english.rooms.catalog.by_slug("food-business-licence").type_code,
        issuer_code=CITY_MARKET,
        case_number="EN-2",
        service_item="SL-002",
        unverified_face=sample_face(),
    )
    waiting = english.rooms.drafting.create_draft(content, drafter_id=DRAFTER, now=datetime.now(UTC))
    english.sit(SIGNER)
    found = english.post("/officer/ecerts/search", text=issued.identifier).location
    pages = [
        english.get(path)
        for path in (
            "/officer/",
            "/officer/drafts",
            "/officer/drafts?whose=sign&stage=issued",
            f"/officer/drafts/{waiting.draft_id}",
            "/officer/ecerts",
            "/officer/ecerts?state=07",
            found,
            f"/officer/ecerts/{issued.identifier}",
            "/officer/checks",
        )
    ]
    english.sit(DRAFTER)
    types = [one.slug for one in english.rooms.catalog.types()]
    for slug in types:
        answer = english.browser.get(f"/officer/drafts/new?type={slug}")
        assert answer.status_code in {200, 403}
        pages.append(answer.text)
    pages += [
        english.get(f"/officer/drafts/{waiting.draft_id}/revise"),
        english.post("/officer/drafts", type="food-business-licence").text,
        english.post(f"/officer/drafts/{waiting.draft_id}/revise", revision="1", case_number="甲").text,
        english.post(f"/officer/drafts/{waiting.draft_id}/sign-off", revision="1").text,
        english.browser.get("/officer/drafts/0").text,
        english.post("/officer/ecerts/export").text,
    ]
    english.sit(SIGNER)
    pages += [
        english.post(f"/officer/ecerts/{issued.identifier}/state").text,
        english.post(f"/officer/ecerts/{issued.identifier}/state", operation="suspend").text,
        english.post(f"/officer/ecerts/{issued.identifier}/show").text,
    ]
    english.sit("nobody")
    pages.append(english.browser.get("/officer/").text)
    assert [leftover(page) for page in pages] == [[] for _ in pages]
    heading = english.browser.get("/officer/ecerts?format=csv")
    assert heading.status_code == 403


def test_exports_have_english_headings(english: Desk) -> None:
    english.sit(SIGNER)
    assert english.csv("/officer/ecerts?format=csv")[0][:3] == [
        "Certificate",
        "Certificate number",
        "Certificate identifier",
    ]


def test_citizens_pages(english: Desk, issued: IssuedEcert) -> None:
    holder = english.rooms.registry.find(issued.identifier).holder_references[0]
    english.come(holder)
    pages = [english.browser.get("/").text, english.browser.get("/nowhere").text]
    paths = ("/my", "/my/checks", f"/my/ecerts/{issued.identifier}", "/my/ecerts/unknown")
    pages += [english.browser.get(path).text for path in paths]
    pages.append(english.post(f"/my/ecerts/{issued.identifier}/show").text)
    assert [leftover(page) for page in pages] == [[] for _ in pages]


def test_the_public_verify_page() -> None:
    app = Flask("test", template_folder=str(CHECKOUT / "templates"))
    app.config.update(SECRET_KEY=b"test", WTF_CSRF_CHECK_DEFAULT=False)
    install_language(app)
    CSRFProtect().init_app(app)
    app.register_blueprint(
        create_public_pages(make_room(), AddressThrottle(), clock=lambda: datetime.now(UTC))
    )
    browser = app.test_client()
    browser.set_cookie("lz_language", "en")
    pages = [browser.get("/verify").text]
    forms = (
        {"identifier": IDENTIFIER, "check_code": CODE},
        {"identifier": IDENTIFIER, "check_code": "2222222222222222"},
        {"identifier": IDENTIFIER},
        {},
    )
    pages += [browser.post("/verify", data=form).text for form in forms]
    assert [leftover(page) for page in pages] == [[] for _ in pages]
    assert "is registered as valid." in pages[1]


STATES = [
    replace(VALID, outcome=outcome, state=word, reason="逾期", legal_basis="某法", since=NOW)
    for outcome, word in (
        (Outcome.SUSPENDED, "暂扣"),
        (Outcome.REVOKED, "吊销"),
        (Outcome.REVOKED, "撤销"),
        (Outcome.EXPIRED, "失效"),
        (Outcome.NOT_YET_VALID, "尚未生效"),
    )
]


@pytest.mark.parametrize("state", STATES, ids=lambda one: one.state)
def test_every_state_is_told_in_english(state: RegisteredState) -> None:
    part = RegistryPart(found=True, sentence="", at=NOW.date(), ecert=replace(ECERT, state=state))
    outcome, sentence = conclude(SealPart(verdict="TOTAL-PASSED", basis="document", reason=PASSED), part, ())
    assert unmarked(sentence) == []
    assert unmarked(state.state) == []
    look = LOOKS[outcome]
    assert unmarked(look.word, look.next_step) == []


@pytest.mark.parametrize("problem", SubIndication)
def test_every_verdict_is_told_in_english(problem: SubIndication) -> None:
    for verdict in (
        "TOTAL-FAILED",
        "INDETERMINATE",
        "NO-SIGNATURE",
        "NOT-A-PDF",
        "TOTAL-PASSED",
        "NOT-CHECKED",
    ):
        reason = remembered("".join(for_problem(problem, "签名字典残缺")))
        seal = SealPart(verdict=verdict, basis="document", reason=reason)
        for ecert in (None, ECERT):
            part = RegistryPart(found=ecert is not None, sentence="", at=NOW.date(), ecert=ecert)
            outcome, sentence = conclude(seal, part, ())
            look = LOOKS[outcome]
            assert unmarked(sentence, seal.reason, look.word, look.next_step) == []


def unmarked(*sentences: str) -> list[str]:
    app = Flask("test")
    install_language(app)
    with app.test_request_context(headers={"Accept-Language": "en"}):
        told = "".join(str(app.jinja_env.filters["said"](one)) for one in sentences)
    return leftover(f'<html lang="en"><p>{told}</p></html>')


def test_pages_of_the_proof(tmp_path: Path) -> None:
    world = make_world(tmp_path, limits={"sms_cool_down_s": 0})
    browser = world.browser()
    browser.set_cookie("lz_language", "en")
    pages = [browser.get("/idp/proof").text]  # no visit yet
    world.authorize(browser)
    pages.append(browser.get("/idp/proof").text)
    pages.append(world.fill(browser, name="", number="1", mobile="2").text)
    world.fill(browser, **LIN)
    pages.append(browser.get("/idp/proof/code").text)
    pages.append(world.enter(browser, "000000").text)
    world.enter(browser, world.last_code())
    pages.append(browser.get("/idp/proof/outcome").text)
    pages.append(browser.get("/idp/operator/sms", headers={"Accept": "text/html"}).text)
    assert [leftover(page) for page in pages] == [[] for _ in pages]
    world.provider._engine.dispose()
