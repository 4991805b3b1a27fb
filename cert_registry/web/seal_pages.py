"""The pages of 印章管理人, 印章审批人 and 印章申请人: what there is, one seal with its life and uses, and every act."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.x509.oid import NameOID
from flask import Blueprint, Response, abort, g, make_response, render_template, request

from cert_registry.catalog.errors import CatalogError
from cert_registry.civil_date import CHINA
from cert_registry.organisations.types import Role
from cert_registry.seals.authority import SEAL_ROLES
from cert_registry.seals.drawing import image_of
from cert_registry.seals.errors import (
    ApplicationRefused,
    SealCertificateRefused,
    SealRightMissing,
    SealsError,
    UnknownSeal,
)
from cert_registry.seals.room import certificate_of, is_awaiting_certificate
from cert_registry.seals.types import Seal, SealAct, SealState, SealUse
from cert_registry.seals.using import UseFilter
from cert_registry.web.civil_words import civil
from cert_registry.web.export import csv_file
from cert_registry.web.listing import PAGE_ROWS, Asked, Column, Filter, Listing, Place, assemble, slice_of
from cert_registry.web.officer_room import OfficerRoom, guard, page, redirect_to
from cert_registry.web.seal_applications import ApplicationDesk
from cert_registry.web.seal_room import TONES, SealPagesRoom, acting_officer

_ACTS: Final = {
    "approve": SealAct.APPROVE,
    "refuse": SealAct.REFUSE,
    "suspend": SealAct.SUSPEND,
    "resume": SealAct.RESUME,
    "revoke": SealAct.REVOKE,
    "compromise": SealAct.COMPROMISE,
}
_NEEDS_CONFIRMING: Final = frozenset({"suspend", "revoke", "compromise"})
_OUTCOMES: Final = {"started": "未完成", "sealed": "已加盖", "discarded": "已作废"}
_WAITING: Final = (SealState.APPLIED, SealState.ENDORSED, SealState.RESUMING)
_LARGEST_CERTIFICATE: Final = 64 * 1024
_FIELD_TITLES: Final = {"file": "证书", "reason": "原因", "since": "可能泄露的起始时间", "sure": "确认"}


def create_seal_pages(officer: OfficerRoom, room: SealPagesRoom) -> Blueprint:
    """Return the blueprint, to be mounted at ``/officer/seals``."""
    pages = Blueprint("seals", __name__, template_folder="templates")
    desk, applications = SealDesk(room), ApplicationDesk(room)
    rules = (
        ("", "home", desk.home, "GET"),
        ("/new", "new", applications.form, "GET"),
        ("/new", "check", applications.check, "POST"),
        ("/apply", "apply", applications.apply, "POST"),
        ("/preview.svg", "preview", applications.preview, "GET"),
        ("/<seal_id>", "seal", desk.seal, "GET"),
        ("/<seal_id>/image.svg", "image", desk.image, "GET"),
        ("/<seal_id>/acts", "act", desk.act, "POST"),
        ("/<seal_id>/request", "request_certificate", desk.request_certificate, "GET"),
        ("/<seal_id>/certificate", "import_certificate", desk.import_certificate, "POST"),
    )
    for path, endpoint, view, method in rules:
        pages.add_url_rule(path, endpoint, guard(officer, view), methods=[method])

    @pages.errorhandler(SealsError)
    def refused(error: SealsError) -> Response:
        status = 404 if isinstance(error, UnknownSeal) else 409
        status = 403 if isinstance(error, SealRightMissing) else status
        return make_response(render_template("sorry.html", sentence=error.sentence), status)

    return pages


class SealDesk:
    """The list and one seal."""

    def __init__(self, room: SealPagesRoom) -> None:
        self._room = room

    def home(self) -> str | Response:
        """Seals in reach, filtered and page by page; what waits for this officer stands above."""
        if not g.rights.sees_seals:
            raise SealRightMissing("您的岗位与印章管理无关。")
        reach = self._room.reach(*SEAL_ROLES)
        seals = self._room.seals.book.listed(reach)
        listing = self._listing(reach)
        asked = listing.asked(request.args)
        kept = [one for one in seals if _passes(one, asked)]
        if request.args.get("format") == "csv":
            return csv_file("seals", listing.columns, kept, now=self._room.clock())
        found = slice_of(kept, asked, place_of=lambda one: _seal_place(one, asked))
        return page(
            "officer/seals/home.html",
            view=listing.view(asked, found),
            waiting=[one for one in seals if one.state in _WAITING and self._acts(one)],
            names={code: self._room.department_name(code) for code in reach},
            tones=TONES,
            may_apply=bool(self._room.reach(Role.SEAL_APPLICANT)),
        )

    def seal(self, seal_id: str) -> str | Response:
        """One seal."""
        seal = self._seen(seal_id)
        if request.args.get("format") == "csv":
            listing = self._uses(seal)
            wanted = _use_filter(listing.asked(request.args))
            rows = self._room.uses.listed(seal.seal_id, wanted)
            return csv_file(f"{seal.seal_id}-uses", listing.columns, rows, now=self._room.clock())
        return self._page(seal)

    def image(self, seal_id: str) -> Response:
        """What the seal looks like, as SVG."""
        seal = self._seen(seal_id)
        sha256 = seal.picture_sha256
        try:
            image = image_of(
                seal.name,
                self._room.department_name(seal.department),
                picture=None if sha256 is None else self._room.seals.book.picture(sha256),
                mark=self._room.mark,
            )
        except CatalogError:
            abort(404)
        return Response(image.svg, mimetype="image/svg+xml")

    def act(self, seal_id: str) -> str | Response:
        """One decision, with its reason."""
        seal = self._seen(seal_id)
        name = request.form.get("act", "")
        if name not in _ACTS:
            abort(400)
        typed = {field: request.form.get(field, "") for field in ("reason", "since", "sure")}
        try:
            self._decide(name, seal, typed)
        except ApplicationRefused as refused:
            found = dict(refused.findings)
            return make_response(self._page(seal, refused.sentence, found, {**typed, "act": name}), 422)
        except SealRightMissing:
            raise
        except SealsError as refused:
            return make_response(self._page(self._seen(seal_id), refused.sentence), 409)
        return redirect_to("seals.seal", seal_id=seal.seal_id)

    def request_certificate(self, seal_id: str) -> Response:
        """The certificate request for a licensed CA, as a file."""
        request_pem = self._room.seals.request_certificate(
            seal_id, by=acting_officer(), now=self._room.clock()
        )
        response = Response(request_pem, mimetype="application/pkcs10")
        response.headers["Content-Disposition"] = f'attachment; filename="{seal_id}.csr"'
        return response

    def import_certificate(self, seal_id: str) -> str | Response:
        """What the licensed CA issued; the seal works from then on."""
        seal = self._seen(seal_id)
        typed = {"act": "import", "reason": request.form.get("reason", "")}
        upload = request.files.get("certificate")
        content = upload.read(_LARGEST_CERTIFICATE + 1) if upload is not None else b""
        if not content or len(content) > _LARGEST_CERTIFICATE:
            wrong = {"file": "请选择证书文件。"}
            return make_response(self._page(seal, "还不能提交", wrong, typed), 422)
        try:
            self._room.seals.import_certificate(
                seal.seal_id, content, typed["reason"], by=acting_officer(), now=self._room.clock()
            )
        except ApplicationRefused as refused:
            return make_response(self._page(seal, refused.sentence, dict(refused.findings), typed), 422)
        except SealCertificateRefused as refused:
            wrong = {"file": refused.sentence}
            return make_response(self._page(seal, refused.sentence, wrong, typed), 422)
        except SealRightMissing:
            raise
        except SealsError as refused:
            return make_response(self._page(self._seen(seal_id), refused.sentence), 409)
        return redirect_to("seals.seal", seal_id=seal.seal_id)

    # ── parts ──

    def _decide(self, name: str, seal: Seal, typed: dict[str, str]) -> None:
        room, now, by = self._room.seals, self._room.clock(), acting_officer()
        if name in _NEEDS_CONFIRMING and typed["sure"] != "yes":
            raise ApplicationRefused("请先确认。", findings=[("sure", "请勾选，表示您已确认。")])
        if name == "compromise":
            since = _local_time(typed["since"])
            room.compromised(seal.seal_id, typed["reason"], since=since, by=by, now=now)
        else:
            getattr(room, name)(seal.seal_id, typed["reason"], by=by, now=now)

    def _seen(self, seal_id: str) -> Seal:
        return self._room.seals.seen_by(seal_id, g.rights.staff_id, now=self._room.clock())

    def _acts(self, seal: Seal) -> list[str]:
        now, staff_id = self._room.clock(), g.rights.staff_id
        wanted = dict(_ACTS)
        if seal.state is SealState.SUSPENDED:
            wanted["resume"] = SealAct.AGREE_TO_RESUME
        return [name for name, act in wanted.items() if self._room.seals.may(seal, act, staff_id, now=now)]

    def _page(
        self,
        seal: Seal,
        refused: str = "",
        wrong: dict[str, str] | None = None,
        typed: dict[str, str] | None = None,
    ) -> str:
        listing = self._uses(seal)
        asked = listing.asked(request.args)
        book = self._room.seals.book
        events = book.events(seal.seal_id)
        compromised = next((one for one in reversed(events) if one.act is SealAct.COMPROMISE), None)
        affected = (
            self._room.uses.sealed_since(seal.seal_id, seal.revoked_as_of)
            if compromised is not None and seal.revoked_as_of is not None
            else ()
        )
        return page(
            "officer/seals/seal.html",
            seal=seal,
            tone=TONES[seal.state],
            owner=self._room.department_name(seal.department),
            type_names=self._room.type_names(seal),
            certificate=None if seal.certificate is None else certificate_of(seal),
            acts=self._acts(seal),
            awaits=is_awaiting_certificate(seal),
            may_import=self._room.seals.may(
                seal, SealAct.ACTIVATE, g.rights.staff_id, now=self._room.clock()
            ),
            may_replace=seal.state in {SealState.ACTIVE, SealState.SUSPENDED}
            and seal.department in self._room.reach(Role.SEAL_APPLICANT),
            stopped=next((one for one in reversed(events) if one.act is SealAct.SUSPEND), None),
            life=[(one, g.rights.name_of(one.actor_id) if one.actor_id else "") for one in reversed(events)],
            places=book.log_places(seal.seal_id),
            compromised=compromised,
            affected=affected,
            view=listing.view(asked, self._use_slice(seal, asked)),
            outcomes=_OUTCOMES,
            refused=refused,
            wrong=wrong or {},
            typed=typed or {},
            field_titles=_FIELD_TITLES,
            named=_named,
        )

    def _listing(self, reach: Sequence[str]) -> Listing[Seal]:
        name_of = self._room.department_name
        columns: tuple[Column[Seal], ...] = (
            Column(key="name", title="印章", text=lambda one: one.name, sortable=True),
            Column(key="number", title="编号", text=lambda one: one.seal_id, sortable=True),
            Column(key="owner", title="所属部门", text=lambda one: name_of(one.department)),
            Column(key="kind", title="种类", text=lambda one: one.kind.value, fixed=True),
            Column(key="state", title="状态", text=lambda one: one.state.title, fixed=True),
            Column(key="used", title="已用次数", text=lambda one: str(one.used), sortable=True, fixed=True),
        )
        filters = (
            Filter(name="state", title="状态", choices=tuple((one.value, one.title) for one in SealState)),
            Filter(
                name="department", title="所属部门", choices=tuple((code, name_of(code)) for code in reach)
            ),
        )
        return Listing(
            path="/officer/seals",
            name="印章列表",
            columns=columns,
            filters=filters,
            sort="number",
            descending=False,
        )

    def _uses(self, seal: Seal) -> Listing[SealUse]:
        names = {one.type_code: one.name for one in self._room.catalog.types()}
        columns: tuple[Column[SealUse], ...] = (
            Column(key="at", title="时间", text=lambda one: civil(one.started_at), sortable=True),
            Column(key="type", title="证照", text=lambda one: names.get(one.type_code, one.type_code)),
            Column(key="identifier", title="证照标识", text=lambda one: one.identifier),
            Column(key="case", title="办件编号", text=lambda one: one.case_number),
            Column(key="outcome", title="结果", text=lambda one: _OUTCOMES[one.outcome], fixed=True),
        )
        slugs = {one.slug: one for one in self._room.catalog.types()}
        choices = tuple(
            (slugs[slug].type_code, slugs[slug].name) for slug in sorted(seal.types) if slug in slugs
        )
        filters = (
            Filter(name="type", title="证照类型", choices=choices),
            Filter(name="since", title="自（含当日）"),
            Filter(name="until", title="至（含当日）"),
        )
        return Listing(
            path=f"/officer/seals/{seal.seal_id}",
            name="使用记录",
            columns=columns,
            filters=filters,
            sort="at",
        )

    def _use_slice(self, seal: Seal, asked: Asked) -> Any:
        wanted = _use_filter(asked)
        beyond = int(asked.place.key) if asked.place is not None and asked.place.key.isdecimal() else None
        fetched = self._room.uses.page(
            seal.seal_id,
            wanted,
            rising=asked.descending == asked.backward,
            beyond=beyond,
            limit=PAGE_ROWS + 1,
        )
        return assemble(
            fetched,
            asked,
            place_of=lambda one: Place(value="", key=str(one.use_id)),
            count=self._room.uses.count(seal.seal_id, wanted),
        )


def _named(name: x509.Name) -> str:
    """A distinguished name as people read it: common name, organisation, its identifier."""
    order = (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.ORGANIZATION_IDENTIFIER)
    return "，".join(str(one.value) for oid in order for one in name.get_attributes_for_oid(oid))


def _passes(seal: Seal, asked: Asked) -> bool:
    state, department = asked.filters["state"], asked.filters["department"]
    return state in {"", seal.state.value} and department in {"", seal.department}


def _seal_place(seal: Seal, asked: Asked) -> Place:
    values = {"name": seal.name, "number": seal.seal_id, "used": f"{seal.used:010}"}
    return Place(value=values[asked.sort], key=seal.seal_id)


def _use_filter(asked: Asked) -> UseFilter:
    days = dict(_days(asked))
    return UseFilter(
        type_code=asked.filters["type"],
        since=days.get("since"),
        until=days["until"] + timedelta(days=1) if "until" in days else None,
    )


def _days(asked: Asked) -> Iterator[tuple[str, datetime]]:
    for name in ("since", "until"):
        if asked.filters[name]:
            yield name, datetime.combine(datetime.fromisoformat(asked.filters[name]).date(), time(), CHINA)


def _local_time(text: str) -> datetime:
    """A civil time as `datetime-local` sends it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise ApplicationRefused("泄露时间不对。", findings=[("since", "请填写日期和时间。")]) from error
    return found if found.tzinfo is not None else found.replace(tzinfo=CHINA)
