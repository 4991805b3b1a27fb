"""The life of an account: own history, consents taken back, another phone, a new name, its end, a reported death."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from realname_world import LIN, PEOPLE, MakeWorld, World, token_in

from idp.accounts.client_names import ClientNames
from idp.accounts.history import LineKind, history_of, receipts_of
from idp.accounts.rules import FRESH, Strength, deaths_are_plausible, holds_second_factor
from idp.errors import AccountOver
from idp.identity.assurance import AcrLevel
from idp.identity.errors import NotProved
from idp.ports import Comparison
from idp.store.account_orders import AccountOrders
from idp.store.acts import Act, ActKind
from idp.store.persons import PersonState

# Registered to 林晓雯 as well, in the demonstration's register of mobile numbers.
SECOND_PHONE = "13900000081"
STRANGERS_PHONE = "13900000002"
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.fixture
def world(make: MakeWorld, tmp_path: Path) -> World:
    """The demonstration's people, and a second phone of one of them."""
    people = yaml.safe_load(PEOPLE.read_text(encoding="utf-8"))["people"]
    register = tmp_path / "people.yaml"
    register.write_text(
        yaml.safe_dump({"people": [*people, {**LIN, "mobile": SECOND_PHONE}]}), encoding="utf-8"
    )
    return make(limits={"sms_cool_down_s": 0}, mobile_register_file=str(register))


def link_of(world: World) -> str:
    browser = world.browser()
    world.code(browser)
    found = sqlite3.connect(world.database).execute("SELECT realname_ref FROM persons").fetchall()
    return str(found[-1][0])


def post(browser: FlaskClient, page: str, action: str, **form: str) -> Any:
    return browser.post(action, data={"csrf_token": token_in(browser.get(page)), **form})


def messages(world: World) -> list[dict[str, str]]:
    answer = world.browser().get("/idp/operator/sms", headers={"Accept": "application/json"})
    return list(answer.json["messages"])


def code_to(world: World, mobile: str) -> str:
    text = next(
        each["text"] for each in messages(world) if each["mobile"] == mobile and "验证码" in each["text"]
    )
    return text.split("验证码 ")[1][:6]


def sign_in_at(site: str, *, at: datetime, scope: str = "openid realname", source: str = "e-1") -> Act:
    return Act(kind=ActKind.SITE_SIGN_IN, subject=site, at=at, source_id=source, detail=scope)


def state_of(world: World, link: str) -> PersonState:
    person = world.service.persons.person(link)
    assert person is not None
    return person.state


# --- rules


def test_a_second_factor_stands_for_the_old_phone_for_ten_minutes_only() -> None:
    strong = Strength(acr=AcrLevel.LOA2, signed_in_at=NOON)
    assert holds_second_factor(strong, now=NOON + FRESH)
    assert not holds_second_factor(strong, now=NOON + FRESH + timedelta(seconds=1))
    assert not holds_second_factor(Strength(acr=AcrLevel.LOA1, signed_in_at=NOON), now=NOON)
    assert not holds_second_factor(Strength(acr=None, signed_in_at=NOON), now=NOON)
    assert not holds_second_factor(Strength(acr=AcrLevel.LOA3, signed_in_at=None), now=NOON)


def test_what_a_site_received_is_everything_it_was_ever_given() -> None:
    acts = [
        sign_in_at("site-a", at=NOON, scope="openid"),
        sign_in_at("site-a", at=NOON + timedelta(hours=1), scope="openid realname"),
        sign_in_at("site-b", at=NOON + timedelta(hours=2)),
        Act(kind=ActKind.CONSENT_WITHDRAWN, subject="site-a", at=NOON + timedelta(minutes=30)),
        Act(kind=ActKind.CONSENT_WITHDRAWN, subject="site-b", at=NOON + timedelta(hours=3)),
    ]
    second, first = receipts_of(acts)
    assert (first.client_id, first.times, first.scopes) == ("site-a", 2, frozenset({"openid", "realname"}))
    assert first.withdrawn_at is None  # signed in again since
    assert second.withdrawn_at == NOON + timedelta(hours=3)


def test_every_kind_of_act_stands_in_the_history_newest_first() -> None:
    acts = [
        Act(kind=kind, subject="s", at=NOON + timedelta(seconds=place)) for place, kind in enumerate(ActKind)
    ]
    lines = history_of(acts, (), ())
    assert [line.what for line in lines] == [kind.value for kind in reversed(ActKind)]
    assert {line.kind for line in lines} == set(LineKind) - {LineKind.PROOFS}


# --- own history


def test_the_history_takes_keycloaks_events_over_and_keeps_them_when_keycloak_forgets(world: World) -> None:
    link = link_of(world)
    world.accounts.acts = (
        sign_in_at("site-a", at=world.clock()),
        Act(kind=ActKind.SIGN_IN_FAILED, subject="site-a", at=world.clock(), source_id="e-2"),
    )
    browser = world.signed_in(link)
    page = browser.get("/idp/account/history").get_data(as_text=True)
    assert 'data-what="site-sign-in"' in page
    assert 'data-what="proof"' in page
    world.accounts.acts = ()
    again = BeautifulSoup(browser.get("/idp/account/history?kind=sign-ins").data, "html.parser")
    shown = [row["data-what"] for row in again.find_all("tr", attrs={"data-what": True})]
    assert sorted(shown) == ["sign-in-failed", "site-sign-in"]
    assert LIN["number"] not in page
    assert LIN["name"] not in page


def test_a_strangers_attempt_with_ones_number_is_seen(world: World) -> None:
    link = link_of(world)
    assert world.prove(world.browser(), mobile=STRANGERS_PHONE) == "mobile-not-owned"
    page = world.signed_in(link).get("/idp/account/history?kind=proofs").get_data(as_text=True)
    assert 'data-what="proof-elsewhere"' in page
    assert "手机号不是本人登记" in page


def test_without_keycloak_the_history_says_that_it_may_lack_the_newest(world: World) -> None:
    link = link_of(world)
    world.accounts.down = True
    page = world.signed_in(link).get("/idp/account/history")
    assert page.status_code == 200
    assert "最近的登录可能还没有列出" in page.get_data(as_text=True)


# --- consents


def test_a_consent_taken_back_ends_the_sessions_there_and_voids_what_was_not_fetched(world: World) -> None:
    link = link_of(world)
    world.accounts.acts = (sign_in_at("site-a", at=world.clock()),)
    desk = world.provider.number_desk.releases
    desk.agree(link, session_id="s-1", site_id="site-a", purpose="land", case_number="c-1", now=world.clock())
    browser = world.signed_in(link)
    page = browser.get("/idp/account/sites").get_data(as_text=True)
    assert "本网站专用的编号、脱敏姓名、实名等级、核验时间、核验依据" in page
    answer = post(browser, "/idp/account/sites", "/idp/account/sites/withdraw", site="site-a")
    assert "已撤回授权" in answer.get_data(as_text=True)
    assert world.accounts.withdrawn == [(link, "site-a")]
    assert desk.find("s-1", "site-a", "land", now=world.clock()) is None
    assert any("撤回对一个网站的授权" in each["text"] for each in messages(world))
    page = browser.get("/idp/account/sites").get_data(as_text=True)
    assert "撤回对“site-a”的授权" not in page


def test_a_withdrawal_waits_for_keycloak_and_is_carried_out_later(world: World) -> None:
    link = link_of(world)
    world.accounts.acts = (sign_in_at("site-a", at=world.clock()),)
    browser = world.signed_in(link)
    token = token_in(browser.get("/idp/account/sites"))
    world.accounts.down = True
    answer = browser.post("/idp/account/sites/withdraw", data={"csrf_token": token, "site": "site-a"})
    assert "恢复后会立即结束" in answer.get_data(as_text=True)
    assert world.accounts.withdrawn == []
    world.accounts.down = False
    world.provider.sweep(now=world.clock())
    assert world.accounts.withdrawn == [(link, "site-a")]
    world.provider.sweep(now=world.clock())
    assert len(world.accounts.withdrawn) == 1


def test_a_site_that_received_nothing_has_nothing_to_be_taken_back(world: World) -> None:
    link = link_of(world)
    with pytest.raises(AccountOver) as caught:
        world.provider.life.withdraw(link, "site-b", now=world.clock())
    assert caught.value.code == "unknown-site"
    assert world.accounts.withdrawn == []


# --- another phone


def change_phone(world: World, browser: FlaskClient, mobile: str = SECOND_PHONE, **codes: str) -> Any:
    world.clock.move(seconds=2)
    assert post(browser, "/idp/account/phone", "/idp/account/phone", mobile=mobile).status_code == 303
    form = {"new_code": code_to(world, mobile), "old_code": code_to(world, LIN["mobile"]), **codes}
    return post(browser, "/idp/account/phone/code", "/idp/account/phone/code", **form)


def test_a_phone_is_changed_with_both_phones_in_hand(world: World) -> None:
    link = link_of(world)
    answer = change_phone(world, world.signed_in(link))
    assert "手机号已更换" in answer.get_data(as_text=True)
    person = world.service.persons.person(link)
    assert person is not None
    assert person.mobile == SECOND_PHONE
    assert world.accounts.renamed == [(link, SECOND_PHONE)]
    told = {each["mobile"] for each in messages(world) if "手机号已更换" in each["text"]}
    assert told == {LIN["mobile"], SECOND_PHONE}
    page = world.signed_in(link).get("/idp/account/history?kind=changes").get_data(as_text=True)
    assert 'data-what="phone-changed"' in page


def test_without_the_old_phone_a_second_factor_is_needed(world: World) -> None:
    link = link_of(world)
    stolen = world.signed_in(link)
    refused = change_phone(world, stolen, old_code="000000")
    assert refused.status_code == 422
    assert world.accounts.renamed == []
    world.clock.move(seconds=2)
    strong = world.signed_in(link, acr="loa2")
    assert post(strong, "/idp/account/phone", "/idp/account/phone", mobile=SECOND_PHONE).status_code == 303
    page = strong.get("/idp/account/phone/code").get_data(as_text=True)
    assert 'name="old_code"' not in page
    post(
        strong,
        "/idp/account/phone/code",
        "/idp/account/phone/code",
        new_code=code_to(world, SECOND_PHONE),
    )
    assert world.accounts.renamed == [(link, SECOND_PHONE)]


@pytest.mark.parametrize(
    ("mobile", "sentence"),
    [
        (STRANGERS_PHONE, "不是以您本人名义登记"),
        (LIN["mobile"], "这就是账号现在的手机号"),
        ("1390000", "11 位"),
    ],
)
def test_a_phone_that_is_not_ones_own_or_no_other_one_is_refused(
    world: World, mobile: str, sentence: str
) -> None:
    link = link_of(world)
    browser = world.signed_in(link)
    world.clock.move(seconds=2)
    answer = post(browser, "/idp/account/phone", "/idp/account/phone", mobile=mobile)
    if answer.status_code == 303:
        answer = post(
            browser,
            "/idp/account/phone/code",
            "/idp/account/phone/code",
            new_code=code_to(world, mobile),
            old_code=code_to(world, LIN["mobile"]),
        )
    assert answer.status_code == 422
    assert sentence in answer.get_data(as_text=True)
    person = world.service.persons.person(link)
    assert person is not None
    assert person.mobile == LIN["mobile"]


def test_a_number_that_names_another_account_is_refused(world: World) -> None:
    link = link_of(world)
    world.accounts.taken.add(SECOND_PHONE)
    answer = change_phone(world, world.signed_in(link))
    assert answer.status_code == 422
    assert "已用于另一个账号" in answer.get_data(as_text=True)
    assert world.accounts.renamed == []


def test_without_keycloak_no_phone_is_changed(world: World) -> None:
    link = link_of(world)
    browser = world.signed_in(link)
    world.clock.move(seconds=2)
    post(browser, "/idp/account/phone", "/idp/account/phone", mobile=SECOND_PHONE)
    world.accounts.down = True
    answer = post(
        browser,
        "/idp/account/phone/code",
        "/idp/account/phone/code",
        new_code=code_to(world, SECOND_PHONE),
        old_code=code_to(world, LIN["mobile"]),
    )
    assert answer.status_code == 503
    person = world.service.persons.person(link)
    assert person is not None
    assert person.mobile == LIN["mobile"]


# --- another name


def test_a_name_changed_in_the_register_is_proved_anew_and_stands_in_the_history(world: World) -> None:
    link = link_of(world)
    world.register.names[LIN["number"]] = "林晓文"
    world.clock.move(days=31)
    world.provider.sweep(now=world.clock())
    assert any("重新实名核验" in each["text"] for each in messages(world))
    assert state_of(world, link) is PersonState.ACTIVE
    assert world.prove(world.browser(), name="林晓文") == "proved"
    person = world.service.persons.person(link)
    assert person is not None
    assert person.name == "林晓文"
    kinds = [act.kind for act in world.service.acts.of(link)]
    assert kinds.count(ActKind.NAME_CHANGED) == 1
    assert kinds.count(ActKind.NAME_DIFFERS_NOW) == 1


# --- the end


def test_a_closed_account_is_over_and_holds_no_name_and_a_new_proof_opens_another(world: World) -> None:
    link = link_of(world)
    browser = world.signed_in(link)
    unsure = post(browser, "/idp/account/close", "/idp/account/close")
    assert unsure.status_code == 422
    assert state_of(world, link) is PersonState.ACTIVE
    answer = post(browser, "/idp/account/close", "/idp/account/close", sure="yes")
    assert "账号已注销" in answer.get_data(as_text=True)
    person = world.service.persons.person(link)
    assert person is not None
    assert (person.state, person.name, person.mobile) == (PersonState.CLOSED, "", "")
    assert world.service.persons.number_of(link) == ""
    assert world.accounts.frozen == [link]
    with pytest.raises(NotProved) as caught:
        world.provider.links.in_force(link, now=world.clock())
    assert caught.value.code == "closed"
    for page in ("history", "sites", "phone", "close"):
        answer = browser.get(f"/idp/account/{page}")
        assert (page, answer.status_code == 403 or page == "close") == (page, True)
    world.clock.move(seconds=2)
    assert world.prove(world.browser()) == "proved"
    rows = sqlite3.connect(world.database).execute("SELECT realname_ref, state FROM persons").fetchall()
    assert sorted(state for _, state in rows) == ["active", "closed"]


def test_an_order_that_waited_while_its_account_was_closed_writes_nothing(world: World) -> None:
    link = link_of(world)
    person = world.service.persons.person(link)
    assert person is not None
    browser = world.signed_in(link)
    assert "手机号已更换" in change_phone(world, browser).get_data(as_text=True)
    world.accounts.renamed.clear()
    database = sqlite3.connect(world.database)
    database.execute("UPDATE account_orders SET done_at = NULL WHERE kind = 'rename'")
    database.commit()
    world.provider.life.close(link, now=world.clock())
    assert world.accounts.renamed == []
    assert AccountOrders(world.provider._engine).waiting() == ()


# --- a death


def test_a_death_that_the_register_reports_ends_the_link_and_its_sessions(world: World) -> None:
    link = link_of(world)
    world.register.states[LIN["number"]] = Comparison.DECEASED_OR_CANCELLED
    world.provider.sweep(now=world.clock())
    assert state_of(world, link) is PersonState.ACTIVE  # asked again after thirty days, not at every sweep
    world.clock.move(days=31)
    world.provider.sweep(now=world.clock())
    assert state_of(world, link) is PersonState.DECEASED
    assert world.accounts.frozen == [link]
    with pytest.raises(NotProved) as caught:
        world.provider.links.in_force(link, now=world.clock())
    assert caught.value.code == "deceased"
    assert world.service.acts.of(link)[0].kind is ActKind.DEATH_REPORTED
    world.register.states.clear()
    assert world.prove(world.browser()) == "frozen"  # a mistaken report is put right at a counter only


def test_a_register_that_is_down_or_lost_a_number_ends_nothing(world: World) -> None:
    link = link_of(world)
    world.clock.move(days=31)
    world.register.down = True
    assert world.provider.recheck.run(now=world.clock()).asked == 0
    world.register.down = False
    del world.register.names[LIN["number"]]
    done = world.provider.recheck.run(now=world.clock())
    assert (done.asked, done.unknown, done.deceased) == (1, 1, 0)
    assert state_of(world, link) is PersonState.ACTIVE
    assert world.provider.recheck.run(now=world.clock()).asked == 0


def test_many_deaths_at_once_are_not_believed_until_an_operator_vouches(world: World) -> None:
    assert deaths_are_plausible(3)
    assert not deaths_are_plausible(4)
    people = yaml.safe_load(PEOPLE.read_text(encoding="utf-8"))["people"]
    grown_up = [one for one in people if int(str(one["number"])[6:10]) < 2000 and "·" not in one["name"]][:4]
    for one in grown_up:
        world.register.names[one["number"]] = one["name"]
        world.clock.move(seconds=2)
        assert world.prove(world.browser(), **{key: one[key] for key in LIN}) == "proved"
        world.register.states[one["number"]] = Comparison.DECEASED_OR_CANCELLED
    world.clock.move(days=31)
    done = world.provider.recheck.run(now=world.clock())
    assert (done.asked, done.deceased, done.withheld) == (4, 0, 4)
    assert world.accounts.frozen == []
    assert world.provider.recheck.run(now=world.clock(), believe=True).deceased == 4
    assert len(world.accounts.frozen) == 4


# --- reported


def test_a_report_of_theft_stands_in_the_history(world: World) -> None:
    link = link_of(world)
    browser = world.signed_in(link)
    post(browser, "/idp/account/report", "/idp/account/report")
    assert ActKind.REPORTED in {act.kind for act in world.service.acts.of(link)}


@pytest.mark.parametrize("content", ["", "[]", '{"site-a": "a name alone"}', '{"site-a": {}}'])
def test_names_and_claims_of_a_damaged_file_are_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "client-names.json"
    file.write_text(content, encoding="utf-8")
    assert ClientNames(file).all() == {}
    assert ClientNames(file).claims_of("site-a") == ()
    assert ClientNames(None).claims_of("site-a") == ()
