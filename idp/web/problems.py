"""What a machine is told when it cannot be served: problem details.

Source: RFC 9457.
"""

from collections.abc import Mapping

from flask import Response, jsonify

from idp.identity.errors import IdentityError


def problem(error: IdentityError, statuses: Mapping[type[IdentityError], int]) -> Response:
    """The problem, with its sentence and code.

    Args:
        error: what stopped the call.
        statuses: HTTP status by kind of error, the first that fits; an error without a row is a 500 without detail.
    """
    status = next((code for kind, code in statuses.items() if isinstance(error, kind)), 500)
    detail = {"detail": str(error), "code": error.code} if status != 500 else {}
    response = jsonify({"type": "about:blank", "title": error.code, "status": status, **detail})
    response.status_code = status
    response.content_type = "application/problem+json"
    return response
