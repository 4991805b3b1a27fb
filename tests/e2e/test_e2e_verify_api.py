"""`/api/v1` of the verify room with real tokens: every way in, every way to be refused, and what is recorded."""

import base64
import hashlib
import io
import json
import secrets
import subprocess
import time
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from e2e_departments import (
    EDUCATION,
    HOUSING,
    MARKET,
    REPRESENTATIVE,
    Issued,
    change_state,
    decoded,
    department,
    issue,
    problem_of,
    receipt_of,
    why,
    without,
)
from e2e_people import Accounts, Administration
from joserfc import jwt
from joserfc.jwk import ECKey
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from test_e2e_tokens import ask_token, header_of, sign_in_as

from cert_registry.civil_date import civil_date_at
from deploy import control
from deploy.configuration import Configuration
from deploy.demo.acts_identity import sign_citizen_in
from deploy.demo.seed import ENTERPRISE, PREMISES
from deploy.demo.stage import Stage
from deploy.form_client import FormClient
from idp.identity.access_token import LEEWAY_S

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def licence(system: Configuration, told: Path) -> Issued:
    """An ecert of this file's own, valid until one test revokes another one."""
    assert told.is_dir()
    return issue(system)


@pytest.fixture(scope="module")
def pdf(told: Path) -> bytes:
    return (told / "ecert.pdf").read_bytes()


@pytest.fixture(scope="module")
def token(system: Configuration) -> str:
    return department(system, EDUCATION, "verify").token()


@pytest.fixture(scope="module")
def description(system: Configuration) -> dict[str, Any]:
    answer = requests.get(f"{system.public_url}/api/v1/openapi.json", timeout=30)
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json()


@pytest.fixture(scope="module", autouse=True)
def expiring(system: Configuration, admin: Administration) -> str:
    """A token of one second, made first: the service tolerates clocks that differ by half a minute."""
    client = admin.connection.get("clients", clientId=HOUSING)[0]
    kept, lifespan = dict(client["attributes"]), "access.token.lifespan"
    admin.connection.put("clients", client["id"], body=client | {"attributes": kept | {lifespan: "1"}})
    try:
        return department(system, HOUSING, "verify").token()
    finally:
        restored = kept | {lifespan: kept.get(lifespan, "")}
        admin.connection.put("clients", client["id"], body=client | {"attributes": restored})


def ask(
    system: Configuration, body: object, *, token: str | None, path: str = "/verifications"
) -> requests.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return requests.post(f"{system.public_url}/api/v1{path}", json=body, headers=headers, timeout=60)


def ask_with_file(
    system: Configuration, document: bytes, *, token: str, name: str = "ecert.pdf"
) -> requests.Response:
    return requests.post(
        f"{system.public_url}/api/v1/verifications",
        headers={"Authorization": f"Bearer {token}"},
        files={"document": (name, document, "application/octet-stream")},
        data={"request": json.dumps(why())},
        timeout=60,
    )


# ── ways in ──


def test_the_pdf_its_base64_and_its_digest_get_the_same_answer(
    system: Configuration, pdf: bytes, token: str
) -> None:
    digest = hashlib.sha256(pdf).hexdigest()
    answers = [
        ask_with_file(system, pdf, token=token),
        ask(system, why(document=base64.b64encode(pdf).decode()), token=token),
        ask(system, why(sha256=digest), token=token),
    ]
    for answer, way in zip(answers, ("document", "document", "digest"), strict=True):
        assert answer.status_code == 200, answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        body = answer.json()
        assert body["outcome"] == "valid"
        assert body["seal"]["verdict"] == "TOTAL-PASSED"
        assert body["registry"]["found"] is True
        assert body["registry"]["state_name"] == "有效"
        assert body["log"]["proof"] is not None
        receipt = receipt_of(body["receipt"])
        assert receipt["document_sha256"] == digest
        assert receipt["jti"] == body["answer_id"]
        assert receipt["aud"] == EDUCATION
        assert receipt["asked"]["way"] == way


def test_identifier_with_check_code_is_answered_without_a_word_about_the_seal(
    system: Configuration, licence: Issued, token: str
) -> None:
    answer = ask(system, why(**licence.code), token=token)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert (body["outcome"], body["seal"]["verdict"], body["seal"]["basis"]) == (
        "valid",
        "NOT-CHECKED",
        "none",
    )
    assert body["registry"]["identifier"] == licence.identifier


def test_the_qr_text_is_enough(system: Configuration, told: Path, token: str) -> None:
    text = (told / "qr.txt").read_text(encoding="utf-8").strip()
    body = ask(system, why(qr=text), token=token).json()
    assert body["outcome"] == "valid", body
    report = json.loads((told / "report.json").read_text(encoding="utf-8"))
    assert body["registry"]["identifier"] == report["ecert"]["identifier"]


def test_a_qr_text_with_one_changed_character_is_refused(
    system: Configuration, told: Path, token: str
) -> None:
    text = (told / "qr.txt").read_text(encoding="utf-8").strip()
    changed = text[:-9] + ("0" if text[-9] != "0" else "1") + text[-8:]
    problem = problem_of(ask(system, why(qr=changed), token=token), 400)
    assert problem["code"] == "qr-refused"


def test_a_wrong_check_code_looks_exactly_like_an_unknown_identifier(
    system: Configuration, licence: Issued, token: str
) -> None:
    wrong_code = licence.check_code[:-1] + ("2" if licence.check_code[-1] != "2" else "3")
    unknown = licence.identifier.rsplit(".", 3)[0] + ".AAAAAAAAAAAAAAAAAAAA.001.0"
    asked = why()
    answers = [
        ask(system, asked | one, token=token)
        for one in (
            {"identifier": licence.identifier, "check_code": wrong_code},
            {"identifier": unknown, "check_code": licence.check_code},
        )
    ]
    assert [answer.status_code for answer in answers] == [200, 200]
    changing = ("answer_id", "asked_at", "receipt")
    first, second = (without(answer.json(), *changing) for answer in answers)
    assert first == second
    assert answers[0].json()["outcome"] == "unknown"
    assert set(answers[0].headers) == set(answers[1].headers)
    receipts = [receipt_of(answer.json()["receipt"]) for answer in answers]
    assert without(receipts[0], "jti", "iat") == without(receipts[1], "jti", "iat")


def test_an_altered_file_and_a_strangers_file_are_answers_not_errors(
    system: Configuration, told: Path, token: str
) -> None:
    altered = ask_with_file(system, (told / "altered.pdf").read_bytes(), token=token).json()
    assert (altered["outcome"], altered["seal"]["verdict"]) == ("altered", "TOTAL-FAILED")
    assert altered["registry"]["found"] is False
    text = ask_with_file(system, b"not a PDF at all\n", token=token, name="a.txt").json()
    assert text["seal"]["verdict"] == "NOT-A-PDF"
    assert text["outcome"] == "not-checked"


def test_an_ofd_file_is_recognised_and_not_judged(system: Configuration, token: str) -> None:
    body = ask_with_file(system, ofd(), token=token, name="ecert.ofd").json()
    assert (body["outcome"], body["seal"]["verdict"]) == ("not-checked", "NOT-A-PDF")
    assert "OFD" in body["sentence"]


def ofd() -> bytes:
    """The smallest package that calls itself OFD (GB/T 33190)."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        package.writestr(
            "OFD.xml",
            '<?xml version="1.0" encoding="UTF-8"?><ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016" Version="1.1"/>',
        )
    return packed.getvalue()


def test_a_file_over_the_limit_is_refused_with_the_limit_named(system: Configuration, token: str) -> None:
    problem = problem_of(ask_with_file(system, b"%PDF-1.7\n" + bytes(20 * 1024 * 1024), token=token), 413)
    assert problem["code"] == "document-too-large"
    assert "20 MB" in problem["detail"]
    problem_of(ask_with_file(system, bytes(33 * 1024 * 1024), token=token), 413)


# ── questions refused ──


@pytest.mark.parametrize("name", ["purpose", "service_item", "case_number"])
def test_a_question_that_does_not_say_why_is_refused_and_the_field_named(
    system: Configuration, licence: Issued, token: str, name: str
) -> None:
    body = why(**licence.code)
    del body[name]
    problem = problem_of(ask(system, body, token=token), 400)
    assert name in problem["detail"]
    blank = problem_of(ask(system, body | {name: "  "}, token=token), 400)
    assert name in blank["detail"]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"read_everything": True}, "read_everything"),
        ({"sha256": "ab"}, "sha256"),
        ({"sha256": "0" * 64}, "恰好给出一种"),
        ({"at": "yesterday"}, "at"),
        ({"document": "%%%"}, "request"),
    ],
)
def test_a_question_of_another_shape_is_refused(
    system: Configuration, licence: Issued, token: str, more: dict[str, Any], named: str
) -> None:
    problem = problem_of(ask(system, why(**licence.code) | more, token=token), 400)
    if named != "request":
        assert named in problem["detail"]


def test_an_identifier_without_its_check_code_is_refused(
    system: Configuration, licence: Issued, token: str
) -> None:
    problem = problem_of(ask(system, why(identifier=licence.identifier), token=token), 400)
    assert "check_code" in problem["detail"]


def test_a_body_that_is_not_json_is_refused(system: Configuration, token: str) -> None:
    url = f"{system.public_url}/api/v1/verifications"
    headers = {"Authorization": f"Bearer {token}"}
    problem_of(requests.post(url, data="<xml/>", headers=headers, timeout=30), 400)
    headers["Content-Type"] = "application/json"
    problem_of(requests.post(url, data="{", headers=headers, timeout=30), 400)
    problem_of(requests.post(url, data="[]", headers=headers, timeout=30), 400)
    assert requests.get(url, headers=headers, timeout=30).status_code == 405


# ── tokens refused ──


def refused_token(system: Configuration, licence: Issued, token: str | None, status: int) -> dict[str, Any]:
    answer = ask(system, why(**licence.code), token=token)
    problem = problem_of(answer, status)
    word = "insufficient_scope" if status == 403 else "invalid_token"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert f'error="{word}"' in answer.headers["WWW-Authenticate"] or token is None
    return problem


def test_no_token_and_no_bearer_token(system: Configuration, licence: Issued) -> None:
    assert refused_token(system, licence, None, 401)["code"] == "token-missing"
    assert refused_token(system, licence, "a.b.c", 401)["code"] == "token-malformed"


def test_a_token_for_the_registry_is_not_one_for_verifying(system: Configuration, licence: Issued) -> None:
    other = department(system, MARKET, "issue").token()
    assert refused_token(system, licence, other, 401)["code"] == "token-audience"


def test_the_scope_to_compare_is_not_the_scope_to_verify(system: Configuration, licence: Issued) -> None:
    other = department(system, EDUCATION, "compare").token()
    assert refused_token(system, licence, other, 403)["code"] == "token-scope"
    verifier = department(system, EDUCATION, "verify").token()
    body = why(**licence.code, compare={"operator_name": ENTERPRISE})
    problem = problem_of(ask(system, body, token=verifier, path="/comparisons"), 403)
    assert problem["code"] == "token-scope"


def test_a_tampered_or_forged_token_is_refused(system: Configuration, licence: Issued, token: str) -> None:
    header, payload, signature = token.split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    changed = base64.urlsafe_b64encode(json.dumps(claims | {"scope": "verify compare read"}).encode())
    tampered = f"{header}.{changed.rstrip(b'=').decode()}.{signature}"
    assert refused_token(system, licence, tampered, 401)["code"] == "token-signature"
    kid = header_of(token)["kid"]
    forged = jwt.encode({"alg": "ES256", "kid": kid}, claims, ECKey.generate_key("P-256"))
    assert refused_token(system, licence, forged, 401)["code"] == "token-signature"
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none", "kid": kid}).encode()).rstrip(b"=").decode()
    assert refused_token(system, licence, f"{none}.{payload}.", 401)["code"] == "token-algorithm"


def test_a_citizens_token_is_refused(system: Configuration, licence: Issued, accounts: Accounts) -> None:
    account, browser = accounts.of("周大伟"), FormClient()
    redirect_uri = f"{system.public_url}/auth/callback"
    verifier = sign_in_as(system, "portal", redirect_uri, browser)
    form = browser.page.form_with("username", "password")
    answer = browser.http.post(
        form.action,
        data=form.fields | {"username": account.citizen.mobile, "password": account.password},
        allow_redirects=False,
        timeout=30,
    )
    code = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["code"]
    tokens = ask_token(
        system,
        "portal",
        grant_type="authorization_code",
        code=code,
        redirect_uri=redirect_uri,
        code_verifier=verifier,
    ).json()
    assert refused_token(system, licence, tokens["access_token"], 401)["code"] == "token-audience"
    refused_token(system, licence, tokens["id_token"], 401)


# ── rights ──


def test_a_department_without_the_right_for_a_type_is_refused(system: Configuration, licence: Issued) -> None:
    body = why(**licence.code)
    problem = problem_of(ask(system, body, token=department(system, HOUSING, "verify").token()), 403)
    assert problem["code"] == "not-entitled"
    assert ENTERPRISE not in json.dumps(problem, ensure_ascii=False)


def test_comparing_returns_no_data(system: Configuration, licence: Issued) -> None:
    compare = {
        "operator_name": ENTERPRISE,
        "representative": "别人",
        "premises": "别处一号",
        "no_such_field": "x",
    }
    answer = department(system, EDUCATION, "compare").post(
        "/comparisons", json=why(**licence.code, compare=compare)
    )
    assert answer.status_code == 200, answer.text
    body = answer.json()
    results = {one["field"]: one["result"] for one in body["comparison"]}
    assert results == {
        "operator_name": "match",
        "representative": "mismatch",
        "premises": "mismatch",
        "no_such_field": "not-held",
    }
    for held in (PREMISES, REPRESENTATIVE, ENTERPRISE):
        assert held not in answer.text
    committed = {
        one["field"]: one["commitment"] for one in receipt_of(body["receipt"])["comparison"]["fields"]
    }
    for one in body["comparison"]:
        opened = hashlib.sha256(
            decoded(one["salt"]) + one["field"].encode() + b"\0" + compare[one["field"]].encode()
        ).digest()
        assert decoded(committed[one["field"]]) == opened, "the salt does not open the receipt's commitment"


def test_guessing_is_stopped_after_five_wrong_comparisons(system: Configuration) -> None:
    guessed = issue(system)
    token = department(system, EDUCATION, "compare").token()

    def compare(name: str) -> requests.Response:
        body = why(**guessed.code, compare={"representative": name})
        return ask(system, body, token=token, path="/comparisons")

    for number in range(5):
        assert compare(f"猜测{number}").json()["comparison"][0]["result"] == "mismatch"
    assert problem_of(compare("猜测六"), 429)["code"] == "probing-suspected"
    assert problem_of(compare(REPRESENTATIVE), 429)["code"] == "probing-suspected"


# ── states ──


def test_a_state_change_is_seen_by_the_next_check_and_by_the_day_asked_about(
    system: Configuration, token: str
) -> None:
    issued = issue(system)
    today = civil_date_at(datetime.now(UTC))

    def on(day: object) -> dict[str, Any]:
        answer = ask(system, why(**issued.code, at=str(day)), token=token)
        assert answer.status_code == 200, answer.text
        return answer.json()

    assert on(today)["outcome"] == "valid"
    assert on(today - timedelta(days=1))["outcome"] == "not-yet-valid"
    assert on(today + timedelta(days=800))["outcome"] == "expired"
    assert change_state(system, issued.identifier, "suspend").status_code == 201
    suspended = on(today)
    assert (suspended["outcome"], suspended["registry"]["state_name"]) == ("suspended", "暂扣")
    assert change_state(system, issued.identifier, "return").status_code == 201
    assert on(today)["outcome"] == "valid"
    assert change_state(system, issued.identifier, "penal-revoke").status_code == 201
    revoked = ask(system, why(**issued.code), token=token).json()
    assert (revoked["outcome"], revoked["registry"]["state_name"]) == ("revoked", "吊销")
    assert revoked["registry"]["reason"] == "监督检查中发现问题（端到端测试）"
    assert revoked["registry"]["legal_basis"].startswith("《中华人民共和国食品安全法》")
    assert receipt_of(revoked["receipt"])["registry"]["state"] == "吊销"


def test_a_revoked_file_keeps_its_seal_and_loses_its_validity(
    system: Configuration, told: Path, token: str
) -> None:
    body = ask_with_file(system, (told / "revoked.pdf").read_bytes(), token=token).json()
    assert (body["outcome"], body["seal"]["verdict"], body["registry"]["state_name"]) == (
        "revoked",
        "TOTAL-PASSED",
        "吊销",
    )


# ── the description ──


def test_the_description_is_valid_openapi_3_1(description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1.")
    errors = [error.message for error in OpenAPIV31SpecValidator(description).iter_errors()]
    assert errors == []


def test_questions_answers_and_problems_are_as_described(
    system: Configuration, description: dict[str, Any], licence: Issued, told: Path, token: str
) -> None:
    answers = [
        ask(system, why(**licence.code), token=token).json(),
        ask(system, why(sha256="0" * 64), token=token).json(),
        ask_with_file(system, (told / "altered.pdf").read_bytes(), token=token).json(),
        ask_with_file(system, (told / "revoked.pdf").read_bytes(), token=token).json(),
        department(system, EDUCATION, "compare")
        .post("/comparisons", json=why(**licence.code, compare={"operator_name": ENTERPRISE}))
        .json(),
    ]
    for answer in answers:
        assert faults(description, "Answer", answer) == []
    assert faults(description, "Question", why(**licence.code)) == []
    assert faults(description, "Question", why(**licence.code) | {"unknown": 1})
    refused = ask(system, {}, token=token)
    assert faults(description, "Problem", problem_of(refused, 400)) == []
    for part in ("Seal", "Registry"):
        known = set(description["components"]["schemas"][part]["properties"])
        assert set(answers[0][part.lower()]) <= known


def faults(description: dict[str, Any], name: str, instance: object) -> list[str]:
    """What keeps an instance from a schema of the description."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": description["components"]}
    return [
        error.message
        for error in Draft202012Validator(
            schema, format_checker=Draft202012Validator.FORMAT_CHECKER
        ).iter_errors(instance)
    ]


# ── on record ──


def test_the_holder_sees_every_check(system: Configuration, licence: Issued, tmp_path: Path) -> None:
    case = f"HOLDER-{secrets.token_hex(6)}"
    asked = why(**licence.code) | {"case_number": case, "purpose": "端到端测试的查验"}
    assert department(system, EDUCATION, "verify").post("/verifications", json=asked).status_code == 200
    compared = asked | {"case_number": f"{case}-B", "compare": {"operator_name": ENTERPRISE}}
    assert department(system, EDUCATION, "compare").post("/comparisons", json=compared).status_code == 200
    stage = Stage(configuration=system, out=tmp_path)
    sign_citizen_in(stage, f"{system.public_url}/my/checks")
    page = stage.citizen.open(f"{system.public_url}/my/checks")
    for word in (case, f"{case}-B", "端到端测试的查验", "示例市教育局"):
        assert word in page.text


def test_an_expired_token_is_refused(system: Configuration, licence: Issued, expiring: str) -> None:
    expiry = json.loads(base64.urlsafe_b64decode(expiring.split(".")[1] + "=="))["exp"]
    time.sleep(max(0.0, expiry + LEEWAY_S + 1 - time.time()))
    assert refused_token(system, licence, expiring, 401)["code"] == "token-expired"


# ── without Keycloak: last, since it takes a part away for a while ──


def test_a_valid_token_is_good_while_keycloak_is_away(
    system: Configuration, licence: Issued, longzheng: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    held = department(system, EDUCATION, "verify").token()
    assert ask(system, why(**licence.code), token=held).status_code == 200
    control.stop(system.state_dir, "keycloak")
    try:
        answer = ask(system, why(**licence.code), token=held)
        assert answer.status_code == 200, answer.text
        assert answer.json()["outcome"] == "valid"
        ready = requests.get(f"{system.public_url}/readyz", timeout=30)
        assert ready.status_code == 200, ready.text
    finally:
        healed = longzheng("up", "--detach")
    assert healed.returncode == 0, healed.stderr
    assert department(system, EDUCATION, "verify").token()
