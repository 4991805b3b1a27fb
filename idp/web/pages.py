"""The pages of a visit: form, code, outcome, and back to the site. Nothing typed ever stands in an address."""

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, abort, jsonify, redirect, render_template, request, url_for

from idp.civil_time import BEIJING
from idp.errors import CodeRefused, InteractionLost, MalformedCode, SmsRefused
from idp.identity.masking import mask_mobile
from idp.mobile_number import parse_mobile_number
from idp.proofing import ClaimedIdentity, Outcome
from idp.provider.server import ProvedPerson
from idp.sms.codes import parse_code
from idp.store.visits import Step, Typed, Visit
from idp.web.claimed import claimed_of
from idp.web.face_pages import offers_face
from idp.web.sentences import SENTENCES
from idp.web.service import Service
from idp.web.visitor import address_of, is_local

_LONGEST_INPUT = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One input of the form."""

    name: str
    label: str
    hint: str
    kind: str
    autocomplete: str


FIELDS: Final = (
    Field(
        name="name",
        label="姓名",
        hint="与身份证一致；少数民族姓名中的点可照常输入",
        kind="text",
        autocomplete="name",
    ),
    Field(
        name="number",
        label="身份证号码",
        hint="18 位；港澳台居民居住证、外国人永久居留身份证号码也在这里填",
        kind="text",
        autocomplete="off",
    ),
    Field(name="mobile", label="手机号", hint="11 位，以您本人名义登记", kind="tel", autocomplete="tel"),
)


class Pages:
    """The views of one service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def form(self) -> Any:
        """Asks for name, number and mobile number; then sends the code."""
        visit = self._visit()
        if request.method == "GET":
            return self._form_page(visit, visit.typed or Typed(name="", number="", mobile=""), {})
        self._check_form(visit)
        typed = Typed(**{field.name: request.form.get(field.name, "")[:_LONGEST_INPUT] for field in FIELDS})
        claimed, errors = claimed_of(typed, now=self._service.clock())
        if claimed is None:
            self._service.visits.keep_typed(visit.mark, typed, step=Step.FORM)
            return self._form_page(visit, typed, errors), 422
        return self._send_code(visit, typed, claimed, back_to_form=True)

    def code(self) -> Any:
        """Asks for the code; with the right one, makes the proof."""
        visit = self._visit()
        if visit.step is not Step.CODE or visit.typed is None:
            return redirect(url_for(".form"), 303)
        if request.method == "GET":
            return self._code_page(visit, {})
        self._check_form(visit)
        claimed, _ = claimed_of(visit.typed, now=self._service.clock())
        if claimed is None:
            return redirect(url_for(".form"), 303)
        try:
            proof = self._service.proofing.prove(
                claimed,
                visit_mark=visit.mark,
                code=parse_code(request.form.get("code", "")),
                address=address_of(request),
                client_id=visit.request["client_id"],
                now=self._service.clock(),
            )
        except (CodeRefused, MalformedCode) as error:
            return self._code_page(visit, {"code": str(error)}), 422
        self._service.visits.finish(
            visit.mark,
            proof.outcome.value,
            realname_ref=proof.realname_ref,
            keep_typed=offers_face(self._service, visit),
            now=self._service.clock(),
        )
        return redirect(url_for(".outcome"), 303)

    def resend(self) -> Any:
        """Sends another code."""
        visit = self._visit()
        self._check_form(visit)
        if visit.typed is None:
            return redirect(url_for(".form"), 303)
        claimed, _ = claimed_of(visit.typed, now=self._service.clock())
        if visit.step is not Step.CODE or claimed is None:
            return redirect(url_for(".form"), 303)
        return self._send_code(visit, visit.typed, claimed, back_to_form=False)

    def outcome(self) -> Any:
        """Says how the proof ended and what comes next."""
        visit = self._visit()
        if visit.step is not Step.DONE or visit.outcome is None:
            return redirect(url_for(".form"), 303)
        outcome = Outcome(visit.outcome)
        proved = outcome is Outcome.PROVED
        person = self._service.server.active_person(visit.realname_ref) if visit.realname_ref else None
        level = None if person is None else person.level.value
        return render_template(
            "idp/outcome.html",
            sentence=SENTENCES[outcome],
            proved=proved,
            outcome=outcome.value,
            level=level,
            offers_face=proved and level == "RN2" and offers_face(self._service, visit),
            token=self._service.visitor.csrf_token(visit.mark),
        )

    def leave(self) -> Any:
        """Back to the site, with a code after a success, with `interaction_required` otherwise."""
        visit = self._visit()
        self._service.visits.end(visit.mark)
        server = self._service.server
        if visit.outcome == Outcome.PROVED.value and visit.realname_ref and visit.proved_at:
            person = ProvedPerson(realname_ref=visit.realname_ref, proved_at=visit.proved_at)
            response = server.answer(visit.request, person)
        else:
            response = server.refuse(visit.request)
        self._service.visitor.forget(response)
        return response

    def operator_sms(self) -> Any:
        """The messages of the embedded gateway: on this machine, in a demonstration, nowhere else."""
        messages = self._service.messages
        if messages is None or not is_local(request):
            abort(404)
        sent = messages.sent()
        if request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json":
            listed = [
                {"mobile": each.mobile, "text": each.text, "sent_at": each.sent_at.isoformat()}
                for each in sent
            ]
            return jsonify(messages=listed)
        return render_template("idp/operator_sms.html", messages=sent, beijing=BEIJING)

    def lost(self, _error: InteractionLost) -> Any:
        """A visit that is unknown or over."""
        return render_template(
            "idp/stopped.html",
            title="本次核验已结束",
            said="本次核验已经结束，或者停留时间过长。",
            next_step="请回到原来的网站，重新点“登录”或“实名核验”。",
        ), 410

    def _visit(self) -> Visit:
        service = self._service
        return service.visits.visit(service.visitor.handle(request), now=service.clock())

    def _check_form(self, visit: Visit) -> None:
        if not self._service.visitor.sent_by_our_form(request, visit.mark):
            raise InteractionLost("表单不是由本页面提交的。", code="csrf")

    def _send_code(self, visit: Visit, typed: Typed, claimed: ClaimedIdentity, *, back_to_form: bool) -> Any:
        service = self._service
        try:
            service.proofing.request_code(
                visit.mark, claimed.mobile, address=address_of(request), now=service.clock()
            )
        except SmsRefused as error:
            if back_to_form:
                service.visits.keep_typed(visit.mark, typed, step=Step.FORM)
                return self._form_page(visit, typed, {"mobile": str(error)}), 429
            return self._code_page(visit, {"code": str(error)}), 429
        service.visits.keep_typed(visit.mark, typed, step=Step.CODE)
        return redirect(url_for(".code"), 303)

    def _form_page(self, visit: Visit, typed: Typed, errors: dict[str, str]) -> str:
        shown = {field.name: getattr(typed, field.name) for field in FIELDS}
        token = self._service.visitor.csrf_token(visit.mark)
        return render_template("idp/form.html", fields=FIELDS, typed=shown, errors=errors, token=token)

    def _code_page(self, visit: Visit, errors: dict[str, str]) -> str:
        mobile = parse_mobile_number(visit.typed.mobile) if visit.typed else ""
        return render_template(
            "idp/code.html",
            masked_mobile=mask_mobile(mobile),
            minutes=self._service.settings.limits.sms_expiry_s // 60,
            errors=errors,
            token=self._service.visitor.csrf_token(visit.mark),
            show_operator=self._service.messages is not None and is_local(request),
        )


def add_pages(blueprint: Blueprint, service: Service) -> None:
    """Adds the pages to the blueprint."""
    pages = Pages(service)
    both = ["GET", "POST"]
    blueprint.add_url_rule("/proof", "form", pages.form, methods=both)
    blueprint.add_url_rule("/proof/code", "code", pages.code, methods=both)
    blueprint.add_url_rule("/proof/resend", "resend", pages.resend, methods=["POST"])
    blueprint.add_url_rule("/proof/outcome", "outcome", pages.outcome)
    blueprint.add_url_rule("/proof/leave", "leave", pages.leave)
    blueprint.add_url_rule("/operator/sms", "operator_sms", pages.operator_sms)
    blueprint.register_error_handler(InteractionLost, pages.lost)
