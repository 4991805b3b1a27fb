"""Keycloak as the one client: its redirect addresses, and how it proves who it is."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from idp.identity.access_token import ALGORITHMS, LEEWAY_S, JwksSource
from idp.identity.errors import AccessTokenRefused
from idp.store.grants import GrantStore

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPES: Final = ("openid", "profile", "phone")
_LONGEST_ASSERTION_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True)
class BrokerClient(ClientMixin):  # type: ignore[misc]  # Authlib has no types
    """What Authlib asks of a client."""

    client_id: str
    redirect_uris: tuple[str, ...]
    secret: bytes | None
    auth_methods: tuple[str, ...]

    def __repr__(self) -> str:
        return f"BrokerClient({self.client_id!r})"

    def get_client_id(self) -> str:
        """The client's name."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """None: the address is always written out."""
        return

    def get_allowed_scope(self, scope: str | None) -> str:
        """The known ones among the scopes asked for."""
        return " ".join(known for known in SCOPES if known in (scope or "").split())

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Exactly one of the configured addresses (RFC 9700 2.1)."""
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """Compared in constant time."""
        return self.secret is not None and hmac.compare_digest(self.secret, client_secret.encode("utf-8"))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """The configured methods at the token endpoint."""
        return endpoint == "token" and method in self.auth_methods

    def check_response_type(self, response_type: str) -> bool:
        """The code flow only."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """The code flow only."""
        return grant_type == "authorization_code"


class AssertionAuthentication:
    """`private_key_jwt` (RFC 7523) with the client's published keys; each assertion works once."""

    def __init__(
        self, jwks: JwksSource, grants: GrantStore, audiences: tuple[str, ...], clock: Callable[[], datetime]
    ) -> None:
        self._jwks = jwks
        self._grants = grants
        self._audiences = audiences
        self._clock = clock

    def __call__(
        self, query_client: Callable[[str], BrokerClient | None], request: Any
    ) -> BrokerClient | None:
        """The client, or None when the request carries no assertion.

        Raises:
            InvalidClientError: the assertion is not acceptable.
        """
        form = request.form
        assertion = form.get("client_assertion")
        if form.get("client_assertion_type") != ASSERTION_TYPE or not assertion:
            return None
        claims = self._authentic_claims(assertion)
        client = query_client(str(claims.get("sub")))
        if client is None or claims.get("iss") != claims.get("sub"):
            raise InvalidClientError(description="The assertion's subject is unknown.")
        self._check_claims(client.client_id, claims)
        return client

    def _authentic_claims(self, assertion: str) -> dict[str, Any]:
        try:
            unverified_header = extract_compact(assertion.encode("ascii")).headers()
            kid = unverified_header.get("kid")
            if unverified_header.get("alg") not in ALGORITHMS or not isinstance(kid, str):
                raise InvalidClientError(description="The assertion's algorithm or key is not accepted.")
            keys = self._jwks.keys_with(kid, now=self._clock())
            return dict(jwt.decode(assertion, keys, algorithms=list(ALGORITHMS)).claims)
        except (JoseError, ValueError, AccessTokenRefused) as error:
            raise InvalidClientError(description="The assertion cannot be verified.") from error

    def _check_claims(self, client_id: str, claims: dict[str, Any]) -> None:
        now, leeway = self._clock(), timedelta(seconds=LEEWAY_S)
        audience = claims.get("aud")
        listed = audience if isinstance(audience, list) else [audience]
        if not any(known in listed for known in self._audiences):
            raise InvalidClientError(description="The assertion is for somebody else.")
        expires, assertion_id = claims.get("exp"), claims.get("jti")
        if not isinstance(expires, int) or not isinstance(assertion_id, str):
            raise InvalidClientError(description="The assertion lacks exp or jti.")
        until = datetime.fromtimestamp(max(0, min(expires, 2**33)), UTC)  # what datetime can hold
        if not now - leeway < until <= now + _LONGEST_ASSERTION_LIFE:
            raise InvalidClientError(description="The assertion is expired or lives too long.")
        if not self._grants.first_use_of_assertion(client_id, assertion_id, until=until + leeway, now=now):
            raise InvalidClientError(description="The assertion was used before.")
