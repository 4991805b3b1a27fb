"""`/api/v1` over Flask's own client, with real ES256 access tokens."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import ECKey
from registry_rooms import CITY_MARKET, sample_face

from cert_registry.checks import CheckQuery
from cert_registry.composition import RegistryRooms
from cert_registry.web.api import create_api, openapi_paths, openapi_schemas
from cert_registry.web.check_words import answer_words
from idp.identity.access_token import AccessTokenVerifier, JwksSource

ISSUER = "http://localhost:18081/realms/gov"
KEY = ECKey.generate_key("P-256", {"kid": "test", "use": "sig", "alg": "ES256"})
Token = Callable[..., dict[str, str]]


def bearer(scope: str = "issue requirements", **changes: Any) -> dict[str, str]:
    claims = {
        "iss": ISSUER,
        "aud": "longzheng-registry",
        "azp": "dept-city-market",
        "sub": "service-account",
        "typ": "Bearer",
        "scope": scope,
        "department_code": CITY_MARKET,
        "iat": int(time.time()),
        "exp": int(time.time()) + 60,
    } | changes
    token = jwt.encode({"alg": "ES256", "kid": "test"}, claims, KEY)
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def client(rooms: RegistryRooms) -> FlaskClient:
    keys = json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()
    application = Flask("test")
    verifier = AccessTokenVerifier(ISSUER, JwksSource(lambda: keys))
    application.register_blueprint(create_api(rooms, verifier), url_prefix="/api/v1")
    return application.test_client()


def body(case: str, **changes: Any) -> dict[str, Any]:
    return {
        "type": "food-business-licence",
        "case_number": case,
        "decision": "示例市监许准〔2026〕1号",
        "service_item": "SL-002",
        "face": sample_face(),
    } | changes


def test_an_approval_system_issues_asks_and_revokes(client: FlaskClient) -> None:
    made = client.post("/api/v1/issuances", json=body("A-1"), headers=bearer())
    assert made.status_code == 201
    again = client.post("/api/v1/issuances", json=body("A-1"), headers=bearer() | {"Idempotency-Key": "A-1"})
    assert (again.status_code, again.json | {"already_issued": False}) == (200, made.json)
    asked = client.get(made.headers["Location"], headers=bearer())
    assert (asked.json["stage"], asked.json["state"]["title"]) == ("delivered", "有效")
    change = {"operation": "penal-revoke", "reason": "r", "legal_basis": "b", "case_number": "P-1"}
    path = f"/api/v1/ecerts/{made.json['identifier']}/state-changes"
    assert client.post(path, json=change, headers=bearer()).json["state"]["title"] == "吊销"
    assert client.get(made.headers["Location"], headers=bearer()).json["state"]["title"] == "吊销"
    assert client.post(path, json=change, headers=bearer()).status_code == 409


def test_other_content_for_the_same_case_is_a_conflict(client: FlaskClient) -> None:
    client.post("/api/v1/issuances", json=body("A-2"), headers=bearer())
    other = body("A-2", face=sample_face() | {"premises": "别处"})
    refused = client.post("/api/v1/issuances", json=other, headers=bearer())
    assert (refused.status_code, refused.json["code"]) == (409, "idempotency-conflict")
    assert refused.mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("make_headers", "status", "code"),
    [
        (dict, 401, "token-missing"),
        (lambda: {"Authorization": "Bearer nonsense"}, 401, "token-malformed"),
        (lambda: bearer(aud="longzheng-verify"), 401, "token-audience"),
        (lambda: bearer(iss="http://elsewhere"), 401, "token-issuer"),
        (lambda: bearer(exp=int(time.time()) - 3600), 401, "token-expired"),
        (lambda: bearer(scope="verify"), 403, "token-scope"),
        (lambda: bearer(department_code=None), 401, "token-no-department"),
        (lambda: bearer(azp="dept-city-education"), 403, "not-authorised"),
    ],
)
def test_a_caller_without_the_right_token_is_refused(
    client: FlaskClient, make_headers: Callable[[], dict[str, str]], status: int, code: str
) -> None:
    # Made here and not while collecting: a token lives for minutes only.
    refused = client.post("/api/v1/issuances", json=body("A-3"), headers=make_headers())
    assert (refused.status_code, refused.json["code"]) == (status, code)


@pytest.mark.parametrize(
    ("changes", "status", "code", "field"),
    [
        ({"colour": "red"}, 400, "request-malformed", "colour"),
        ({"decision": ""}, 400, "request-malformed", "decision"),
        ({"type": "unheard-of"}, 404, "unknown-type", None),
        ({"face": {}}, 422, "draft-refused", None),
        ({"case_number": " A"}, 422, "draft-refused", "case_number"),
    ],
)
def test_a_faulty_body_is_told_field_by_field(
    client: FlaskClient, changes: dict[str, Any], status: int, code: str, field: str | None
) -> None:
    refused = client.post("/api/v1/issuances", json=body("A-4", **changes), headers=bearer())
    assert (refused.status_code, refused.json["code"]) == (status, code)
    if field is not None:
        assert field in {finding["field"] for finding in refused.json["findings"]}


def test_a_body_that_is_not_json_or_too_large_is_refused(client: FlaskClient) -> None:
    for data, mimetype in (
        (b"{", "application/json"),
        (b"x", "text/plain"),
        (b" " * 300_000, "application/json"),
    ):
        refused = client.post("/api/v1/issuances", data=data, content_type=mimetype, headers=bearer())
        assert (refused.status_code, refused.json["code"]) == (400, "request-malformed")


def test_required_documents_are_answered_and_recorded(client: FlaskClient, rooms: RegistryRooms) -> None:
    asked = {
        "holders": [{"code_type": "001", "number": "91990100C000000166"}],
        "purpose": "食品经营许可",
        "case_number": "A-5",
    }
    answer = client.post("/api/v1/requirements/SL-002/check", json=asked, headers=bearer())
    assert answer.status_code == 200
    assert answer.json["must_submit"] + answer.json["need_not_submit"] == len(answer.json["documents"])
    query = CheckQuery(department_codes=(CITY_MARKET,), operation="requirements")
    told = {part for row in rooms.checks.page(query).records for part in row.check.answer.split("; ")}
    statuses = {one["status"] for one in answer.json["documents"]}
    assert told
    assert told <= statuses
    assert all(word not in statuses for status in told for word in answer_words(status))
    unknown = client.post("/api/v1/requirements/SL-999/check", json=asked, headers=bearer())
    assert (unknown.status_code, unknown.json["code"]) == (404, "unknown-service-item")
    wrong = asked | {"holders": [{"code_type": "001", "number": "91990100C000000167"}]}
    refused = client.post("/api/v1/requirements/SL-002/check", json=wrong, headers=bearer())
    assert refused.status_code == 400
    assert "91990100C000000167" not in refused.text


def test_every_path_is_described_with_schemas_that_exist() -> None:
    text = json.dumps(openapi_paths())
    for name in openapi_schemas():
        assert name
    for reference in {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert reference in openapi_schemas() or reference == "Problem"


@pytest.mark.parametrize(
    "instant",
    [
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_an_instant_beyond_the_calendar_is_a_400(client: FlaskClient, instant: str) -> None:
    made = client.post("/api/v1/issuances", json=body("A-6"), headers=bearer())
    change = {
        "operation": "suspend",
        "reason": "r",
        "legal_basis": "b",
        "case_number": "P-1",
        "effective_at": instant,
    }
    paths = [f"/api/v1/ecerts/{made.json['identifier']}/state-changes"]
    if not instant.endswith("Z"):
        paths.append("/api/v1/ecerts/1.2.156.3005.2.x/state-changes")
    for path in paths:
        refused = client.post(path, json=change, headers=bearer())
        assert (refused.status_code, refused.json["code"]) == (400, "request-malformed")


@pytest.mark.parametrize("control", ["\x00", "\x1b[31m", "\u202e", "\n", "\u200b"])
@pytest.mark.parametrize("field", ["case_number", "decision", "service_item"])
def test_control_characters_are_refused_when_issuing(client: FlaskClient, field: str, control: str) -> None:
    faulty = body("A-7") | {field: f"甲{control}乙"}
    refused = client.post("/api/v1/issuances", json=faulty, headers=bearer())
    assert (refused.status_code, refused.json["findings"][0]["field"]) == (400, field)


@pytest.mark.parametrize("control", ["\x00", "\x1b[31m", "\u202e"])
@pytest.mark.parametrize("field", ["reason", "legal_basis", "case_number"])
def test_control_characters_are_refused_in_state_changes(
    client: FlaskClient, field: str, control: str
) -> None:
    change = {"operation": "suspend", "reason": "r", "legal_basis": "b", "case_number": "P-1"}
    faulty = change | {field: f"甲{control}乙"}
    refused = client.post("/api/v1/ecerts/x/state-changes", json=faulty, headers=bearer())
    assert (refused.status_code, refused.json["findings"][0]["field"]) == (400, field)


@pytest.mark.parametrize("field", ["purpose", "case_number", "officer", "legal_basis"])
def test_control_characters_are_refused_in_requirements(client: FlaskClient, field: str) -> None:
    asked = {
        "holders": [{"code_type": "001", "number": "91990100C000000166"}],
        "purpose": "食品经营许可",
        "case_number": "A-8",
    } | {field: "甲\x1b乙"}
    refused = client.post("/api/v1/requirements/SL-002/check", json=asked, headers=bearer())
    assert (refused.status_code, refused.json["findings"][0]["field"]) == (400, field)


def test_nobody_replaces_another_s_ecert_over_http(client: FlaskClient) -> None:
    made = client.post("/api/v1/issuances", json=body("A-9"), headers=bearer())
    other = body("A-9-a", replaces="1.2.156.3005.2.x")
    refused = client.post("/api/v1/issuances", json=other, headers=bearer())
    assert (refused.status_code, refused.json["code"]) == (403, "not-authorised")
    renewed = body("A-9-b", replaces=made.json["identifier"])
    assert client.post("/api/v1/issuances", json=renewed, headers=bearer()).status_code == 201
    third = body("A-9-c", replaces=made.json["identifier"])
    refused = client.post("/api/v1/issuances", json=third, headers=bearer())
    assert (refused.status_code, refused.json["code"]) == (409, "transition-refused")
