"""What the officers' pages use, and what every one of them has in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Response, g, make_response, redirect, render_template, request, url_for

from cert_registry.catalog.loading import Catalog
from cert_registry.checks import Checks
from cert_registry.civil_date import civil_date_at
from cert_registry.ecert_search import EcertSearch
from cert_registry.issuance_drafts import Drafting
from cert_registry.lifecycle import LifecycleRoom
from cert_registry.organisations.chart import OrganisationChart
from cert_registry.registry import Registry
from cert_registry.web.officer_rights import rights_of
from cert_registry.web.searches import KeptSearches
from cert_registry.web.sign_in import SignIn

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerRoom:
    """What the officers' pages use.

    Attributes:
        search: Lists and finds ecerts.
        searches: Keeps what officers search for out of addresses.
        checks: Where it is recorded that an officer saw a face in full.
    """

    sign_in: SignIn
    drafting: Drafting
    registry: Registry
    search: EcertSearch
    searches: KeptSearches
    lifecycle: LifecycleRoom
    catalog: Catalog
    chart: Callable[[], OrganisationChart]
    clock: Callable[[], datetime]
    checks: Checks


def guard(room: OfficerRoom, view: Callable[P, R]) -> Callable[P, R | Response]:
    """Let only a signed-in officer with an appointment in force reach a view."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        session = room.sign_in.current()
        if session is None:
            return room.sign_in.ask(acr="loa2", then=_kept_form(room))
        rights = rights_of(str(session.content["staff_id"]), chart=room.chart, on=civil_date_at(room.clock()))
        if rights is None:
            sentence = "您目前没有岗位任命，不能使用工作台。请联系本单位的管理员。"
            return make_response(render_template("sorry.html", sentence=sentence), 403)
        g.rights = rights
        g.signed_in = {
            "name": rights.name,
            "note": "、".join(name for _, name in rights.departments),
            "sign_out_url": "/officer/auth/sign-out",
        }
        return view(*args, **kwargs)

    return guarded


def _kept_form(room: OfficerRoom) -> str:
    """Where a form can be sent again that somebody filled in until the session ran out; empty where there is none."""
    lately = room.sign_in.lately() if request.method == "POST" else None
    staff_id = lately.content.get("staff_id") if lately is not None else None
    if staff_id is None:
        return ""
    fields = [(name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"]
    name = room.searches.keep_form(request.path, fields, staff_id=str(staff_id), now=room.clock())
    return f"/officer/continue/{name}" if name else ""


def continue_form(room: OfficerRoom, name: str) -> str | Response:
    """The form that was filled in before signing in again, to be sent once more."""
    kept = room.searches.form(name, staff_id=g.rights.staff_id, now=room.clock())
    if kept is None:
        return redirect_to("officer.home")
    return page("officer/continue.html", path=kept[0], fields=kept[1])


def page(template: str, **values: Any) -> str:
    """Return a page for the officer of this request."""
    return render_template(template, signed_in=g.signed_in, rights=g.rights, **values)


def redirect_to(endpoint: str, **values: Any) -> Response:
    """Return a See Other, so that reloading the next page does not post again."""
    return make_response(redirect(url_for(endpoint, **values), code=303))


def revision_in_form() -> int:
    """Return the revision that the officer saw."""
    return whole_number(request.form.get("revision")) or 0


def whole_number(text: str | None) -> int | None:
    """Return a decimal number of at most nine digits, or None."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
