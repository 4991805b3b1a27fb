"""What machines call: discovery, keys, token, userinfo, and the registry's holder resolution."""

from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Error
from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for

from idp.identity.errors import (
    AccessTokenRefused,
    ActRefused,
    IdentityError,
    KeysUnavailable,
    NotProved,
    ResolverUnavailable,
)
from idp.identity.sentence import said
from idp.provider.broker_client import SCOPES
from idp.provider.claims import iso_time, person_claims
from idp.web.problems import problem
from idp.web.service import Service

_RESOLUTION_STATUS = {
    NotProved: 403,
    KeysUnavailable: 503,
    AccessTokenRefused: 401,
    ResolverUnavailable: 503,
    ActRefused: 422,
}


def add_endpoints(blueprint: Blueprint, service: Service) -> None:
    """Adds the endpoints to the blueprint."""
    _add_metadata(blueprint, service)
    _add_protocol(blueprint, service)

    @blueprint.post("/v1/holder")
    def holder() -> Response:
        """The registry's back channel: a person's access token for their holder reference."""
        try:
            token = _bearer_token()
            resolved = service.resolver.resolve(token, now=service.clock())
        except IdentityError as error:
            return _problem(error)
        return jsonify(
            holder_reference=resolved.holder_reference,
            level=resolved.level.value,
            verified_at=iso_time(resolved.verified_at),
            name=resolved.name,
            link=resolved.link,
        )

    @blueprint.post("/v1/link")
    def link() -> Response:
        """Whether a link counts still; the link itself, known to the registry's back channel alone, is the bearer."""
        try:
            level = service.links.in_force(_bearer_token(), now=service.clock())
        except IdentityError as error:
            return _problem(error)
        return jsonify(level=level.value)

    @blueprint.post("/v1/link/acts")
    def act() -> Response:
        """What was done with a link, for its history."""
        body = request.get_json(silent=True)
        asked = body if isinstance(body, dict) else {}
        try:
            service.links.record(
                _bearer_token(),
                str(asked.get("kind", "")),
                str(asked.get("subject", "")),
                now=service.clock(),
            )
        except IdentityError as error:
            return _problem(error)
        return jsonify(recorded=True)


def _add_metadata(blueprint: Blueprint, service: Service) -> None:
    issuer = service.settings.issuer

    @blueprint.get("/.well-known/openid-configuration")
    def discovery() -> Response:
        response = jsonify(
            issuer=issuer,
            authorization_endpoint=f"{issuer}/authorize",
            token_endpoint=f"{issuer}/token",
            userinfo_endpoint=f"{issuer}/userinfo",
            jwks_uri=f"{issuer}/jwks",
            scopes_supported=list(SCOPES),
            response_types_supported=["code"],
            response_modes_supported=["query"],
            grant_types_supported=["authorization_code"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=["ES256"],
            token_endpoint_auth_methods_supported=list(service.server.client.auth_methods),
            token_endpoint_auth_signing_alg_values_supported=["ES256", "PS256", "RS256"],
            code_challenge_methods_supported=["S256"],
            acr_values_supported=["loa3"],
            claims_supported=["sub", "name", "realname_level", "verified_at", "verified_claims", "acr"],
            verified_claims_supported=True,
            trust_frameworks_supported=["cn_realname"],
            evidence_supported=["document", "electronic_record"],
            electronic_records_supported=[
                "population_register",
                "mobile_number_register",
                "population_register_photo",
            ],
            documents_supported=["idcard"],
            documents_check_methods_supported=["vpip", "pvp"],
            electronic_records_check_methods_supported=["data", "bvr"],
            claims_in_verified_claims_supported=["name"],
            authorization_response_iss_parameter_supported=True,
            request_parameter_supported=False,
            request_uri_parameter_supported=False,
        )
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    @blueprint.get("/jwks")
    def jwks() -> Response:
        response = jsonify(keys=[service.server.signer.public_jwk()])
        response.headers["Cache-Control"] = "public, max-age=300"
        return response


def _add_protocol(blueprint: Blueprint, service: Service) -> None:
    server = service.server

    @blueprint.route("/authorize", methods=["GET", "POST"])
    def authorize() -> Any:
        """Checks the site's request and opens a visit for this browser."""
        try:
            server.get_consent_grant(request, end_user=None)
        except OAuth2Error as error:
            if error.redirect_uri:
                return server.refuse_with(error, request.values.get("state"))
            return render_template(
                "idp/stopped.html",
                title="不能开始实名核验",
                said="发起核验的网站给出的参数不正确。",
                next_step=said(
                    "请回到原来的网站重新开始；网站的开发者请看：%(error)s",
                    error=error.description or error.error,
                ),
            ), 400
        handle = service.visits.begin(request.values.to_dict(), now=service.clock())
        response = redirect(url_for(".form"), 303)
        service.visitor.remember(response, handle)
        return response

    @blueprint.post("/token")
    def token() -> Response:
        response: Response = server.create_token_response(request)
        response.headers["Cache-Control"] = "no-store"
        return response

    @blueprint.route("/userinfo", methods=["GET", "POST"])
    def userinfo() -> Response:
        try:
            grant = server.grants.token_grant(_bearer_token(), now=service.clock())
        except AccessTokenRefused:
            grant = None
        person = None if grant is None else server.active_person(grant.realname_ref)
        if person is None:
            response = jsonify(error="invalid_token")
            response.status_code = 401
            response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
            return response
        return jsonify(person_claims(person))


def _bearer_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise AccessTokenRefused("请求没有带访问令牌。", code="missing")
    return token


def _problem(error: IdentityError) -> Response:
    response = problem(error, _RESOLUTION_STATUS)
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response
