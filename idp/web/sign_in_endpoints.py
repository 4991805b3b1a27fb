"""What Keycloak's sign-in step calls: a code for a phone, and what a right code opens.

The caller is Keycloak alone, with the client id and secret under which it is known here as broker (RFC 7617).
"""

import hmac
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request

from idp.errors import CodeRefused, MalformedCode, MalformedMobile, PhoneOpensNothing, SmsRefused
from idp.identity.errors import IdentityError
from idp.mobile_number import parse_mobile_number
from idp.sms.codes import parse_code
from idp.web.problems import problem
from idp.web.service import Service

_STATUS: Final = {
    MalformedMobile: 422,
    MalformedCode: 422,
    CodeRefused: 422,
    PhoneOpensNothing: 403,
    SmsRefused: 429,
}


def add_sign_in_endpoints(blueprint: Blueprint, service: Service) -> None:
    """Adds the endpoints to the blueprint."""

    @blueprint.post("/v1/sign-in/code")
    def sign_in_code() -> Response:
        """Sends a code; answers with the number in its one form, which is the account's name."""
        if not _is_keycloak(service):
            return _unknown_caller()
        asked = _asked()
        try:
            mobile = parse_mobile_number(asked["mobile"])
            service.sms_sign_in.request_code(
                asked["handle"], mobile, address=asked["address"], now=service.clock()
            )
        except IdentityError as error:
            return _problem(error)
        return jsonify(mobile=mobile, minutes=service.settings.limits.sms_expiry_s // 60)

    @blueprint.post("/v1/sign-in/check")
    def sign_in_check() -> Response:
        """Takes a code; answers with what the account may say of its person from now on."""
        if not _is_keycloak(service):
            return _unknown_caller()
        asked = _asked()
        try:
            proved = service.sms_sign_in.confirm(
                asked["handle"],
                parse_mobile_number(asked["mobile"]),
                parse_code(asked["code"]),
                realname_ref=asked["realname_ref"] or None,
                now=service.clock(),
            )
        except IdentityError as error:
            return _problem(error)
        return jsonify(attributes=proved.attributes())


def _is_keycloak(service: Service) -> bool:
    given, client = request.authorization, service.server.client
    if given is None or given.type != "basic" or client.secret is None:
        return False
    names = hmac.compare_digest((given.username or "").encode(), client.client_id.encode())
    return client.check_client_secret(given.password or "") and names


def _asked() -> dict[str, str]:
    body: Any = request.get_json(silent=True)
    given = body if isinstance(body, dict) else {}
    names = ("handle", "mobile", "address", "code", "realname_ref")
    return {name: value if isinstance(value := given.get(name), str) else "" for name in names}


def _unknown_caller() -> Response:
    response = jsonify({"type": "about:blank", "title": "unauthorized", "status": 401})
    response.status_code = 401
    response.content_type = "application/problem+json"
    response.headers["WWW-Authenticate"] = 'Basic realm="longzheng-idp"'
    return response


def _problem(error: IdentityError) -> Response:
    response = problem(error, _STATUS)
    if isinstance(error, SmsRefused) and error.retry_after_s:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response
