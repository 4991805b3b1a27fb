"""The counter: an officer proves the person who stands there, with the original document.

Nothing typed stands in an address, and an officer without a grant in force on that day reaches no page.
"""

from typing import Any, Final

from flask import g, redirect, render_template, request, url_for

from idp.civil_time import BEIJING
from idp.errors import CodeRefused, CounterRefused, InteractionLost, MalformedCode, SignInRefused, SmsRefused
from idp.identity.access_token import Caller
from idp.identity.assurance import AcrLevel
from idp.identity.masking import mask_mobile, mask_name, mask_number
from idp.proofing import ClaimedIdentity, Outcome
from idp.sms.codes import parse_code
from idp.store.persons import Person, Settled
from idp.store.visits import Step, Typed, Visit
from idp.store.window_grants import WindowGrant
from idp.strong_proof import DocumentKind, require_grant
from idp.web.account_words import WHAT_WORDS
from idp.web.claimed import claimed_of, person_of
from idp.web.pages import FIELDS
from idp.web.sentences import COUNTER_SENTENCES
from idp.web.service import Service
from idp.web.signed_in_pages import SignedInPages

_CONFIRMED: Final = ("original", "same_face")
_CONFIRM_SENTENCE: Final = "请核对证件原件和本人后，勾选两项确认。"
_MOBILE_HINT: Final = "11 位，本人现在带着的手机；不要求以本人名义登记"


def officer_content(caller: Caller) -> dict[str, str]:
    """What an officer's session holds.

    Raises:
        SignInRefused: `not-staff` or `strength`.
    """
    if not caller.staff_id:
        raise SignInRefused("这个账号不是工作人员账号。", code="not-staff")
    if caller.acr is None or not caller.acr.meets(AcrLevel.LOA2):
        raise SignInRefused("窗口核验要求双因素登录。", code="strength")
    return {"staff_id": caller.staff_id, "shown_name": caller.staff_id}


class CounterPages:
    """The views of one service."""

    def __init__(self, service: Service, frame: SignedInPages) -> None:
        self._service = service
        self._frame = frame

    def add_to(self, blueprint: Any) -> None:
        """Adds the pages to the blueprint."""
        both = ["GET", "POST"]
        for rule, endpoint, view, methods in (
            ("/counter/", "counter", self.form, both),
            ("/counter/code", "counter_code", self.code, both),
            ("/counter/done", "counter_done", self.done, ["GET"]),
            ("/counter/report", "counter_report", self.report, both),
        ):
            blueprint.add_url_rule(rule, endpoint, self._frame.guard(view), methods=methods)
        blueprint.register_error_handler(CounterRefused, _refused)

    def form(self) -> Any:
        """Takes down the document and sends a code to the phone in the person's hand."""
        grant = self._grant()
        if request.method == "GET":
            return self._form_page(grant, Typed(name="", number="", mobile=""), {})
        typed = Typed(**{field.name: request.form.get(field.name, "")[:64] for field in FIELDS})
        claimed, errors = claimed_of(typed, now=self._service.clock())
        document = _document(request.form.get("document", ""))
        if document is None:
            errors["document"] = "请选择证件种类。"
        if any(request.form.get(one) != "yes" for one in _CONFIRMED):
            errors["original"] = _CONFIRM_SENTENCE
        if claimed is None or document is None or errors:
            return self._form_page(grant, typed, errors), 422
        return self._compare_and_send(grant, claimed, document, typed)

    def code(self) -> Any:
        """Takes the code and whose the standing account is; then proves."""
        grant = self._grant()
        visit, claimed, document = self._case()
        standing = self._service.strong.standing(claimed)
        if request.method == "GET":
            return self._code_page(claimed, standing, {})
        own = request.form.get("own")
        if standing is not None and own not in {"yes", "no"}:
            return self._code_page(claimed, standing, {"own": "请问清本人后选择。"}), 422
        try:
            proof = self._service.strong.prove_at_counter(
                claimed,
                document,
                grant,
                visit_mark=visit.mark,
                code=parse_code(request.form.get("code", "")),
                says_own=own == "yes",
                lost_factors=request.form.get("lost") == "yes",
                now=self._service.clock(),
            )
        except (CodeRefused, MalformedCode) as error:
            return self._code_page(claimed, standing, {"code": str(error)}), 422
        self._service.visits.end(visit.mark)
        if proof.settled is None:
            return self._outcome_page(proof.outcome), 409
        self._frame.keep(case=None, last=_last(proof.settled, claimed))
        return redirect(url_for(".counter_done"), 303)

    def done(self) -> Any:
        """What the last proof led to, and what a displaced account did."""
        self._grant()
        last = g.session.content.get("last")
        if not last:
            return redirect(url_for(".counter"), 303)
        displaced = self._service.persons.person(last["displaced_ref"]) if last["displaced_ref"] else None
        acts = () if displaced is None else self._service.acts.of(displaced.realname_ref)
        return self._frame.page(
            "idp/counter_done.html",
            last=last,
            displaced=displaced,
            displaced_mobile="" if displaced is None else mask_mobile(displaced.mobile),
            acts=acts,
            beijing=BEIJING,
            words=WHAT_WORDS,
        )

    def report(self) -> Any:
        """Takes a theft report on the original document alone, and blocks the account at once."""
        grant = self._grant()
        empty = Typed(name="", number="", mobile="")
        if request.method == "GET":
            return self._report_page(grant, empty, {})
        typed = Typed(
            name=request.form.get("name", "")[:64], number=request.form.get("number", "")[:64], mobile=""
        )
        claim, errors = person_of(typed, now=self._service.clock())
        document = _document(request.form.get("document", ""))
        if document is None:
            errors["document"] = "请选择证件种类。"
        if any(request.form.get(one) != "yes" for one in _CONFIRMED):
            errors["original"] = _CONFIRM_SENTENCE
        if claim is None or document is None or errors:
            return self._report_page(grant, typed, errors), 422
        report = self._service.strong.report_theft(claim, document, grant, now=self._service.clock())
        if report.outcome is not Outcome.PROVED:
            return self._outcome_page(report.outcome), 409
        frozen = report.frozen
        return self._frame.page(
            "idp/counter_reported.html",
            name=mask_name(claim.name.name_key),
            frozen=frozen,
            mobile="" if frozen is None else mask_mobile(frozen.mobile),
            acts=() if frozen is None else self._service.acts.of(frozen.realname_ref),
            beijing=BEIJING,
            words=WHAT_WORDS,
        )

    # ── parts ──

    def _report_page(self, grant: WindowGrant, typed: Typed, errors: dict[str, str]) -> str:
        return self._frame.page(
            "idp/counter_report.html",
            grant=grant,
            fields=[field for field in FIELDS if field.name != "mobile"],
            typed={"name": typed.name, "number": typed.number},
            documents=[(one.name, one.value) for one in DocumentKind],
            errors=errors,
        )

    def _grant(self) -> WindowGrant:
        now = self._service.clock().astimezone(BEIJING)
        return require_grant(self._service.grants, str(g.session.content["staff_id"]), on=now)

    def _compare_and_send(
        self, grant: WindowGrant, claimed: ClaimedIdentity, document: DocumentKind, typed: Typed
    ) -> Any:
        service, now = self._service, self._service.clock()
        outcome = service.strong.compare_at_counter(claimed, document, grant, now=now)
        if outcome is not Outcome.PROVED:
            return self._outcome_page(outcome), 409
        handle = service.visits.begin({"client_id": "counter", "document": document.name}, now=now)
        visit = service.visits.visit(handle, now=now)
        try:
            service.strong.request_code(visit.mark, claimed.mobile, staff_id=grant.staff_id, now=now)
        except SmsRefused as error:
            return self._form_page(grant, typed, {"mobile": str(error)}), 429
        service.visits.keep_typed(visit.mark, typed, step=Step.CODE)
        self._frame.keep(case=handle)
        return redirect(url_for(".counter_code"), 303)

    def _case(self) -> tuple[Visit, ClaimedIdentity, DocumentKind]:
        visit = self._service.visits.visit(g.session.content.get("case"), now=self._service.clock())
        claimed = claimed_of(visit.typed, now=self._service.clock())[0] if visit.typed else None
        document = _document(visit.request.get("document", ""))
        if claimed is None or document is None:
            raise InteractionLost("这次核验已经结束。", code="visit-lost")
        return visit, claimed, document

    def _form_page(self, grant: WindowGrant, typed: Typed, errors: dict[str, str]) -> str:
        return self._frame.page(
            "idp/counter_form.html",
            grant=grant,
            fields=FIELDS,
            mobile_hint=_MOBILE_HINT,
            typed={field.name: getattr(typed, field.name) for field in FIELDS},
            documents=[(one.name, one.value) for one in DocumentKind],
            errors=errors,
        )

    def _code_page(self, claimed: ClaimedIdentity, standing: Person | None, errors: dict[str, str]) -> str:
        return self._frame.page(
            "idp/counter_code.html",
            shown_name=mask_name(claimed.name.name_key),
            shown_number=mask_number(claimed.number.number),
            shown_mobile=mask_mobile(claimed.mobile),
            standing=standing,
            standing_mobile="" if standing is None else mask_mobile(standing.mobile),
            may_keep=standing is not None and standing.mobile == claimed.mobile,
            beijing=BEIJING,
            words=WHAT_WORDS,
            errors=errors,
        )

    def _outcome_page(self, outcome: Outcome) -> str:
        title, said, next_step = COUNTER_SENTENCES[outcome]
        return self._frame.page(
            "idp/counter_outcome.html", outcome=outcome.value, heading=title, said=said, next_step=next_step
        )


def _document(name: str) -> DocumentKind | None:
    return DocumentKind[name] if name in DocumentKind.__members__ else None


def _last(settled: Settled, claimed: ClaimedIdentity) -> dict[str, str | None]:
    return {
        "name": mask_name(claimed.name.name_key),
        "mobile": mask_mobile(claimed.mobile),
        "decision": settled.decision.value,
        "displaced_ref": settled.displaced_ref,
    }


def _refused(error: CounterRefused) -> Any:
    return (
        render_template(
            "idp/stopped.html",
            title="没有窗口核验授权",
            said=str(error),
            next_step="请联系本单位管理员；授权有起止日期，到期自动失效。",
        ),
        403,
    )
