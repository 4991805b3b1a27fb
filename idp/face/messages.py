"""The messages of the face check: compact JWS (ES256) both ways, each with audience, life and one-time id.

    POST {url}/checks          {"request": JWS of us}      -> 201 {"answer": JWS of the provider}
        request: iss client, aud provider, jti, iat, exp (60 s), name, number, nonce, return_url
        answer:  iss provider, aud client, jti, iat, exp, check_id, page_url
    POST {url}/checks/{id}/result {"request": JWS of us}   -> 200 {"answer": JWS of the provider}
        request: iss, aud, jti, iat, exp, check_id
        answer:  iss, aud, jti, iat, exp, check_id, nonce, result

`result` is `same-person`, `different-person`, `not-live` or `not-finished`. Name and number travel in the body alone,
over TLS or on this machine; the page's address holds a random id.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from idp.errors import FaceRefused

PROVIDER: Final = "longzheng-face-check"
LIFE_S: Final = 60
LEEWAY_S: Final = 30
SAME_PERSON: Final = "same-person"
RESULTS: Final = (SAME_PERSON, "different-person", "not-live", "not-finished")
_LONGEST: Final = 8192


def seal(claims: Mapping[str, Any], *, issuer: str, audience: str, key: ECKey, now: datetime) -> str:
    """A signed message that lives a minute."""
    issued = int(now.timestamp())
    envelope = {"iss": issuer, "aud": audience, "jti": secrets.token_urlsafe(24), "iat": issued}
    return jwt.encode({"alg": "ES256"}, {**claims, **envelope, "exp": issued + LIFE_S}, key, ["ES256"])


def open_sealed(
    message: object, *, issuer: str, audience: str, key: ECKey, now: datetime
) -> Mapping[str, Any]:
    """The claims of a message from the other side, for us, now.

    Raises:
        FaceRefused: `answer`.
    """
    if not isinstance(message, str) or len(message) > _LONGEST:
        raise _refused()
    try:
        claims = jwt.decode(message, key, algorithms=["ES256"]).claims
    except (JoseError, ValueError) as error:
        raise _refused() from error
    issued, ends = claims.get("iat"), claims.get("exp")
    moment = now.timestamp()
    holds = (
        claims.get("iss") == issuer
        and claims.get("aud") == audience
        and isinstance(claims.get("jti"), str)
        and isinstance(issued, int)
        and isinstance(ends, int)
        and issued - LEEWAY_S <= moment < ends + LEEWAY_S
        and ends - issued <= LIFE_S
    )
    if not holds:
        raise _refused()
    return claims


def _refused() -> FaceRefused:
    return FaceRefused("刷脸核验服务的答复无法核对。", code="answer")
