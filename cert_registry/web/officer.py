"""The officers' pages: 制证 (draft), 预览, 签发 (sign off), 退回 (return), and changes of state."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response, make_response, render_template

from cert_registry.errors import NotAuthorised, RegistryError, UnknownDraft, UnknownEcert
from cert_registry.web.civil_words import add_filters
from cert_registry.web.officer_drafts import DraftDesk
from cert_registry.web.officer_ecert_list import EcertListDesk
from cert_registry.web.officer_ecerts import EcertDesk
from cert_registry.web.officer_lists import ListDesk
from cert_registry.web.officer_room import OfficerRoom, continue_form, guard

__all__ = ["OfficerRoom", "create_officer_pages"]


def create_officer_pages(room: OfficerRoom) -> Blueprint:
    """Return the blueprint, to be mounted at ``/officer``."""
    pages = Blueprint("officer", __name__, template_folder="templates")
    add_filters(pages)
    drafts, ecerts = DraftDesk(room), EcertDesk(room)
    ecert_list, lists = EcertListDesk(room), ListDesk(room)
    rules = (
        ("/", "home", drafts.home, "GET"),
        ("/drafts/new", "new_draft", drafts.new_draft, "GET"),
        ("/drafts", "drafts", lists.drafts, "GET"),
        ("/drafts/search", "search_drafts", lists.search_drafts, "POST"),
        ("/drafts", "create_draft", drafts.create_draft, "POST"),
        ("/drafts/<draft_id>", "draft", drafts.draft, "GET"),
        ("/drafts/<draft_id>/revise", "revise_form", drafts.revise_form, "GET"),
        ("/drafts/<draft_id>/revise", "revise_draft", drafts.revise_draft, "POST"),
        ("/drafts/<draft_id>/preview.pdf", "preview", drafts.preview, "GET"),
        ("/drafts/<draft_id>/sign-off", "sign_off", drafts.sign_off, "POST"),
        ("/drafts/<draft_id>/return", "return_draft", drafts.return_draft, "POST"),
        ("/ecerts", "ecerts", ecert_list.ecerts, "GET"),
        ("/ecerts/search", "search_ecerts", ecert_list.search, "POST"),
        ("/ecerts/export", "export_ecerts", ecert_list.export_in_full, "POST"),
        ("/ecerts/<identifier>", "ecert", ecerts.ecert, "GET"),
        ("/ecerts/<identifier>/show", "show", ecerts.show, "POST"),
        ("/ecerts/<identifier>/state", "change_state", ecerts.change_state, "POST"),
        ("/checks", "checks", lists.checks, "GET"),
        ("/continue/<name>", "continue_form", partial(continue_form, room), "GET"),
    )
    for path, endpoint, view, method in rules:
        pages.add_url_rule(path, endpoint, guard(room, view), methods=[method])

    @pages.errorhandler(RegistryError)
    def refused(error: RegistryError) -> Response:
        status = 404 if isinstance(error, UnknownDraft | UnknownEcert) else 409
        status = 403 if isinstance(error, NotAuthorised) else status
        return make_response(render_template("sorry.html", sentence=error.sentence), status)

    return pages
