"""The face check within a visit: to the provider, back, whose account it is, and the proof at RN3."""

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from idp.errors import FaceRefused, FaceUnavailable, InteractionLost
from idp.identity.masking import mask_mobile
from idp.ports import FaceCheck
from idp.proofing import ClaimedIdentity, Outcome
from idp.store.persons import Person
from idp.store.visits import Step, Visit
from idp.web.claimed import claimed_of
from idp.web.service import Service


class FacePages:
    """The views; only where a provider is configured."""

    def __init__(self, service: Service, face: FaceCheck) -> None:
        self._service = service
        self._face = face

    def begin(self) -> Any:
        """Opens a check and sends the browser to the provider."""
        service, now = self._service, self._service.clock()
        visit, claimed = self._proved_visit()
        self._check_form(visit)
        nonce = service.face_checks.new_nonce()
        try:
            start = self._face.begin(
                claimed.number,
                claimed.name,
                nonce=nonce,
                return_url=f"{service.settings.issuer}/proof/face/return",
                now=now,
            )
        except (FaceRefused, FaceUnavailable) as error:
            return self._failed(str(error), error.code)
        service.face_checks.begin(visit.mark, start.check_id, nonce, proved_at=visit.proved_at, now=now)
        return redirect(start.page_url, 303)

    def returned(self) -> Any:
        """Asks the provider, not the browser, how it ended."""
        service, now = self._service, self._service.clock()
        visit, _ = self._proved_visit()
        check = service.face_checks.open_check(visit.mark, now=now)
        if check is None:
            return redirect(url_for(".outcome"), 303)
        try:
            self._face.confirm(check[0], nonce=check[1], now=now)
        except (FaceRefused, FaceUnavailable) as error:
            return self._failed(str(error), error.code)
        service.face_checks.passed(visit.mark, check[0], now=now)
        return redirect(url_for(".face_account"), 303)

    def account(self) -> Any:
        """Asks whose the standing account is, when there was one before; then proves at RN3."""
        service, now = self._service, self._service.clock()
        visit, claimed = self._proved_visit()
        before = _opened_before(visit, service.strong.standing(claimed))
        if request.method == "GET" and before is not None:
            return self._account_page(visit, claimed, before)
        if request.method == "POST":
            self._check_form(visit)
        own = request.form.get("own")
        if before is not None and own not in {"yes", "no"}:
            sentence = "请选择这个账号是不是您本人开通的。"
            return self._account_page(visit, claimed, before, error=sentence), 422
        if not service.face_checks.use_passed(visit.mark, now=now):
            return redirect(url_for(".outcome"), 303)
        proof = service.strong.prove_by_face(
            claimed,
            says_own=before is None or own == "yes",
            client_id=visit.request["client_id"],
            now=now,
        )
        reference = None if proof.settled is None else proof.settled.realname_ref
        service.visits.finish(visit.mark, proof.outcome.value, realname_ref=reference, now=now)
        return redirect(url_for(".outcome"), 303)

    def _account_page(
        self, visit: Visit, claimed: ClaimedIdentity, standing: Person, *, error: str = ""
    ) -> str:
        return render_template(
            "idp/face_account.html",
            masked_mobile=mask_mobile(standing.mobile),
            since=standing.created_at,
            may_keep=standing.mobile == claimed.mobile,
            error=error,
            token=self._service.visitor.csrf_token(visit.mark),
        )

    def _failed(self, sentence: str, code: str) -> Any:
        return render_template("idp/face_failed.html", sentence=sentence, code=code), 422

    def _proved_visit(self) -> tuple[Visit, ClaimedIdentity]:
        service = self._service
        visit = service.visits.visit(service.visitor.handle(request), now=service.clock())
        proved = visit.step is Step.DONE and visit.outcome == Outcome.PROVED.value
        claimed = claimed_of(visit.typed, now=service.clock())[0] if visit.typed else None
        if not proved or claimed is None or not offers_face(service, visit):
            raise InteractionLost("这一步不能从这里开始。", code="no-proof")
        return visit, claimed

    def _check_form(self, visit: Visit) -> None:
        if not self._service.visitor.sent_by_our_form(request, visit.mark):
            raise InteractionLost("表单不是由本页面提交的。", code="csrf")


def _opened_before(visit: Visit, standing: Person | None) -> Person | None:
    """The link in force, unless this very visit opened it."""
    if standing is None or visit.proved_at is None or standing.created_at >= visit.proved_at:
        return None
    return standing


def offers_face(service: Service, visit: Visit) -> bool:
    """Whether a visit may go on to a face check: not the fresh check, whose answer must be the same account."""
    return service.face is not None and "/realname-fresh/" not in visit.request.get("redirect_uri", "")


def add_face_pages(blueprint: Blueprint, service: Service, face: FaceCheck) -> None:
    """Adds the pages to the blueprint."""
    pages = FacePages(service, face)
    blueprint.add_url_rule("/proof/face", "face", pages.begin, methods=["POST"])
    blueprint.add_url_rule("/proof/face/return", "face_return", pages.returned)
    blueprint.add_url_rule("/proof/face/account", "face_account", pages.account, methods=["GET", "POST"])
