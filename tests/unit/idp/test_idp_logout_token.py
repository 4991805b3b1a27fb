from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey

from idp.identity.access_token import JwksSource
from idp.identity.errors import AccessTokenRefused
from idp.identity.logout_token import LOGOUT_EVENT, LogoutTokenRefused, LogoutTokenVerifier

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
KEY = ECKey.generate_key("P-256", parameters={"kid": "k1", "use": "sig", "alg": "ES256"})
ISSUER = "http://localhost/realms/gov"


@pytest.fixture
def verifier() -> LogoutTokenVerifier:
    published = json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()
    return LogoutTokenVerifier(issuer=ISSUER, client_id="portal", jwks=JwksSource(lambda: published))


def claims(**changes: Any) -> dict[str, Any]:
    usual = {
        "iss": ISSUER,
        "aud": "portal",
        "iat": int(NOW.timestamp()),
        "exp": int(NOW.timestamp()) + 60,
        "jti": "j1",
        "sid": "s1",
        "sub": "p1",
        "events": {LOGOUT_EVENT: {}},
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def token(key: ECKey = KEY, alg: str = "ES256", **changes: Any) -> str:
    return jws.serialize_compact(
        {"alg": alg, "kid": "k1", "typ": "logout+jwt"}, json.dumps(claims(**changes)), key, algorithms=[alg]
    )


def test_a_good_token_names_the_session(verifier: LogoutTokenVerifier) -> None:
    notice = verifier.verify(token(), now=NOW)
    assert (notice.sid, notice.subject) == ("s1", "p1")


def test_a_token_is_taken_once(verifier: LogoutTokenVerifier) -> None:
    verifier.verify(token(), now=NOW)
    with pytest.raises(LogoutTokenRefused) as caught:
        verifier.verify(token(), now=NOW)
    assert caught.value.code == "replayed"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"iss": "http://evil"}, "issuer"),
        ({"aud": "site-a"}, "audience"),
        ({"aud": None}, "audience"),
        ({"iat": int(NOW.timestamp()) - 600}, "time"),
        ({"iat": int(NOW.timestamp()) + 600}, "time"),
        ({"iat": None}, "time"),
        ({"exp": int(NOW.timestamp()) - 60}, "time"),
        ({"events": {}}, "events"),
        ({"events": None}, "events"),
        ({"nonce": "n"}, "nonce"),
        ({"sid": None, "sub": None}, "nobody"),
        ({"jti": None}, "replayed"),
    ],
)
def test_each_rule_of_the_standard(verifier: LogoutTokenVerifier, changes: dict[str, Any], code: str) -> None:
    with pytest.raises(LogoutTokenRefused) as caught:
        verifier.verify(token(**changes), now=NOW)
    assert caught.value.code == code


def test_another_key_is_refused(verifier: LogoutTokenVerifier) -> None:
    other = ECKey.generate_key("P-256", parameters={"kid": "k1"})
    with pytest.raises(LogoutTokenRefused) as caught:
        verifier.verify(token(key=other), now=NOW)
    assert caught.value.code == "signature"


@pytest.mark.parametrize("text", ["", "a.b", "a.b.c", "é", "x" * 9000])
def test_what_is_no_token_is_refused(verifier: LogoutTokenVerifier, text: str) -> None:
    with pytest.raises(LogoutTokenRefused):
        verifier.verify(text, now=NOW)


def test_no_keys_no_logout(verifier: LogoutTokenVerifier) -> None:
    del verifier

    def away() -> bytes:
        raise OSError("away")

    cut_off = LogoutTokenVerifier(issuer=ISSUER, client_id="portal", jwks=JwksSource(away))
    with pytest.raises(AccessTokenRefused):
        cut_off.verify(token(), now=NOW)
