"""Breaking every step of an issue, before and after each write: either nothing is visible or the whole."""

import logging
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from breaking_ports import CALLS, PowerCut, broken
from fixtures_token import CHECKOUT
from registry_rooms import CITY_MARKET, SIGNER, food_order, open_rooms, resume_seal, suspend_seal
from sqlalchemy import func, select, update

from cert_registry.composition import RegistryRooms
from cert_registry.errors import LogUnavailable, TokenBusyOrGone
from cert_registry.issuance import issue
from cert_registry.lifecycle import Actor, StateChange, give_back, suspend
from cert_registry.store.tables import ECERTS, INTENTS, NOTICES, OUTBOX, SEAL_USES
from cert_registry.types import EcertIdentifier, IssuedEcert

pytestmark = pytest.mark.thorough

KILLED_AT = [
    (("intents", "store", 1), "after"),
    (("objects", "put", 2), "after"),
    (("intents", "record_rendered", 1), "after"),
    (("seals", "seal", 1), "after"),
    (("objects", "put", 3), "after"),
    (("intents", "record_sealed", 1), "after"),
    (("registration", "register", 1), "after"),
    (("log", "sequence", 1), "after"),
    (("registration", "deliver", 1), "before"),
]


def now() -> datetime:
    return datetime.now(UTC)


def visible(rooms: RegistryRooms, case_number: str) -> list[str]:
    """Identifiers of the case that the registry would answer for."""
    with rooms.database.reading() as connection:
        found = connection.execute(
            select(ECERTS.c.identifier, ECERTS.c.registration).where(ECERTS.c.case_number == case_number)
        ).all()
    return [row.identifier for row in found if row.registration == "effective"]


def require_whole(rooms: RegistryRooms, case_number: str) -> None:
    """Exactly one ecert with its one file, its leaf in the log, its notice."""
    (identifier,) = visible(rooms, case_number)
    ecert = rooms.registry.find(identifier)
    assert rooms.registry.file_of(identifier).startswith(b"%PDF-")
    (proof,) = rooms.registry.log_proof(identifier)
    assert proof.proof is not None
    with rooms.database.reading() as connection:
        intent = connection.execute(select(INTENTS).where(INTENTS.c.case_number == case_number)).one()
        assert (intent.stage, intent.sealed_digest) == ("delivered", ecert.file_digest)
        leaves = select(func.count()).select_from(OUTBOX).where(OUTBOX.c.subject == identifier)
        assert connection.scalar(leaves) == 1
        notices = select(func.count()).select_from(NOTICES).where(NOTICES.c.identifier == identifier)
        assert connection.scalar(notices) == 1
        delivered = select(SEAL_USES.c.sealed_digest).where(
            SEAL_USES.c.intent_id == intent.intent_id, SEAL_USES.c.outcome == "sealed"
        )
        assert connection.scalars(delivered).all() == [ecert.file_digest]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call[0]}.{call[1]}-{call[2]}")
def test_a_cut_at_any_call_leaves_nothing_visible_or_the_whole(
    rooms: RegistryRooms, call: tuple[str, str, int], *, after: bool
) -> None:
    case = f"R-{call[0]}-{call[1]}-{call[2]}-{after}"
    order = food_order(rooms, case)
    with pytest.raises(PowerCut):
        issue(order, room=broken(rooms.issuing, *call, after=after), now=now())
    seen = visible(rooms, case)
    assert len(seen) == (
        1 if (call[1], after) in {("make_effective", True), ("deliver", False), ("deliver", True)} else 0
    )
    report = rooms.recover()
    assert not report.waiting
    issued: IssuedEcert = issue(order, room=rooms.issuing, now=now())
    assert seen in ([], [issued.identifier])
    require_whole(rooms, case)


@pytest.mark.parametrize(("call", "when"), KILLED_AT, ids=str)
def test_a_killed_process_is_finished_by_the_next(
    ceremony_state: Path, tmp_path: Path, call: tuple[str, str, int], when: str
) -> None:
    script = Path(__file__).with_name("breaking_ports.py")
    arguments = [str(ceremony_state), str(tmp_path), "K-1", call[0], call[1], str(call[2]), when]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    died = subprocess.run(
        [sys.executable, str(script), *arguments], check=False, timeout=300, env=environment
    )
    assert died.returncode == -signal.SIGKILL
    rooms = open_rooms(ceremony_state, tmp_path)
    report = rooms.recover()
    assert not report.waiting
    require_whole(rooms, "K-1")
    assert rooms.recover().finished == ()
    rooms.database.dispose()


def test_an_intent_whose_seal_was_stopped_waits_and_the_others_go_on(rooms: RegistryRooms) -> None:
    with pytest.raises(PowerCut):
        issue(
            food_order(rooms, "R-stopped"),
            room=broken(rooms.issuing, "intents", "record_rendered", 1, after=True),
            now=now(),
        )
    suspend_seal(rooms, "seal-city-market")
    report = rooms.recover()
    assert list(report.waiting.values()) == ["seal-not-usable"]
    resume_seal(rooms, "seal-city-market")
    assert rooms.recover().finished == tuple(EcertIdentifier(one) for one in report.waiting)
    require_whole(rooms, "R-stopped")


def test_a_token_that_is_away_leaves_the_intent_waiting(rooms: RegistryRooms) -> None:
    def away() -> None:
        raise TokenBusyOrGone("密码设备暂时不可用。")

    room = broken(rooms.issuing, "seals", "seal", 1, after=False, blow=away)
    with pytest.raises(TokenBusyOrGone):
        issue(food_order(rooms, "R-token"), room=room, now=now())
    assert visible(rooms, "R-token") == []
    rooms.recover()
    require_whole(rooms, "R-token")


def test_a_damaged_row_and_an_unexpected_error_hold_up_nothing_else(
    ceremony_state: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rooms = open_rooms(ceremony_state, tmp_path)
    for case in ("D-1", "D-2", "D-3"):
        room = broken(rooms.issuing, "intents", "store", 1, after=True)
        with pytest.raises(PowerCut):
            issue(food_order(rooms, case), room=room, now=now())
    whole = issue(food_order(rooms, "D-4"), room=rooms.issuing, now=now())

    class Away:
        def push(self, *, now: datetime) -> int:
            raise LogUnavailable(f"away at {now}")

    held = StateChange(
        identifier=whole.identifier,
        reason="r",
        legal_basis="b",
        actor=Actor(actor_id=SIGNER, department_code=CITY_MARKET),
        case_number="D-4",
    )
    suspend(held, room=replace(rooms.lifecycle, leaves=Away()), now=now())
    give_back(held, room=replace(rooms.lifecycle, leaves=Away()), now=now())
    with rooms.database.writing() as connection:
        connection.execute(update(INTENTS).where(INTENTS.c.case_number == "D-1").values(order_sealed=b"x"))
        connection.execute(
            update(OUTBOX)
            .where(OUTBOX.c.subject == whole.identifier, OUTBOX.c.sequence == 2)
            .values(leaf_entry=b"x")
        )

    def surprise() -> None:
        raise ValueError("a secret value")

    breaking = replace(
        rooms, issuing=broken(rooms.issuing, "press", "print_intent", 1, after=False, blow=surprise)
    )
    with caplog.at_level(logging.WARNING):
        report = breaking.recover()
    assert sorted(report.waiting.values()) == ["internal", "object-missing"]
    assert (report.failures, len(report.finished), report.leaves) == (2, 1, 1)
    require_whole(rooms, "D-3")
    assert "ValueError" in caplog.text
    assert "ObjectMissing" in caplog.text
    assert "damaged" in caplog.text
    assert "a secret value" not in caplog.text
    with rooms.database.reading() as connection:
        problems = select(INTENTS.c.case_number, INTENTS.c.problem).where(INTENTS.c.problem != "")
        noted = {row.case_number: row.problem for row in connection.execute(problems)}
    assert noted == {"D-1": "object-missing", "D-2": "internal"}
    assert rooms.recover().failures == 1
    rooms.database.dispose()
