"""The log-out message of OpenID Connect Back-Channel Logout: every rule broken once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from deploy.relying_site_sessions import (
    LOGOUT_EVENT,
    LogoutNotice,
    LogoutTokenRefused,
    Sessions,
    SignedIn,
    check_logout_token,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
KEY = ECKey.generate_key("P-256", parameters={"kid": "k"})
ISSUER = "http://localhost:1/realms/gov"


def claims(**changed: Any) -> dict[str, Any]:
    """A right message, with some claims changed or (None) left out."""
    right: dict[str, Any] = {
        "iss": ISSUER,
        "aud": "site-a",
        "iat": int(NOW.timestamp()),
        "jti": "j1",
        "sid": "s1",
        "sub": "p1",
        "events": {LOGOUT_EVENT: {}},
    }
    return {key: value for key, value in (right | changed).items() if value is not None}


def check(payload: dict[str, Any], sessions: Sessions, *, key: ECKey = KEY) -> LogoutNotice:
    token = jwt.encode({"alg": "ES256", "kid": "k"}, payload, key)
    keys = KeySet([KEY])
    return check_logout_token(token, keys=keys, issuer=ISSUER, client_id="site-a", sessions=sessions, now=NOW)


def person(sid: str, subject: str) -> SignedIn:
    return SignedIn(
        subject=subject, keycloak_session=sid, claims={}, id_token="t", until=NOW + timedelta(hours=1)
    )


def test_a_right_message_ends_the_named_session_only() -> None:
    sessions = Sessions()
    ended, other = sessions.begin(person("s1", "p1"), now=NOW), sessions.begin(person("s2", "p1"), now=NOW)
    assert sessions.end_noticed(check(claims(), sessions)) == 1
    assert sessions.find(ended, now=NOW) is None
    assert sessions.find(other, now=NOW) is not None


def test_a_message_without_a_session_ends_all_of_the_person() -> None:
    sessions = Sessions()
    sessions.begin(person("s1", "p1"), now=NOW)
    sessions.begin(person("s2", "p1"), now=NOW)
    stays = sessions.begin(person("s3", "p2"), now=NOW)
    assert sessions.end_noticed(check(claims(sid=None), sessions)) == 2
    assert sessions.find(stays, now=NOW) is not None


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"iss": "http://elsewhere"}, "issuer"),
        ({"aud": "site-b"}, "audience"),
        ({"aud": None}, "audience"),
        ({"iat": int(NOW.timestamp()) - 600}, "issued-at"),
        ({"iat": int(NOW.timestamp()) + 600}, "issued-at"),
        ({"iat": None}, "issued-at"),
        ({"iat": True}, "issued-at"),
        ({"events": None}, "events"),
        ({"events": {"other": {}}}, "events"),
        ({"events": {LOGOUT_EVENT: "yes"}}, "events"),
        ({"nonce": "n"}, "nonce"),
        ({"jti": None}, "token-id"),
        ({"sid": None, "sub": None}, "whose"),
    ],
)
def test_each_rule_is_held(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(LogoutTokenRefused) as refused:
        check(claims(**changed), Sessions())
    assert refused.value.code == code


def test_another_key_is_refused() -> None:
    with pytest.raises(LogoutTokenRefused) as refused:
        check(claims(), Sessions(), key=ECKey.generate_key("P-256"))
    assert refused.value.code == "signature"


@pytest.mark.parametrize("token", ["", "x", "e30.e30.", "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_signed_token_is_refused(token: str) -> None:
    with pytest.raises(LogoutTokenRefused):
        check_logout_token(
            token, keys=KeySet([KEY]), issuer=ISSUER, client_id="site-a", sessions=Sessions(), now=NOW
        )


def test_a_message_works_once() -> None:
    sessions = Sessions()
    check(claims(), sessions)
    with pytest.raises(LogoutTokenRefused) as refused:
        check(claims(), sessions)
    assert refused.value.code == "replayed"


def test_a_session_ends_by_itself() -> None:
    sessions = Sessions()
    session_id = sessions.begin(person("s1", "p1"), now=NOW)
    assert sessions.find(session_id, now=NOW + timedelta(hours=2)) is None
    assert sessions.find(None, now=NOW) is None
