"""Makes DPoP proofs: what a caller sends with a token that is bound to its key.

Source: RFC 9449, section 4.2.
"""

import base64
import hashlib
import secrets
import time

from joserfc import jwt
from joserfc.jwk import ECKey


def make_proof(
    key: ECKey, method: str, address: str, *, access_token: str | None = None, made_at: float | None = None
) -> str:
    """A proof for one request; without `access_token` for the token endpoint.

    Args:
        key: P-256, private.
        method: of HTTP, in capitals.
        address: without query and fragment.
        access_token: which goes with the request.
        made_at: seconds since 1970; now when not given.
    """
    moment = int(time.time() if made_at is None else made_at)
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    claims = {"jti": secrets.token_urlsafe(24), "htm": method, "htu": address, "iat": moment}
    if access_token is not None:
        digest = hashlib.sha256(access_token.encode("ascii")).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")
    return jwt.encode(header, claims, key)
