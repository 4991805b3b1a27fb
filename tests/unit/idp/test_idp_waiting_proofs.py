"""Outcomes with a way forward: a register that is down, a child, a name that was typed otherwise."""

import json
import sqlite3

import pytest
from realname_world import LIN, World
from sqlalchemy import Engine, event

from idp.identity.citizen_number import parse_citizen_number
from idp.proofing import is_minor

CHILD = {"name": "孙小满", "number": "880102201506010082", "mobile": "13900000008"}


def told(world: World, mobile: str = LIN["mobile"]) -> list[str]:
    messages = world.service.messages
    assert messages is not None
    return [one.text for one in messages.sent() if one.mobile == mobile and "验证码" not in one.text]


def rows(world: World, query: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(world.database)
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


class TestRegisterDown:
    def wait(self, world: World, **person: str) -> None:
        world.register.down = True
        assert world.prove(world.browser(), **person) == "register-unavailable"
        world.register.down = False

    def test_the_claim_waits_and_the_person_is_told_once(self, world: World) -> None:
        self.wait(world)
        world.register.down = True
        world.provider.sweep(now=world.clock())
        assert told(world) == []
        world.register.down = False
        world.provider.sweep(now=world.clock())
        world.provider.sweep(now=world.clock())
        assert [("已核对一致" in text) for text in told(world)] == [True]
        assert rows(world, "SELECT * FROM waiting_proofs") == []

    def test_nothing_is_raised_until_the_person_comes_back(self, world: World) -> None:
        self.wait(world)
        world.provider.sweep(now=world.clock())
        assert rows(world, "SELECT * FROM persons") == []
        assert world.prove(world.browser()) == "proved"

    def test_what_does_not_match_is_told_without_detail(self, world: World) -> None:
        self.wait(world, name="林小雯")
        world.provider.sweep(now=world.clock())
        (text,) = told(world)
        assert "没有通过" in text
        assert "姓名" not in text

    def test_a_wrong_claim_that_waited_is_a_guess_like_any_other(self, world: World) -> None:
        for each in range(5):
            self.wait(world, name="猜" * (each + 1))
        world.provider.sweep(now=world.clock())
        assert world.prove(world.browser(), name="猜猜看") == "too-many-tries"
        assert (
            world.prove(world.browser()) == "too-many-tries"
        )  # even the right one, as the day's tries are used

    def test_a_claim_is_forgotten_after_a_week(self, world: World) -> None:
        self.wait(world)
        world.clock.move(days=7, seconds=1)
        world.provider.sweep(now=world.clock())
        assert told(world) == []

    def test_what_waits_names_nobody_in_the_database(self, world: World) -> None:
        self.wait(world)
        stored = world.database.read_bytes() + world.database.with_name("idp.db-wal").read_bytes()
        assert LIN["number"].encode() not in stored
        assert LIN["name"].encode() not in stored

    def test_the_same_claim_waits_once(self, world: World) -> None:
        self.wait(world)
        self.wait(world)
        assert len(rows(world, "SELECT * FROM waiting_proofs")) == 1


class TestMinors:
    def test_a_child_needs_a_guardian(self, world: World) -> None:
        world.register.names[CHILD["number"]] = CHILD["name"]
        assert world.prove(world.browser(), **CHILD) == "minor"
        assert rows(world, "SELECT * FROM persons") == []

    def test_only_the_phone_of_the_child_learns_it(self, world: World) -> None:
        world.register.names[CHILD["number"]] = CHILD["name"]
        assert world.prove(world.browser(), **{**CHILD, "mobile": LIN["mobile"]}) == "mobile-not-owned"

    @pytest.mark.parametrize(
        ("number", "minor"), [("880102201506010082", True), ("880102198503150026", False)]
    )
    def test_ages(self, world: World, number: str, *, minor: bool) -> None:
        today = world.clock().date()
        assert is_minor(parse_citizen_number(number, today=today), now=world.clock()) is minor

    def test_the_birthday_counts_in_civil_time(self, world: World) -> None:
        number = parse_citizen_number("880102201506010082", today=world.clock().date())
        birthday = world.clock().replace(year=2029, month=5, day=31, hour=15, minute=59)
        assert is_minor(number, now=birthday)  # 23:59 in Beijing, the evening before
        assert not is_minor(number, now=birthday.replace(hour=16))


def test_what_was_normalised_of_a_name_is_recorded(world: World) -> None:
    number = "88010219920808004X"
    world.register.names[number] = "阿依古丽·买买提"
    assert (
        world.prove(world.browser(), name="阿依古丽•买买提 ", number=number, mobile="13900000002") == "proved"
    )
    ((notes,),) = rows(world, "SELECT name_notes FROM proofs")
    assert json.loads(str(notes)) == ["middle-dot", "spaces"]


class TestSameWorkBeforePossession:
    """Nobody learns by the clock what the page does not say: the same statements, the same questions, no register."""

    CLAIMS = (
        LIN,
        {**LIN, "name": "不存在"},
        {**LIN, "number": "620102198001010017"},
        {**LIN, "mobile": "13811110000"},
    )

    def work(self, world: World, claim: dict[str, str]) -> tuple[list[str], int]:
        statements: list[str] = []

        def note(*arguments: object) -> None:
            statements.append(str(arguments[2]))

        asked = world.register.asked
        browser = world.browser()
        world.authorize(browser)
        event.listen(Engine, "before_cursor_execute", note)
        try:
            sent = world.fill(browser, **claim)
            wrong = f"{(int(world.last_code()) + 1) % 1_000_000:06}"
            refused = world.enter(browser, wrong)
        finally:
            event.remove(Engine, "before_cursor_execute", note)
        assert (sent.status_code, refused.status_code) == (303, 422)
        return statements, world.register.asked - asked

    def test_every_claim_costs_the_same_and_asks_no_register(self, world: World) -> None:
        world.code(world.browser())  # one of them has a link already
        world.clock.move(minutes=10)
        done = [self.work(world, claim) for claim in self.CLAIMS]
        assert [questions for _, questions in done] == [0] * len(done)
        assert all(statements == done[0][0] for statements, _ in done)
        assert done[0][0]
