"""The ID number: to whom the law gives it, once, on record; to everybody else nothing. The page and the endpoint."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey
from realname_world import LIN, World, make_world, token_in
from sqlalchemy import create_engine, text

from deploy.dpop import make_proof
from idp.store.acts import ActKind

pytestmark = pytest.mark.thorough

ADDRESS = "http://localhost:8/idp/v1/id-number"
RIGHTS = {
    "site-a": {
        "site_name": "示例政务网",
        "legal_basis": "《某法》第一条",
        "purposes": {"land-transfer": "办理不动产转移登记"},
        "return_to": "http://localhost:7/id-number/back",
    }
}


class Visit:
    """A person who is signed in at site-a and at the real-name room, in one session of Keycloak."""

    def __init__(self, world: World, sid: str = "session-1") -> None:
        self.world, self.sid = world, sid
        self.key = ECKey.generate_key("P-256")
        browser = world.browser()
        world.code(browser)
        (person,) = self.refs()
        self.ref = person

    def refs(self) -> list[str]:
        engine = create_engine(f"sqlite:///{self.world.database}")
        with engine.connect() as connection:
            found = [row[0] for row in connection.execute(text("SELECT realname_ref FROM persons"))]
        engine.dispose()
        return found

    def person_token(self, **changes: Any) -> str:
        claims = {
            "azp": "site-a",
            "sid": self.sid,
            "scope": "openid id-number",
            "acr": "loa2",
            "auth_time": int(self.world.clock().timestamp()) - 60,
        }
        return self.world.access_token(None, **(claims | changes))

    def site_token(self, **changes: Any) -> str:
        claims = {
            "azp": "site-a-machine",
            "sub": "service-account-site-a-machine",
            "typ": "DPoP",
            "scope": "id-number",
            "cnf": {"jkt": self.key.thumbprint()},
        }
        return self.world.access_token(None, **(claims | changes))

    def agree(self, purpose: str = "land-transfer") -> str:
        desk = self.world.provider.number_desk
        return desk.releases.agree(
            self.ref,
            session_id=self.sid,
            site_id="site-a",
            purpose=purpose,
            case_number="C-1",
            now=self.world.clock(),
        )

    def ask(
        self,
        *,
        site_token: str | None = None,
        person_token: str | None = None,
        purpose: str = "land-transfer",
        key: ECKey | None = None,
        proof: str | None = None,
    ) -> Any:
        token = site_token or self.site_token()
        given = proof or at_clock(self.world, key or self.key, token)
        return self.world.browser().post(
            "/idp/v1/id-number",
            data={"person_token": person_token or self.person_token(), "purpose": purpose},
            headers={"Authorization": f"DPoP {token}", "DPoP": given},
        )


def at_clock(world: World, key: ECKey, token: str) -> str:
    """A proof made at the world's time, not at the machine's."""
    made_at = world.clock().timestamp()
    return make_proof(key, "POST", ADDRESS, access_token=token, made_at=made_at)


@pytest.fixture
def visit(tmp_path: Path) -> Any:
    rights = tmp_path / "rights.json"
    rights.write_text(json.dumps(RIGHTS), encoding="utf-8")
    world = make_world(tmp_path, limits={"sms_cool_down_s": 0}, number_rights_file=str(rights))
    yield Visit(world)
    world.provider._engine.dispose()


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["code"]


def test_the_number_is_told_once_and_stands_in_the_record_of_the_person(visit: Visit) -> None:
    release_id = visit.agree()
    answer = visit.ask()
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert answer.get_json() | {"verified_at": ""} == {
        "release_id": release_id,
        "name": LIN["name"],
        "number": LIN["number"],
        "level": "RN2",
        "verified_at": "",
    }
    assert answer.headers["Cache-Control"] == "no-store"
    (act,) = visit.world.service.acts.of(visit.ref)
    assert (act.kind, act.subject) == (ActKind.NUMBER_RELEASED, "示例政务网：办理不动产转移登记")
    assert code_of(visit.ask()) == (403, "not-agreed")


def test_without_the_persons_agreement_nothing_is_told(visit: Visit) -> None:
    assert code_of(visit.ask()) == (403, "not-agreed")


def test_an_agreement_is_good_for_ten_minutes_its_own_session_site_and_purpose(visit: Visit) -> None:
    visit.agree()
    assert code_of(visit.ask(person_token=visit.person_token(sid="session-2"))) == (403, "not-agreed")
    assert code_of(visit.ask(purpose="curiosity")) == (403, "no-right")
    visit.world.clock.now += timedelta(minutes=10, seconds=1)
    assert code_of(visit.ask()) == (403, "not-agreed")


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"azp": "site-b"}, (403, "other-site")),
        ({"sid": None}, (403, "other-site")),
        ({"acr": "loa1"}, (403, "strength")),
        ({"acr": None}, (403, "strength")),
        ({"auth_time": 1764057600 - 86400}, (403, "stale")),
        ({"aud": "longzheng-verify"}, (401, "audience")),
        ({"scope": "openid"}, (401, "scope")),
        ({"iss": "http://elsewhere"}, (401, "issuer")),
        ({"exp": 1}, (401, "expired")),
    ],
)
def test_the_person_must_be_there_freshly_and_with_a_second_factor(
    visit: Visit, changed: dict[str, Any], expected: tuple[int, str]
) -> None:
    visit.agree()
    assert code_of(visit.ask(person_token=visit.person_token(**changed))) == expected
    assert visit.ask().status_code == 200  # the agreement is not used up by a refusal


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"azp": "site-b-machine"}, (403, "no-right")),
        ({"azp": "site-a"}, (403, "not-a-machine")),
        ({"scope": "verify"}, (401, "scope")),
        ({"cnf": None, "typ": "Bearer"}, (403, "not-bound")),
        ({"cnf": {"jkt": "x" * 43}}, (401, "proof-mismatch")),
        ({"sid": "session-1"}, (403, "not-a-machine")),
        ({"auth_time": 1}, (403, "not-a-machine")),
    ],
)
def test_the_site_calls_itself_with_a_token_bound_to_its_key(
    visit: Visit, changed: dict[str, Any], expected: tuple[int, str]
) -> None:
    visit.agree()
    assert code_of(visit.ask(site_token=visit.site_token(**changed))) == expected


def test_a_stolen_token_is_worth_nothing_without_its_key_and_a_proof_works_once(visit: Visit) -> None:
    visit.agree()
    stolen = visit.ask(key=ECKey.generate_key("P-256"))
    assert code_of(stolen) == (401, "proof-mismatch")
    token = visit.site_token()
    proof = at_clock(visit.world, visit.key, token)
    assert visit.ask(site_token=token, proof=proof).status_code == 200
    again = visit.ask(site_token=token, proof=proof)
    assert code_of(again) == (401, "replayed")
    assert again.headers["WWW-Authenticate"].startswith('DPoP error="invalid_dpop_proof"')


def test_a_bearer_token_and_a_missing_proof_are_refused(visit: Visit) -> None:
    visit.agree()
    post = visit.world.browser().post
    for headers in (
        {},
        {"Authorization": f"Bearer {visit.site_token()}"},
        {"Authorization": f"DPoP {visit.site_token()}"},
    ):
        assert post("/idp/v1/id-number", headers=headers).status_code == 401


def test_who_was_frozen_or_displaced_is_not_told(visit: Visit) -> None:
    visit.agree()
    visit.world.provider.persons.freeze(visit.ref, now=visit.world.clock())
    assert code_of(visit.ask()) == (403, "not-proved")


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"site-a": 3}', '{"site-a": {"purposes": []}}'])
def test_a_right_that_was_taken_away_or_a_damaged_file_gives_nothing(visit: Visit, content: str) -> None:
    visit.agree()
    Path(visit.world.settings.number_rights_file or "").write_text(content, encoding="utf-8")
    assert code_of(visit.ask()) == (403, "no-right")


def test_the_store_holds_no_number_in_clear(visit: Visit) -> None:
    visit.agree()
    assert visit.ask().status_code == 200
    for path in visit.world.database.parent.glob("idp.db*"):
        assert LIN["number"].encode() not in path.read_bytes()


def signed_in(visit: Visit) -> FlaskClient:
    """A browser with a session of the client idp-account, as the callback opens it."""
    sessions = visit.world.provider.web_sessions
    content = {"realname_ref": visit.ref, "id_token": "x", "sid": visit.sid}
    handle = sessions.open("idp-account", content, now=visit.world.clock(), sid=visit.sid, subject="s")
    browser = visit.world.browser()
    browser.set_cookie("lz_idp_account", handle, path="/idp/account")
    return browser


ASKED = {"site": "site-a", "purpose": "land-transfer", "case": "C-1", "state": "st-1"}


def test_the_page_says_who_asks_why_and_on_what_basis_and_agreeing_opens_the_way(visit: Visit) -> None:
    browser = signed_in(visit)
    page = browser.get("/idp/account/number", query_string=ASKED)
    text = page.get_data(as_text=True)
    for told in ("示例政务网", "办理不动产转移登记", "《某法》第一条", "C-1"):
        assert told in text
    assert LIN["number"] not in text
    done = browser.post("/idp/account/number", data=ASKED | {"csrf_token": token_in(page), "answer": "agree"})
    assert 'href="http://localhost:7/id-number/back?state=st-1&amp;id_number=agreed"' in done.get_data(
        as_text=True
    )
    assert visit.ask().status_code == 200


def test_refusing_and_forged_forms_open_nothing(visit: Visit) -> None:
    browser = signed_in(visit)
    page = browser.get("/idp/account/number", query_string=ASKED)
    done = browser.post(
        "/idp/account/number", data=ASKED | {"csrf_token": token_in(page), "answer": "refuse"}
    )
    assert "id_number=refused" in done.get_data(as_text=True)
    browser.post("/idp/account/number", data=ASKED | {"csrf_token": "forged", "answer": "agree"})
    assert code_of(visit.ask()) == (403, "not-agreed")


@pytest.mark.parametrize(
    "changed",
    [{"site": "site-b"}, {"purpose": "curiosity"}, {"case": "a b"}, {"state": "<x>"}, {"state": ""}],
)
def test_a_request_without_right_or_form_is_stopped(visit: Visit, changed: dict[str, str]) -> None:
    page = signed_in(visit).get("/idp/account/number", query_string=ASKED | changed)
    assert page.status_code == 400
    assert "没有提供任何信息" in page.get_data(as_text=True)
