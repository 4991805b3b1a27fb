"""Free texts hold no control characters, wherever they come in."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from registry_rooms import CITY_MARKET, DRAFTER, SIGNER, approval_system, food_order, sample_face

from cert_registry.checks import Check, CheckRecord, Checks
from cert_registry.composition import RegistryRooms
from cert_registry.errors import CheckIncomplete, DraftRefused, RequestMalformed
from cert_registry.free_text import has_control
from cert_registry.issuance import issue
from cert_registry.issuance_drafts import DraftContent
from cert_registry.lifecycle import Actor, StateChange, suspend
from cert_registry.types import EcertIdentifier

CONTROLS = ["\x00", "\x1b", "\x85", "\u202e", "\u200b", "\ufeff", "\ud800", "\u2028", "\t"]


def now() -> datetime:
    return datetime.now(UTC)


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"])))
def test_what_can_be_read_is_taken(text: str) -> None:
    assert not has_control(text)


@pytest.mark.parametrize("control", CONTROLS)
def test_what_cannot_be_read_is_found(control: str) -> None:
    assert has_control(f"甲{control}乙")
    assert has_control(f"甲{control}乙", lines=True)


def test_a_line_break_is_for_longer_texts() -> None:
    assert has_control("甲\n乙")
    assert not has_control("甲\n乙", lines=True)


@pytest.mark.parametrize("field", ["reason", "legal_basis", "case_number"])
def test_state_changes_refuse_them(rooms: RegistryRooms, field: str) -> None:
    issued = issue(food_order(rooms, "F-1"), room=rooms.issuing, now=now())
    change = StateChange(
        identifier=issued.identifier,
        reason="甲",
        legal_basis="乙",
        actor=Actor(actor_id=SIGNER, department_code=CITY_MARKET),
        case_number="丙",
    )
    with pytest.raises(RequestMalformed) as refused:
        suspend(replace(change, **{field: "甲\x1b乙"}), room=rooms.lifecycle, now=now())
    assert [name for name, _ in refused.value.findings] == [field]


def test_a_reason_of_several_lines_is_kept(rooms: RegistryRooms) -> None:
    issued = issue(food_order(rooms, "F-2"), room=rooms.issuing, now=now())
    change = StateChange(
        identifier=issued.identifier,
        reason="一、甲\r\n二、乙",
        legal_basis="丙",
        actor=Actor(actor_id=SIGNER, department_code=CITY_MARKET),
        case_number="丁",
    )
    assert suspend(change, room=rooms.lifecycle, now=now()).reason == "一、甲\n二、乙"


@pytest.mark.parametrize(
    "changes",
    [
        {"case_number": "甲\n乙"},
        {"service_item": "甲\x00乙"},
        {"authority": approval_system(decision="甲\x1b乙")},
    ],
)
def test_orders_refuse_them(rooms: RegistryRooms, changes: dict[str, object]) -> None:
    with pytest.raises(DraftRefused):
        rooms.issuing.drafts.check(
            replace(food_order(rooms, "F-3"), **changes),  # type: ignore[arg-type] # names fields of the order
            now=now(),
        )


def test_remarks_refuse_them(rooms: RegistryRooms) -> None:
    content = DraftContent(
        type_code=rooms.catalog.by_slug("food-business-licence").type_code,
        issuer_code=CITY_MARKET,
        case_number="F-4",
        service_item="SL-002",
        unverified_face=sample_face(),
    )
    desk = rooms.drafting
    draft = desk.create_draft(content, drafter_id=DRAFTER, now=now())
    with pytest.raises(RequestMalformed):
        desk.return_to_drafter(draft.draft_id, "甲\x1b乙", signer_id=SIGNER, expected_revision=1, now=now())
    returned = desk.return_to_drafter(
        draft.draft_id, "甲\r\n乙", signer_id=SIGNER, expected_revision=1, now=now()
    )
    assert returned.remark == "甲\n乙"


class NoBook:
    def add(self, check: Check, *, now: datetime) -> str:
        raise AssertionError(f"{check} at {now} is not to be kept")

    def about(self, identifier: EcertIdentifier, *, limit: int) -> tuple[CheckRecord, ...]:
        raise AssertionError(f"{limit} of {identifier}")


@pytest.mark.parametrize("field", ["officer", "purpose", "service_item", "case_number", "legal_basis"])
def test_checks_refuse_them(field: str) -> None:
    check = Check(
        identifier=None,
        department_code=CITY_MARKET,
        department_name="示例市市场监督管理局",
        client_id="dept-city-market",
        officer="甲",
        purpose="乙",
        service_item="丙",
        case_number="丁",
        legal_basis="戊",
        operation="verify-file",
    )
    with pytest.raises(CheckIncomplete):
        Checks(book=NoBook()).record_check(replace(check, **{field: "甲\n乙"}), now=now())
