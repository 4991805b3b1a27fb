"""Access tokens: what is believed, and every way in which one is not."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from idp.identity.access_token import AccessTokenVerifier, JwksSource
from idp.identity.assurance import AcrLevel, RealnameLevel
from idp.identity.errors import AccessTokenRefused, KeysUnavailable

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
ISSUER = "https://id.example/realms/gov"
KEY = ECKey.generate_key("P-256", {"kid": "k1"})
RSA = RSAKey.generate_key(2048, {"kid": "k2"})


def published(*keys: Any) -> Callable[[], bytes]:
    return lambda: json.dumps({"keys": [key.as_dict(private=False) for key in keys]}).encode()


def token(key: Any = KEY, alg: str = "ES256", header: dict[str, Any] | None = None, **changes: Any) -> str:
    issued = int(NOW.timestamp())
    claims = {
        "iss": ISSUER,
        "aud": ["account", "longzheng-verify"],
        "azp": "dept-a",
        "sub": "subject",
        "typ": "Bearer",
        "iat": issued,
        "exp": issued + 300,
        "scope": "verify compare",
        **changes,
    }
    kept = {name: value for name, value in claims.items() if value is not ...}
    return jwt.encode({"alg": alg, "kid": key.kid, **(header or {})}, kept, key, [alg])


@pytest.fixture
def verifier() -> AccessTokenVerifier:
    return AccessTokenVerifier(ISSUER, JwksSource(published(KEY, RSA)))


def test_a_good_token_names_its_caller(verifier: AccessTokenVerifier) -> None:
    auth_time = int(NOW.timestamp()) - 60
    good = token(acr="loa2", auth_time=auth_time, realname_level="RN2", department_code="d", staff_id="s")
    caller = verifier.verify(good, audience="longzheng-verify", scope="verify", now=NOW)
    assert (caller.client_id, caller.subject) == ("dept-a", "subject")
    assert caller.scopes == {"verify", "compare"}
    assert caller.acr is AcrLevel.LOA2
    assert caller.auth_time == NOW - timedelta(seconds=60)
    assert caller.realname_level is RealnameLevel.RN2
    assert (caller.department_code, caller.staff_id, caller.realname_ref) == ("d", "s", None)


@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_rsa_is_accepted(verifier: AccessTokenVerifier, alg: str) -> None:
    assert verifier.verify(token(RSA, alg), audience="longzheng-verify", now=NOW).acr is None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "https://id.example/realms/other"}, "issuer"),
        ({"aud": "longzheng-registry"}, "audience"),
        ({"aud": ...}, "audience"),
        ({"exp": int(NOW.timestamp()) - 31}, "expired"),
        ({"exp": ...}, "claims"),
        ({"exp": "tomorrow"}, "claims"),
        ({"exp": 1e30}, "claims"),
        ({"nbf": int(NOW.timestamp()) + 31}, "not-yet-valid"),
        ({"iat": int(NOW.timestamp()) + 31}, "not-yet-valid"),
        ({"typ": "ID"}, "wrong-type"),
        ({"typ": "Refresh"}, "wrong-type"),
        ({"typ": ...}, "wrong-type"),
        ({"azp": ...}, "claims"),
        ({"realname_ref": 7}, "claims"),
        ({"scope": "compare"}, "scope"),
        ({"cnf": {"jkt": "t"}, "typ": "DPoP"}, "proof-missing"),
        ({"cnf": {"jkt": "t"}}, "proof-missing"),
    ],
)
def test_each_flaw_is_refused_with_its_code(
    verifier: AccessTokenVerifier, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(AccessTokenRefused) as refused:
        verifier.verify(token(**changes), audience="longzheng-verify", scope="verify", now=NOW)
    assert refused.value.code == code


def test_a_bound_token_needs_its_own_proof(verifier: AccessTokenVerifier) -> None:
    bound = token(cnf={"jkt": "mine"}, typ="DPoP")
    verifier.verify(bound, audience="longzheng-verify", now=NOW, proved_thumbprint="mine")
    with pytest.raises(AccessTokenRefused) as refused:
        verifier.verify(bound, audience="longzheng-verify", now=NOW, proved_thumbprint="other")
    assert refused.value.code == "proof-mismatch"


def test_clocks_may_differ_by_half_a_minute(verifier: AccessTokenVerifier) -> None:
    verifier.verify(token(exp=int(NOW.timestamp()) - 29), audience="longzheng-verify", now=NOW)


def test_algorithms_outside_the_list_are_refused(verifier: AccessTokenVerifier) -> None:
    unsigned = "eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.e30."
    public = json.dumps(KEY.as_dict(private=False))
    confused = token(OctKey.import_key(public, {"kid": "k1"}), "HS256")
    for bad in (unsigned, confused):
        with pytest.raises(AccessTokenRefused) as refused:
            verifier.verify(bad, audience="longzheng-verify", now=NOW)
        assert refused.value.code == "algorithm"


@pytest.mark.parametrize("garbage", ["", "a", "a.b", "a.b.c", "é.é.é", "e30.e30.e30", "x" * 20_000])
def test_garbage_is_refused(verifier: AccessTokenVerifier, garbage: str) -> None:
    with pytest.raises(AccessTokenRefused):
        verifier.verify(garbage, audience="longzheng-verify", now=NOW)


def test_a_changed_token_and_a_foreign_key_are_refused(verifier: AccessTokenVerifier) -> None:
    header, payload, signature = token().split(".")
    other = token(sub="other").split(".")[1]
    foreign = token(ECKey.generate_key("P-256", {"kid": "k1"}))
    for bad in (f"{header}.{other}.{signature}", f"{header}.{payload}.{signature[:-4]}AAAA", foreign):
        with pytest.raises(AccessTokenRefused) as refused:
            verifier.verify(bad, audience="longzheng-verify", now=NOW)
        assert refused.value.code == "signature"


class Keys:
    """A key set that changes, fails, and counts how often it is read."""

    def __init__(self, *keys: Any) -> None:
        self.keys: tuple[Any, ...] = keys
        self.read = 0
        self.fails = False

    def __call__(self) -> bytes:
        self.read += 1
        if self.fails:
            raise OSError
        return published(*self.keys)()


def test_a_new_key_is_read_at_once_but_not_at_every_wish() -> None:
    keys = Keys(KEY)
    verifier = AccessTokenVerifier(ISSUER, JwksSource(keys))
    verifier.verify(token(), audience="longzheng-verify", now=NOW)
    verifier.verify(token(), audience="longzheng-verify", now=NOW)
    assert keys.read == 1
    keys.keys = (KEY, RSA)
    rotated = token(RSA, "RS256")
    with pytest.raises(AccessTokenRefused) as refused:
        verifier.verify(rotated, audience="longzheng-verify", now=NOW + timedelta(seconds=29))
    assert (refused.value.code, keys.read) == ("unknown-key", 1)
    verifier.verify(rotated, audience="longzheng-verify", now=NOW + timedelta(seconds=30))
    assert keys.read == 2


def test_without_keys_nothing_is_believed() -> None:
    keys = Keys(KEY)
    keys.fails = True
    verifier = AccessTokenVerifier(ISSUER, JwksSource(keys))
    with pytest.raises(KeysUnavailable):
        verifier.verify(token(), audience="longzheng-verify", now=NOW)


def test_old_keys_serve_for_an_hour_and_no_longer() -> None:
    keys = Keys(KEY)
    verifier = AccessTokenVerifier(ISSUER, JwksSource(keys))
    verifier.verify(token(), audience="longzheng-verify", now=NOW)
    keys.fails = True
    long_lived = token(exp=int(NOW.timestamp()) + 9999)
    verifier.verify(long_lived, audience="longzheng-verify", now=NOW + timedelta(minutes=59))
    with pytest.raises(KeysUnavailable):
        verifier.verify(long_lived, audience="longzheng-verify", now=NOW + timedelta(minutes=61))


def test_levels_are_ordered() -> None:
    assert RealnameLevel.RN3.meets(RealnameLevel.RN2)
    assert not RealnameLevel.RN1.meets(RealnameLevel.RN2)
    assert AcrLevel.LOA2.meets(AcrLevel.LOA2)
    assert not AcrLevel.LOA1.meets(AcrLevel.LOA2)
