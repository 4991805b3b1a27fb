"""The citizens' pages: my ecerts and those of legal persons I represent, download, and who checked them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Blueprint, Response, g, make_response, render_template, request

from cert_registry.catalog.loading import Catalog
from cert_registry.checks import Check, CheckQuery, CheckRecord, Checks
from cert_registry.delivery import Delivery
from cert_registry.errors import LevelNotProved, ObjectMissing, RegistryError, UnknownEcert
from cert_registry.legal_persons.types import LegalPerson
from cert_registry.registry import Registry
from cert_registry.types import DepartmentCode, EcertSummary, StateOperation
from cert_registry.web.check_rows import check_listing, time_place
from cert_registry.web.check_words import CHECK_TITLES
from cert_registry.web.civil_words import add_filters
from cert_registry.web.listing import PAGE_ROWS, Place, assemble
from cert_registry.web.shown_values import own_number, shown_values
from cert_registry.web.sign_in import SignIn
from cert_registry.web.state_words import EVENT_TITLES, tone_of, word_of
from idp.identity.errors import NotProved, ResolverUnavailable
from idp.identity.holder import HolderReference
from idp.identity.links import DOWNLOADED, SHOWN, Links
from idp.identity.sentence import said

P = ParamSpec("P")
R = TypeVar("R")
_CHECKS_SHOWN = 10  # beside an ecert; all of them have a page of their own


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenRoom:
    """What the citizens' pages use."""

    sign_in: SignIn
    registry: Registry
    delivery: Delivery
    checks: Checks
    catalog: Catalog
    represented: Callable[[HolderReference], tuple[LegalPerson, ...]]
    links: Links
    clock: Callable[[], datetime]


def create_citizen_pages(room: CitizenRoom) -> Blueprint:
    """Return the blueprint, to be mounted at the root."""
    pages = Blueprint("citizen", __name__, template_folder="templates")
    desk = _Pages(room)
    add_filters(pages)
    pages.add_url_rule("/", "home", desk.home)
    rules = (
        ("/my", "ecerts", desk.ecerts, "GET"),
        ("/my/checks", "checks", desk.checks, "GET"),
        ("/my/ecerts/<identifier>", "ecert", desk.ecert, "GET"),
        ("/my/ecerts/<identifier>/show", "show", desk.show, "POST"),
        ("/my/ecerts/<identifier>/download", "download", desk.download, "POST"),
    )
    for path, endpoint, view, method in rules:
        pages.add_url_rule(path, endpoint, desk.with_person(view), methods=[method])

    @pages.errorhandler(LevelNotProved)
    def too_low(error: LevelNotProved) -> Response:
        page = render_template(
            "citizen/level.html", required=error.required, has=g.level.value, signed_in=g.signed_in
        )
        return make_response(page, 403)

    @pages.errorhandler(RegistryError)
    def refused(error: RegistryError) -> Response:
        status = 404 if isinstance(error, UnknownEcert | ObjectMissing) else 409
        return make_response(render_template("sorry.html", sentence=error.sentence), status)

    return pages


class _Pages:
    def __init__(self, room: CitizenRoom) -> None:
        self._room = room

    def with_person(self, view: Callable[P, R]) -> Callable[P, R | Response]:
        """Let only a person whose real name is proved reach a view."""

        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            session = self._room.sign_in.current()
            if session is None:
                return self._room.sign_in.ask()
            if not session.content.get("holder_reference"):
                return self._room.sign_in.ask(action="idp_link:realname")
            # Asked at every request: what a stronger proof displaced is out at the next click.
            try:
                g.link = str(session.content["link"])
                g.level = self._room.links.in_force(g.link, now=self._room.clock())
            except (KeyError, NotProved):
                return self._room.sign_in.ask_anew()
            except ResolverUnavailable as error:
                return make_response(render_template("sorry.html", sentence=str(error)), 503)
            g.holder = HolderReference(session.content["holder_reference"])
            g.signed_in = {"name": session.content["name"], "note": "", "sign_out_url": "/auth/sign-out"}
            response: R | Response = view(*args, **kwargs)
            return response

        return guarded

    def home(self) -> str:
        return render_template("citizen/home.html")

    def ecerts(self) -> str:
        now = self._room.clock()
        mine = self._room.registry.by_holder(g.holder, now=now, with_represented=False)
        represented = [
            (person, self._rows(self._of_legal_person(person, now), now))
            for person in self._room.represented(g.holder)
        ]
        own = self._rows(mine, now)
        names = {
            row[0].identifier: row[0].type_name
            for rows in (own, *(r for _, r in represented))
            for row in rows
        }
        notices = [
            (one, names.get(one.identifier, "电子证照"), _notice_title(one.kind))
            for one in self._room.delivery.notices(g.holder, now=now, limit=10)
        ]
        return self._page("citizen/ecerts.html", own=own, represented=represented, notices=notices)

    def ecert(self, identifier: str) -> str:
        return self._ecert_page(identifier, masked=True)

    def show(self, identifier: str) -> str:
        self._record(self._held(identifier), "show")
        return self._ecert_page(identifier, masked=False)

    def download(self, identifier: str) -> Response:
        held = self._held(identifier)
        self._record(held, "download")
        now = self._room.clock()
        ticket = self._room.delivery.ticket_for(held.identifier, g.holder, now=now)
        file = self._room.delivery.download(ticket.token, g.holder, now=now)
        response = make_response(file.content)
        response.headers.update(
            {
                "Content-Type": file.media_type,
                "Content-Disposition": "attachment; filename=ecert.pdf",
                "Cache-Control": "no-store",
            }
        )
        return response

    def checks(self) -> str:
        """Every check of every ecert that the person may see, newest first, page by page."""
        held = self._room.registry.by_holder(g.holder, now=self._room.clock())
        listing = check_listing(held)
        asked = listing.asked(request.args)
        place = time_place(asked)
        asked = asked if place is not None else replace(asked, place=None, backward=False)
        wanted = asked.filters["ecert"]
        query = CheckQuery(
            identifiers=tuple(one.identifier for one in held if wanted in {"", one.identifier}),
            descending=asked.descending,
            place=place,
            backward=asked.backward,
            limit=PAGE_ROWS + 1,
        )
        found = self._room.checks.page(query)
        sliced = assemble(
            found.records,
            asked,
            place_of=lambda row: Place(value=row.asked_at.isoformat(), key=row.check_id),
            count=found.count,
            more_than_count=found.more_than_count,
        )
        view: Any = listing.view(asked, sliced)
        names = {one.identifier: one for one in held}
        return self._page("citizen/checks.html", view=view, names=names, operation_titles=CHECK_TITLES)

    # ── parts ──

    def _page(self, template: str, **values: Any) -> str:
        return render_template(template, signed_in=g.signed_in, **values)

    def _of_legal_person(self, person: LegalPerson, now: datetime) -> tuple[EcertSummary, ...]:
        return self._room.registry.by_holder(person.holder_reference, now=now, with_represented=False)

    def _rows(
        self, ecerts: tuple[EcertSummary, ...], now: datetime
    ) -> list[tuple[EcertSummary, str, str, str]]:
        rows: list[tuple[EcertSummary, str, str, str]] = []
        for one in ecerts:
            state = self._room.registry.state_at(one.identifier, now)
            rows.append((one, self._number_of(one), word_of(state), tone_of(state)))
        return sorted(rows, key=lambda row: row[3] != "valid")  # those that can be used come first

    def _number_of(self, one: EcertSummary) -> str:
        return own_number(self._room.catalog.type(one.type_code), self._room.registry.face_of(one.identifier))

    def _held(self, identifier: str) -> EcertSummary:
        held = self._room.registry.held_ecert(identifier, g.holder, now=self._room.clock())
        required = self._room.catalog.type(held.type_code).required_level
        if not g.level.meets(required):
            raise LevelNotProved(
                said("查看这类证照需要 %(level)s 级实名。", level=required.value), required=required.value
            )
        return held

    def _others(self, held: EcertSummary) -> tuple[CheckRecord, ...]:
        return self._room.checks.checks_of(held.identifier, limit=_CHECKS_SHOWN + 1)

    def _ecert_page(self, identifier: str, *, masked: bool) -> str:
        held = self._held(identifier)
        now = self._room.clock()
        certificate_type = self._room.catalog.type(held.type_code)
        values = shown_values(
            certificate_type.face, self._room.registry.face_of(held.identifier), masked=masked
        )
        state = self._room.registry.state_at(held.identifier, now)
        checks = self._others(held)
        return self._page(
            "citizen/ecert.html",
            ecert=held,
            state=state,
            tone=tone_of(state),
            word=word_of(state),
            values=values,
            masked=masked and bool(certificate_type.face.sensitive_paths()),
            check_code=self._room.registry.check_code_of(held.identifier),
            checks=checks[:_CHECKS_SHOWN],
            more_checks=len(checks) > _CHECKS_SHOWN,
            operation_titles=CHECK_TITLES,
            history=self._room.registry.history_of(held.identifier),
            titles=EVENT_TITLES,
            proofs=self._room.registry.log_proof(held.identifier),
        )

    def _record(self, held: EcertSummary, operation: str) -> None:
        """Keep the holder's own act in the same record as everybody else's, and in the account's own history."""
        kind = DOWNLOADED if operation == "download" else SHOWN
        self._room.links.record(g.link, kind, held.type_name, now=self._room.clock())
        self._room.checks.record_check(
            Check(
                identifier=held.identifier,
                department_code=DepartmentCode("holder"),
                department_name="本人（持证主体）",
                client_id="portal",
                officer="",
                purpose="本人使用",
                service_item="portal",
                case_number="portal",
                legal_basis="",
                operation=operation,
            ),
            now=self._room.clock(),
        )


def _notice_title(kind: str) -> str:
    if kind == "issued":
        return "新签发"
    return EVENT_TITLES.get(StateOperation(kind), kind)
