"""Replacing: only the issuer's own, the same holders', the valid one; and never over a decision that came first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from breaking_ports import PowerCut, broken
from registry_rooms import CITY_MARKET, DRAFTER, SIGNER, approval_system, food_order, open_rooms, sample_face
from sqlalchemy import select, update

from cert_registry.composition import RegistryRooms
from cert_registry.errors import NotAuthorised, ReplacementRefused, TransitionRefused, UnknownEcert
from cert_registry.issuance import IssuingRoom, issue
from cert_registry.issuance_drafts import DraftContent
from cert_registry.lifecycle import Actor, StateChange, change_state
from cert_registry.organisations.tables import ORG_ISSUING_RIGHTS, ORG_REVISIONS
from cert_registry.store.tables import ECERTS, INTENTS, NOTICES
from cert_registry.types import (
    DepartmentCode,
    EcertIdentifier,
    EcertState,
    IssueOrder,
    StaffId,
    StateOperation,
    TwoPersons,
)

pytestmark = pytest.mark.thorough

CITY = DepartmentCode("11990100000000027A")
COUNTY_MARKET = DepartmentCode("1199012100000030XT")
COUNTY_OFFICERS = TwoPersons(drafter_id=StaffId("he.ping"), signer_id=StaffId("song.an"))
OTHER_HOLDER = {"credit_code": "91990100C000000241", "operator_name": "示例市面馆"}


def now() -> datetime:
    return datetime.now(UTC)


def change(rooms: RegistryRooms, identifier: EcertIdentifier, operation: StateOperation) -> None:
    change_state(
        operation,
        StateChange(
            identifier=identifier,
            reason="经营场所检查不合格",
            legal_basis="《中华人民共和国食品安全法》第一百二十三条",
            actor=Actor(actor_id=SIGNER, department_code=CITY_MARKET),
            case_number="处罚-1",
        ),
        room=rooms.lifecycle,
        now=now(),
    )


def title(rooms: RegistryRooms, identifier: EcertIdentifier) -> str:
    return rooms.registry.state_at(identifier, now()).state.title


def intents_of(rooms: RegistryRooms, case_number: str) -> list[Any]:
    with rooms.database.reading() as connection:
        return list(connection.execute(select(INTENTS).where(INTENTS.c.case_number == case_number)).all())


def test_nobody_voids_another_issuer_s_certificate_by_replacing_it(rooms: RegistryRooms) -> None:
    county = food_order(rooms, "RP-1", issuer_code=COUNTY_MARKET, authority=COUNTY_OFFICERS)
    victim = issue(county, room=rooms.issuing, now=now())
    orders = (
        food_order(rooms, "RP-1-a", authority=approval_system(), replaces=victim.identifier),
        food_order(rooms, "RP-1-b", replaces=victim.identifier),
    )
    for order in orders:
        with pytest.raises(NotAuthorised):
            issue(order, room=rooms.issuing, now=now())
        assert intents_of(rooms, order.case_number) == []
    assert title(rooms, victim.identifier) == "有效"


def test_another_type_and_what_is_not_there_are_refused_alike(rooms: RegistryRooms) -> None:
    food = issue(food_order(rooms, "RP-2"), room=rooms.issuing, now=now())
    business = food_order(
        rooms,
        "RP-2-a",
        type_code=rooms.catalog.by_slug("business-licence").type_code,
        unverified_face=sample_face("business-licence"),
        replaces=food.identifier,
    )
    unknown = food_order(rooms, "RP-2-b", replaces=EcertIdentifier("1.2.156.3005.2.x"))
    sentences = set()
    for order in (business, unknown):
        with pytest.raises(NotAuthorised) as refused:
            issue(order, room=rooms.issuing, now=now())
        sentences.add(refused.value.sentence)
    assert len(sentences) == 1
    assert title(rooms, food.identifier) == "有效"


def test_other_holders_cannot_take_a_certificate_over(rooms: RegistryRooms) -> None:
    old = issue(food_order(rooms, "RP-3"), room=rooms.issuing, now=now())
    order = food_order(rooms, "RP-3-a", unverified_face=sample_face() | OTHER_HOLDER, replaces=old.identifier)
    with pytest.raises(TransitionRefused):
        issue(order, room=rooms.issuing, now=now())
    assert title(rooms, old.identifier) == "有效"
    issue(food_order(rooms, "RP-3-b", replaces=old.identifier), room=rooms.issuing, now=now())


@pytest.mark.parametrize("operation", [StateOperation.SUSPEND, StateOperation.PENAL_REVOKE])
def test_only_a_valid_certificate_is_replaced(rooms: RegistryRooms, operation: StateOperation) -> None:
    case = f"RP-4-{operation.value}"
    old = issue(food_order(rooms, case), room=rooms.issuing, now=now())
    change(rooms, old.identifier, operation)
    with pytest.raises(TransitionRefused):
        issue(food_order(rooms, f"{case}-a", replaces=old.identifier), room=rooms.issuing, now=now())
    assert intents_of(rooms, f"{case}-a") == []


def test_a_pending_certificate_is_not_replaced(rooms: RegistryRooms) -> None:
    room = broken(rooms.issuing, "registration", "register", 1, after=True)
    with pytest.raises(PowerCut):
        issue(food_order(rooms, "RP-5"), room=room, now=now())
    (intent,) = intents_of(rooms, "RP-5")
    with pytest.raises(NotAuthorised):
        issue(food_order(rooms, "RP-5-a", replaces=intent.identifier), room=rooms.issuing, now=now())
    rooms.recover()


def test_the_closing_event_names_actor_department_reason_and_legal_basis(rooms: RegistryRooms) -> None:
    old = issue(food_order(rooms, "RP-6"), room=rooms.issuing, now=now())
    by_system = food_order(rooms, "RP-6-a", authority=approval_system(), replaces=old.identifier)
    new = issue(by_system, room=rooms.issuing, now=now())
    event = rooms.registry.history_of(old.identifier)[-1]
    assert (event.operation, event.actor_id) == (StateOperation.REPLACE, "dept-city-market")
    assert (event.actor_department, event.case_number) == (CITY_MARKET, "RP-6-a")
    assert event.reason.startswith("换发")
    assert event.legal_basis == "《食品经营许可和备案管理办法》"
    again = issue(by_system, room=rooms.issuing, now=now())
    assert again == replace(new, already_issued=True)
    with rooms.database.reading() as connection:
        notices = select(NOTICES.c.kind).where(NOTICES.c.identifier == old.identifier)
        assert set(connection.scalars(notices).all()) == {"issued", "replace"}
    third = issue(food_order(rooms, "RP-6-b", replaces=new.identifier), room=rooms.issuing, now=now())
    assert third.identifier.split(".")[-2] == "003"
    assert rooms.registry.history_of(new.identifier)[-1].actor_id == SIGNER


def test_a_superior_s_signer_is_recorded_with_their_own_department(
    ceremony_state: Path, tmp_path: Path
) -> None:
    rooms = open_rooms(ceremony_state, tmp_path)
    with rooms.database.writing() as connection:
        connection.execute(
            update(ORG_ISSUING_RIGHTS)
            .where(ORG_ISSUING_RIGHTS.c.department == CITY_MARKET)
            .values(within=CITY)
        )
        connection.execute(update(ORG_REVISIONS).values(revision=ORG_REVISIONS.c.revision + 1))
    county = food_order(rooms, "RP-7", issuer_code=COUNTY_MARKET, authority=COUNTY_OFFICERS)
    old = issue(county, room=rooms.issuing, now=now())
    by_city = food_order(rooms, "RP-7-a", issuer_code=COUNTY_MARKET, replaces=old.identifier)
    issue(by_city, room=rooms.issuing, now=now())
    event = rooms.registry.history_of(old.identifier)[-1]
    assert (event.actor_id, event.actor_department) == (SIGNER, CITY_MARKET)
    rooms.database.dispose()


def meanwhile(room: IssuingRoom, port: str, method: str, act: Callable[[], None]) -> IssuingRoom:
    """The room, with `act` done once just before the call."""

    def once() -> None:
        act()

    return broken(room, port, method, 1, after=False, blow=once)


@pytest.mark.parametrize(
    ("port", "method"),
    [("registration", "register"), ("log", "sequence"), ("registration", "make_effective")],
)
@pytest.mark.parametrize("operation", [StateOperation.PENAL_REVOKE, StateOperation.SUSPEND])
def test_a_decision_that_came_first_stands_and_the_successor_never_becomes_valid(
    rooms: RegistryRooms, port: str, method: str, operation: StateOperation
) -> None:
    case = f"RP-8-{method}-{operation.value}"
    old = issue(food_order(rooms, case), room=rooms.issuing, now=now())
    order = food_order(rooms, f"{case}-a", replaces=old.identifier)
    room = meanwhile(rooms.issuing, port, method, lambda: change(rooms, old.identifier, operation))
    with pytest.raises(ReplacementRefused):
        issue(order, room=room, now=now())
    (intent,) = intents_of(rooms, f"{case}-a")
    assert (intent.stage, intent.problem) == ("refused", "replacement-refused")
    assert [one.operation for one in rooms.registry.history_of(old.identifier)] == [
        StateOperation.ISSUE,
        operation,
    ]
    assert rooms.registry.state_at(old.identifier, now()).replaced_by is None
    for question in (rooms.registry.find, rooms.registry.file_of):
        with pytest.raises(UnknownEcert):
            question(intent.identifier)
    with pytest.raises(UnknownEcert):
        rooms.registry.by_file_digest(intent.sealed_digest)
    assert intent.identifier not in rooms.recover().finished
    with pytest.raises(TransitionRefused):
        issue(order, room=rooms.issuing, now=now())
    with rooms.database.reading() as connection:
        state = connection.scalar(select(ECERTS.c.state).where(ECERTS.c.identifier == intent.identifier))
    assert state in (None, "04")
    listed = dict(rooms.ecerts.status_values(intent.status_list))
    assert listed[intent.status_index] is EcertState.CANCELLED


def test_a_refused_replacement_does_not_stand_in_the_way_of_the_next(rooms: RegistryRooms) -> None:
    old = issue(food_order(rooms, "RP-9"), room=rooms.issuing, now=now())
    room = meanwhile(
        rooms.issuing,
        "registration",
        "register",
        lambda: change(rooms, old.identifier, StateOperation.SUSPEND),
    )
    order = food_order(rooms, "RP-9-a", replaces=old.identifier)
    with pytest.raises(ReplacementRefused):
        issue(order, room=room, now=now())
    change(rooms, old.identifier, StateOperation.RETURN)
    with pytest.raises(ReplacementRefused):
        issue(order, room=rooms.issuing, now=now())
    new = issue(food_order(rooms, "RP-9-b", replaces=old.identifier), room=rooms.issuing, now=now())
    assert new.identifier.split(".")[-2] == "003"
    assert title(rooms, old.identifier) == "注销"


def test_an_abandoned_reservation_does_not_block_another_case(rooms: RegistryRooms) -> None:
    old = issue(food_order(rooms, "RP-10"), room=rooms.issuing, now=now())
    abandoned = food_order(rooms, "RP-10-a", replaces=old.identifier)
    room = broken(rooms.issuing, "intents", "store", 1, after=False)
    with pytest.raises(PowerCut):
        issue(abandoned, room=room, now=now())
    new = issue(food_order(rooms, "RP-10-b", replaces=old.identifier), room=rooms.issuing, now=now())
    assert rooms.registry.state_at(old.identifier, now()).replaced_by == new.identifier
    with pytest.raises(TransitionRefused):
        issue(abandoned, room=rooms.issuing, now=now())


def test_a_reservation_that_is_bound_is_not_taken_away(rooms: RegistryRooms) -> None:
    old = issue(food_order(rooms, "RP-11"), room=rooms.issuing, now=now())
    first = food_order(rooms, "RP-11-a", replaces=old.identifier)
    with pytest.raises(PowerCut):
        issue(first, room=broken(rooms.issuing, "intents", "store", 1, after=True), now=now())
    with pytest.raises(TransitionRefused):
        issue(food_order(rooms, "RP-11-b", replaces=old.identifier), room=rooms.issuing, now=now())
    rooms.recover()
    assert title(rooms, old.identifier) == "注销"


def draft_content(order: IssueOrder) -> DraftContent:
    return DraftContent(
        type_code=order.type_code,
        issuer_code=order.issuer_code,
        case_number=order.case_number,
        service_item=order.service_item,
        unverified_face=order.unverified_face,
        replaces=order.replaces,
    )


def test_officers_draft_a_replacement_of_their_own_only(rooms: RegistryRooms) -> None:
    county = food_order(rooms, "RP-12", issuer_code=COUNTY_MARKET, authority=COUNTY_OFFICERS)
    foreign = issue(county, room=rooms.issuing, now=now())
    own = issue(food_order(rooms, "RP-12-own"), room=rooms.issuing, now=now())
    desk = rooms.drafting
    bad = draft_content(food_order(rooms, "RP-12-a", replaces=foreign.identifier))
    with pytest.raises(NotAuthorised):
        desk.create_draft(bad, drafter_id=DRAFTER, now=now())
    good = draft_content(food_order(rooms, "RP-12-b", replaces=own.identifier))
    draft = desk.create_draft(good, drafter_id=DRAFTER, now=now())
    with pytest.raises(NotAuthorised):
        desk.revise_draft(draft.draft_id, bad, drafter_id=DRAFTER, expected_revision=1, now=now())
    change(rooms, own.identifier, StateOperation.SUSPEND)
    with pytest.raises(TransitionRefused):
        desk.sign_off(draft.draft_id, signer_id=SIGNER, expected_revision=1, now=now())
    assert desk.draft(draft.draft_id).stage.value == "drafted"
    change(rooms, own.identifier, StateOperation.RETURN)
    issued = desk.sign_off(draft.draft_id, signer_id=SIGNER, expected_revision=1, now=now())
    again = desk.sign_off(draft.draft_id, signer_id=SIGNER, expected_revision=2, now=now())
    assert again.identifier == issued.identifier


def test_a_signed_draft_whose_replacement_is_refused_goes_back(rooms: RegistryRooms) -> None:
    own = issue(food_order(rooms, "RP-13"), room=rooms.issuing, now=now())
    desk = rooms.drafting
    content = draft_content(food_order(rooms, "RP-13-a", replaces=own.identifier))
    draft = desk.create_draft(content, drafter_id=DRAFTER, now=now())
    with pytest.raises(PowerCut):
        type(desk)(
            book=desk._book,  # the same desk over a room that breaks
            authority=desk._authority,
            room=broken(rooms.issuing, "intents", "record_sealed", 1, after=True),
        ).sign_off(draft.draft_id, signer_id=SIGNER, expected_revision=1, now=now())
    change(rooms, own.identifier, StateOperation.CANCEL)
    (intent,) = intents_of(rooms, "RP-13-a")
    assert rooms.recover().refused == (intent.identifier,)
    returned = desk.draft(draft.draft_id)
    assert (returned.stage.value, bool(returned.remark)) == ("returned", True)
    assert rooms.recover().refused == ()


def test_step_six_asks_again(rooms: RegistryRooms) -> None:
    old = issue(food_order(rooms, "RP-14"), room=rooms.issuing, now=now())
    order = food_order(rooms, "RP-14-a", replaces=old.identifier)
    room = meanwhile(
        rooms.issuing,
        "intents",
        "record_rendered",
        lambda: change(rooms, old.identifier, StateOperation.CANCEL),
    )
    with pytest.raises(ReplacementRefused):
        issue(order, room=room, now=now())
    (intent,) = intents_of(rooms, "RP-14-a")
    assert (intent.stage, intent.sealed_digest) == ("refused", None)


def test_an_expired_certificate_is_not_replaced_when_its_type_does_not_say_so(rooms: RegistryRooms) -> None:
    old = issue(food_order(rooms, "RP-15"), room=rooms.issuing, now=now())
    with rooms.database.writing() as connection:
        connection.execute(
            update(ECERTS)
            .where(ECERTS.c.identifier == old.identifier)
            .values(valid_from=date(2020, 1, 1), valid_until=date(2024, 12, 31))
        )
    with pytest.raises(TransitionRefused):
        issue(food_order(rooms, "RP-15-a", replaces=old.identifier), room=rooms.issuing, now=now())
