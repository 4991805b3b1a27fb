"""The blueprint `/idp`: every answer is private, unframed and without scripts."""

from flask import Blueprint, Response

from idp.web.endpoints import add_endpoints
from idp.web.pages import add_pages
from idp.web.service import Service

_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_blueprint(service: Service) -> Blueprint:
    """Pages and endpoints, to be registered without a further prefix."""
    blueprint = Blueprint("idp", __name__, url_prefix="/idp", template_folder="templates")
    add_endpoints(blueprint, service)
    add_pages(blueprint, service)

    @blueprint.after_request
    def protect(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Security-Policy", _POLICY)
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    return blueprint
