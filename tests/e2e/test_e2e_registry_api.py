"""`/api/v1` of the registry with real tokens, the officers' boundary on their pages, stock, and the public log."""

import json
import secrets
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from e2e_departments import (
    EDUCATION,
    HOUSING,
    MARKET,
    change_state,
    decoded,
    department,
    issuance,
    issue,
    licence_face,
    problem_of,
    why,
)

from cert_registry.tlog.checkpoint import open_checkpoint
from cert_registry.tlog.note import NoteVerifier
from cert_registry.tlog.proof import verify_inclusion
from deploy.configuration import Configuration
from deploy.demo.accounts import DemoAccounts, department_code, legal_person, person
from deploy.demo.seed import ENTERPRISE
from deploy.form_client import FormClient, Phone, give_code, sign_in_with_password

pytestmark = pytest.mark.servers

CODES_TRIED = 5
Longzheng = Callable[..., subprocess.CompletedProcess[str]]


def post(system: Configuration, path: str, body: object, *, scope: str = "issue") -> requests.Response:
    return department(system, MARKET, scope).post(path, json=body)


# ── issuing ──


def test_the_same_request_is_the_same_certificate_and_other_content_is_refused(system: Configuration) -> None:
    body = issuance()
    first, again = post(system, "/issuances", body), post(system, "/issuances", body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["already_issued"] is False
    assert again.json()["already_issued"] is True
    same = ("identifier", "check_code", "file_sha256", "issuance_id")
    assert [first.json()[name] for name in same] == [again.json()[name] for name in same]
    other = body | {"face": licence_face(operation_items="冷食类食品制售")}
    assert problem_of(post(system, "/issuances", other), 409)["code"] == "idempotency-conflict"
    place = first.headers["Location"].removeprefix("/api/v1")
    token = department(system, MARKET, "issue").token()
    answer = requests.get(
        f"{system.public_url}/api/v1{place}", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )
    assert answer.json()["identifier"] == first.json()["identifier"]
    assert answer.json()["state"]["title"] == "有效"


def test_an_idempotency_key_that_is_not_the_case_number_is_refused(system: Configuration) -> None:
    answer = department(system, MARKET, "issue").post(
        "/issuances", json=issuance(), headers={"Idempotency-Key": "another"}
    )
    problem = problem_of(answer, 400)
    assert problem["findings"][0]["field"] == "Idempotency-Key"


def test_every_fault_of_a_face_is_named_and_no_number_repeated(system: Configuration) -> None:
    face = licence_face(credit_code="91990100WRONG", effective_date="2026-13-01", operator_name="")
    answer = post(system, "/issuances", issuance(face=face))
    problem = problem_of(answer, 422)
    named = {one["field"] for one in problem["findings"]}
    assert {"credit_code", "effective_date", "operator_name"} <= named
    assert "91990100WRONG" not in answer.text


def test_a_character_that_no_font_has_is_named_and_the_case_can_come_back(system: Configuration) -> None:
    body = issuance(face=licence_face(operation_items="热食类\U000f0001"))
    problem = problem_of(post(system, "/issuances", body), 422)
    assert "operation_items" in json.dumps(problem)
    mended = body | {"face": licence_face()}
    assert post(system, "/issuances", mended).status_code == 201


@pytest.mark.parametrize(
    ("changed", "status", "word"),
    [
        ({"type": "no-such-type"}, 404, "type"),
        ({"unknown": 1}, 400, "unknown"),
        ({"case_number": ""}, 400, "case_number"),
        ({"decision": ""}, 400, "decision"),
        ({"face": "text"}, 400, "face"),
        ({"type": "investment-approval"}, 403, ""),
        ({"type": "real-estate-title"}, 403, ""),
    ],
)
def test_an_issuance_of_another_shape_or_type_is_refused(
    system: Configuration, changed: dict[str, Any], status: int, word: str
) -> None:
    problem = problem_of(post(system, "/issuances", issuance() | changed), status)
    assert word in json.dumps(problem)


@pytest.mark.parametrize("slug", ["county-market", "city-land", "province-development"])
def test_the_citys_system_cannot_issue_for_another_department(system: Configuration, slug: str) -> None:
    body = issuance(issuer_code=department_code(slug))
    problem_of(post(system, "/issuances", body), 403)


def test_a_system_that_only_verifies_cannot_issue_or_change_states(system: Configuration) -> None:
    for client_id, scope in ((EDUCATION, "verify"), (HOUSING, "verify"), (MARKET, "requirements")):
        answer = department(system, client_id, scope).post("/issuances", json=issuance())
        assert answer.status_code in {401, 403}
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


# ── the boundary of a subtree, on the officers' pages ──


@pytest.fixture(scope="module")
def officers(system: Configuration, told: Path) -> Callable[[str], FormClient]:
    """Officers of the demo, each signed in once: their phones have few codes to give in a minute."""
    assert told.is_dir()
    signed_in: dict[str, FormClient] = {}

    def officer(staff_id: str) -> FormClient:
        if staff_id not in signed_in:
            signed_in[staff_id] = sign_officer_in(system, staff_id)
        return signed_in[staff_id]

    return officer


def sign_officer_in(system: Configuration, staff_id: str) -> FormClient:
    account = DemoAccounts(system).staff(staff_id)
    assert account is not None, f"{staff_id} has no phone"
    client, phone = FormClient(), Phone(secret=account.totp_secret)
    client.open(f"{system.public_url}/officer/")
    sign_in_with_password(client, staff_id, account.password)
    for _ in range(CODES_TRIED):  # Keycloak takes a code once; another test may have used it
        if not client.page.has_field("otp"):
            break
        give_code(client, phone)
    assert client.page.url.startswith(f"{system.public_url}/officer/"), client.page.title
    return client


@pytest.fixture(scope="module")
def city_draft(system: Configuration, officers: Callable[[str], FormClient]) -> str:
    """Address of a draft that the city's drafting officer made."""
    client = officers("li.wenjing")
    client.open(f"{system.public_url}/officer/drafts/new", type="food-business-licence")
    typed = {f"face-{name}": value for name, value in licence_face().items()}
    page = client.fill({**typed, "case_number": f"E2E-{secrets.token_hex(6)}"})
    assert "等待签发" in page.text
    return page.url


@pytest.mark.parametrize("staff_id", ["he.ping", "song.an"])
def test_the_countys_officers_do_not_reach_the_citys_draft(
    system: Configuration, city_draft: str, officers: Callable[[str], FormClient], staff_id: str
) -> None:
    client = officers(staff_id)
    for address in (city_draft, f"{city_draft}/preview.pdf"):
        answer = client.http.get(address, timeout=30)
        assert answer.status_code in {403, 404}, address
        assert ENTERPRISE not in answer.text
    assert city_draft.rsplit("/", 1)[1] not in client.open(f"{system.public_url}/officer/").html


def test_the_countys_signer_cannot_sign_off_by_a_request_made_by_hand(
    system: Configuration, city_draft: str, officers: Callable[[str], FormClient]
) -> None:
    client = officers("song.an")
    form = client.open(f"{system.public_url}/officer/").forms[0]
    hidden = {name: value for name, value in form.fields.items() if "csrf" in name}
    assert hidden
    for act in ("sign-off", "return", "revise"):
        answer = client.http.post(
            f"{city_draft}/{act}", data={**hidden, "revision": "1"}, allow_redirects=False, timeout=30
        )
        assert answer.status_code in {403, 404}, f"{act}: {answer.status_code}"
    assert "等待签发" in officers("li.wenjing").open(city_draft).text


# ── states ──


def test_state_changes_follow_the_types_rules(system: Configuration) -> None:
    identifier = issue(system).identifier
    assert problem_of(change_state(system, identifier, "return"), 409)["code"]
    suspended = change_state(system, identifier, "suspend")
    assert suspended.status_code == 201
    assert suspended.json()["state"]["title"] == "暂扣"
    assert problem_of(change_state(system, identifier, "suspend"), 409)
    stale = change_state(system, identifier, "return", expected_sequence=1)
    assert problem_of(stale, 409)["code"] != ""
    returned = change_state(system, identifier, "return", expected_sequence=suspended.json()["sequence"])
    assert returned.json()["state"]["title"] == "有效"
    cancelled = change_state(system, identifier, "cancel")
    assert cancelled.json()["state"]["title"] == "注销"
    for operation in ("suspend", "return", "revoke", "penal-revoke", "cancel"):
        problem_of(change_state(system, identifier, operation), 409)


def test_a_state_change_without_reason_or_basis_or_in_the_future_is_refused(system: Configuration) -> None:
    identifier = issue(system).identifier
    for name in ("reason", "legal_basis", "case_number"):
        problem = problem_of(change_state(system, identifier, "revoke", **{name: " "}), 400)
        assert name in json.dumps(problem)
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    problem = problem_of(change_state(system, identifier, "revoke", effective_at=tomorrow), 400)
    assert "effective_at" in json.dumps(problem)
    problem_of(change_state(system, identifier, "revoke", effective_at="2026-01-01T00:00:00"), 400)
    problem_of(change_state(system, identifier, "burn"), 400)
    problem_of(change_state(system, "1.2.156.3005.2.unknown", "revoke"), 404)


# ── documents that need not be submitted ──


def requirements(system: Configuration, code_type: str, number: str, item: str = "SL-002") -> Any:
    body = {
        "holders": [{"code_type": code_type, "number": number}],
        "purpose": "食品经营许可申请",
        "case_number": f"E2E-{secrets.token_hex(6)}",
    }
    return post(system, f"/requirements/{item}/check", body, scope="requirements")


def test_required_documents_are_told_apart_by_holder(system: Configuration) -> None:
    held = requirements(system, "001", legal_person(ENTERPRISE)["code"]).json()
    assert [one["status"] for one in held["documents"]] == ["held", "held", "not-a-certificate"]
    assert (held["need_not_submit"], held["must_submit"]) == (2, 1)
    nobody = requirements(system, "111", person("周大伟").number).json()
    assert [one["status"] for one in nobody["documents"]] == ["not-held", "not-held", "not-a-certificate"]


def test_a_wrong_number_an_unknown_item_and_a_missing_purpose_are_refused(system: Configuration) -> None:
    problem = problem_of(requirements(system, "111", "990100199001010000"), 400)
    assert "990100199001010000" not in json.dumps(problem)
    problem_of(requirements(system, "001", legal_person(ENTERPRISE)["code"], item="SL-999"), 404)
    body = {"holders": [{"code_type": "001", "number": legal_person(ENTERPRISE)["code"]}]}
    answer = post(system, "/requirements/SL-002/check", body, scope="requirements")
    assert "purpose" in json.dumps(problem_of(answer, 400))


# ── stock ──


def test_stock_goes_in_once_and_every_row_has_its_outcome(told: Path, longzheng: Longzheng) -> None:
    assert told.is_dir()
    directory = Path(__file__).resolve().parents[2] / "deploy" / "demo"
    expected = json.loads((directory / "stock-food.expected.json").read_text(encoding="utf-8"))
    done = longzheng(
        "ingest",
        directory / "stock-food.csv",
        "--source",
        "demo-stock",
        "--type",
        "food-business-licence",
        "--json",
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["rows"] == expected["rows"]
    assert {name: count for name, count in report["outcomes"].items() if count} == expected["outcomes"]
    assert {name: count for name, count in report["reasons"].items() if count} == expected["reasons"]
    assert report["ignored_columns"] == expected["ignored_columns"]


def test_a_file_that_is_no_stock_file_is_refused_with_a_sentence(
    longzheng: Longzheng, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n", encoding="utf-8")
    arguments = ("--source", "demo-stock", "--type", "food-business-licence")
    done = longzheng("ingest", wrong, *arguments)
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
    assert longzheng("ingest", tmp_path / "missing.csv", *arguments).returncode == 2


# ── the public log ──


def test_an_answers_proof_leads_to_the_published_checkpoint(system: Configuration) -> None:
    issued = issue(system)
    answer = department(system, MARKET, "verify").post("/verifications", json=why(**issued.code)).json()
    log = answer["log"]
    vkey = requests.get(f"{system.public_url}/log/vkey", timeout=30).text.strip()
    verifier = NoteVerifier.from_vkey(vkey)
    checkpoint = open_checkpoint(log["checkpoint"].encode(), origin=verifier.name, verifier=verifier)
    verify_inclusion(
        entry=decoded(log["leaf"]),
        index=log["index"],
        size=checkpoint.size,
        path=tuple(decoded(node) for node in log["proof"]),
        root=checkpoint.root,
    )
    published = requests.get(f"{system.public_url}/log/checkpoint", timeout=30)
    newest = open_checkpoint(published.content, origin=verifier.name, verifier=verifier)
    assert newest.size >= checkpoint.size
    first_hashes = requests.get(f"{system.public_url}/log/tile/0/000.p/1", timeout=30)
    assert first_hashes.status_code in {200, 404}
    assert requests.get(f"{system.public_url}/log/tile/0/999", timeout=30).status_code == 404


def test_the_whole_log_is_checked_by_one_command(
    longzheng: Longzheng, system: Configuration, tmp_path: Path
) -> None:
    done = longzheng("log", "verify", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["verdict"] == "whole"
    assert report["size"] > 268  # at least the stock
    older = tmp_path / "older"
    older.write_bytes(requests.get(f"{system.public_url}/log/checkpoint", timeout=30).content)
    issue(system)
    continued = json.loads(longzheng("log", "verify", "--older", older, "--json").stdout)
    assert continued["continues"] == report["size"]


def test_log_verify_finds_one_changed_bit(
    longzheng: Longzheng, system: Configuration, tmp_path: Path
) -> None:
    copied = tmp_path / "tlog"
    subprocess.run(["cp", "-r", str(system.state_dir / "tlog"), str(copied)], check=True)
    tile = next(path for path in sorted((copied / "tile" / "0").rglob("*")) if path.is_file())
    content = bytearray(tile.read_bytes())
    content[7] ^= 1
    tile.chmod(0o600)
    tile.write_bytes(bytes(content))
    done = longzheng("log", "verify", "--directory", copied)
    assert done.returncode == 1
    assert done.stderr.strip()
