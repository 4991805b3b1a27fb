"""The authorization server, on Authlib: code flow, PKCE S256 always, one-time codes, ES256 ID tokens.

Source: OpenID Connect Core 1.0; RFC 6749, 7636, 9207, 9700.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from authlib.common.security import generate_token
from authlib.integrations.flask_oauth2 import AuthorizationServer as FlaskAuthorizationServer
from authlib.integrations.flask_oauth2.requests import FlaskOAuth2Payload
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9207 import IssuerParameter
from authlib.oidc.core.errors import InteractionRequiredError
from authlib.oidc.core.grants import OpenIDCode
from authlib.oidc.core.grants.util import create_half_hash
from flask import Request, Response
from flask import request as flask_request

from idp.provider.broker_client import BrokerClient
from idp.provider.claims import acr_of, person_claims
from idp.provider.signing_key import TokenSigner
from idp.store.grants import TOKEN_LIFE_S, CodeGrant, GrantStore, TokenGrant
from idp.store.persons import Person, PersonState, PersonStore

ID_TOKEN_LIFE_S: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedPerson:
    """Who proved it, and when: the `user` of Authlib."""

    realname_ref: str
    proved_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCode:
    """A code that came back, with its grant, in the shape that Authlib asks."""

    code: str
    grant: CodeGrant

    @property
    def code_challenge(self) -> str:
        """Of the authorization request."""
        return self.grant.code_challenge

    @property
    def code_challenge_method(self) -> str:
        """There is no other."""
        return "S256"

    def get_redirect_uri(self) -> str:
        """To which the code was sent."""
        return self.grant.redirect_uri

    def get_scope(self) -> str:
        """Granted."""
        return self.grant.scope


class S256Challenge(CodeChallenge):  # type: ignore[misc]  # Authlib has no types
    """PKCE with S256, demanded of everybody."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ("S256",)

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Demands challenge and method, and refuses request objects.

        Raises:
            InvalidRequestError: either is missing or of another method.
        """
        asked = grant.request.payload.data
        if asked.get("request") or asked.get("request_uri"):
            raise InvalidRequestError("Request objects are not supported.")
        if not asked.get("code_challenge") or asked.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE with code_challenge_method=S256 is required.")
        super().validate_code_challenge(grant, redirect_uri)


class _Issuer(IssuerParameter):  # type: ignore[misc]  # Authlib has no types
    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def get_issuer(self) -> str:
        return self._issuer


class _IncomingRequest(OAuth2Request):  # type: ignore[misc]  # Authlib has no types
    """A Flask request under the public address, whatever a proxy in between made of it."""

    def __init__(self, request: Request, issuer: str) -> None:
        super().__init__(request.method, f"{issuer}/", headers=request.headers)
        self._request = request
        self.payload = FlaskOAuth2Payload(request)

    @property
    def args(self) -> Any:
        return self._request.args

    @property
    def form(self) -> Any:
        return self._request.form


class _IdTokens(OpenIDCode):  # type: ignore[misc]  # Authlib has no types
    """ID tokens with our claims, clock and signer."""

    def __init__(self, server: "RealnameServer") -> None:
        super().__init__(require_nonce=False)
        self._server = server

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        """Nonces are Keycloak's to check; codes work once anyway."""
        del nonce, request
        return False

    def encode_id_token(self, token: Mapping[str, Any], request: Any) -> str:
        return self._server.id_token(token, request)


class _CodeGrant(AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    server: "RealnameServer"

    def save_authorization_code(self, code: str, request: Any) -> None:
        asked = request.payload
        grant = CodeGrant(
            client_id=request.client.client_id,
            redirect_uri=asked.redirect_uri,
            scope=request.scope,
            nonce=asked.data.get("nonce"),
            code_challenge=asked.data["code_challenge"],
            realname_ref=request.user.realname_ref,
            proved_at=request.user.proved_at,
        )
        self.server.grants.save_code(code, grant, now=self.server.clock())

    def query_authorization_code(self, code: str, client: BrokerClient) -> IssuedCode | None:
        grant = self.server.grants.code_grant(code, client_id=client.client_id, now=self.server.clock())
        return None if grant is None else IssuedCode(code=code, grant=grant)

    def authenticate_user(self, authorization_code: IssuedCode) -> ProvedPerson | None:
        """Uses the code up; of two requests at once, one gets nothing."""
        if not self.server.grants.use_code(authorization_code.code, now=self.server.clock()):
            return None
        grant = authorization_code.grant
        return ProvedPerson(realname_ref=grant.realname_ref, proved_at=grant.proved_at)

    def delete_authorization_code(self, authorization_code: IssuedCode) -> None:
        """It stays, marked as used, so that a replay is noticed."""


class RealnameServer(FlaskAuthorizationServer):  # type: ignore[misc]  # Authlib has no types
    """Authlib's server with our stores."""

    def __init__(
        self,
        *,
        issuer: str,
        client: BrokerClient,
        grants: GrantStore,
        persons: PersonStore,
        signer: TokenSigner,
        clock: Callable[[], datetime],
    ) -> None:
        super().__init__(query_client=lambda name: client if name == client.client_id else None)
        self.issuer = issuer
        self.client = client
        self.grants = grants
        self.persons = persons
        self.signer = signer
        self.clock = clock
        # Authlib reads the methods from the class, so each server has a class of its own.
        grant_class = type("CodeGrant", (_CodeGrant,), {"TOKEN_ENDPOINT_AUTH_METHODS": client.auth_methods})
        self.register_token_generator("default", self._bearer_token)
        self.register_grant(grant_class, [S256Challenge(required=True), _IdTokens(self)])
        self.register_extension(_Issuer(issuer))

    def save_token(self, token: Mapping[str, Any], request: Any) -> None:
        """Keeps the mark of the bearer token."""
        grant = TokenGrant(realname_ref=request.user.realname_ref, scope=token["scope"])
        code = request.authorization_code.code
        self.grants.save_token(token["access_token"], code=code, grant=grant, now=self.clock())

    def id_token(self, token: Mapping[str, Any], request: Any) -> str:
        """The signed ID token of a code that was just used.

        Raises:
            InvalidRequestError: the person was unlinked or frozen in between.
        """
        grant: CodeGrant = request.authorization_code.grant
        person = self.active_person(grant.realname_ref)
        if person is None:
            raise InvalidRequestError("The person's proof is no longer in force.")
        now = self.clock()
        issued_at = int(now.timestamp())
        claims = {
            **person_claims(person),
            "iss": self.issuer,
            "aud": grant.client_id,
            "iat": issued_at,
            "exp": issued_at + ID_TOKEN_LIFE_S,
            "auth_time": int(grant.proved_at.timestamp()),
            "amr": ["sms"],
            "at_hash": create_half_hash(token["access_token"], "ES256").decode("ascii"),
        }
        acr = acr_of(grant.proved_at, now=now)
        optional = {"nonce": grant.nonce, "acr": acr}
        return self.signer.sign({**claims, **{key: value for key, value in optional.items() if value}})

    def active_person(self, realname_ref: str) -> Person | None:
        """A person whose proof is in force."""
        person = self.persons.person(realname_ref)
        return person if person is not None and person.state is PersonState.ACTIVE else None

    def answer(self, parameters: Mapping[str, str], person: ProvedPerson) -> Response:
        """The redirect with a code for a request that was checked at its arrival, and is checked again."""
        request = self._request_again(parameters)
        grant = self.get_authorization_grant(request)
        response: Response = self.create_authorization_response(request, grant_user=person, grant=grant)
        return response

    def refuse(self, parameters: Mapping[str, str]) -> Response:
        """The redirect that tells the site `interaction_required` (others end on an error page of Keycloak)."""
        error = InteractionRequiredError(
            description="The real-name check was not completed.", redirect_uri=parameters["redirect_uri"]
        )
        return self.refuse_with(error, parameters.get("state"))

    def refuse_with(self, error: OAuth2Error, state: str | None) -> Response:
        """The redirect of an error, with `state` and `iss`."""
        error.state = state
        response: Response = self.handle_error_response(None, error)
        _Issuer(self.issuer).add_issuer_parameter(self, response)
        return response

    def _request_again(self, parameters: Mapping[str, str]) -> OAuth2Request:
        request = OAuth2Request("GET", f"{self.issuer}/authorize")
        request.payload = BasicOAuth2Payload(dict(parameters))
        return request

    def create_oauth2_request(self, request: Request) -> OAuth2Request:
        """Authlib's view of a request."""
        return _IncomingRequest(request or flask_request, self.issuer)

    def _bearer_token(self, **asked: Any) -> dict[str, Any]:
        return {
            "token_type": "Bearer",
            "access_token": generate_token(48),
            "expires_in": TOKEN_LIFE_S,
            "scope": asked["scope"],
        }
