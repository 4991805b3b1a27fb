"""The room behind Keycloak's text-message step: who may call it, what it tells before and after a right code."""

import base64
from typing import Any

import pytest
from realname_world import LIN, MakeWorld, World

from idp.errors import OwnershipUnavailable
from idp.identity.citizen_number import CitizenNumber
from idp.identity.person_name import NormalisedName
from idp.mobile_number import MobileNumber
from idp.sms.sign_in import SmsSignIn
from idp.store.marks import Marks
from idp.store.persons import PersonState

HANDLE = "h" * 32


def call(world: World, path: str, *, secret: str | None = None, **body: str) -> Any:
    credentials = base64.b64encode(f"keycloak:{secret or world.secret}".encode()).decode()
    asked = {"handle": HANDLE, "mobile": LIN["mobile"], "address": "192.0.2.7", **body}
    return world.browser().post(
        f"/idp/v1/sign-in/{path}", json=asked, headers={"Authorization": f"Basic {credentials}"}
    )


def linked(world: World) -> str:
    """The link of a person who proved the name."""
    assert world.prove(world.browser()) == "proved"
    ((reference,),) = world.provider._engine.connect().exec_driver_sql("SELECT realname_ref FROM persons")
    return str(reference)


def confirm(world: World, reference: str | None) -> Any:
    assert call(world, "code").status_code == 200
    return call(world, "check", code=world.last_code(), realname_ref=reference or "")


def test_a_right_code_proves_the_phone_and_nothing_else(world: World) -> None:
    assert call(world, "code").json == {"mobile": LIN["mobile"], "minutes": 5}
    answer = call(world, "check", code=world.last_code())
    assert answer.json["attributes"].keys() == {
        "realname_level",
        "realname_verified_at",
        "realname_verified_claims",
    }
    assert answer.json["attributes"]["realname_level"] == "RN1"
    assert LIN["mobile"] not in answer.json["attributes"]["realname_verified_claims"]
    assert call(world, "check", code=world.last_code()).json["code"] == "not-sent"  # it works once


def test_the_message_says_what_the_code_is_for(world: World) -> None:
    call(world, "code")
    page = world.browser().get("/idp/operator/sms", headers={"Accept": "application/json"})
    assert "用于登录" in page.json["messages"][0]["text"]
    assert "实名" not in page.json["messages"][0]["text"]


@pytest.mark.parametrize("path", ["code", "check"])
def test_nobody_but_keycloak_is_answered(world: World, path: str) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
        answer = world.browser().post(f"/idp/v1/sign-in/{path}", json={}, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")
    assert call(world, path, secret="guessed", code="123456").status_code == 401
    assert world.browser().get("/idp/operator/sms", headers={"Accept": "application/json"}).json == {
        "messages": []
    }


@pytest.mark.parametrize("mobile", ["", "12345678901", "1390000000", "abc", "139000000011"])
def test_what_is_no_number_is_refused_before_anything_is_sent(world: World, mobile: str) -> None:
    answer = call(world, "code", mobile=mobile)
    assert (answer.status_code, answer.json["code"]) == (422, "mobile")


def test_a_number_has_one_form(world: World) -> None:
    assert call(world, "code", mobile="+86 139-0000-0001").json["mobile"] == LIN["mobile"]


def test_five_wrong_codes_void_a_code_and_another_sign_in_cannot_use_it(world: World) -> None:
    call(world, "code")
    right = world.last_code()
    assert call(world, "check", handle="other", code=right).json["code"] == "not-sent"
    wrong = "000000" if right != "000000" else "111111"
    said = [call(world, "check", code=wrong).json["code"] for _ in range(6)]
    assert said == ["wrong"] * 5 + ["used-up"]
    assert call(world, "check", code=right).json["code"] == "used-up"


def test_a_code_for_signing_in_proves_no_name_and_the_other_way_round(world: World) -> None:
    browser = world.browser()
    world.authorize(browser)
    world.fill(browser)
    of_proof = world.last_code()
    call(world, "code")
    if (of_sign_in := world.last_code()) != of_proof:
        assert call(world, "check", code=of_proof).json["code"] == "wrong"
        assert world.enter(browser, of_sign_in).status_code == 422


def test_messages_to_one_number_are_limited_whatever_asks_for_them(make: MakeWorld) -> None:
    world = make(limits={"sms_cool_down_s": 0, "sms_per_number": 3, "sms_per_address": 100})
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        assert call(world, "code", address=address).status_code == 200
    refused = call(world, "code", address="192.0.2.4")
    assert (refused.status_code, refused.json["code"]) == (429, "daily-limit")
    world.clock.move(days=1, seconds=1)
    assert call(world, "code").status_code == 200


def test_a_person_in_force_with_this_phone_is_let_in(world: World) -> None:
    assert confirm(world, linked(world)).status_code == 200


def test_an_account_that_was_stopped_is_not_opened_by_its_phone(world: World) -> None:
    reference = linked(world)
    world.provider.persons.set_state(reference, PersonState.FROZEN)
    answer = confirm(world, reference)
    assert (answer.status_code, answer.json["code"]) == (403, "link-not-in-force")
    assert confirm(world, "no-such-link").json["code"] == "link-not-in-force"


def test_before_the_code_is_right_a_stopped_account_answers_as_any_other(world: World) -> None:
    reference = linked(world)
    world.provider.persons.set_state(reference, PersonState.FROZEN)
    call(world, "code")
    wrong = "000000" if world.last_code() != "000000" else "111111"
    stopped = call(world, "check", code=wrong, realname_ref=reference)
    call(world, "code", handle="unknown", mobile="19800000000")
    wrong = "000000" if world.last_code() != "000000" else "111111"
    unknown = call(world, "check", handle="unknown", mobile="19800000000", code=wrong)
    assert stopped.status_code == unknown.status_code
    assert stopped.data == unknown.data


class Operators:
    """The operators' register, as the test has it answer."""

    def __init__(self) -> None:
        self.registered: bool | None = True

    def is_registered_to(self, mobile: MobileNumber, number: CitizenNumber, name: NormalisedName) -> bool:
        assert (mobile, number.number, name.name_key) == (LIN["mobile"], LIN["number"], LIN["name"])
        if self.registered is None:
            raise OwnershipUnavailable("down", code="ownership-unavailable")
        return self.registered


@pytest.fixture
def operators(world: World) -> Operators:
    operators = Operators()
    service, proofing = world.service, world.service.proofing
    object.__setattr__(
        service,
        "sms_sign_in",
        SmsSignIn(
            sms=proofing._parts.sms,
            persons=service.persons,
            ownership=operators,
            marks=Marks(proofing._parts.mac),
        ),
    )
    return operators


def test_a_number_that_was_given_to_somebody_else_opens_nothing(world: World, operators: Operators) -> None:
    reference = linked(world)
    assert confirm(world, reference).status_code == 200
    operators.registered = False
    answer = confirm(world, reference)
    assert (answer.status_code, answer.json["code"]) == (403, "changed-hands")


def test_signing_in_does_not_wait_for_a_register(world: World, operators: Operators) -> None:
    reference = linked(world)
    operators.registered = None
    world.register.down = True
    assert confirm(world, reference).status_code == 200
