"""The protocol, as a hostile client and a hostile browser would try it."""

import json
import sqlite3
import time
from typing import Any

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet
from realname_world import LIN, REDIRECT, MakeWorld, World, query

pytestmark = pytest.mark.thorough


def id_claims(world: World, answer: Any) -> dict[str, Any]:
    jwks = KeySet.import_key_set(world.browser().get("/idp/jwks").json)
    token = jwt.decode(answer.json["id_token"], jwks, algorithms=["ES256"])
    assert token.header["alg"] == "ES256"
    return token.claims


def test_discovery_names_what_is_there(world: World) -> None:
    found = world.browser().get("/idp/.well-known/openid-configuration").json
    assert found["issuer"] == "http://localhost:8/idp"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True


def test_a_proof_ends_in_an_id_token_without_number_and_full_name(world: World) -> None:
    browser = world.browser()
    code = world.code(browser)
    answer = world.redeem(browser, code)
    assert answer.status_code == 200, answer.json
    assert answer.headers["Cache-Control"] == "no-store"
    claims = id_claims(world, answer)
    assert claims["iss"] == "http://localhost:8/idp"
    assert claims["aud"] == "keycloak"
    assert claims["nonce"] == "nonce-1"
    assert claims["acr"] == "loa3"
    assert claims["name"] == "林****"
    assert claims["preferred_username"] == LIN["mobile"]
    assert claims["realname_level"] == "RN2"
    assert claims["verified_at"] == "2026-11-22T08:00:00Z"
    assert claims["verified_claims"] == json.loads(claims["verified_claims_str"])
    assert set(claims["verified_claims"]) == {"verification", "claims"}
    assert LIN["number"] not in json.dumps(claims, ensure_ascii=False)
    assert LIN["name"] not in json.dumps(claims, ensure_ascii=False)
    token = {"Authorization": f"Bearer {answer.json['access_token']}"}
    userinfo = world.browser().get("/idp/userinfo", headers=token)
    assert userinfo.json["sub"] == claims["sub"]
    world.clock.move(seconds=301)
    assert world.browser().get("/idp/userinfo", headers=token).status_code == 401


def test_one_person_has_one_reference(world: World) -> None:
    first, second = world.browser(), world.browser()
    one = id_claims(world, world.redeem(first, world.code(first)))
    two = id_claims(world, world.redeem(second, world.code(second)))
    assert one["sub"] == two["sub"]


def test_the_answer_carries_state_and_issuer(world: World) -> None:
    browser = world.browser()
    world.prove(browser)
    answer = query(browser.get("/idp/proof/leave").location)
    assert answer["state"] == "state-1"
    assert answer["iss"] == "http://localhost:8/idp"


def test_a_visit_gives_one_answer(world: World) -> None:
    browser = world.browser()
    world.code(browser)
    assert browser.get("/idp/proof/leave").status_code == 410


@pytest.mark.parametrize(
    "redirect_uri",
    [REDIRECT + "/", REDIRECT + "?a=b", "http://localhost:9.evil/", "https://evil.example/", None],
)
def test_a_foreign_redirect_address_gets_nothing(world: World, redirect_uri: str | None) -> None:
    answer = world.authorize(world.browser(), redirect_uri=redirect_uri)
    assert answer.status_code == 400
    assert answer.location is None


def test_an_unknown_client_gets_nothing(world: World) -> None:
    answer = world.authorize(world.browser(), client_id="somebody")
    assert answer.status_code == 400
    assert answer.location is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"prompt": "none"}, "login_required"),
        ({"request": "e30.e30."}, "invalid_request"),
    ],
)
def test_a_bad_request_goes_back_with_an_error_and_the_issuer(
    world: World, changes: dict[str, Any], error: str
) -> None:
    answer = world.authorize(world.browser(), **changes)
    assert answer.status_code == 302
    assert answer.location.startswith(REDIRECT + "?")
    found = query(answer.location)
    assert found["error"] == error
    assert found["state"] == "state-1"
    assert found["iss"] == "http://localhost:8/idp"


def test_a_code_works_once_and_its_replay_takes_the_token_back(world: World) -> None:
    browser = world.browser()
    code = world.code(browser)
    token = world.redeem(browser, code).json["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert world.browser().get("/idp/userinfo", headers=headers).status_code == 200
    again = world.redeem(browser, code)
    assert (again.status_code, again.json["error"]) == (400, "invalid_grant")
    assert world.browser().get("/idp/userinfo", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": None}, "invalid_request"),
        ({"redirect_uri": REDIRECT + "x"}, "invalid_grant"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_secret": None}, "invalid_client"),
        ({"client_id": "somebody"}, "invalid_client"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token"}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_token_request_gets_no_token(world: World, changes: dict[str, Any], error: str) -> None:
    browser = world.browser()
    code = world.code(browser)
    answer = world.redeem(browser, code, **changes)
    assert answer.status_code in {400, 401}
    assert answer.json["error"] == error
    assert "access_token" not in answer.json


def test_a_code_lives_a_minute(world: World) -> None:
    browser = world.browser()
    code = world.code(browser)
    world.clock.move(seconds=61)
    assert world.redeem(browser, code).json["error"] == "invalid_grant"


def test_leaving_early_tells_the_site_interaction_required(world: World) -> None:
    browser = world.browser()
    world.authorize(browser)
    answer = query(browser.get("/idp/proof/leave").location)
    assert answer["error"] == "interaction_required"
    assert answer["state"] == "state-1"
    assert answer["iss"] == "http://localhost:8/idp"
    assert "code" not in answer


def test_a_failed_proof_yields_no_code(world: World) -> None:
    browser = world.browser()
    assert world.prove(browser, mobile="13900000009") == "mobile-not-owned"
    assert query(browser.get("/idp/proof/leave").location)["error"] == "interaction_required"


def test_the_level_is_claimed_for_a_fresh_check_only(world: World) -> None:
    browser = world.browser()
    world.prove(browser)
    world.clock.move(minutes=11)
    code = query(browser.get("/idp/proof/leave").location)["code"]
    assert "acr" not in id_claims(world, world.redeem(browser, code))


def test_secrets_are_not_in_the_database(world: World) -> None:
    browser = world.browser()
    code = world.code(browser)
    token = world.redeem(browser, code).json["access_token"]
    with sqlite3.connect(world.database) as database:
        dump = "\n".join(line for line in database.iterdump() if "sms_messages" not in line)
    database.close()
    for secret in (code, token, LIN["number"], LIN["name"], LIN["mobile"]):
        assert secret not in dump


class TestPrivateKeyJwt:
    @pytest.fixture
    def keyed(self, make: MakeWorld) -> World:
        return make(broker_jwks_url="http://localhost:9/certs", limits={"sms_cool_down_s": 0})

    def assertion(self, world: World, *, key: Any = None, alg: str = "ES256", **changes: Any) -> str:
        now = int(world.clock().timestamp())
        claims = {
            "iss": "keycloak",
            "sub": "keycloak",
            "aud": "http://localhost:8/idp/token",
            "jti": str(time.perf_counter_ns()),
            "iat": now,
            "exp": now + 60,
            **changes,
        }
        signing = key or world.keycloak_key
        return jwt.encode({"alg": alg, "kid": world.keycloak_key.thumbprint()}, claims, signing, [alg])

    def redeem(self, world: World, browser: FlaskClient, assertion: str) -> Any:
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        code = world.code(browser)
        return world.redeem(
            browser, code, client_secret=None, client_assertion_type=kind, client_assertion=assertion
        )

    def test_a_signed_assertion_is_accepted_once(self, keyed: World) -> None:
        browser = keyed.browser()
        assertion = self.assertion(keyed)
        assert self.redeem(keyed, browser, assertion).status_code == 200
        assert self.redeem(keyed, browser, assertion).json["error"] == "invalid_client"

    @pytest.mark.parametrize(
        "changes",
        [
            {"aud": "http://localhost:8/other"},
            {"exp": 1},
            {"exp": 2**40},
            {"sub": "somebody", "iss": "somebody"},
            {"iss": "somebody"},
            {"jti": None},
        ],
    )
    def test_a_wrong_assertion_is_refused(self, keyed: World, changes: dict[str, Any]) -> None:
        answer = self.redeem(keyed, keyed.browser(), self.assertion(keyed, **changes))
        assert answer.json["error"] == "invalid_client"

    def test_garbage_is_refused(self, keyed: World) -> None:
        for garbage in ("", "a.b.c", "é"):
            assert self.redeem(keyed, keyed.browser(), garbage).json["error"] == "invalid_client"


def test_basic_authentication_works_too(world: World) -> None:
    browser = world.browser()
    code = world.code(browser)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": world.verifiers[browser],
    }
    answer = world.browser().post("/idp/token", data=form, auth=("keycloak", world.secret))
    assert answer.status_code == 200
