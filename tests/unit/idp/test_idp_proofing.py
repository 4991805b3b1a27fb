"""The proof by its pages: who learns what, and how often one may guess."""

import sqlite3
from typing import Any

import pytest
from flask.testing import FlaskClient
from realname_world import LIN, MakeWorld, World, outcome_in, query, token_in

from idp.ports import Comparison
from idp.proofing import Outcome
from idp.store.persons import PersonState
from idp.web.sentences import SENTENCES

pytestmark = pytest.mark.thorough

OWN_PHONE = "13900000009"
ZHAO = {"name": "赵明", "number": "880102198001010074", "mobile": "13900000005"}


def test_an_impostor_with_the_right_name_and_number_but_another_phone_is_refused(world: World) -> None:
    browser = world.browser()
    assert world.prove(browser, mobile=OWN_PHONE) == "mobile-not-owned"


@pytest.mark.parametrize(
    "comparison", [Comparison.NAME_DIFFERS, Comparison.DECEASED_OR_CANCELLED, Comparison.DOCUMENT_EXPIRED]
)
def test_the_owner_of_the_phone_learns_what_is_wrong_and_nobody_else(
    world: World, comparison: Comparison
) -> None:
    world.register.states[LIN["number"]] = comparison
    assert world.prove(world.browser()) == comparison.value
    assert world.prove(world.browser(), mobile=OWN_PHONE) == "mobile-not-owned"


def test_an_unknown_number_is_told_apart(world: World) -> None:
    assert world.prove(world.browser(), number="620102198001010017") == "no-such-number"


def test_every_outcome_says_what_to_do_next() -> None:
    assert set(SENTENCES) == set(Outcome)
    assert all(sentence.next_step for sentence in SENTENCES.values())


def test_before_possession_all_see_the_same(world: World) -> None:
    pages = []
    for person in (LIN, {**LIN, "name": "不存在"}, {**LIN, "number": "620102198001010017"}):
        browser = world.browser()
        world.authorize(browser)
        world.fill(browser, **person)
        page = world.enter(browser, "000000" if world.last_code() != "000000" else "111111")
        assert page.status_code == 422
        pages.append(page.get_data(as_text=True).replace(token_in(page), ""))
    assert len(set(pages)) == 1


def test_the_register_being_down_leaves_the_earlier_proof_as_it_is(world: World) -> None:
    browser = world.browser()
    world.code(browser)
    world.register.down = True
    other = world.browser()
    assert world.prove(other) == "register-unavailable"
    assert world.provider.health() == {"database": True, "population_register": False}
    with sqlite3.connect(world.database) as database:
        assert database.execute("SELECT level, state FROM persons").fetchall() == [("RN2", "active")]
    database.close()
    # what was typed is kept, and a later try works
    world.register.down = False
    page = other.get("/idp/proof")
    assert LIN["name"] in page.get_data(as_text=True)
    other.post("/idp/proof", data={"csrf_token": token_in(page), **LIN})
    world.enter(other, world.last_code())
    assert outcome_in(other.get("/idp/proof/outcome")) == "proved"


def test_a_frozen_person_stays_frozen(world: World) -> None:
    browser = world.browser()
    world.code(browser)
    with sqlite3.connect(world.database) as database:
        (reference,) = database.execute("SELECT realname_ref FROM persons").fetchone()
    database.close()
    world.provider.persons.set_state(reference, PersonState.FROZEN)
    assert world.prove(world.browser()) == "frozen"


class TestGuesses:
    def guess(self, world: World, number: int, mobile: str = OWN_PHONE) -> str:
        name = "猜" * (number + 1)
        return world.prove(world.browser(), name=name, mobile=mobile)

    def test_five_different_guesses_a_day_from_one_phone(self, world: World) -> None:
        assert [self.guess(world, each) for each in range(6)] == ["mobile-not-owned"] * 5 + ["too-many-tries"]
        world.clock.move(hours=24, seconds=1)
        assert self.guess(world, 6) == "mobile-not-owned"

    def test_the_same_mistake_again_is_no_new_guess(self, world: World) -> None:
        assert [self.guess(world, 0) for _ in range(7)] == ["mobile-not-owned"] * 7

    def test_guesses_against_a_number_do_not_lock_its_owner_out(self, world: World) -> None:
        mobiles = [f"1381111000{each}" for each in range(6)]
        found = [self.guess(world, each, mobile) for each, mobile in enumerate(mobiles)]
        assert found == ["mobile-not-owned"] * 5 + ["too-many-tries"]
        assert world.prove(world.browser()) == "proved"

    def test_an_address_has_a_ceiling(self, make: MakeWorld) -> None:
        world = make(limits={"sms_cool_down_s": 0, "guesses_per_address": 2})
        mobiles = [f"1381111000{each}" for each in range(3)]
        found = [self.guess(world, each, mobile) for each, mobile in enumerate(mobiles)]
        assert found == ["mobile-not-owned", "mobile-not-owned", "too-many-tries"]

    def test_a_right_answer_costs_nothing(self, world: World) -> None:
        assert [world.prove(world.browser()) for _ in range(7)] == ["proved"] * 7


class TestCodes:
    def wrong(self, world: World) -> str:
        return f"{(int(world.last_code()) + 1) % 1_000_000:06}"

    def begin(self, world: World) -> FlaskClient:
        browser = world.browser()
        world.authorize(browser)
        world.fill(browser)
        return browser

    def test_five_wrong_codes_void_the_right_one(self, world: World) -> None:
        browser = self.begin(world)
        for _ in range(5):
            assert world.enter(browser, self.wrong(world)).status_code == 422
        assert "次数过多" in world.enter(browser, world.last_code()).get_data(as_text=True)

    def test_a_code_expires(self, world: World) -> None:
        browser = self.begin(world)
        world.clock.move(seconds=300)
        assert "已过期" in world.enter(browser, world.last_code()).get_data(as_text=True)

    def test_a_new_code_voids_the_old_one(self, world: World) -> None:
        browser = self.begin(world)
        old = world.last_code()
        page = browser.get("/idp/proof/code")
        browser.post("/idp/proof/resend", data={"csrf_token": token_in(page)})
        if world.last_code() != old:
            assert world.enter(browser, old).status_code == 422
        assert world.enter(browser, world.last_code()).status_code == 303

    def test_a_code_belongs_to_one_visit(self, world: World) -> None:
        first = self.begin(world)
        code = world.last_code()
        second = self.begin(world)
        if world.last_code() != code:
            assert world.enter(second, code).status_code == 422
        assert world.enter(first, code).status_code == 303

    def test_what_is_no_code_costs_no_attempt(self, world: World) -> None:
        browser = self.begin(world)
        for _ in range(7):
            assert world.enter(browser, "12345").status_code == 422
        assert world.enter(browser, " ".join(world.last_code())).status_code == 303

    def test_a_phone_cools_down(self, make: MakeWorld) -> None:
        world = make(limits={"sms_cool_down_s": 60})
        self.begin(world)
        other = world.browser()
        world.authorize(other)
        page = world.fill(other)
        assert page.status_code == 429
        assert "60 秒后再试" in page.get_data(as_text=True)
        assert LIN["name"] in page.get_data(as_text=True)
        world.clock.move(seconds=60)
        assert world.fill(other).status_code == 303

    @pytest.mark.parametrize("limit", ["sms_per_number", "sms_per_address"])
    def test_a_day_has_a_ceiling(self, make: MakeWorld, limit: str) -> None:
        world = make(limits={"sms_cool_down_s": 0, limit: 2})
        statuses = []
        for _ in range(3):
            browser = world.browser()
            world.authorize(browser)
            statuses.append(world.fill(browser).status_code)
        assert statuses == [303, 303, 429]
        world.clock.move(days=1)
        browser = world.browser()
        world.authorize(browser)
        assert world.fill(browser).status_code == 303


class TestHolder:
    def reference(self, world: World) -> str:
        browser = world.browser()
        world.code(browser)
        with sqlite3.connect(world.database) as database:
            (reference,) = database.execute("SELECT realname_ref FROM persons").fetchone()
        database.close()
        return reference

    def ask(self, world: World, token: str) -> Any:
        return world.browser().post("/idp/v1/holder", headers={"Authorization": f"Bearer {token}"})

    def test_a_token_resolves_to_the_holder(self, world: World) -> None:
        answer = self.ask(world, world.access_token(self.reference(world)))
        assert answer.status_code == 200
        assert answer.json["holder_reference"].startswith("h1-")
        assert answer.json["level"] == "RN2"
        assert answer.json["name"] == LIN["name"]
        assert LIN["number"] not in answer.get_data(as_text=True)

    @pytest.mark.parametrize("state", [PersonState.UNLINKED, PersonState.FROZEN])
    def test_what_is_not_in_force_does_not_resolve(self, world: World, state: PersonState) -> None:
        reference = self.reference(world)
        world.provider.persons.set_state(reference, state)
        answer = self.ask(world, world.access_token(reference))
        assert (answer.status_code, answer.json["code"]) == (403, state.value)

    def test_somebody_without_proof_does_not_resolve(self, world: World) -> None:
        assert self.ask(world, world.access_token("rn-unknown")).status_code == 403
        assert self.ask(world, world.access_token(None)).status_code == 403

    def test_a_token_for_somebody_else_is_refused(self, world: World) -> None:
        answer = self.ask(world, world.access_token("x", aud="longzheng-registry"))
        assert (answer.status_code, answer.json["code"]) == (401, "audience")
        assert world.browser().post("/idp/v1/holder").status_code == 401


def test_a_form_without_our_token_changes_nothing(world: World) -> None:
    browser = world.browser()
    world.authorize(browser)
    assert browser.post("/idp/proof", data=LIN).status_code == 410
    assert query(browser.get("/idp/proof/leave").location)["error"] == "interaction_required"


def test_wrong_input_is_named_and_kept(world: World) -> None:
    browser = world.browser()
    world.authorize(browser)
    page = world.fill(browser, number="880102198503150027", mobile="123")
    text = page.get_data(as_text=True)
    assert page.status_code == 422
    assert "校验位不符" in text
    assert "11 位手机号码" in text
    assert LIN["name"] in text


def test_without_a_visit_there_is_a_way_back(world: World) -> None:
    page = world.browser().get("/idp/proof")
    assert page.status_code == 410
    assert "重新" in page.get_data(as_text=True)


def test_messages_are_shown_on_this_machine_in_a_demonstration_only(world: World) -> None:
    away = world.browser().get("/idp/operator/sms", environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
    assert away.status_code == 404
    proxied = world.browser().get("/idp/operator/sms", headers={"X-Forwarded-For": "192.0.2.1"})
    assert proxied.status_code == 404
    assert world.browser().get("/idp/operator/sms").status_code == 200


def test_no_messages_are_shown_outside_a_demonstration(make: MakeWorld) -> None:
    assert make(demo=False).browser().get("/idp/operator/sms").status_code == 404


def test_outside_a_demonstration_an_unconfigured_gateway_says_so(make: MakeWorld) -> None:
    world = make(demo=False)
    browser = world.browser()
    world.authorize(browser)
    page = world.fill(browser)
    assert page.status_code == 429
    assert "短信服务暂时不能使用" in page.get_data(as_text=True)
