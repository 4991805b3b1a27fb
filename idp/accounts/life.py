"""What a person does with their own account after the proof: its history, consents taken back, another phone, its end.

Each change is written first and then carried out at Keycloak, now or as soon as it answers.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from idp.accounts.history import Line, SiteReceipt, history_of, receipts_of
from idp.accounts.rules import Strength, holds_second_factor
from idp.civil_time import civil_day
from idp.errors import AccountOver, AccountsUnavailable, PhoneRefused
from idp.identity.assurance import AcrLevel
from idp.identity.citizen_number import CitizenNumber, parse_citizen_number
from idp.identity.person_name import normalise_name
from idp.keycloak.keeper import AccountDirectory, AccountKeeper
from idp.mobile_number import MobileNumber
from idp.notices import Notice
from idp.proofing import ProofParts
from idp.store.account_life import AccountLifeStore
from idp.store.acts import ActBook
from idp.store.histories import Histories
from idp.store.marks import Marks, mark_of_random
from idp.store.persons import Person, PersonState

_LINES: Final = 500
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneChange:
    """A change of phone as the person asks for it; nothing of it is checked yet.

    Attributes:
        session_mark: the browser's session, to which the codes are bound.
        mobile: the new one.
        new_code: as it came to the new phone.
        old_code: as it came to the old phone; None when a second factor stands for it.
    """

    session_mark: str
    mobile: MobileNumber
    new_code: str
    old_code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One's own history.

    Attributes:
        complete: False when Keycloak did not answer, so that its newest sign-ins may be missing.
    """

    lines: tuple[Line, ...]
    sites: tuple[SiteReceipt, ...]
    complete: bool


class AccountLife:
    """Acts of an account's own person."""

    def __init__(
        self,
        parts: ProofParts,
        *,
        store: AccountLifeStore,
        acts: ActBook,
        histories: Histories,
        accounts: AccountDirectory,
        keeper: AccountKeeper,
    ) -> None:
        self._parts = parts
        self._marks = Marks(parts.mac)
        self._store = store
        self._acts = acts
        self._histories = histories
        self._accounts = accounts
        self._keeper = keeper

    def history(self, realname_ref: str) -> History:
        """Sign-ins, proofs, consents, what sites received and what changed; Keycloak's events are taken over first.

        Keycloak forgets its events after ninety days; what was taken over stays.

        Raises:
            AccountOver: the link does not count.
        """
        person = self._person(realname_ref)
        complete = True
        try:
            self._acts.take_over(realname_ref, self._accounts.history(realname_ref))
        except AccountsUnavailable as error:
            complete = False
            _LOGGER.warning("an account's events could not be read: %s", error.code)
        acts = self._acts.of(realname_ref, limit=_LINES)
        number_mark = self._marks.of("number", self._parts.persons.number_of(person.realname_ref))
        lines = history_of(
            acts,
            self._histories.proofs_of(number_mark, realname_ref, limit=_LINES),
            self._histories.officers_of(realname_ref, limit=_LINES),
        )
        return History(lines=lines, sites=receipts_of(acts), complete=complete)

    def withdraw(self, realname_ref: str, client_id: str, *, now: datetime) -> int:
        """Takes the consent for one site back; how many orders wait because Keycloak does not answer.

        (1) Only a site that received something. (2) The record and the order; agreements to the release of the number
        that were not used yet are void. (3) The person is told. (4) Keycloak.

        Raises:
            AccountOver: the link does not count, or the site received nothing.
        """
        # (1) a site of this person's
        person = self._person(realname_ref)
        known = {receipt.client_id for receipt in receipts_of(self._acts.of(realname_ref, limit=_LINES))}
        if client_id not in known:
            raise AccountOver("这个网站没有取得过您的信息。", code="unknown-site")
        # (2) the record
        if not self._store.withdraw(realname_ref, client_id, now=now):
            raise _over()
        # (3) the person, then (4) Keycloak
        self._parts.notices.send(person.mobile, Notice.CONSENT_WITHDRAWN, now=now)
        return self._keeper.carry_out(now=now)

    def request_phone_codes(
        self,
        realname_ref: str,
        mobile: MobileNumber,
        *,
        session_mark: str,
        strength: Strength,
        address: str,
        now: datetime,
    ) -> bool:
        """Sends a code to the new phone, and one to the old unless a second factor was given just now.

        Returns:
            Whether the old phone got a code, which is then needed.

        Raises:
            AccountOver: the link does not count.
            PhoneRefused: `same-phone`.
            SmsRefused: a limit, or the gateway.
        """
        person = self._person(realname_ref)
        if person.mobile == mobile:
            raise PhoneRefused("这就是账号现在的手机号。", code="same-phone")
        sms = self._parts.sms
        needs_old = not holds_second_factor(strength, now=now)
        sms.send(_visit(session_mark, "new"), mobile, address=address, now=now)
        if needs_old:
            sms.send(_visit(session_mark, "old"), person.mobile, address=address, now=now)
        return needs_old

    def change_phone(
        self, realname_ref: str, change: PhoneChange, *, strength: Strength, now: datetime
    ) -> None:
        """Makes another phone the account's, in five steps.

        (1) Possession of the old phone, or a second factor of the last ten minutes. (2) Possession of the new one.
        (3) The operators' register says that the new one is this person's, and no other account has its number.
        (4) The record and the order; both phones are told. (5) Keycloak: the account's name follows.

        Raises:
            AccountOver: the link does not count.
            CodeRefused: one of the phones is not there.
            PhoneRefused: `old-phone`, `not-registered` or `taken`.
            OwnershipUnavailable: the operators' register does not answer; nothing was changed.
            AccountsUnavailable: Keycloak does not answer; nothing was changed.
        """
        person = self._person(realname_ref)
        # (1) the old phone
        if not holds_second_factor(strength, now=now):
            if change.old_code is None:
                raise PhoneRefused("请填写发到原手机号的验证码。", code="old-phone")
            old = _visit(change.session_mark, "old")
            self._parts.sms.check(old, person.mobile, change.old_code, now=now)
        # (2) the new phone
        new = _visit(change.session_mark, "new")
        self._parts.sms.check(new, change.mobile, change.new_code, now=now)
        # (3) whose it is
        number = self._number(person, now)
        if not self._parts.ownership.is_registered_to(change.mobile, number, normalise_name(person.name)):
            raise PhoneRefused(
                "新手机号不是以您本人名义登记的。请换一个本人的手机号，或带身份证原件到政务服务窗口办理。",
                code="not-registered",
            )
        if not self._accounts.name_is_free(change.mobile):
            raise PhoneRefused("新手机号已用于另一个账号。请带身份证原件到政务服务窗口办理。", code="taken")
        # (4) the record
        if not self._store.change_mobile(realname_ref, change.mobile, now=now):
            raise _over()
        self._tell((person.mobile, change.mobile), Notice.PHONE_CHANGED, now)
        # (5) Keycloak
        self._keeper.carry_out(now=now)

    def close(self, realname_ref: str, *, now: datetime) -> None:
        """Closes the account: its name, number and phone are erased, its sessions end, the record stays.

        Raises:
            AccountOver: the link does not count already.
        """
        person = self._person(realname_ref)
        if not self._store.close(realname_ref, now=now):
            raise _over()
        self._tell((person.mobile,), Notice.CLOSED, now)
        self._keeper.carry_out(now=now)

    def _person(self, realname_ref: str) -> Person:
        person = self._parts.persons.person(realname_ref)
        if person is None or person.state is not PersonState.ACTIVE:
            raise _over()
        return person

    def _number(self, person: Person, now: datetime) -> CitizenNumber:
        number = self._parts.persons.number_of(person.realname_ref)
        return parse_citizen_number(number, today=civil_day(now))

    def _tell(self, mobiles: Iterable[MobileNumber], notice: Notice, now: datetime) -> None:
        for mobile in mobiles:
            self._parts.notices.send(mobile, notice, now=now)


def strength_from(acr: str | None, signed_in_s: int | None) -> Strength:
    """How a session's person signed in, as the session keeps it (seconds since 1970)."""
    return Strength(
        acr=AcrLevel(acr) if acr else None,
        signed_in_at=None if signed_in_s is None else datetime.fromtimestamp(signed_in_s, UTC),
    )


def _visit(session_mark: str, which: str) -> str:
    return mark_of_random(f"phone {which} {session_mark}")


def _over() -> AccountOver:
    return AccountOver("这个账号的实名认证已经停用。", code="over")
