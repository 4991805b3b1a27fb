"""What an ID token of Keycloak must hold before a page of this room believes it.

Source: OpenID Connect Core 1.0, section 3.1.3.7.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from idp.errors import SignInRefused
from idp.identity.access_token import ALGORITHMS, JwksSource

_LEEWAY_S: Final = 30
_LONGEST: Final = 16_384


def read_id_token(
    token: str, *, issuer: str, client_id: str, nonce: str, jwks: JwksSource, now: datetime
) -> Mapping[str, Any]:
    """The claims of an ID token that was made for this client and this sign-in.

    Raises:
        SignInRefused: `id-token`.
        AccessTokenRefused: the issuer's keys cannot be had, or none fits.
    """
    try:
        unverified_header = extract_compact(token[:_LONGEST].encode("ascii")).headers()
        kid = str(unverified_header["kid"])
        keys = jwks.keys_with(kid, now=now)
        claims = jwt.decode(token, keys, algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError, KeyError, UnicodeEncodeError) as error:
        raise SignInRefused("登录答复无法核对，请重新登录。", code="id-token") from error
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    moment = now.timestamp()
    holds = (
        claims.get("iss") == issuer
        and client_id in audiences
        and claims.get("azp", client_id) == client_id
        and claims.get("nonce") == nonce
        and isinstance(claims.get("exp"), int)
        and moment < claims["exp"] + _LEEWAY_S
        and isinstance(claims.get("iat"), int)
        and claims["iat"] <= moment + _LEEWAY_S
        and isinstance(claims.get("sub"), str)
    )
    if not holds:
        raise SignInRefused("登录答复不是给本页面的，请重新登录。", code="id-token")
    return claims
