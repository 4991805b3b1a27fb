"""A person's own history and sites, and the changes of the account: phone, consents, its end."""

from typing import Any, Final

from flask import g, redirect, request, url_for

from idp.accounts.client_names import ClientNames
from idp.accounts.history import LineKind
from idp.accounts.life import AccountLife, PhoneChange, strength_from
from idp.accounts.rules import Strength, holds_second_factor
from idp.civil_time import BEIJING
from idp.errors import (
    AccountOver,
    AccountsUnavailable,
    CodeRefused,
    MalformedCode,
    MalformedMobile,
    OwnershipUnavailable,
    PhoneRefused,
    SmsRefused,
)
from idp.identity.masking import mask_mobile
from idp.mobile_number import MobileNumber, parse_mobile_number
from idp.sms.codes import parse_code
from idp.store.persons import Person, PersonState
from idp.web.account_words import (
    COUNTER_WORDS,
    FACTOR_WORDS,
    GIVEN_WORDS,
    KIND_WORDS,
    PROOF_WORDS,
    WHAT_WORDS,
)
from idp.web.service import Service
from idp.web.signed_in_pages import SignedInPages
from idp.web.visitor import address_of

_LONGEST_INPUT: Final = 64
_BOTH: Final = ["GET", "POST"]


class AccountLifePages:
    """The views of one service."""

    def __init__(self, service: Service, frame: SignedInPages, life: AccountLife, names: ClientNames) -> None:
        self._service = service
        self._frame = frame
        self._life = life
        self._names = names

    def add_to(self, blueprint: Any) -> None:
        """Adds the pages to the blueprint."""
        for rule, endpoint, view, methods in (
            ("/account/history", "account_history", self.history, ["GET"]),
            ("/account/sites", "account_sites", self.sites, ["GET"]),
            ("/account/sites/withdraw", "account_withdraw", self.withdraw, ["POST"]),
            ("/account/phone", "account_phone", self.phone, _BOTH),
            ("/account/phone/code", "account_phone_code", self.phone_code, _BOTH),
            ("/account/phone/second-factor", "account_phone_factor", self.second_factor, ["POST"]),
            ("/account/close", "account_close", self.close, _BOTH),
        ):
            blueprint.add_url_rule(rule, endpoint, self._frame.guard(self._alive(view)), methods=methods)

    def history(self) -> Any:
        """All lines, or those of one kind."""
        asked = request.args.get("kind", "")
        kind = next((one for one in LineKind if one.value == asked), None)
        found = self._life.history(self._link)
        return self._frame.page(
            "idp/account_history.html",
            lines=[line for line in found.lines if kind in (None, line.kind)],
            complete=found.complete,
            kind=kind,
            kinds=KIND_WORDS,
            what_words=WHAT_WORDS,
            detail_words=PROOF_WORDS | COUNTER_WORDS,
            subject_words=FACTOR_WORDS | self._names.all(),
            beijing=BEIJING,
        )

    def sites(self) -> Any:
        """What each site received so far."""
        found = self._life.history(self._link)
        return self._frame.page(
            "idp/account_sites.html",
            sites=found.sites,
            complete=found.complete,
            names=self._names.all(),
            given_words=GIVEN_WORDS,
            numbers=[line for line in found.lines if line.what == "number-released"],
            beijing=BEIJING,
        )

    def withdraw(self) -> Any:
        """Takes the consent for one site back."""
        client_id = request.form.get("site", "")[:_LONGEST_INPUT]
        waits = self._life.withdraw(self._link, client_id, now=self._service.clock()) > 0
        name = self._names.all().get(client_id, client_id)
        return self._frame.page("idp/account_withdrawn.html", name=name, waits=waits)

    def phone(self) -> Any:
        """Asks for the new number; then sends the codes."""
        if request.method == "GET":
            return self._phone_page({}, "")
        typed = request.form.get("mobile", "")[:_LONGEST_INPUT]
        try:
            mobile = parse_mobile_number(typed)
            needs_old = self._life.request_phone_codes(
                self._link,
                mobile,
                session_mark=g.session.mark,
                strength=self._strength(),
                address=address_of(request),
                now=self._service.clock(),
            )
        except (MalformedMobile, PhoneRefused) as error:
            return self._phone_page({"mobile": str(error)}, typed), 422
        except SmsRefused as error:
            return self._phone_page({"mobile": str(error)}, typed), 429
        self._frame.keep(new_mobile=mobile, needs_old=needs_old)
        return redirect(url_for(".account_phone_code"), 303)

    def phone_code(self) -> Any:
        """Asks for the codes; with the right ones, changes the phone."""
        mobile = g.session.content.get("new_mobile")
        if not mobile:
            return redirect(url_for(".account_phone"), 303)
        if request.method == "GET":
            return self._code_page(mobile, {})
        try:
            change = PhoneChange(
                session_mark=g.session.mark,
                mobile=MobileNumber(mobile),
                old_code=parse_code(request.form.get("old_code", "")) if self._needs_old() else None,
                new_code=parse_code(request.form.get("new_code", "")),
            )
            self._life.change_phone(self._link, change, strength=self._strength(), now=self._service.clock())
        except (CodeRefused, MalformedCode) as error:
            return self._code_page(mobile, {"code": str(error)}), 422
        except PhoneRefused as error:
            self._frame.keep(new_mobile="")
            return self._phone_page({"mobile": str(error)}, mobile), 422
        except (OwnershipUnavailable, AccountsUnavailable):
            self._frame.keep(new_mobile="")
            return self._phone_page(
                {"mobile": "暂时无法核对新手机号，没有作任何更改。请稍后再试。"}, mobile
            ), 503
        self._frame.keep(new_mobile="")
        return self._frame.page("idp/account_phone_done.html", mobile=mask_mobile(mobile))

    def second_factor(self) -> Any:
        """Asks for a second factor in place of the old phone's code."""
        return self._frame.ask("/idp/account/phone", acr_values="loa2", max_age="0")

    def close(self) -> Any:
        """Says what closing does; once confirmed, closes."""
        if request.method == "GET" or request.form.get("sure") != "yes":
            page = self._frame.page("idp/account_close.html", unsure=request.method == "POST")
            return page, 422 if request.method == "POST" else 200
        self._life.close(self._link, now=self._service.clock())
        return self._frame.page("idp/account_closed.html")

    @property
    def _link(self) -> str:
        return str(g.session.content["realname_ref"])

    def _alive(self, view: Any) -> Any:
        def alive(**arguments: Any) -> Any:
            try:
                return view(**arguments)
            except AccountOver as error:
                if error.code == "unknown-site":
                    return redirect(url_for(".account_sites"), 303)
                return self._frame.page("idp/account_over.html"), 403

        return alive

    def _strength(self) -> Strength:
        content = g.session.content
        return strength_from(content.get("acr"), content.get("signed_in_s"))

    def _needs_old(self) -> bool:
        return not holds_second_factor(self._strength(), now=self._service.clock())

    def _person(self) -> Person:
        person = self._service.persons.person(self._link)
        if person is None or person.state is not PersonState.ACTIVE:
            raise AccountOver("这个账号的实名认证已经停用。", code="over")
        return person

    def _phone_page(self, errors: dict[str, str], typed: str) -> str:
        return self._frame.page(
            "idp/account_phone.html",
            errors=errors,
            typed=typed,
            mobile=mask_mobile(self._person().mobile),
            needs_old=self._needs_old(),
        )

    def _code_page(self, mobile: str, errors: dict[str, str]) -> str:
        return self._frame.page(
            "idp/account_phone_code.html",
            errors=errors,
            mobile=mask_mobile(mobile),
            old_mobile=mask_mobile(self._person().mobile),
            needs_old=self._needs_old(),
        )
