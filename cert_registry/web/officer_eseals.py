"""The download of a seal's e-seal (SESeal) for its custodian, and for those who apply for and approve seals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response, g, make_response, render_template

from cert_registry.civil_date import civil_date_at
from cert_registry.eseal.errors import EsealUnavailable
from cert_registry.seals.authority import require_right
from cert_registry.seals.errors import SealRightMissing, SealsError, UnknownSeal
from cert_registry.signing.errors import SigningError
from cert_registry.web.officer_room import OfficerRoom, guard

if TYPE_CHECKING:
    from cert_registry.eseal.office import EsealOffice


def create_eseal_pages(room: OfficerRoom, office: EsealOffice) -> Blueprint:
    """Return the blueprint, to be mounted at ``/officer/seals``."""
    pages = Blueprint("eseals", __name__, template_folder="templates")

    def eseal(seal_id: str) -> Response:
        now = room.clock()
        seal = office.book.find(seal_id)
        staff_id = g.rights.staff_id
        require_right(room.chart(), staff_id, None, department=seal.department, on=civil_date_at(now))
        response = make_response(office.eseal(seal_id, now=now))
        response.mimetype = "application/octet-stream"
        response.headers["Content-Disposition"] = f'attachment; filename="{seal.seal_id}.esl"'
        response.cache_control.no_store = True
        return response

    pages.add_url_rule("/<seal_id>/eseal", "eseal", guard(room, eseal), methods=["GET"])

    @pages.errorhandler(SealsError)
    @pages.errorhandler(EsealUnavailable)
    def refused(error: SealsError | EsealUnavailable) -> Response:
        status = 404 if isinstance(error, UnknownSeal) else 409
        status = 403 if isinstance(error, SealRightMissing) else status
        return make_response(render_template("sorry.html", sentence=str(error)), status)

    @pages.errorhandler(SigningError)
    def unavailable(_error: SigningError) -> Response:
        sentence = "制作电子印章的设备或时间戳暂时不可用，请稍后再试。"
        return make_response(render_template("sorry.html", sentence=sentence), 503)

    return pages
