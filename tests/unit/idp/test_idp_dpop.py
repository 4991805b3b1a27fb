"""Proofs of possession: each rule of RFC 9449, 4.3 broken once, and an example of the standard itself."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.identity.dpop import Call, check_proof
from idp.identity.errors import DpopProofRefused

NOW = datetime(2026, 11, 25, 8, 0, tzinfo=UTC)
CALL = Call(method="POST", address="https://service.example/api/v1/verifications", access_token="a.b.c")
KEY = ECKey.generate_key("P-256")


class Used:
    """A memory as the stores keep it."""

    def __init__(self) -> None:
        self.marks: set[str] = set()

    def first_use(self, mark: str, *, until: datetime, now: datetime) -> bool:
        assert until > now
        fresh = mark not in self.marks
        self.marks.add(mark)
        return fresh


def ath(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def proof(*, key: Any = KEY, header: dict[str, Any] | None = None, **changed: Any) -> str:
    head = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)} | (header or {})
    claims = {
        "jti": "one",
        "htm": CALL.method,
        "htu": CALL.address,
        "iat": int(NOW.timestamp()),
        "ath": ath(CALL.access_token),
    } | changed
    claims = {name: value for name, value in claims.items() if value is not None}
    head = {name: value for name, value in head.items() if value is not None}
    return jwt.encode(head, claims, key, algorithms=["ES256", "ES384"])


def check(text: str, used: Used | None = None, call: Call = CALL) -> str:
    return check_proof(text, call, used=used or Used(), now=NOW)


def test_a_good_proof_names_the_key() -> None:
    assert check(proof()) == KEY.thumbprint()


@pytest.mark.parametrize(
    "address",
    ["https://SERVICE.example/api/v1/verifications", "https://service.example:443/api/v1/verifications"],
)
def test_addresses_that_are_one_are_compared_as_one(address: str) -> None:
    assert check(proof(htu=address)) == KEY.thumbprint()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"htm": "GET"}, "method"),
        ({"htm": "post"}, "method"),
        ({"htu": "https://service.example/api/v1/comparisons"}, "address"),
        ({"htu": "http://service.example/api/v1/verifications"}, "address"),
        ({"htu": "https://elsewhere.example/api/v1/verifications"}, "address"),
        ({"htu": "https://service.example/api/v1/verifications?x=1"}, "address"),
        ({"htu": "https://service.example:x/"}, "address"),
        ({"htu": None}, "address"),
        ({"iat": int((NOW - timedelta(seconds=70)).timestamp())}, "age"),
        ({"iat": int((NOW + timedelta(seconds=10)).timestamp())}, "age"),
        ({"iat": "now"}, "malformed"),
        ({"iat": True}, "malformed"),
        ({"iat": 1e300}, "malformed"),
        ({"iat": None}, "malformed"),
        ({"ath": ath("another.token.x")}, "token"),
        ({"ath": None}, "token"),
        ({"jti": None}, "malformed"),
        ({"jti": ""}, "malformed"),
        ({"jti": "x" * 200}, "malformed"),
        ({"jti": 7}, "malformed"),
        ({"header": {"typ": "JWT"}}, "malformed"),
        ({"header": {"typ": None}}, "malformed"),
        ({"header": {"crit": ["jwk"]}}, "malformed"),
        ({"header": {"jwk": KEY.as_dict(private=True)}}, "key"),
        ({"header": {"jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}}, "key"),
        ({"header": {"jwk": ECKey.generate_key("P-256").as_dict(private=False)}}, "signature"),
    ],
)
def test_each_rule_is_kept(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(DpopProofRefused) as refused:
        check(proof(**changed))
    assert refused.value.code == code


def test_another_algorithm_is_refused() -> None:
    with pytest.raises(DpopProofRefused) as refused:
        check(proof(key=ECKey.generate_key("P-384"), header={"alg": "ES384"}))
    assert refused.value.code == "algorithm"


def test_no_signature_is_no_proof() -> None:
    head, body, _ = proof().split(".")
    unsigned = base64.urlsafe_b64encode(json.dumps({"typ": "dpop+jwt", "alg": "none", "jwk": {}}).encode())
    for text in (
        f"{head}.{body}.",
        f"{unsigned.rstrip(b'=').decode()}.{body}.",
        "",
        "a.b",
        "é.b.c",
        "x" * 5000,
    ):
        with pytest.raises(DpopProofRefused):
            check(text)


def test_a_proof_works_once_and_its_id_belongs_to_its_key() -> None:
    used = Used()
    check(proof(), used)
    with pytest.raises(DpopProofRefused) as refused:
        check(proof(), used)
    assert refused.value.code == "replayed"
    assert check(proof(key=ECKey.generate_key("P-256")), used)


def test_the_example_of_the_standard_is_read() -> None:
    """RFC 9449, figure 12: its proof for GET https://resource.example.org/protectedresource, with its token."""
    text = (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0"
        "RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAt"
        "MjU2In19.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZ"
        "y9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NB"
        "cWtzbVFFbyJ9.2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
    )
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
    call = Call(method="GET", address="https://resource.example.org/protectedresource", access_token=token)
    at = datetime.fromtimestamp(1562262618, UTC)
    thumbprint = check_proof(text, call, used=Used(), now=at)
    assert thumbprint == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"  # cnf.jkt of figure 8


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=200) | st.binary(max_size=80).map(lambda octets: octets.decode("latin-1")))
def test_nothing_else_gets_through_or_falls_over(text: str) -> None:
    with pytest.raises(DpopProofRefused):
        check(text)
