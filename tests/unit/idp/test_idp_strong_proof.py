"""RN3 over the store: the impostor first, the owner second; orders for Keycloak; grants of officers."""

import threading
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from flask.testing import FlaskClient
from realname_world import LIN, World, make_world, outcome_in, query, token_in
from werkzeug.serving import make_server

from idp.displacement import Decision
from idp.errors import CodeRefused, CounterRefused
from idp.identity.citizen_number import parse_citizen_number
from idp.identity.errors import ActRefused, NotProved, ResolverUnavailable
from idp.identity.links import DOWNLOADED
from idp.identity.links_http import HttpLinks
from idp.identity.person_name import normalise_name
from idp.mobile_number import MobileNumber
from idp.ports import Comparison
from idp.proofing import ClaimedIdentity, Outcome
from idp.store.acts import Act, ActKind
from idp.store.persons import PersonState
from idp.store.window_grants import WindowGrant
from idp.strong_proof import (
    DocumentKind,
    StrongProof,
    StrongProofing,
    TheftReport,
    UnheldClaim,
    require_grant,
)

pytestmark = pytest.mark.thorough

OWN_PHONE, OTHER_PHONE = "13900000001", "13900000066"
GRANT = WindowGrant(
    grant_id=0,
    staff_id="fan.jing",
    department_code="1199010000000022XR",
    office="3 号窗口",
    valid_from=date(2024, 1, 1),
    valid_to=date(2026, 12, 31),
    basis="示公授〔2024〕1 号",
    granted_by="示例市公安局",
)


def lin(mobile: str = OTHER_PHONE) -> ClaimedIdentity:
    return ClaimedIdentity(
        name=normalise_name(LIN["name"]),
        number=parse_citizen_number(LIN["number"], today=date(2026, 11, 22)),
        mobile=MobileNumber(mobile),
    )


def strong(world: World) -> StrongProofing:
    return world.service.strong


def prove(
    world: World, *, mobile: str = OTHER_PHONE, says_own: bool = False, lost: bool = False
) -> StrongProof:
    proofing, now = strong(world), world.clock()
    world.clock.move(seconds=2)
    proofing.request_code("counter-visit", MobileNumber(mobile), staff_id="fan.jing", now=world.clock())
    return proofing.prove_at_counter(
        lin(mobile),
        DocumentKind.RESIDENT_CARD,
        GRANT,
        visit_mark="counter-visit",
        code=world.last_code(),
        says_own=says_own,
        lost_factors=lost,
        now=now + timedelta(seconds=3),
    )


def first(world: World) -> str:
    """The link that came first, by the registers alone."""
    world.code(world.browser())
    person = strong(world).standing(lin())
    assert person is not None
    return person.realname_ref


def test_the_owner_displaces_the_impostor_who_linked_first(world: World) -> None:
    impostor = first(world)
    world.provider.links.record(impostor, DOWNLOADED, "食品经营许可证", now=world.clock())
    world.accounts.acts = (
        Act(kind=ActKind.SITE_SIGN_IN, subject="site-a", at=world.clock(), source_id="e1"),
    )
    proof = prove(world)
    assert proof.settled is not None
    assert proof.settled.decision is Decision.DISPLACED
    assert proof.settled.displaced_ref == impostor
    # the impostor's link is out at once: tokens, pages, back channel
    with pytest.raises(NotProved) as refused:
        world.provider.links.in_force(impostor, now=world.clock())
    assert refused.value.code == "displaced"
    with pytest.raises(NotProved):
        world.provider.resolver.resolve(world.access_token(impostor), now=world.clock())
    assert world.accounts.frozen == [impostor]
    # the owner's is RN3, for the same holder
    assert proof.settled.realname_ref is not None
    mine = world.provider.persons.person(proof.settled.realname_ref)
    theirs = world.provider.persons.person(impostor)
    assert mine is not None
    assert theirs is not None
    assert (mine.level.value, mine.mobile) == ("RN3", OTHER_PHONE)
    assert mine.holder_reference == theirs.holder_reference
    assert world.provider.persons.displaced_by(mine.realname_ref) == (theirs,)
    listed = [(act.kind, act.subject) for act in world.service.acts.of(impostor)]
    assert sorted(listed, key=str) == [
        (ActKind.ECERT_DOWNLOADED, "食品经营许可证"),
        (ActKind.SITE_SIGN_IN, "site-a"),
    ]
    # both phones are told
    told = [(one.mobile, one.text) for one in world.service.messages.sent()]
    assert any(mobile == OWN_PHONE and "已停用" in text for mobile, text in told)
    assert any(mobile == OTHER_PHONE and "RN3" in text for mobile, text in told)


def test_the_impostor_cannot_come_back_by_the_registers(world: World) -> None:
    first(world)
    prove(world)
    assert world.prove(world.browser()) == "stronger-proof"  # the phone that linked first
    told = [one.text for one in world.service.messages.sent() if one.mobile == OTHER_PHONE]
    assert any("没有通过" in text for text in told)
    # and changes nothing of the owner's link
    person = strong(world).standing(lin())
    assert person is not None
    assert (person.level.value, person.mobile) == ("RN3", OTHER_PHONE)


def test_the_phone_of_the_counter_leads_in_though_no_operator_knows_it(world: World) -> None:
    prove(world)
    assert world.prove(world.browser(), mobile=OTHER_PHONE) == "proved"
    assert world.prove(world.browser(), name="林小雯", mobile=OTHER_PHONE) == "name-differs"
    # for nobody else
    assert world.prove(world.browser(), number="620102198001010017", mobile=OTHER_PHONE) == "no-such-number"


def test_the_owner_of_the_account_keeps_it_and_is_raised(world: World) -> None:
    own = first(world)
    proof = prove(world, mobile=OWN_PHONE, says_own=True)
    assert proof.settled is not None
    assert proof.settled.decision is Decision.RAISED
    assert proof.settled.realname_ref == own
    ((reference, attributes),) = world.accounts.refreshed
    assert reference == own
    assert attributes["realname_level"] == "RN3"
    assert "vpip" in attributes["realname_verified_claims"]
    # a later remote proof with the same phone enters, and lowers nothing
    world.clock.move(hours=1)
    assert world.prove(world.browser()) == "proved"
    person = world.provider.persons.person(own)
    assert person is not None
    assert person.level.value == "RN3"
    assert person.verified_at < world.clock() - timedelta(minutes=50)


def test_lost_factors_go_only_from_an_account_that_its_owner_keeps(world: World) -> None:
    own = first(world)
    prove(world, mobile=OWN_PHONE, says_own=True, lost=True)
    assert world.accounts.reset == [own]
    prove(world, lost=True)  # another phone: the account is displaced, nothing is opened in it
    assert world.accounts.reset == [own]
    assert world.accounts.frozen == [own]


def test_keycloak_being_down_delays_the_order_and_not_the_freezing(world: World) -> None:
    impostor = first(world)
    world.accounts.down = True
    prove(world)
    with pytest.raises(NotProved):
        world.provider.links.in_force(impostor, now=world.clock())
    assert world.accounts.frozen == []
    world.provider.sweep(now=world.clock())
    world.accounts.down = False
    world.provider.sweep(now=world.clock())
    world.provider.sweep(now=world.clock())
    assert world.accounts.frozen == [impostor]


def test_a_wrong_code_proves_nothing(world: World) -> None:
    impostor = first(world)
    world.clock.move(seconds=2)
    strong(world).request_code("v", MobileNumber(OTHER_PHONE), staff_id="fan.jing", now=world.clock())
    wrong = f"{(int(world.last_code()) + 1) % 1_000_000:06}"
    with pytest.raises(CodeRefused):
        strong(world).prove_at_counter(
            lin(),
            DocumentKind.RESIDENT_CARD,
            GRANT,
            visit_mark="v",
            code=wrong,
            says_own=False,
            now=world.clock(),
        )
    person = world.provider.persons.person(impostor)
    assert person is not None
    assert person.state is PersonState.ACTIVE


@pytest.mark.parametrize(
    "comparison", [Comparison.DECEASED_OR_CANCELLED, Comparison.DOCUMENT_EXPIRED, Comparison.NAME_DIFFERS]
)
def test_what_the_register_does_not_confirm_is_told_to_the_officer_and_proves_nothing(
    world: World, comparison: Comparison
) -> None:
    world.register.states[LIN["number"]] = comparison
    proof = prove(world)
    assert proof.outcome.value == comparison.value
    assert strong(world).standing(lin()) is None


class TestTheftReport:
    def report(self, world: World) -> TheftReport:
        claim = UnheldClaim(name=lin().name, number=lin().number)
        return strong(world).report_theft(claim, DocumentKind.RESIDENT_CARD, GRANT, now=world.clock())

    def test_a_report_without_a_phone_blocks_at_once(self, world: World) -> None:
        stolen = first(world)
        report = self.report(world)
        assert report.frozen is not None
        assert report.frozen.realname_ref == stolen
        with pytest.raises(NotProved) as refused:
            world.provider.links.in_force(stolen, now=world.clock())
        assert refused.value.code == "frozen"
        assert world.accounts.frozen == [stolen]
        assert world.prove(world.browser()) == "frozen"  # the thief has name, number and phone
        assert self.report(world).frozen is None  # a second report finds nothing to block

    def test_a_new_proof_at_the_counter_opens_it_again(self, world: World) -> None:
        stolen = first(world)
        self.report(world)
        proof = prove(world)
        assert proof.settled is not None
        assert proof.settled.displaced_ref == stolen
        assert world.prove(world.browser(), mobile=OTHER_PHONE) == "proved"

    def test_a_report_on_a_document_that_the_register_does_not_confirm_blocks_nothing(
        self, world: World
    ) -> None:
        own = first(world)
        world.register.states[LIN["number"]] = Comparison.NAME_DIFFERS
        assert self.report(world).outcome is Outcome.NAME_DIFFERS
        assert world.provider.links.in_force(own, now=world.clock())

    def test_ones_own_report_and_signing_out_everywhere(self, world: World) -> None:
        own = first(world)
        world.accounts.down = True
        assert strong(world).sign_out_everywhere(own, now=world.clock()) == 1
        world.accounts.down = False
        world.provider.sweep(now=world.clock())
        assert world.accounts.signed_out == [own]
        strong(world).freeze_own(own, now=world.clock())
        with pytest.raises(NotProved):
            world.provider.links.in_force(own, now=world.clock())
        assert world.accounts.frozen == [own]


def test_an_officer_who_guesses_is_stopped(world: World) -> None:
    now, found = world.clock(), []
    for each in range(31):
        claimed = ClaimedIdentity(
            name=normalise_name("猜" * (each + 1)), number=lin().number, mobile=MobileNumber(OTHER_PHONE)
        )
        found.append(strong(world).compare_at_counter(claimed, DocumentKind.RESIDENT_CARD, GRANT, now=now))
    assert found == [Outcome.NAME_DIFFERS] * 30 + [Outcome.TOO_MANY_TRIES]


def test_a_grant_counts_from_its_first_to_its_last_day(world: World) -> None:
    world.provider.grants.add(GRANT, now=world.clock())

    def on(day: date) -> bool:
        moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        try:
            return require_grant(world.provider.grants, "fan.jing", on=moment).office == "3 号窗口"
        except CounterRefused:
            return False

    days = (date(2023, 12, 31), date(2024, 1, 1), date(2026, 12, 31), date(2027, 1, 1))
    assert [on(day) for day in days] == [False, True, True, False]
    assert world.provider.grants.end("fan.jing", last_day=date(2026, 11, 20)) == 1
    assert [on(day) for day in (date(2026, 11, 20), date(2026, 11, 21))] == [True, False]
    assert not world.provider.grants.in_force("li.wenjing", on=date(2026, 1, 1))


def test_two_counters_at_once_leave_one_link_in_force(world: World) -> None:
    first(world)
    now, settled = world.clock(), []

    def settle(mobile: str) -> None:
        proof = strong(world).prove_by_face(lin(mobile), says_own=False, client_id="keycloak", now=now)
        settled.append(proof)

    threads = [threading.Thread(target=settle, args=(f"1390000007{each}",)) for each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    in_force = [
        one.settled.realname_ref
        for one in settled
        if one.settled
        and one.settled.realname_ref
        and world.provider.persons.person(one.settled.realname_ref).state is PersonState.ACTIVE  # type: ignore[union-attr]
    ]
    assert len(settled) == 4
    assert len(in_force) == 1


class TestLinksOverHttp:
    @pytest.fixture
    def links(self, world: World) -> Iterator[HttpLinks]:
        server = make_server("127.0.0.1", 0, world.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield HttpLinks(f"http://127.0.0.1:{server.server_port}/idp/v1/link")
        server.shutdown()
        thread.join()
        server.server_close()

    def test_the_same_answers_as_in_process(self, world: World, links: HttpLinks) -> None:
        reference = first(world)
        assert links.in_force(reference, now=world.clock()).value == "RN2"
        links.record(reference, DOWNLOADED, "食品经营许可证", now=world.clock())
        assert [one.subject for one in world.service.acts.of(reference)] == ["食品经营许可证"]
        prove(world)
        with pytest.raises(NotProved) as refused:
            links.in_force(reference, now=world.clock())
        assert refused.value.code == "displaced"
        with pytest.raises(NotProved):
            links.record(reference, DOWNLOADED, "食品经营许可证", now=world.clock())

    def test_what_is_no_act_is_refused(self, world: World, links: HttpLinks) -> None:
        reference = first(world)
        with pytest.raises(ActRefused):
            world.provider.links.record(reference, "site-sign-in", "x", now=world.clock())
        with pytest.raises(ResolverUnavailable):
            links.record(reference, "site-sign-in", "x", now=world.clock())
        with pytest.raises(ResolverUnavailable):
            HttpLinks("http://127.0.0.1:1/idp/v1/link").in_force(reference, now=world.clock())


@pytest.fixture
def face_world(tmp_path: Path) -> Iterator[World]:
    """A world whose simulator answers over TCP."""
    worlds: list[World] = []

    def application(environ: Any, start: Any) -> Any:
        return worlds[0].app(environ, start)

    server = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    worlds.append(
        make_world(
            tmp_path,
            limits={"sms_cool_down_s": 0},
            face={
                "url": f"http://127.0.0.1:{server.server_port}/idp/simulator/face",
                "client_id": "longzheng-idp",
                "key_file": str(tmp_path / "secrets" / "face.pem"),
                "provider_key_file": str(tmp_path / "secrets" / "face-provider.pem"),
                "simulated": True,
            },
        )
    )
    yield worlds[0]
    server.shutdown()
    thread.join()
    server.server_close()


class TestFace:
    def to_camera(self, browser: FlaskClient) -> str:
        page = browser.get("/idp/proof/outcome")
        answer = browser.post("/idp/proof/face", data={"csrf_token": token_in(page)})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return str(answer.location).removeprefix("http://localhost:8")

    def look(self, browser: FlaskClient, camera: str, who: str) -> Any:
        labels = BeautifulSoup(browser.get(camera).data, "html.parser").find_all("label")
        code = next(one.find("input")["value"] for one in labels if who in one.get_text())
        answer = browser.post(camera, data={"before_camera": code})
        return browser.get(answer.location.removeprefix("http://localhost:8"), follow_redirects=True)

    def test_a_new_person_is_raised_within_the_visit(self, face_world: World) -> None:
        browser = face_world.browser()
        assert face_world.prove(browser) == "proved"
        page = self.look(browser, self.to_camera(browser), "林晓雯")
        assert outcome_in(page) == "proved"
        person = strong(face_world).standing(lin())
        assert person is not None
        assert person.level.value == "RN3"
        code = query(browser.get("/idp/proof/leave").location)["code"]
        assert face_world.redeem(browser, code).status_code == 200

    @pytest.mark.parametrize(("who", "said"), [("周大伟", "不是同一人"), ("一张照片", "活体检测")])
    def test_somebody_else_or_a_photograph_raises_nothing(
        self, face_world: World, who: str, said: str
    ) -> None:
        browser = face_world.browser()
        face_world.prove(browser)
        page = self.look(browser, self.to_camera(browser), who)
        assert said in page.get_data(as_text=True)
        person = strong(face_world).standing(lin())
        assert person is not None
        assert person.level.value == "RN2"
        # nothing passed, so nothing to settle
        assert browser.get("/idp/proof/face/account").status_code == 303

    def test_whose_account_it_is_decides(self, face_world: World) -> None:
        impostor = first(face_world)
        face_world.clock.move(minutes=5)
        browser = face_world.browser()
        face_world.prove(browser)
        page = self.look(browser, self.to_camera(browser), "林晓雯")
        assert "已有一个账号" in page.get_data(as_text=True)
        nothing = browser.post("/idp/proof/face/account", data={"csrf_token": token_in(page)})
        assert nothing.status_code == 422
        done = browser.post(
            "/idp/proof/face/account",
            data={"csrf_token": token_in(page), "own": "no"},
            follow_redirects=True,
        )
        assert outcome_in(done) == "proved"
        assert face_world.accounts.frozen == [impostor]
        again = browser.post("/idp/proof/face/account", data={"csrf_token": token_in(page), "own": "no"})
        assert again.status_code == 410  # settled once
        assert face_world.accounts.frozen == [impostor]

    def test_the_return_address_alone_proves_nothing(self, face_world: World) -> None:
        browser = face_world.browser()
        face_world.prove(browser)
        self.to_camera(browser)
        page = browser.get("/idp/proof/face/return")
        assert "没有完成" in page.get_data(as_text=True)
        browser.get("/idp/proof/face/account")
        person = strong(face_world).standing(lin())
        assert person is not None
        assert person.level.value == "RN2"

    def test_a_check_of_another_visit_is_worth_nothing(self, face_world: World) -> None:
        one, other = face_world.browser(), face_world.browser()
        face_world.prove(one)
        camera = self.to_camera(one)
        face_world.prove(other)
        assert "没有完成" not in self.look(one, camera, "林晓雯").get_data(as_text=True)
        other.get("/idp/proof/face/return")
        answer = other.get("/idp/proof/face/account")
        assert answer.status_code == 303
        assert answer.location.endswith("/idp/proof/outcome")

    def test_a_face_speaks_for_whoever_was_proved_when_it_was_asked(self, face_world: World) -> None:
        """The impostor has the victim's data and phone, and a face of his own."""
        face_world.register.names["88010219900101001X"] = "周大伟"
        browser = face_world.browser()
        own = {"name": "周大伟", "number": "88010219900101001X", "mobile": "13900000009"}
        assert face_world.prove(browser, **own) == "proved"
        camera = self.to_camera(browser)
        labels = BeautifulSoup(browser.get(camera).data, "html.parser").find_all("label")
        code = next(one.find("input")["value"] for one in labels if "周大伟" in one.get_text())
        back = browser.post(camera, data={"before_camera": code}).location.removeprefix("http://localhost:8")
        assert browser.get(back).location.endswith("/idp/proof/face/account")
        face_world.fill(browser)  # the same visit, another person
        face_world.enter(browser, face_world.last_code())
        assert browser.get("/idp/proof/face/account").location.endswith("/idp/proof/outcome")
        person = strong(face_world).standing(lin())
        assert person is not None
        assert person.level.value == "RN2"

    def test_a_check_that_opens_after_the_visit_changed_is_not_kept(
        self, face_world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        browser, checks = face_world.browser(), face_world.service.face_checks
        face_world.prove(browser)
        kept = checks.begin

        def late(visit_mark: str, *arguments: Any, **named: Any) -> None:
            face_world.fill(browser)  # in a second window, while the provider answers
            kept(visit_mark, *arguments, **named)

        monkeypatch.setattr(type(checks), "begin", lambda _, *a, **n: late(*a, **n))
        page = browser.get("/idp/proof/outcome")
        answer = browser.post("/idp/proof/face", data={"csrf_token": token_in(page)})
        assert answer.status_code == 410
        face_world.enter(browser, face_world.last_code())
        assert browser.get("/idp/proof/face/return").location.endswith("/idp/proof/outcome")
