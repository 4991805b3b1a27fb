"""How our own clients prove themselves at the token endpoint: a key, never a shared secret.

Source: RFC 7523, section 3; OpenID Connect Core 1.0, section 9 (`private_key_jwt`).
"""

from __future__ import annotations

from typing import Any, Final

from authlib.oauth2.rfc7523 import PrivateKeyJWT, private_key_jwt_sign

LIFETIME_S: Final = 60


class ShortLivedAssertion(PrivateKeyJWT):  # type: ignore[misc] # Authlib publishes no types
    """`private_key_jwt` with ES256 and a minute of life; Authlib's own lives an hour and assumes RSA."""

    alg = "ES256"

    def sign(self, auth: Any, token_endpoint: str) -> str:
        """Return the assertion for one request; `auth.client_secret` is the client's key (`ECKey`)."""
        assertion: str = private_key_jwt_sign(
            auth.client_secret, auth.client_id, token_endpoint, alg=self.alg, expires_in=LIFETIME_S
        )
        return assertion
