"""The public addresses below `/pki`: certificates, CRLs, OCSP, time stamps, trust anchors.

Source: RFC 5280 appendix C and RFC 2585 (media types), RFC 6960 appendix A, RFC 3161 section 3.4.
"""

import base64
from collections.abc import Callable
from datetime import datetime
from urllib.parse import unquote

from cryptography.hazmat.primitives.serialization import Encoding
from flask import Blueprint, Response, abort, request

from cert_registry.signing.errors import AuthorityUnavailable, TokenUnavailable
from cert_registry.signing.pki.directory import AUTHORITIES
from cert_registry.signing.pki.services import PkiServices

#: A time-stamp or OCSP request is a few hundred bytes.
_MAX_REQUEST_BYTES = 16 * 1024
_OCSP_REQUEST, _OCSP_RESPONSE = "application/ocsp-request", "application/ocsp-response"
_TSA_REQUEST, _TSA_RESPONSE = "application/timestamp-query", "application/timestamp-reply"


def create_blueprint(services: PkiServices, clock: Callable[[], datetime]) -> Blueprint:
    """Return the blueprint to be mounted at `/pki`.

    Args:
        services: The PKI's parts.
        clock: Gives the aware UTC time of each request.
    """
    blueprint = Blueprint("pki", __name__)
    _add_documents(blueprint, services, clock)
    _add_protocols(blueprint, services, clock)
    return blueprint


def _add_documents(blueprint: Blueprint, services: PkiServices, clock: Callable[[], datetime]) -> None:
    @blueprint.get("/<name>.cer")
    def certificate(name: str) -> Response:
        if name not in AUTHORITIES:
            abort(404)
        der = services.pki.certificate(name).public_bytes(Encoding.DER)
        return Response(der, mimetype="application/pkix-cert")

    @blueprint.get("/<name>.crl")
    def revocation_list(name: str) -> Response:
        if name not in AUTHORITIES:
            abort(404)
        try:
            current = services.crls.current(name, now=clock())
        except (AuthorityUnavailable, TokenUnavailable):
            abort(503)
        response = Response(current.der, mimetype="application/pkix-crl")
        response.last_modified = current.this_update
        return response

    @blueprint.get("/trust.pem")
    def anchors() -> Response:
        pem = b"".join(c.public_bytes(Encoding.PEM) for c in services.pki.anchors())
        return Response(pem, mimetype="application/x-pem-file")


def _add_protocols(blueprint: Blueprint, services: PkiServices, clock: Callable[[], datetime]) -> None:
    @blueprint.post("/ocsp")
    def ocsp_by_post() -> Response:
        answer = services.ocsp.respond(_body(_OCSP_REQUEST), now=clock())
        return Response(answer, mimetype=_OCSP_RESPONSE)

    @blueprint.get("/ocsp/<path:encoded>")
    def ocsp_by_get(encoded: str) -> Response:
        try:
            body = base64.b64decode(unquote(encoded), validate=True)
        except ValueError:  # not ASCII, or not base64
            abort(400)
        return Response(services.ocsp.respond(body, now=clock()), mimetype=_OCSP_RESPONSE)

    @blueprint.post("/tsa")
    def time_stamp() -> Response:
        answer = services.tsa.respond(_body(_TSA_REQUEST), now=clock())
        return Response(answer, mimetype=_TSA_RESPONSE)


def _body(media_type: str) -> bytes:
    if request.mimetype != media_type:
        abort(415)
    length = request.content_length
    if length is None or length > _MAX_REQUEST_BYTES:
        abort(413)
    return request.get_data(cache=False)
