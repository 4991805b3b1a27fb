"""The officers' tables as officers use them: find, filter, sort, turn pages, export; and what stays out of addresses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import pytest
from page_rooms import Desk, counted, link, rows_of
from registry_rooms import CITY_MARKET, DRAFTER, SIGNER, food_order, sample_face

from cert_registry.checks import Check
from cert_registry.issuance import issue
from cert_registry.issuance_drafts import DraftContent
from cert_registry.types import EcertIdentifier, IssuedEcert, StaffId

NOBODY = StaffId("nobody")


def make(desk: Desk, case: str) -> IssuedEcert:
    rooms = desk.rooms
    return issue(food_order(rooms, case), room=rooms.issuing, now=datetime.now(UTC))


def draft(desk: Desk, case: str) -> str:
    rooms = desk.rooms
    content = DraftContent(
        type_code=rooms.catalog.by_slug("food-business-licence").type_code,
        issuer_code=CITY_MARKET,
        case_number=case,
        service_item="SL-002",
        unverified_face=sample_face(),
    )
    return rooms.drafting.create_draft(content, drafter_id=DRAFTER, now=datetime.now(UTC)).draft_id


@pytest.fixture(scope="module")
def issued(desk: Desk) -> list[IssuedEcert]:
    return [make(desk, f"L-{number}") for number in range(3)]


def test_what_is_searched_never_stands_in_an_address(desk: Desk, issued: list[IssuedEcert]) -> None:
    desk.sit(SIGNER)
    face = desk.rooms.registry.face_of(issued[0].identifier)
    for text in (str(face["operator_name"]), str(face["credit_code"]), str(face["licence_number"])):
        answer = desk.post("/officer/ecerts/search", text=text, state="01", sort="issued_on")
        assert answer.status_code == 303
        address = unquote(answer.location)
        assert text not in address
        assert re.fullmatch(r"/officer/ecerts\?state=01&sort=issued_on&found=[0-9a-f]{32}", address)
        shown = desk.get(address)
        assert f'name="text" value="{text}"' in shown
        assert issued[0].identifier in shown
        for one in re.findall(r'href="([^"]*)"', shown):
            assert text not in unquote(one)
    number = str(face["licence_number"])
    shown = desk.get(desk.post("/officer/ecerts/search", text=number).location)
    assert counted(shown) == 1
    assert counted(desk.get(desk.post("/officer/ecerts/search", text="不存在的公司").location)) == 0


def test_a_search_is_its_officers_own_and_empties_when_it_is_not(
    desk: Desk, issued: list[IssuedEcert]
) -> None:
    desk.sit(SIGNER)
    number = str(desk.rooms.registry.face_of(issued[0].identifier)["licence_number"])
    mine = desk.post("/officer/ecerts/search", text=number).location
    desk.sit(DRAFTER)
    shown = desk.get(mine)
    assert "这次检索已经过期" in shown
    assert number not in re.sub(r"<tbody>.*</tbody>", "", shown, flags=re.DOTALL)
    assert desk.post("/officer/ecerts/search", text="  ").location == "/officer/ecerts"
    posing = desk.post("/officer/ecerts/search", text='\0form\0["/officer/drafts", []]').location
    assert desk.browser.get(f"/officer/continue/{posing[-32:]}").location == "/officer/"


def test_filters_and_order_stand_in_the_address_and_headings_tell_them(
    desk: Desk, issued: list[IssuedEcert]
) -> None:
    desk.sit(SIGNER)
    shown = desk.get("/officer/ecerts")
    assert (
        '<th scope="col" aria-sort="descending"><a href="/officer/ecerts?sort=recorded_at">登记时间' in shown
    )
    rising = desk.get("/officer/ecerts?sort=recorded_at&state=01")
    assert 'aria-sort="ascending"' in rising
    order = [shown.index(f'<span class="code small">{one.identifier}') for one in issued]
    assert order == sorted(order, reverse=True)
    assert counted(desk.get("/officer/ecerts?state=07")) == 0
    assert "没有符合条件的证照" in desk.get("/officer/ecerts?state=07")
    assert counted(desk.get("/officer/ecerts?state=nonsense&type=x&after=%21")) == counted(shown)


def test_the_export_shows_what_the_page_shows(desk: Desk, issued: list[IssuedEcert]) -> None:
    desk.sit(SIGNER)
    heading, *rows = desk.csv("/officer/ecerts?format=csv&sort=recorded_at")
    assert heading[:4] == ["证照", "证号", "证照标识", "持证主体"]
    identifiers = [row[2] for row in rows]
    assert [one.identifier for one in issued] == [
        one for one in identifiers if one in {each.identifier for each in issued}
    ]
    assert desk.csv("/officer/ecerts?format=csv&state=07") == [heading]
    before = desk.rooms.checks.checks_of(issued[0].identifier)
    assert [one.check.operation for one in before].count("export") == 0


def test_an_export_in_full_needs_its_grounds_and_every_holder_sees_it(
    desk: Desk, issued: list[IssuedEcert]
) -> None:
    desk.sit(SIGNER)
    refused = desk.post("/officer/ecerts/export", purpose="核对清单", case_number=" ")
    assert refused.status_code == 422
    assert 'value="核对清单"' in refused.text
    assert 'id="case_number-error"' in refused.text
    bad = desk.post("/officer/ecerts/export", purpose="核对\x07清单", case_number="H-1")
    assert bad.status_code == 422
    assert not [
        one for one in desk.rooms.checks.checks_of(issued[0].identifier) if one.check.operation == "export"
    ]
    heading, *rows = rows_of(desk.post("/officer/ecerts/export", purpose="核对清单", case_number="H-1"))
    numbers = heading.index("持证主体证件号码")
    face = desk.rooms.registry.face_of(issued[0].identifier)
    assert str(face["credit_code"]) in {row[numbers].strip() for row in rows}
    for row in rows:
        record = desk.rooms.checks.checks_of(EcertIdentifier(row[2]))[0].check
        assert (record.operation, record.purpose, record.case_number) == ("export", "核对清单", "H-1")
        assert record.officer


def test_an_export_of_a_search_that_has_ended_exports_nothing(desk: Desk, issued: list[IssuedEcert]) -> None:
    desk.sit(SIGNER)
    number = str(desk.rooms.registry.face_of(issued[0].identifier)["licence_number"])
    found = desk.post("/officer/ecerts/search", text=number).location[-32:]
    desk.sit(DRAFTER)  # whose it is not, as after its eight hours
    before = len(desk.rooms.checks.checks_of(issued[1].identifier))
    answers = (
        desk.post("/officer/ecerts/export", found=found, purpose="核对清单", case_number="H-2"),
        desk.browser.get(f"/officer/ecerts?format=csv&found={found}"),
        desk.browser.get(f"/officer/drafts?format=csv&found={found}"),
    )
    for answer in answers:
        assert answer.status_code == 422
        assert answer.mimetype == "text/html"
        assert "这次检索已经过期" in answer.text
    assert len(desk.rooms.checks.checks_of(issued[1].identifier)) == before


def test_other_departments_see_none_of_it(desk: Desk, issued: list[IssuedEcert]) -> None:
    chart = desk.rooms.charts.chart()
    other = next(one for one in chart.appointments if one.department != CITY_MARKET)
    desk.sit(other.staff_id)
    shown = desk.get("/officer/ecerts")
    assert not any(one.identifier in shown for one in issued)
    assert not any(one.identifier in row for one in issued for row in desk.csv("/officer/ecerts?format=csv"))
    number = str(desk.rooms.registry.face_of(issued[0].identifier)["licence_number"])
    assert counted(desk.get(desk.post("/officer/ecerts/search", text=number).location)) == 0
    desk.sit(NOBODY)
    assert desk.browser.get("/officer/ecerts?format=csv").status_code == 403
    desk.officer.content = None
    for path in ("/officer/ecerts", "/officer/drafts", "/officer/checks"):
        assert desk.browser.get(f"{path}?format=csv").status_code == 302


def test_every_waiting_draft_is_met_however_many_there_are(desk: Desk) -> None:
    made = {draft(desk, f"MANY-{number:02}") for number in range(28)}
    desk.sit(SIGNER)
    home = desk.get("/officer/")
    assert "等您签发" in home
    address = link(home, "查看全部")
    met: set[str] = set()
    for _ in range(9):
        shown = desk.get(address)
        page = set(re.findall(r'href="/officer/drafts/([0-9a-f]{32})"', shown))
        assert not page & met
        met |= page
        if 'rel="next"' not in shown:
            break
        address = link(shown, "下一页")
    assert made <= met
    found = desk.get(desk.post("/officer/drafts/search", text="MANY-0", whose="sign").location)
    assert counted(found) == 10
    assert len(desk.csv("/officer/drafts?format=csv&whose=sign")) >= 29
    desk.sit(DRAFTER)
    assert counted(desk.get("/officer/drafts?whose=sign")) == 0
    assert counted(desk.get("/officer/drafts?whose=mine&stage=drafted")) >= 28


def test_a_department_sees_what_it_asked_and_nobody_elses(desk: Desk, issued: list[IssuedEcert]) -> None:
    def ask(code: str, case: str) -> None:
        check = Check(
            identifier=issued[0].identifier,
            department_code=code,  # type: ignore[arg-type] # a code as the chart has it
            department_name="单位",
            client_id="dept-x",
            officer="",
            purpose="=1+1",
            service_item="S",
            case_number=case,
            legal_basis="",
            operation="verify",
            answer="valid; TOTAL-PASSED; differs",
        )
        desk.rooms.checks.record_check(check, now=datetime.now(UTC))

    for number in range(30):
        ask(CITY_MARKET, f"ASK-{number}")
    ask("11990100000000233R", "ASK-OTHER")
    desk.sit(SIGNER)
    shown = desk.get("/officer/checks?operation=verify")
    assert counted(shown) == 30
    assert "登记有效、印章有效、比对有不一致" in shown
    second = desk.get(link(shown, "下一页"))
    assert len(re.findall(r"ASK-\d+", second)) == 5
    heading, *rows = desk.csv("/officer/checks?format=csv&operation=verify")
    assert len(rows) == 30
    assert {row[heading.index("为什么")] for row in rows} == {"'=1+1"}
    assert "ASK-OTHER" not in str(rows)
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    assert counted(desk.get(f"/officer/checks?since={tomorrow}")) == 0


def test_a_form_survives_a_session_that_ran_out_and_is_its_officers_own(desk: Desk) -> None:
    desk.officer.content, desk.officer.before = None, {"staff_id": DRAFTER}
    typed = {
        "type": "food-business-licence",
        "case_number": "KEPT-1",
        "face-operation_items": "\n热食\n冷食<",
    }
    answer = desk.post("/officer/drafts", csrf_token="old", **typed)
    address = answer.text.split()[-1]
    assert re.fullmatch(r"/officer/continue/[0-9a-f]{32}", address)
    desk.officer.before = None
    assert desk.post("/officer/drafts", **typed).text.split()[-1] == "None"
    desk.sit(SIGNER)
    assert desk.browser.get(address).status_code == 303
    desk.sit(DRAFTER)
    shown = desk.get(address)
    assert 'action="/officer/drafts"' in shown
    fields = dict(re.findall(r'<textarea hidden name="([^"]*)">(.*?)</textarea>', shown, re.DOTALL))
    assert set(fields) == set(typed)
    assert fields["case_number"] == "KEPT-1"
    assert fields["face-operation_items"] == "\n\n热食\n冷食&lt;"  # HTML drops the first line break
    refused = desk.post("/officer/drafts", **typed)
    assert refused.status_code == 422
    assert 'value="KEPT-1"' in refused.text
