from datetime import UTC, datetime, timedelta

import pytest
from fixtures_token import CHECKOUT
from registry_rooms import food_order
from sqlalchemy import select

from cert_registry.checks import Check
from cert_registry.composition import RegistryRooms
from cert_registry.errors import CheckIncomplete, TicketRefused, UnknownEcert
from cert_registry.issuance import issue
from cert_registry.legal_persons.loader import load_legal_persons
from cert_registry.store.tables import ALARMS
from cert_registry.types import DepartmentCode, Holder

EDUCATION = DepartmentCode("11990100000000238R")


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def head(rooms: RegistryRooms) -> str:
    """The legal representative of the enterprise that the sample names."""
    load_legal_persons(rooms.legal_persons, CHECKOUT / "deploy" / "demo" / "people.yaml", now=now())
    return rooms.holders.reference(Holder(code_type="111", number="880102198503150026", name=""))


def test_the_legal_representative_sees_the_enterprises_ecerts_and_nobody_else_does(
    rooms: RegistryRooms, head: str
) -> None:
    issued = issue(food_order(rooms, "D-1"), room=rooms.issuing, now=now())
    mine = rooms.registry.by_holder(head, now=now())  # type: ignore[arg-type] # a reference
    assert issued.identifier in {one.identifier for one in mine}
    stranger = rooms.holders.reference(Holder(code_type="111", number="88010219900101001X", name=""))
    assert rooms.registry.by_holder(stranger, now=now()) == ()
    with pytest.raises(UnknownEcert):
        rooms.delivery.ticket_for(issued.identifier, stranger, now=now())
    assert any(one.identifier == issued.identifier for one in rooms.delivery.notices(head, now=now()))  # type: ignore[arg-type] # a reference


def test_a_ticket_serves_once_its_holder_only_and_in_time(rooms: RegistryRooms, head: str) -> None:
    issued = issue(food_order(rooms, "D-1"), room=rooms.issuing, now=now())
    made = rooms.delivery.ticket_for(issued.identifier, head, now=now())  # type: ignore[arg-type] # a reference
    stranger = rooms.holders.reference(Holder(code_type="111", number="88010219900101001X", name=""))
    with pytest.raises(TicketRefused):
        rooms.delivery.download(made.token, stranger, now=now())
    with pytest.raises(TicketRefused):
        rooms.delivery.download(made.token, head, now=made.expires_at + timedelta(seconds=1))  # type: ignore[arg-type] # a reference
    file = rooms.delivery.download(made.token, head, now=now())  # type: ignore[arg-type] # a reference
    assert file.content == rooms.registry.file_of(issued.identifier)
    for token in (made.token, "unknown"):
        with pytest.raises(TicketRefused):
            rooms.delivery.download(token, head, now=now())  # type: ignore[arg-type] # a reference


def a_check(**changes: object) -> Check:
    values = {
        "identifier": None,
        "department_code": EDUCATION,
        "department_name": "示例市教育局",
        "client_id": "dept-city-education",
        "officer": "白云",
        "purpose": "学校食堂备案",
        "service_item": "SL-100",
        "case_number": "B-1",
        "legal_basis": "",
        "operation": "verify",
        "fields": ("operator_name",),
        "answer": "TOTAL-PASSED; 有效",
    }
    return Check(**(values | changes))  # type: ignore[arg-type] # the caller names fields


def test_a_holder_sees_who_checked_what_why_and_when(rooms: RegistryRooms) -> None:
    issued = issue(food_order(rooms, "D-2"), room=rooms.issuing, now=now())
    asked = now()
    rooms.checks.record_check(a_check(identifier=issued.identifier), now=asked)
    (record,) = rooms.registry.checks_of(issued.identifier)
    assert record.asked_at == asked
    assert record.check == a_check(identifier=issued.identifier)


@pytest.mark.parametrize("missing", ["purpose", "service_item", "case_number", "client_id"])
def test_a_check_without_its_ground_is_refused(rooms: RegistryRooms, missing: str) -> None:
    with pytest.raises(CheckIncomplete):
        rooms.checks.record_check(a_check(**{missing: " "}), now=now())


def test_a_sealed_file_that_nobody_knows_is_an_alarm_once(rooms: RegistryRooms) -> None:
    issued = issue(food_order(rooms, "D-1"), room=rooms.issuing, now=now())
    assert not rooms.registry.alarm_unknown_sealed(issued.file_digest, signer="x", now=now())
    assert rooms.registry.alarm_unknown_sealed("ab" * 32, signer="x", now=now())
    assert not rooms.registry.alarm_unknown_sealed("ab" * 32, signer="x", now=now())
    with rooms.database.reading() as connection:
        assert len(connection.execute(select(ALARMS)).all()) == 1
