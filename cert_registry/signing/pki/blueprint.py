"""The public addresses below `/pki`: certificates, CRLs, OCSP, time stamps, trust anchors.

Source: RFC 5280 appendix C and RFC 2585 (media types), RFC 6960 appendix A, RFC 3161 section 3.4.
"""

import base64
from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from urllib.parse import unquote

from cryptography.hazmat.primitives.serialization import Encoding
from flask import Blueprint, Response, abort, request

from cert_registry.signing.errors import AuthorityUnavailable, TokenUnavailable
from cert_registry.signing.pki.crl import CrlPublisher
from cert_registry.signing.pki.directory import PkiDirectory
from cert_registry.signing.pki.ocsp import OcspResponder
from cert_registry.signing.pki.tsa import TimeStampAuthority

#: A time-stamp or OCSP request is a few hundred bytes.
_MAX_REQUEST_BYTES = 16 * 1024
_KEPT_S = 60
_OCSP_REQUEST, _OCSP_RESPONSE = "application/ocsp-request", "application/ocsp-response"
_TSA_REQUEST, _TSA_RESPONSE = "application/timestamp-query", "application/timestamp-reply"


class PublicServices(Protocol):
    """The parts of a hierarchy that have public addresses."""

    @property
    def pki(self) -> PkiDirectory:
        """Certificates."""
        ...

    @property
    def tsa(self) -> TimeStampAuthority:
        """Time stamps."""
        ...

    @property
    def ocsp(self) -> OcspResponder:
        """Revocation answers."""
        ...

    @property
    def crls(self) -> CrlPublisher:
        """Revocation lists."""
        ...


def create_blueprint(
    services: PublicServices, clock: Callable[[], datetime], *, name: str = "pki"
) -> Blueprint:
    """Return the blueprint to be mounted at `/pki`.

    Args:
        services: The PKI's parts.
        clock: Gives the aware UTC time of each request.
        name: The blueprint's; another one for a second hierarchy.
    """
    blueprint = Blueprint(name, __name__)
    _add_documents(blueprint, services, clock)
    _add_protocols(blueprint, services, clock)
    return blueprint


def _add_documents(blueprint: Blueprint, services: PublicServices, clock: Callable[[], datetime]) -> None:
    @blueprint.get("/<name>.cer")
    def certificate(name: str) -> Response:
        if name not in services.pki.authorities():
            abort(404)
        der = services.pki.certificate(name).public_bytes(Encoding.DER)
        return _kept_by_caches(Response(der, mimetype="application/pkix-cert"))

    @blueprint.get("/<name>.crl")
    def revocation_list(name: str) -> Response:
        if name not in services.pki.authorities():
            abort(404)
        try:
            current = services.crls.current(name, now=clock())
        except (AuthorityUnavailable, TokenUnavailable):
            abort(503)
        response = Response(current.der, mimetype="application/pkix-crl")
        return _kept_by_caches(response, made=current.this_update, ends=current.next_update, now=clock())

    @blueprint.get("/trust.pem")
    def anchors() -> Response:
        pem = b"".join(c.public_bytes(Encoding.PEM) for c in services.pki.anchors())
        return Response(pem, mimetype="application/x-pem-file")


def _add_protocols(blueprint: Blueprint, services: PublicServices, clock: Callable[[], datetime]) -> None:
    @blueprint.post("/ocsp")
    def ocsp_by_post() -> Response:
        answer = services.ocsp.respond(_body(_OCSP_REQUEST), now=clock())
        return _kept_by_nobody(Response(answer, mimetype=_OCSP_RESPONSE))

    @blueprint.get("/ocsp/<path:encoded>")
    def ocsp_by_get(encoded: str) -> Response:
        try:
            body = base64.b64decode(unquote(encoded), validate=True)
        except ValueError:  # not ASCII, or not base64
            abort(400)
        now = clock()
        answer = services.ocsp.answer(body, now=now)
        response = Response(answer.der, mimetype=_OCSP_RESPONSE)
        if answer.this_update is None or answer.next_update is None:
            return _kept_by_nobody(response)
        return _kept_by_caches(response, made=answer.this_update, ends=answer.next_update, now=now)

    @blueprint.post("/tsa")
    def time_stamp() -> Response:
        answer = services.tsa.respond(_body(_TSA_REQUEST), now=clock())
        return _kept_by_nobody(Response(answer, mimetype=_TSA_RESPONSE))


def _kept_by_caches(
    response: Response,
    *,
    made: datetime | None = None,
    ends: datetime | None = None,
    now: datetime | None = None,
) -> Response:
    """Let caches keep an answer for a minute, then ask whether it is still the same.

    Shorter than RFC 5019 section 6.2 would allow: a revocation must not wait for somebody else's cache.
    """
    response.add_etag()
    if made is not None:
        response.last_modified = made
    if ends is not None:
        response.expires = ends
    left_s = _KEPT_S if ends is None or now is None else int((ends - now).total_seconds())
    control = response.cache_control
    control.public, control.no_transform, control.must_revalidate = True, True, True
    control.max_age = max(0, min(_KEPT_S, left_s))
    response.make_conditional(request)
    return response


def _kept_by_nobody(response: Response) -> Response:
    response.cache_control.no_store = True
    return response


def _body(media_type: str) -> bytes:
    if request.mimetype != media_type:
        abort(415)
    body = request.stream.read(_MAX_REQUEST_BYTES + 1)
    if len(body) > _MAX_REQUEST_BYTES:
        abort(413)
    return body
