from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from registry_rooms import CITY_MARKET, SIGNER, food_order

from cert_registry.civil_date import end_of_day, start_of_day
from cert_registry.composition import RegistryRooms
from cert_registry.errors import (
    LogUnavailable,
    NotAuthorised,
    RequestMalformed,
    StateChangeConflict,
    TransitionRefused,
    UnknownEcert,
)
from cert_registry.issuance import issue
from cert_registry.lifecycle import (
    Actor,
    StateChange,
    cancel,
    give_back,
    revoke,
    revoke_as_penalty,
    suspend,
)
from cert_registry.lifecycle_states import state_at
from cert_registry.types import (
    DepartmentCode,
    EcertIdentifier,
    EcertState,
    FileState,
    StateEvent,
    StateOperation,
)


def now() -> datetime:
    return datetime.now(UTC)


def change(rooms: RegistryRooms, case: str, **changes: object) -> StateChange:
    issued = issue(food_order(rooms, case), room=rooms.issuing, now=now())
    made = StateChange(
        identifier=issued.identifier,
        reason="经营场所检查不合格",
        legal_basis="《中华人民共和国食品安全法》第一百二十三条",
        actor=Actor(actor_id=SIGNER, department_code=CITY_MARKET),
        case_number=f"{case}-处罚",
    )
    return replace(made, **changes)  # type: ignore[arg-type] # the caller names fields


def test_a_penal_revocation_is_seen_by_the_very_next_answer(rooms: RegistryRooms) -> None:
    made = change(rooms, "L-1")
    before = now()
    event = revoke_as_penalty(made, room=rooms.lifecycle, now=now())
    state = rooms.registry.state_at(made.identifier, now())
    assert (state.state, state.reason, state.legal_basis) == (
        EcertState.PENALLY_REVOKED,
        made.reason,
        made.legal_basis,
    )
    assert state.file_state is FileState.CURRENT
    assert rooms.registry.state_at(made.identifier, before).is_valid
    assert event.effective_at <= event.recorded_at
    proofs = rooms.registry.log_proof(made.identifier)
    assert [proof.kind for proof in proofs] == ["ecert-issued", "ecert-state-changed"]
    assert all(proof.proof for proof in proofs)


def test_a_suspension_is_given_back_and_history_keeps_both(rooms: RegistryRooms) -> None:
    made = change(rooms, "L-2")
    suspend(made, room=rooms.lifecycle, now=now())
    assert rooms.registry.state_at(made.identifier, now()).state is EcertState.SUSPENDED
    with pytest.raises(TransitionRefused):
        suspend(made, room=rooms.lifecycle, now=now())
    give_back(made, room=rooms.lifecycle, now=now())
    assert rooms.registry.state_at(made.identifier, now()).is_valid
    operations = [event.operation.value for event in rooms.registry.history_of(made.identifier)]
    assert operations == ["issue", "suspend", "return"]


def test_nothing_follows_a_final_state(rooms: RegistryRooms) -> None:
    made = change(rooms, "L-3")
    cancel(made, room=rooms.lifecycle, now=now())
    for operation in (suspend, give_back, revoke, revoke_as_penalty, cancel):
        with pytest.raises(TransitionRefused):
            operation(made, room=rooms.lifecycle, now=now())


def test_a_revocation_from_the_start_changes_the_past_but_not_what_was_known(rooms: RegistryRooms) -> None:
    made = change(rooms, "L-4")
    issued_at = rooms.registry.history_of(made.identifier)[0].effective_at
    asked = now()
    revoke(replace(made, effective_at=issued_at), room=rooms.lifecycle, now=now())
    assert rooms.registry.state_at(made.identifier, asked).state is EcertState.REVOKED
    assert rooms.registry.state_at(made.identifier, asked, known_at=asked).state is EcertState.VALID


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"reason": " "}, RequestMalformed),
        ({"legal_basis": ""}, RequestMalformed),
        ({"case_number": ""}, RequestMalformed),
        ({"reason": "长" * 501}, RequestMalformed),
        ({"effective_at": datetime(2099, 1, 1, tzinfo=UTC)}, RequestMalformed),
        ({"effective_at": datetime(2000, 1, 1, tzinfo=UTC)}, RequestMalformed),
        ({"expected_sequence": 7}, StateChangeConflict),
        ({"identifier": EcertIdentifier("1.2.156.3005.2.x")}, UnknownEcert),
        ({"actor": Actor(actor_id="li.wenjing", department_code=CITY_MARKET)}, NotAuthorised),
        ({"actor": Actor(actor_id="song.an", department_code=DepartmentCode("1" * 18))}, NotAuthorised),
        (
            {"actor": Actor(actor_id="dept-city-education", department_code=CITY_MARKET, is_system=True)},
            NotAuthorised,
        ),
    ],
)
def test_a_faulty_change_is_refused_and_changes_nothing(
    rooms: RegistryRooms, changes: dict[str, object], error: type[Exception]
) -> None:
    made = change(rooms, "L-5", **changes)
    with pytest.raises(error):
        suspend(made, room=rooms.lifecycle, now=now())
    held = change(rooms, "L-5")
    assert rooms.registry.state_at(held.identifier, now()).is_valid


def test_a_change_stands_while_the_log_is_away_and_its_leaf_follows(rooms: RegistryRooms) -> None:
    made = change(rooms, "L-6")

    class Away:
        def push(self, *, now: datetime) -> int:
            raise LogUnavailable(f"away at {now}")

    suspend(made, room=replace(rooms.lifecycle, leaves=Away()), now=now())
    assert rooms.registry.state_at(made.identifier, now()).state is EcertState.SUSPENDED
    assert rooms.registry.log_proof(made.identifier)[1].proof is None
    assert rooms.recover().leaves == 1
    assert rooms.registry.log_proof(made.identifier)[1].proof is not None


ISSUED = datetime(2026, 1, 10, 3, tzinfo=UTC)


def event(sequence: int, state: EcertState, day: int, recorded: int | None = None) -> StateEvent:
    return StateEvent(
        identifier=EcertIdentifier("x"),
        sequence=sequence,
        operation=StateOperation.ISSUE,
        state=state,
        file_state=FileState.CURRENT,
        reason="",
        legal_basis="",
        actor_id="",
        actor_department=CITY_MARKET,
        case_number="",
        effective_at=ISSUED + timedelta(days=day),
        recorded_at=ISSUED + timedelta(days=day if recorded is None else recorded),
    )


def test_the_last_day_is_included_at_utc_plus_8() -> None:
    last = date(2026, 3, 31)
    history = [event(1, EcertState.VALID, 0)]
    on_last = end_of_day(last) - timedelta(microseconds=1)
    asked = {"valid_from": date(2026, 1, 10), "valid_until": last}
    assert state_at(history, at=on_last, **asked).is_valid  # type: ignore[arg-type] # two dates
    ended = state_at(history, at=end_of_day(last), **asked)  # type: ignore[arg-type] # two dates
    assert (ended.state, ended.since) == (EcertState.EXPIRED, end_of_day(last))
    revoked = [*history, event(2, EcertState.REVOKED, 5)]
    after = state_at(revoked, at=end_of_day(last), **asked)  # type: ignore[arg-type] # two dates
    assert after.state is EcertState.REVOKED


def test_a_certificate_whose_first_day_is_to_come_is_not_valid_yet() -> None:
    first = date(2026, 2, 1)
    history = [event(1, EcertState.VALID, 0)]
    early = state_at(
        history, valid_from=first, valid_until=None, at=start_of_day(first) - timedelta(seconds=1)
    )
    assert (early.is_valid, early.not_yet_valid) == (False, True)
    assert state_at(history, valid_from=first, valid_until=None, at=start_of_day(first)).is_valid


@settings(max_examples=200)
@given(
    changes=st.lists(
        st.tuples(
            st.sampled_from([EcertState.VALID, EcertState.SUSPENDED, EcertState.REVOKED]),
            st.integers(0, 40),
            st.integers(0, 40),
        ),
        max_size=6,
    ),
    asked=st.integers(1, 60),
)
def test_the_newest_event_in_effect_decides(changes: list[tuple[EcertState, int, int]], asked: int) -> None:
    history = [event(1, EcertState.VALID, 0)]
    for sequence, (state, day, delay) in enumerate(changes, start=2):
        history.append(event(sequence, state, day, recorded=day + delay))
    at = ISSUED + timedelta(days=asked)
    got = state_at(history, valid_from=date(2026, 1, 10), valid_until=None, at=at)
    expected = [one for one in history if one.effective_at <= at][-1]
    assert (got.state, got.sequence) == (expected.state, expected.sequence)
