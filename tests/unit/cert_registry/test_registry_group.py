"""Issuing in groups: every step broken and killed, one refused document, a seal stopped in the middle, the commits."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from breaking_ports import PowerCut, broken, cut, kill
from fixtures_token import CHECKOUT
from registry_rooms import DRAFTER, food_order, open_rooms, resume_seal, sample_face, suspend_seal
from sqlalchemy import event, func, select
from test_registry_recovery import require_whole, visible

from cert_registry.composition import RegistryRooms
from cert_registry.errors import (
    DraftRefused,
    IdempotencyConflict,
    LogUnavailable,
    NotAuthorised,
    SealNotUsable,
    StoreUnavailable,
    TokenBusyOrGone,
)
from cert_registry.issuance import IssuingRoom, issue
from cert_registry.issuance_group import issue_many
from cert_registry.seals.tables import SEALS
from cert_registry.store.tables import INTENTS, SEAL_USES
from cert_registry.types import IssuedEcert, IssueOrder, TwoPersons

pytestmark = pytest.mark.thorough

SEAL = "seal-city-market"
# Every call of a group of three that writes or signs: port, method, which call of it.
GROUP_CALLS = (
    ("intents", "reserve", 2),
    ("drafts", "number", 2),
    ("drafts", "check", 2),
    ("intents", "store", 2),
    ("press", "print_intent", 2),
    ("objects", "put_all", 1),
    ("intents", "record_rendered", 2),
    ("intents", "record_seal_use", 2),
    ("seals", "seal", 2),
    ("release", "check", 2),
    ("objects", "put_all", 2),
    ("intents", "record_sealed", 2),
    ("registration", "prepare", 2),
    ("registration", "register", 2),
    ("log", "sequence", 1),
    ("registration", "make_effective", 2),
    ("registration", "deliver", 2),
)
COMMITS = 7  # reserved, stored, rendered, counted, sealed, registered, effective and delivered


def clock() -> datetime:
    return datetime.now(UTC)


class BreakingCommits:
    """Blows up inside the n-th commit of a group, when all of it is written, or right after it."""

    def __init__(self, groups: Any, count: int, *, after: bool, blow: Callable[[], None]) -> None:
        self._groups, self._left, self._after, self._blow = groups, count, after, blow

    def together(self) -> AbstractContextManager[None]:
        @contextmanager
        def group() -> Iterator[None]:
            self._left -= 1
            with self._groups.together():
                yield
                if self._left == 0 and not self._after:
                    self._blow()
            if self._left == 0 and self._after:
                self._blow()

        return group()


def commits_broken(
    room: IssuingRoom, count: int, *, after: bool, blow: Callable[[], None] = cut
) -> IssuingRoom:
    return replace(room, groups=BreakingCommits(room.groups, count, after=after, blow=blow))


def orders_of(rooms: RegistryRooms, cases: list[str]) -> list[IssueOrder]:
    return [food_order(rooms, case) for case in cases]


def issued(
    rooms: RegistryRooms, orders: list[IssueOrder], room: IssuingRoom | None = None
) -> list[IssuedEcert | Exception]:
    return list(issue_many(orders, room=room or rooms.issuing, clock=clock))


def require_all_whole(rooms: RegistryRooms, cases: list[str]) -> None:
    """A recovery and the same group again leave each case issued exactly once."""
    assert not rooms.recover().waiting
    outcomes = issued(rooms, orders_of(rooms, cases))
    for case, outcome in zip(cases, outcomes, strict=True):
        assert isinstance(outcome, IssuedEcert), outcome
        require_whole(rooms, case)


def uses_of(rooms: RegistryRooms) -> tuple[int, int]:
    """How often the seal counts as used, and for how many documents a use is on record."""
    with rooms.database.reading() as connection:
        counted = connection.scalar(select(SEALS.c.used).where(SEALS.c.seal_id == SEAL))
        recorded = connection.scalar(
            select(func.count(SEAL_USES.c.intent_id.distinct())).where(SEAL_USES.c.seal_id == SEAL)
        )
    return counted or 0, recorded or 0


def test_a_group_is_issued_whole_in_its_order_and_again_it_is_the_same(rooms: RegistryRooms) -> None:
    cases = [f"G-whole-{number}" for number in range(5)]
    first = issued(rooms, orders_of(rooms, cases))
    for case, outcome in zip(cases, first, strict=True):
        assert isinstance(outcome, IssuedEcert)
        assert not outcome.already_issued
        assert visible(rooms, case) == [outcome.identifier]
        require_whole(rooms, case)
    again = issued(rooms, orders_of(rooms, cases))
    assert again == [replace(one, already_issued=True) for one in first if isinstance(one, IssuedEcert)]


def test_a_group_takes_as_many_commits_however_large_it_is(rooms: RegistryRooms) -> None:
    commits: list[int] = []
    engine = rooms.database.engine

    def count(_connection: object) -> None:
        commits[-1] += 1

    event.listen(engine, "commit", count)
    try:
        for size in (2, 6):
            commits.append(0)
            issued(rooms, orders_of(rooms, [f"G-commits-{size}-{number}" for number in range(size)]))
    finally:
        event.remove(engine, "commit", count)
    assert commits == [COMMITS + 2] * 2  # and the rows of the files: of pages and twins, of what was sealed


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", GROUP_CALLS, ids=lambda call: f"{call[0]}.{call[1]}-{call[2]}")
def test_a_cut_at_any_call_of_a_group_leaves_nothing_half(
    rooms: RegistryRooms, call: tuple[str, str, int], *, after: bool
) -> None:
    cases = [f"GC-{call[0]}-{call[1]}-{call[2]}-{after}-{number}" for number in range(3)]
    with pytest.raises(PowerCut):
        issued(rooms, orders_of(rooms, cases), broken(rooms.issuing, *call, after=after))
    assert not any(visible(rooms, case) for case in cases)
    require_all_whole(rooms, cases)


@pytest.mark.parametrize("after", [False, True], ids=["within", "after"])
@pytest.mark.parametrize("number", range(1, COMMITS + 1))
def test_a_cut_at_any_commit_of_a_group_leaves_nothing_half(
    rooms: RegistryRooms, number: int, *, after: bool
) -> None:
    cases = [f"GT-{number}-{after}-{each}" for each in range(3)]
    with pytest.raises(PowerCut):
        issued(rooms, orders_of(rooms, cases), commits_broken(rooms.issuing, number, after=after))
    effective = number == COMMITS and after
    assert [len(visible(rooms, case)) for case in cases] == [int(effective)] * 3
    require_all_whole(rooms, cases)


@pytest.mark.parametrize(
    "place", ["2:after", "3:within", "5:within", "5:after", "7:within", "seal", "log"], ids=str
)
def test_a_process_killed_within_a_group_is_finished_by_the_next(
    ceremony_state: Path, tmp_path: Path, place: str
) -> None:
    arguments = [str(ceremony_state), str(tmp_path), place]
    died = subprocess.run(
        [sys.executable, __file__, *arguments],
        check=False,
        timeout=300,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(CHECKOUT), str(Path(__file__).parent)])},
    )
    assert died.returncode == -signal.SIGKILL
    rooms = open_rooms(ceremony_state, tmp_path)
    require_all_whole(rooms, ["GK-0", "GK-1", "GK-2"])
    used, recorded = uses_of(rooms)
    assert (used, recorded) == (3, 3)
    rooms.database.dispose()


def test_a_refused_document_does_not_take_its_group_with_it(rooms: RegistryRooms) -> None:
    issue(food_order(rooms, "G-mixed-old"), room=rooms.issuing, now=clock())
    orders = [
        food_order(rooms, "G-mixed-1"),
        food_order(rooms, "G-mixed-2", unverified_face=sample_face() | {"credit_code": "91990100C000000167"}),
        food_order(rooms, "G-mixed-3", authority=TwoPersons(drafter_id=DRAFTER, signer_id=DRAFTER)),
        food_order(rooms, "G-mixed-old", unverified_face=sample_face() | {"premises": "示例市和平路2号"}),
        food_order(rooms, "G-mixed-5"),
    ]
    outcomes = issued(rooms, orders)
    assert [type(one) for one in outcomes] == [
        IssuedEcert,
        DraftRefused,
        NotAuthorised,
        IdempotencyConflict,
        IssuedEcert,
    ]
    require_whole(rooms, "G-mixed-1")
    require_whole(rooms, "G-mixed-5")
    assert isinstance(issued(rooms, orders_of(rooms, ["G-mixed-2"]))[0], IssuedEcert)


def test_a_key_that_comes_twice_in_a_group_is_one_ecert(rooms: RegistryRooms) -> None:
    other = sample_face() | {"premises": "示例市和平路2号"}
    first, again, conflicting = issued(
        rooms,
        [
            food_order(rooms, "G-twice"),
            food_order(rooms, "G-twice"),
            food_order(rooms, "G-twice", unverified_face=other),
        ],
    )
    assert isinstance(first, IssuedEcert)
    assert again == replace(first, already_issued=True)
    assert isinstance(conflicting, IdempotencyConflict)
    require_whole(rooms, "G-twice")


def test_groups_of_several_threads_that_share_documents_issue_each_once(rooms: RegistryRooms) -> None:
    cases = [f"G-threads-{number}" for number in range(4)]
    start = threading.Barrier(3)
    told: list[list[IssuedEcert | Exception]] = []

    def work(turn: int) -> None:
        start.wait()
        told.append(issued(rooms, orders_of(rooms, cases[turn:] + cases[:turn])))

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcomes = [one for each in told for one in each]
    assert all(isinstance(one, IssuedEcert) for one in outcomes), outcomes
    assert len({one.identifier for one in outcomes if isinstance(one, IssuedEcert)}) == 4
    for case in cases:
        require_whole(rooms, case)


def test_a_seal_stopped_between_two_documents_of_a_group_stops_the_very_next(
    ceremony_state: Path, tmp_path: Path
) -> None:
    rooms = open_rooms(ceremony_state, tmp_path)
    sealed = 0

    class Stopping:
        def seal(self, *args: Any, **kwargs: Any) -> Any:
            nonlocal sealed
            file = rooms.issuing.seals.seal(*args, **kwargs)
            sealed += 1
            if sealed == 2:
                suspend_seal(rooms, SEAL)
            return file

    cases = [f"G-stop-{number}" for number in range(5)]
    room = replace(rooms.issuing, seals=Stopping())
    outcomes = issued(rooms, orders_of(rooms, cases), room)
    assert [type(one) for one in outcomes] == [IssuedEcert] * 2 + [SealNotUsable] * 3
    assert sealed == 2
    assert uses_of(rooms) == (2, 2)
    assert set(rooms.recover().waiting.values()) == {"seal-not-usable"}
    resume_seal(rooms, SEAL)
    require_all_whole(rooms, cases)
    assert uses_of(rooms) == (5, 5)
    rooms.database.dispose()


def test_a_token_that_goes_in_the_middle_of_a_group_holds_up_only_what_it_was_asked_for(
    rooms: RegistryRooms,
) -> None:
    def away() -> None:
        raise TokenBusyOrGone("密码设备暂时不可用。")

    cases = [f"G-token-{number}" for number in range(3)]
    room = broken(rooms.issuing, "seals", "seal", 2, after=False, blow=away)
    outcomes = issued(rooms, orders_of(rooms, cases), room)
    assert [type(one) for one in outcomes] == [IssuedEcert, TokenBusyOrGone, IssuedEcert]
    require_all_whole(rooms, cases)


@pytest.mark.parametrize(
    ("port", "method", "error"),
    [("log", "sequence", LogUnavailable("away")), ("objects", "put_all", StoreUnavailable("full"))],
)
def test_a_log_or_store_that_is_away_leaves_the_whole_group_waiting(
    rooms: RegistryRooms, port: str, method: str, error: Exception
) -> None:
    def away() -> None:
        raise error

    cases = [f"G-away-{port}-{number}" for number in range(3)]
    outcomes = issued(
        rooms, orders_of(rooms, cases), broken(rooms.issuing, port, method, 1, after=False, blow=away)
    )
    assert outcomes == [error] * 3
    assert not any(visible(rooms, case) for case in cases)
    require_all_whole(rooms, cases)


def test_a_page_that_cannot_be_printed_frees_its_case_and_the_others_go_on(rooms: RegistryRooms) -> None:
    def unprintable() -> None:
        raise DraftRefused("排版结果与数据不一致，不能盖章。")

    cases = [f"G-print-{number}" for number in range(3)]
    outcomes = issued(
        rooms,
        orders_of(rooms, cases),
        broken(rooms.issuing, "press", "print_intent", 2, after=False, blow=unprintable),
    )
    assert [type(one) for one in outcomes] == [IssuedEcert, DraftRefused, IssuedEcert]
    with rooms.database.reading() as connection:
        stage = connection.scalar(select(INTENTS.c.stage).where(INTENTS.c.case_number == cases[1]))
    assert stage == "reserved"
    require_all_whole(rooms, cases)


def main() -> None:
    """`test_registry_group.py STATE DIRECTORY PLACE`: issue a group of three, and die by SIGKILL at the place."""
    state, directory, place = sys.argv[1:]
    rooms = open_rooms(Path(state), Path(directory))
    if place == "seal":
        room = broken(rooms.issuing, "seals", "seal", 2, after=True, blow=kill)
    elif place == "log":
        room = broken(rooms.issuing, "log", "sequence", 1, after=True, blow=kill)
    else:
        number, when = place.split(":")
        room = commits_broken(rooms.issuing, int(number), after=when == "after", blow=kill)
    issued(rooms, orders_of(rooms, ["GK-0", "GK-1", "GK-2"]), room)


if __name__ == "__main__":
    main()
