"""The officers' pages before issue: 制证 (draft), 预览, 签发 (sign off), 退回 (return)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from flask import Response, g, make_response, request

from cert_registry.catalog.certificate_type import CertificateType
from cert_registry.catalog.errors import FaceRefused
from cert_registry.civil_date import LONG_TERM, civil_date_at
from cert_registry.errors import DraftRefused, NotAuthorised, RegistryError, RequestMalformed, UnknownDraft
from cert_registry.issuance_drafts import Draft, DraftContent, DraftQuery
from cert_registry.organisations.types import Operation
from cert_registry.types import DepartmentCode, DraftId, DraftStage
from cert_registry.web.draft_rows import SIGNABLE, DraftRow, draft_row
from cert_registry.web.face_form import controls_for, face_from_form, problems_of
from cert_registry.web.officer_rights import OfficerRights
from cert_registry.web.officer_room import OfficerRoom, page, redirect_to, revision_in_form

_ROWS_ON_HOME = 10
_REVISABLE = frozenset({DraftStage.DRAFTED, DraftStage.RETURNED})
_CASE_TITLES = {"case_number": "办件编号", "service_item": "事项编码"}


class DraftDesk:
    """The views over drafts."""

    def __init__(self, room: OfficerRoom) -> None:
        self._room = room

    def home(self) -> str:
        """What waits for this officer first, then the officer's own, then what is done."""
        rights: OfficerRights = g.rights
        types = self._room.catalog.types()
        signable = tuple(one.type_code for one, _ in rights.types_for(Operation.SIGN, types))
        everything = DraftQuery(issuer_codes=rights.codes, limit=_ROWS_ON_HOME)
        waiting = replace(everything, stages=SIGNABLE, type_codes=signable, not_drafted_by=rights.staff_id)
        parts = {
            "to_sign": replace(waiting, descending=False) if signable else None,
            "to_mend": replace(everything, stages=(DraftStage.RETURNED,), drafted_by=rights.staff_id),
            "waiting": replace(everything, stages=SIGNABLE, drafted_by=rights.staff_id),
            "issued": replace(everything, stages=(DraftStage.ISSUED,)),
        }
        found = {name: self._room.drafting.page(query) for name, query in parts.items() if query is not None}
        return page(
            "officer/home.html",
            lists={name: [self._row(one) for one in each.drafts] for name, each in found.items()},
            counts={name: each.count for name, each in found.items()},
            types=rights.types_for(Operation.DRAFT, types),
        )

    def new_draft(self) -> str:
        """An empty form."""
        certificate_type, department = self._draftable(request.args.get("type", ""))
        return self._form(certificate_type, department, {}, {}, revision=0)

    def create_draft(self) -> str | Response:
        """Keep a new draft, or show what is wrong with it."""
        certificate_type, department = self._draftable(request.form.get("type", ""))
        face = face_from_form(certificate_type.face, request.form)
        another = request.form.get("another-row", "")
        if another:
            return self._form(certificate_type, department, face, {}, revision=0, another_row_in=another)
        try:
            draft = self._room.drafting.create_draft(
                _content(certificate_type, department, face, today=self._today()),
                drafter_id=g.rights.staff_id,
                now=self._room.clock(),
            )
        except (DraftRefused, RequestMalformed) as refused:
            return self._form_again(certificate_type, department, face, refused, revision=0)
        return redirect_to("officer.draft", draft_id=draft.draft_id)

    def draft(self, draft_id: str) -> str:
        """One draft, with the next step."""
        return self._draft_page(self._visible(draft_id))

    def revise_form(self, draft_id: str) -> str:
        """The form with what the draft holds."""
        draft = self._visible(draft_id)
        certificate_type = self._room.catalog.type(draft.order.type_code)
        face = dict(draft.order.unverified_face)
        return self._form(
            certificate_type, draft.order.issuer_code, face, {}, revision=draft.revision, draft=draft
        )

    def revise_draft(self, draft_id: str) -> str | Response:
        """Keep a changed draft, or show what is wrong with it."""
        draft = self._visible(draft_id)
        certificate_type = self._room.catalog.type(draft.order.type_code)
        face = face_from_form(certificate_type.face, request.form)
        department, revision = draft.order.issuer_code, revision_in_form()
        another = request.form.get("another-row", "")
        if another:
            return self._form(
                certificate_type,
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
                _content(certificate_type, department, face, today=self._today()),
                drafter_id=g.rights.staff_id,
                expected_revision=revision,
                now=self._room.clock(),
            )
        except (DraftRefused, RequestMalformed) as refused:
            return self._form_again(
                certificate_type, department, face, refused, revision=revision, draft=draft
            )
        return redirect_to("officer.draft", draft_id=draft.draft_id)

    def preview(self, draft_id: str) -> Response:
        """The certificate as it would be, without a seal."""
        draft = self._visible(draft_id)
        response = make_response(self._room.drafting.preview(draft.draft_id, now=self._room.clock()))
        response.headers.update(
            {"Content-Type": "application/pdf", "Content-Disposition": "inline; filename=preview.pdf"}
        )
        return response

    def sign_off(self, draft_id: str) -> str | Response:
        """Issue it."""
        draft = self._visible(draft_id)
        try:
            issued = self._room.drafting.sign_off(
                draft.draft_id,
                signer_id=g.rights.staff_id,
                expected_revision=revision_in_form(),
                now=self._room.clock(),
            )
        except RegistryError as refused:
            return make_response(self._draft_page(self._visible(draft_id), refused=refused.sentence), 409)
        return redirect_to("officer.ecert", identifier=issued.identifier)

    def return_draft(self, draft_id: str) -> str | Response:
        """Give it back with a remark."""
        draft = self._visible(draft_id)
        try:
            self._room.drafting.return_to_drafter(
                draft.draft_id,
                request.form.get("remark", ""),
                signer_id=g.rights.staff_id,
                expected_revision=revision_in_form(),
                now=self._room.clock(),
            )
        except RegistryError as refused:
            return make_response(self._draft_page(draft, refused=refused.sentence), 409)
        return redirect_to("officer.draft", draft_id=draft.draft_id)

    # ── parts ──

    def _today(self) -> date:
        return civil_date_at(self._room.clock())

    def _draftable(self, slug: str) -> tuple[CertificateType, DepartmentCode]:
        for certificate_type, department in g.rights.types_for(Operation.DRAFT, self._room.catalog.types()):
            if certificate_type.slug == slug:
                return certificate_type, department
        raise NotAuthorised("您的岗位不能制作这类证照。")

    def _visible(self, draft_id: str) -> Draft:
        draft = self._room.drafting.draft(DraftId(draft_id))
        if draft.order.issuer_code not in g.rights.codes:
            raise UnknownDraft("没有这份制证草稿。")
        return draft

    def _form(
        self,
        certificate_type: CertificateType,
        department: DepartmentCode,
        face: dict[str, Any],
        findings: dict[str, str],
        *,
        revision: int,
        draft: Draft | None = None,
        refused: str = "",
        another_row_in: str = "",
    ) -> str:
        typed = {
            "case_number": request.form.get("case_number", draft.order.case_number if draft else ""),
            "service_item": request.form.get(
                "service_item", draft.order.service_item if draft else certificate_type.item_code
            ),
        }
        return page(
            "officer/form.html",
            certificate_type=certificate_type,
            department=self._room.chart().department(department),
            groups=controls_for(
                certificate_type.face, face, findings=findings, another_row_in=another_row_in
            ),
            findings=findings,
            problems=problems_of(certificate_type.face, findings, other_titles=_CASE_TITLES),
            refused=refused,
            typed=typed,
            revision=revision,
            draft=draft,
            long_term=LONG_TERM.value,
        )

    def _form_again(
        self,
        certificate_type: CertificateType,
        department: DepartmentCode,
        face: dict[str, Any],
        refused: DraftRefused | RequestMalformed,
        *,
        revision: int,
        draft: Draft | None = None,
    ) -> Response:
        shown = self._form(
            certificate_type,
            department,
            face,
            dict(refused.findings),
            revision=revision,
            draft=draft,
            refused=refused.sentence,
        )
        return make_response(shown, 422)

    def _row(self, draft: Draft) -> DraftRow:
        return draft_row(draft, rights=g.rights, catalog=self._room.catalog)

    def _draft_page(self, draft: Draft, *, refused: str = "") -> str:
        certificate_type = self._room.catalog.type(draft.order.type_code)
        rights: OfficerRights = g.rights
        row = self._row(draft)
        return page(
            "officer/draft.html",
            row=row,
            draft=draft,
            certificate_type=certificate_type,
            signer=rights.name_of(draft.signer_id) if draft.signer_id else "",
            values=tuple(certificate_type.face.walk(draft.order.unverified_face)),
            may_sign=row.may_sign,
            may_revise=draft.stage in _REVISABLE and row.mine,
            refused=refused,
        )


def _content(
    certificate_type: CertificateType, department: DepartmentCode, face: dict[str, Any], *, today: date
) -> DraftContent:
    wrong = [(name, "必须填写。") for name in _CASE_TITLES if not request.form.get(name, "").strip()]
    if wrong:
        wrong.extend(_face_findings(certificate_type, face, today=today))
        raise RequestMalformed("还有必填项没有填写。", findings=wrong)
    return DraftContent(
        type_code=certificate_type.type_code,
        issuer_code=department,
        case_number=request.form["case_number"].strip(),
        service_item=request.form["service_item"].strip(),
        unverified_face=face,
    )


def _face_findings(
    certificate_type: CertificateType, face: dict[str, Any], *, today: date
) -> list[tuple[str, str]]:
    """What is wrong with the face, so that the officer hears everything at once; a number to come is not missed."""
    try:
        certificate_type.check_face(face, today=today)
    except FaceRefused as refused:
        numbering = certificate_type.numbering
        given = face.get(numbering.field)
        return [
            (one.field, one.sentence)
            for one in refused.problems
            if one.field != numbering.field or given or not numbering.rule
        ]
    return []
