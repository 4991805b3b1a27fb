"""The officers' pages: 制证 (draft), 预览, 签发 (sign off), 退回 (return), and changes of state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for

from cert_registry.catalog.errors import TypeUnknown
from cert_registry.catalog.loading import Catalog
from cert_registry.civil_date import civil_date_at
from cert_registry.errors import (
    DraftRefused,
    NotAuthorised,
    RegistryError,
    RequestMalformed,
    StateChangeConflict,
    TransitionRefused,
    UnknownDraft,
    UnknownEcert,
)
from cert_registry.issuance_drafts import Draft, DraftContent, Drafting
from cert_registry.lifecycle import Actor, LifecycleRoom, StateChange, change_state
from cert_registry.organisations.chart import OrganisationChart
from cert_registry.organisations.types import Operation
from cert_registry.registry import Registry
from cert_registry.types import DepartmentCode, DraftId, DraftStage, EcertIdentifier, StateOperation
from cert_registry.web.face_form import controls_for, face_from_form
from cert_registry.web.officer_rights import OfficerRights, rights_of
from cert_registry.web.sign_in import SignIn
from cert_registry.web.state_words import tone_of

P = ParamSpec("P")
R = TypeVar("R")
OPERATION_TITLES = {
    StateOperation.SUSPEND: "暂扣",
    StateOperation.RETURN: "发还",
    StateOperation.REVOKE: "撤销",
    StateOperation.PENAL_REVOKE: "吊销",
    StateOperation.CANCEL: "注销",
}
_STAGES = {
    DraftStage.DRAFTED: ("等待签发", "waiting"),
    DraftStage.RETURNED: ("已退回", "suspended"),
    DraftStage.SIGNED: ("正在签发", "waiting"),
    DraftStage.ISSUED: ("已签发", "valid"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerRoom:
    """What the officers' pages use."""

    sign_in: SignIn
    drafting: Drafting
    registry: Registry
    lifecycle: LifecycleRoom
    catalog: Catalog
    chart: Callable[[], OrganisationChart]
    clock: Callable[[], datetime]


def create_officer_pages(room: OfficerRoom) -> Blueprint:
    """Return the blueprint, to be mounted at ``/officer``."""
    pages = Blueprint("officer", __name__, template_folder="templates")
    desk = _Desk(room)
    rules = (
        ("/", "home", desk.home, "GET"),
        ("/drafts/new", "new_draft", desk.new_draft, "GET"),
        ("/drafts", "create_draft", desk.create_draft, "POST"),
        ("/drafts/<draft_id>", "draft", desk.draft, "GET"),
        ("/drafts/<draft_id>/revise", "revise_form", desk.revise_form, "GET"),
        ("/drafts/<draft_id>/revise", "revise_draft", desk.revise_draft, "POST"),
        ("/drafts/<draft_id>/preview.pdf", "preview", desk.preview, "GET"),
        ("/drafts/<draft_id>/sign-off", "sign_off", desk.sign_off, "POST"),
        ("/drafts/<draft_id>/return", "return_draft", desk.return_draft, "POST"),
        ("/ecerts", "ecerts", desk.ecerts, "GET"),
        ("/ecerts/<identifier>", "ecert", desk.ecert, "GET"),
        ("/ecerts/<identifier>/state", "change_state", desk.change_state, "POST"),
    )
    for path, endpoint, view, method in rules:
        pages.add_url_rule(path, endpoint, desk.with_officer(view), methods=[method])

    @pages.errorhandler(RegistryError)
    def refused(error: RegistryError) -> Response:
        status = 404 if isinstance(error, UnknownDraft | UnknownEcert) else 409
        status = 403 if isinstance(error, NotAuthorised) else status
        return make_response(render_template("sorry.html", sentence=error.sentence), status)

    return pages


class _Desk:
    def __init__(self, room: OfficerRoom) -> None:
        self._room = room

    def with_officer(self, view: Callable[P, R]) -> Callable[P, R | Response]:
        """Let only a signed-in officer with an appointment in force reach a view."""

        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            session = self._room.sign_in.current()
            if session is None:
                return self._room.sign_in.ask(acr="loa2")
            rights = rights_of(
                str(session.content["staff_id"]), chart=self._room.chart, on=civil_date_at(self._room.clock())
            )
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

    # ── drafts ──

    def home(self) -> str:
        rights: OfficerRights = g.rights
        drafts = [self._draft_row(one) for one in self._room.drafting.drafts_of(rights.codes, limit=50)]
        return self._page(
            "officer/home.html",
            drafts=drafts,
            types=rights.types_for(Operation.DRAFT, self._room.catalog.types()),
        )

    def new_draft(self) -> str:
        certificate_type, department = self._draftable(request.args.get("type", ""))
        face: dict[str, Any] = {}
        return self._form(certificate_type.slug, department, face, {}, revision=0)

    def create_draft(self) -> str | Response:
        certificate_type, department = self._draftable(request.form.get("type", ""))
        face = face_from_form(certificate_type.face, request.form)
        another = request.form.get("another-row", "")
        if another:
            return self._form(certificate_type.slug, department, face, {}, revision=0, another_row_in=another)
        try:
            draft = self._room.drafting.create_draft(
                self._content(certificate_type.type_code, department, face),
                drafter_id=g.rights.staff_id,
                now=self._room.clock(),
            )
        except (DraftRefused, RequestMalformed) as refused:
            return self._form_again(certificate_type.slug, department, face, refused, revision=0)
        return redirect_to("officer.draft", draft_id=draft.draft_id)

    def draft(self, draft_id: str) -> str:
        return self._draft_page(self._visible(draft_id))

    def revise_form(self, draft_id: str) -> str:
        draft = self._visible(draft_id)
        return self._form(
            self._room.catalog.type(draft.order.type_code).slug,
            draft.order.issuer_code,
            dict(draft.order.unverified_face),
            {},
            revision=draft.revision,
            draft=draft,
        )

    def revise_draft(self, draft_id: str) -> str | Response:
        draft = self._visible(draft_id)
        certificate_type = self._room.catalog.type(draft.order.type_code)
        face = face_from_form(certificate_type.face, request.form)
        department = draft.order.issuer_code
        revision = _revision()
        another = request.form.get("another-row", "")
        if another:
            return self._form(
                certificate_type.slug,
                department,
                face,
                {},
                revision=revision,
                draft=draft,
                another_row_in=another,
            )
        try:
            self._room.drafting.revise_draft(
                draft.draft_id,
                self._content(certificate_type.type_code, department, face),
                drafter_id=g.rights.staff_id,
                expected_revision=revision,
                now=self._room.clock(),
            )
        except (DraftRefused, RequestMalformed) as refused:
            return self._form_again(
                certificate_type.slug, department, face, refused, revision=revision, draft=draft
            )
        return redirect_to("officer.draft", draft_id=draft.draft_id)

    def preview(self, draft_id: str) -> Response:
        draft = self._visible(draft_id)
        response = make_response(self._room.drafting.preview(draft.draft_id, now=self._room.clock()))
        response.headers.update(
            {"Content-Type": "application/pdf", "Content-Disposition": "inline; filename=preview.pdf"}
        )
        return response

    def sign_off(self, draft_id: str) -> str | Response:
        draft = self._visible(draft_id)
        try:
            issued = self._room.drafting.sign_off(
                draft.draft_id,
                signer_id=g.rights.staff_id,
                expected_revision=_revision(),
                now=self._room.clock(),
            )
        except RegistryError as refused:
            return make_response(self._draft_page(self._visible(draft_id), refused=refused.sentence), 409)
        return redirect_to("officer.ecert", identifier=issued.identifier)

    def return_draft(self, draft_id: str) -> str | Response:
        draft = self._visible(draft_id)
        try:
            self._room.drafting.return_to_drafter(
                draft.draft_id,
                request.form.get("remark", ""),
                signer_id=g.rights.staff_id,
                expected_revision=_revision(),
                now=self._room.clock(),
            )
        except RegistryError as refused:
            return make_response(self._draft_page(draft, refused=refused.sentence), 409)
        return redirect_to("officer.draft", draft_id=draft.draft_id)

    # ── ecerts ──

    def ecerts(self) -> str:
        rights: OfficerRights = g.rights
        now = self._room.clock()
        wanted_type = request.args.get("type", "")
        rows = [
            (one, self._room.registry.state_at(one.identifier, now))
            for one in self._room.registry.issued_by(rights.codes, limit=200)
            if not wanted_type or one.type_code == wanted_type
        ]
        return self._page(
            "officer/ecerts.html",
            rows=[(one, state, tone_of(state)) for one, state in rows],
            types=self._room.catalog.types(),
            wanted_type=wanted_type,
        )

    def ecert(self, identifier: str) -> str:
        return self._ecert_page(identifier)

    def change_state(self, identifier: str) -> str | Response:
        self._issued_here(identifier)
        typed = {
            name: request.form.get(name, "") for name in ("operation", "reason", "legal_basis", "case_number")
        }
        try:
            operation = StateOperation(typed["operation"])
        except ValueError:
            return make_response(
                self._ecert_page(identifier, refused="请选择要办理的变更。", typed=typed), 400
            )
        change = StateChange(
            identifier=EcertIdentifier(identifier),
            reason=typed["reason"],
            legal_basis=typed["legal_basis"],
            case_number=typed["case_number"],
            actor=Actor(actor_id=g.rights.staff_id, department_code=g.rights.codes[0]),
            expected_sequence=_number(request.form.get("sequence")),
        )
        try:
            change_state(operation, change, room=self._room.lifecycle, now=self._room.clock())
        except RequestMalformed as refused:
            names = {
                "reason": "原因",
                "legal_basis": "法律依据",
                "case_number": "案件编号",
                "effective_at": "生效时间",
            }
            wrong = "".join(f"{names.get(name, name)}：{sentence}" for name, sentence in refused.findings)
            return make_response(
                self._ecert_page(identifier, refused=f"{refused.sentence}{wrong}", typed=typed), 400
            )
        except (TransitionRefused, StateChangeConflict) as refused:
            return make_response(self._ecert_page(identifier, refused=refused.sentence, typed=typed), 409)
        return redirect_to("officer.ecert", identifier=identifier)

    # ── parts ──

    def _page(self, template: str, **values: Any) -> str:
        return render_template(template, signed_in=g.signed_in, rights=g.rights, **values)

    def _draftable(self, slug: str) -> tuple[Any, DepartmentCode]:
        for certificate_type, department in g.rights.types_for(Operation.DRAFT, self._room.catalog.types()):
            if certificate_type.slug == slug:
                return certificate_type, department
        raise NotAuthorised("您的岗位不能制作这类证照。")

    def _visible(self, draft_id: str) -> Draft:
        draft = self._room.drafting.draft(DraftId(draft_id))
        if draft.order.issuer_code not in g.rights.codes:
            raise UnknownDraft("没有这份制证草稿。")
        return draft

    def _issued_here(self, identifier: str) -> Any:
        found = self._room.registry.find(identifier)
        if found.issuer_code not in g.rights.codes:
            raise UnknownEcert("没有查到相符的证照。")
        return found

    def _content(self, type_code: str, department: DepartmentCode, face: dict[str, Any]) -> DraftContent:
        wrong = [
            (name, "必须填写。")
            for name in ("case_number", "service_item")
            if not request.form.get(name, "").strip()
        ]
        if wrong:
            raise RequestMalformed("还有必填项没有填写。", findings=wrong)
        return DraftContent(
            type_code=type_code,
            issuer_code=department,
            case_number=request.form["case_number"],
            service_item=request.form["service_item"],
            unverified_face=face,
        )

    def _form(
        self,
        slug: str,
        department: DepartmentCode,
        face: dict[str, Any],
        findings: dict[str, str],
        *,
        revision: int,
        draft: Draft | None = None,
        refused: str = "",
        another_row_in: str = "",
    ) -> str:
        certificate_type = self._room.catalog.by_slug(slug)
        typed = {
            "case_number": request.form.get("case_number", draft.order.case_number if draft else ""),
            "service_item": request.form.get(
                "service_item", draft.order.service_item if draft else certificate_type.item_code
            ),
        }
        return self._page(
            "officer/form.html",
            certificate_type=certificate_type,
            department=self._room.chart().department(department),
            groups=controls_for(
                certificate_type.face, face, findings=findings, another_row_in=another_row_in
            ),
            findings=findings,
            refused=refused,
            typed=typed,
            revision=revision,
            draft=draft,
        )

    def _form_again(
        self,
        slug: str,
        department: DepartmentCode,
        face: dict[str, Any],
        refused: DraftRefused | RequestMalformed,
        *,
        revision: int,
        draft: Draft | None = None,
    ) -> Response:
        page = self._form(
            slug,
            department,
            face,
            dict(refused.findings),
            revision=revision,
            draft=draft,
            refused=refused.sentence,
        )
        return make_response(page, 422)

    def _draft_row(self, draft: Draft) -> dict[str, Any]:
        word, tone = _STAGES[draft.stage]
        try:
            type_name = self._room.catalog.type(draft.order.type_code).name
        except TypeUnknown:
            type_name = draft.order.type_code
        return {
            "draft": draft,
            "type_name": type_name,
            "word": word,
            "tone": tone,
            "mine": draft.drafter_id == g.rights.staff_id,
        }

    def _draft_page(self, draft: Draft, *, refused: str = "") -> str:
        certificate_type = self._room.catalog.type(draft.order.type_code)
        rights: OfficerRights = g.rights
        return self._page(
            "officer/draft.html",
            row=self._draft_row(draft),
            draft=draft,
            certificate_type=certificate_type,
            values=tuple(certificate_type.face.walk(draft.order.unverified_face)),
            may_sign=draft.stage in {DraftStage.DRAFTED, DraftStage.SIGNED}
            and draft.drafter_id != rights.staff_id
            and rights.may(Operation.SIGN, draft.order.issuer_code, certificate_type.slug),
            may_revise=draft.stage in {DraftStage.DRAFTED, DraftStage.RETURNED}
            and draft.drafter_id == rights.staff_id,
            refused=refused,
        )

    def _ecert_page(self, identifier: str, *, refused: str = "", typed: dict[str, str] | None = None) -> str:
        found = self._issued_here(identifier)
        now = self._room.clock()
        state = self._room.registry.state_at(found.identifier, now)
        certificate_type = self._room.catalog.type(found.type_code)
        rights: OfficerRights = g.rights
        may_change = rights.may(Operation.CHANGE_STATE, found.issuer_code, certificate_type.slug)
        operations = [
            (rule, OPERATION_TITLES[rule.operation])
            for rule in certificate_type.statuses.values()
            if rule.operation in OPERATION_TITLES and state.state in rule.from_states
        ]
        return self._page(
            "officer/ecert.html",
            ecert=found,
            state=state,
            tone=tone_of(state),
            history=self._room.registry.history_of(identifier),
            titles={**OPERATION_TITLES, StateOperation.ISSUE: "签发", StateOperation.REPLACE: "换发"},
            values=tuple(certificate_type.face.walk(self._room.registry.face_of(identifier))),
            operations=operations if may_change else [],
            bases=sorted({basis for rule, _ in operations for basis in rule.legal_bases}),
            refused=refused,
            typed=typed or {},
        )


def redirect_to(endpoint: str, **values: Any) -> Response:
    """Return a See Other, so that reloading the next page does not post again."""
    return make_response(redirect(url_for(endpoint, **values), code=303))


def _revision() -> int:
    return _number(request.form.get("revision")) or 0


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
