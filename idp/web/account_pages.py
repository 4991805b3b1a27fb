"""A person's own account: what was proved, on what it rests, what was done with it, and what was displaced."""

from typing import Any

from flask import g, redirect, render_template, request, url_for

from idp.civil_time import BEIJING
from idp.errors import SignInRefused
from idp.identity.access_token import Caller
from idp.identity.masking import mask_mobile, mask_name
from idp.store.marks import seconds
from idp.store.persons import Person, PersonState
from idp.web.account_words import WHAT_WORDS
from idp.web.service import Service
from idp.web.signed_in_pages import SignedInPages

EVIDENCE_WORDS = {
    "population_register": "公安人口库核对一致",
    "mobile_number_register": "手机号以本人名义登记",
    "face": "刷脸与证件照片一致",
    "document_at_counter": "窗口查验证件原件和本人",
}


def person_content(caller: Caller) -> dict[str, str | int | None]:
    """What a person's session holds.

    Raises:
        SignInRefused: `not-proved`.
    """
    if not caller.realname_ref:
        raise SignInRefused("这个账号还没有实名，请先完成实名核验。", code="not-proved")
    signed_in = caller.auth_time
    return {
        "realname_ref": caller.realname_ref,
        "acr": caller.acr.value if caller.acr else None,
        "signed_in_s": None if signed_in is None else seconds(signed_in),
    }


class AccountPages:
    """The views of one service."""

    def __init__(self, service: Service, frame: SignedInPages) -> None:
        self._service = service
        self._frame = frame

    def add_to(self, blueprint: Any) -> None:
        """Adds the pages to the blueprint."""
        for rule, endpoint, view, methods in (
            ("/account/", "account", self.account, ["GET"]),
            ("/account/raise", "account_raise", self.raise_level, ["POST"]),
            (
                "/account/sign-out-everywhere",
                "account_sign_out_everywhere",
                self.sign_out_everywhere,
                ["POST"],
            ),
            ("/account/report", "account_report", self.report, ["GET", "POST"]),
        ):
            blueprint.add_url_rule(rule, endpoint, self._frame.guard(view), methods=methods)

    def account(self) -> Any:
        """Level, evidence, acts, and the accounts that a stronger proof displaced."""
        person = self._person()
        if person is None:
            return self._frame.page("idp/account_over.html"), 403
        displaced = self._service.persons.displaced_by(person.realname_ref)
        return self._frame.page(
            "idp/account.html",
            name=mask_name(person.name),
            mobile=mask_mobile(person.mobile),
            person=person,
            evidence=[
                EVIDENCE_WORDS[one.value] for one in sorted(person.evidence, key=lambda one: one.strength)
            ],
            acts=self._service.acts.of(person.realname_ref, limit=100),
            displaced=[
                (one, mask_mobile(one.mobile), self._service.acts.of(one.realname_ref)) for one in displaced
            ],
            words=WHAT_WORDS,
            offers_face=self._service.face is not None,
            beijing=BEIJING,
        )

    def raise_level(self) -> Any:
        """Leads through the real-name pages again, where a face check is offered."""
        if self._person() is None:
            return redirect(url_for(".account"), 303)
        return self._frame.ask("/idp/account/", kc_idp_hint="realname", prompt="login")

    def sign_out_everywhere(self) -> Any:
        """Ends all sessions of the account, this one too."""
        person = self._person()
        if person is None:
            return redirect(url_for(".account"), 303)
        left = self._service.strong.sign_out_everywhere(person.realname_ref, now=self._service.clock())
        return render_template("idp/signed_out.html", waits=left > 0)

    def report(self) -> Any:
        """Says what a theft report does; once confirmed, blocks the account at once."""
        person = self._person()
        if person is None:
            return redirect(url_for(".account"), 303)
        if request.method == "GET":
            return self._frame.page("idp/account_report.html", mobile=mask_mobile(person.mobile))
        self._service.strong.freeze_own(person.realname_ref, now=self._service.clock())
        return self._frame.page("idp/account_over.html")

    def _person(self) -> Person | None:
        person = self._service.persons.person(str(g.session.content["realname_ref"]))
        return person if person is not None and person.state is PersonState.ACTIVE else None
