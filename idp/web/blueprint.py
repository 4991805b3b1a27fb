"""The blueprint `/idp`: every answer is private, unframed and without scripts."""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Blueprint, Response

from idp.web.endpoints import add_endpoints
from idp.web.face_pages import add_face_pages
from idp.web.pages import add_pages
from idp.web.service import Service
from idp.web.sign_in_endpoints import add_sign_in_endpoints


def _policy(keycloak: str, face: str) -> str:
    """Forms may lead to Keycloak (signing in and out) and to the face check's provider, and nowhere else."""
    return (
        "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
        f"form-action 'self' {keycloak} {face}; base-uri 'none'; frame-ancestors 'none'"
    )


def create_blueprint(service: Service, rooms: Callable[[Blueprint], None]) -> Blueprint:
    """Pages and endpoints, to be registered without a further prefix.

    Args:
        service: parts behind the pages.
        rooms: adds the pages behind a sign-in.
    """
    settings = service.settings
    policy = _policy(_origin(settings.keycloak_issuer), _origin(settings.face.url) if settings.face else "")
    blueprint = Blueprint("idp", __name__, url_prefix="/idp", template_folder="templates")
    add_endpoints(blueprint, service)
    add_sign_in_endpoints(blueprint, service)
    add_pages(blueprint, service)
    if service.face is not None:
        add_face_pages(blueprint, service, service.face)
    rooms(blueprint)

    @blueprint.after_request
    def protect(response: Response) -> Response:
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    return blueprint


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
