"""`/status-lists/{n}` as somebody reads it who has only the file, the published roots and the draft of the format."""

import base64
import io
import json
import zlib
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pikepdf
import pytest
import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from e2e_departments import MARKET, chain_of, change_state, decoded, department, issuance, receipt_of

from deploy.configuration import Configuration
from deploy.demo.acts_identity import sign_citizen_in
from deploy.demo.stage import Stage

pytestmark = pytest.mark.servers

# draft-ietf-oauth-status-list, section 7.1
VALID, INVALID, SUSPENDED = 0, 1, 2


def status_of(list_token: str, index: int) -> int:
    """Reads one entry by the words of section 4.1: the byte that holds it, least significant bits first."""
    claims = json.loads(decoded(list_token.split(".")[1]))["status_list"]
    octets = zlib.decompress(decoded(claims["lst"]))
    per_byte = 8 // claims["bits"]
    byte, place = divmod(index, per_byte)
    return int(f"{octets[byte]:08b}"[::-1][place * claims["bits"] : (place + 1) * claims["bits"]][::-1], 2)


@pytest.fixture(scope="module")
def issued(system: Configuration, told: Any) -> tuple[str, dict[str, Any]]:
    """An ecert of this file's own, and what its own file says about its status."""
    assert told.is_dir()
    answer = department(system, MARKET, "issue").post("/issuances", json=issuance())
    assert answer.status_code == 201, answer.text
    identifier = answer.json()["identifier"]
    stage = Stage(configuration=system, out=told)
    sign_citizen_in(stage, f"{system.public_url}/my/ecerts/{identifier}")
    stage.citizen.open(f"{system.public_url}/my/ecerts/{identifier}")
    with pikepdf.open(io.BytesIO(stage.citizen.press("下载电子证照（PDF）").content)) as document:
        twin = json.loads(document.attachments["ecert.json"].get_file().read_bytes())
    return identifier, twin["status"]["status_list"]


def test_vectors_of_the_draft_are_read() -> None:
    """The reading above is independent of ours, so it is held against the draft's own example."""
    body = base64.urlsafe_b64encode(
        json.dumps({"status_list": {"bits": 2, "lst": "eNo76fITAAPfAgc"}}).encode()
    ).decode()
    assert [status_of(f".{body}.", index) for index in range(12)] == [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]


def test_a_state_change_is_in_the_list_at_once(
    system: Configuration, issued: tuple[str, dict[str, Any]]
) -> None:
    identifier, entry = issued
    assert entry["uri"].startswith(f"{system.public_url}/status-lists/")
    assert status_of(requests.get(entry["uri"], timeout=30).text, entry["idx"]) == VALID
    for operation, expected in (("suspend", SUSPENDED), ("return", VALID), ("penal-revoke", INVALID)):
        answer = change_state(system, identifier, operation)
        assert answer.status_code in {200, 201}, answer.text
        assert status_of(requests.get(entry["uri"], timeout=30).text, entry["idx"]) == expected


def test_only_places_of_ecerts_that_are_not_valid_are_set(issued: tuple[str, dict[str, Any]]) -> None:
    entry = issued[1]
    claims = json.loads(decoded(requests.get(entry["uri"], timeout=30).text.split(".")[1]))
    assert claims.keys() == {"sub", "iat", "exp", "ttl", "status_list"}
    assert claims["sub"] == entry["uri"]
    octets = zlib.decompress(decoded(claims["status_list"]["lst"]))
    assert len(octets) == 32_768  # always the whole list: its length tells nothing
    assert 0 < sum(1 for one in octets if one) < 1_000


def test_headers_let_any_cache_keep_it_for_as_long_as_it_says(
    issued: tuple[str, dict[str, Any]],
) -> None:
    answer = requests.get(issued[1]["uri"], timeout=30)
    claims = json.loads(decoded(answer.text.split(".")[1]))
    assert answer.headers["Content-Type"] == "application/statuslist+jwt"
    assert answer.headers["Cache-Control"] == f"public, max-age={claims['ttl']}"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Set-Cookie" not in answer.headers
    now = datetime.now(UTC).timestamp()
    assert claims["iat"] - 60 <= now <= claims["iat"] + 60
    assert claims["exp"] - claims["iat"] > claims["ttl"] > 0


def test_the_signature_is_of_the_published_key(
    system: Configuration, issued: tuple[str, dict[str, Any]]
) -> None:
    token = requests.get(issued[1]["uri"], timeout=30).text
    header = json.loads(decoded(token.split(".")[0]))
    assert (header["alg"], header["typ"]) == ("ES256", "statuslist+jwt")
    assert receipt_of(token)["sub"] == issued[1]["uri"]
    leaf, *above = chain_of(token)
    published = requests.get(f"{system.public_url}/pki/trust.pem", timeout=30).content
    roots = x509.load_pem_x509_certificates(published)
    assert above[-1] in roots
    for below, issuer in pairwise([leaf, *above]):
        below.verify_directly_issued_by(issuer)
    keys = requests.get(f"{system.public_url}/api/v1/receipts/jwks.json", timeout=30).json()["keys"]
    numbers = leaf.public_key()
    assert isinstance(numbers, ec.EllipticCurvePublicKey)
    x = numbers.public_numbers().x.to_bytes(32, "big")
    assert any(decoded(key["x"]) == x for key in keys)
    head, body, signature = token.split(".")
    forged = f"{head}.{body[:-2]}{'AA' if body[-2:] != 'AA' else 'BB'}.{signature}"
    with pytest.raises(InvalidSignature):
        receipt_of(forged)


@pytest.mark.parametrize("path", ["999999", "0", "-1", "1x", ""])
def test_a_list_that_does_not_exist(system: Configuration, path: str) -> None:
    answer = requests.get(f"{system.public_url}/status-lists/{path}", timeout=30)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "max-age" not in answer.headers.get("Cache-Control", "")


def test_it_is_read_and_never_written(issued: tuple[str, dict[str, Any]]) -> None:
    assert requests.head(issued[1]["uri"], timeout=30).status_code == 200
    for method in ("POST", "PUT", "DELETE"):
        assert requests.request(method, issued[1]["uri"], timeout=30).status_code in {400, 405}
