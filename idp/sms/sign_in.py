"""Signing in, and registering, with a mobile number: the phone is proved (RN1), and whose account it may open is decided.

Keycloak's own step asks for number and code (`idp/keycloak-spi`, `longzheng-sms`) and hands both here. A code is sent
to every well-formed number, whether an account goes by it or not, and nothing about an account is looked at before
the code is right, so neither an answer nor its time tells who is registered.

Source: NIST SP 800-63B-4 section 3.1.3 (codes over the telephone network are a restricted authenticator: loa1, no more).
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from idp.civil_time import civil_day
from idp.displacement import Evidence
from idp.errors import OwnershipUnavailable, PhoneOpensNothing
from idp.identity.assurance import RealnameLevel
from idp.identity.citizen_number import parse_citizen_number
from idp.identity.person_name import normalise_name
from idp.mobile_number import MobileNumber
from idp.ports import MobileOwnership
from idp.provider.claims import TRUST_FRAMEWORK, iso_time
from idp.sms.codes import Purpose, SmsCodes
from idp.store.marks import Marks
from idp.store.persons import Person, PersonState, PersonStore

_DOMAIN: Final = "sms-sign-in"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedPhone:
    """A phone that was in its holder's hand at `proved_at` (UTC)."""

    proved_at: datetime

    def attributes(self) -> dict[str, str]:
        """What Keycloak writes into an account that has no stronger proof, by the names of its attributes."""
        claims = json.dumps(
            phone_claims(self.proved_at), ensure_ascii=False, separators=(",", ":"), sort_keys=True
        )
        return {
            "realname_level": RealnameLevel.RN1.value,
            "realname_verified_at": iso_time(self.proved_at),
            "realname_verified_claims": claims,
        }


def phone_claims(proved_at: datetime) -> dict[str, Any]:
    """`verified_claims` of RN1: that a mobile number was proved and when, and of the person nothing.

    Source: OpenID Identity Assurance Schema Definition 1.0, section 5; `token`: a code sent to the number came back.
    """
    time = iso_time(proved_at)
    return {
        "verification": {
            "trust_framework": TRUST_FRAMEWORK,
            "assurance_level": RealnameLevel.RN1.value,
            "time": time,
            "evidence": [
                {
                    "type": "electronic_record",
                    "check_details": [{"check_method": "token", "time": time}],
                    "record": {"type": "mobile_number"},
                }
            ],
        },
        "claims": {"phone_number_verified": True},
    }


class SmsSignIn:
    """Codes for signing in, and what a right one opens."""

    def __init__(
        self, *, sms: SmsCodes, persons: PersonStore, ownership: MobileOwnership, marks: Marks
    ) -> None:
        self._sms = sms
        self._persons = persons
        self._ownership = ownership
        self._marks = marks

    def request_code(self, handle: str, mobile: MobileNumber, *, address: str, now: datetime) -> None:
        """Sends a code to the phone, whoever it belongs to.

        Args:
            handle: random, of one sign-in at Keycloak.
            mobile: to which the code goes.
            address: of the browser.
            now: UTC.

        Raises:
            SmsRefused: a limit, or the gateway.
        """
        mark = self._marks.of(_DOMAIN, handle)
        self._sms.send(mark, mobile, address=address, now=now, purpose=Purpose.SIGN_IN)

    def confirm(
        self, handle: str, mobile: MobileNumber, code: str, *, realname_ref: str | None, now: datetime
    ) -> ProvedPhone:
        """The proved phone, in two steps.

        (1) The code. (2) Whether the phone still is that of the person whom the account is linked to.

        Args:
            handle: as when the code was asked for.
            mobile: to which it went.
            code: six digits.
            realname_ref: link of the account that goes by this number, None when it has none.
            now: UTC.

        Raises:
            CodeRefused: the code is not right; nothing else was looked at.
            PhoneOpensNothing: the phone is proved, and opens this account no longer.
        """
        # (1) the code
        self._sms.check(self._marks.of(_DOMAIN, handle), mobile, code, now=now)
        # (2) the account's person
        if realname_ref is not None:
            self._check_person(realname_ref, mobile, now=now)
        return ProvedPhone(proved_at=now)

    def _check_person(self, realname_ref: str, mobile: MobileNumber, *, now: datetime) -> None:
        person = self._persons.person(realname_ref)
        if person is None or person.state is not PersonState.ACTIVE:
            raise PhoneOpensNothing(
                "这个账号已停用。请带身份证原件到就近的政务服务窗口办理。", code="link-not-in-force"
            )
        if person.mobile != mobile:
            raise PhoneOpensNothing(
                "这个手机号已不再用于登录这个账号。请用现在的手机号登录，或选择“实名认证登录”。",
                code="other-mobile",
            )
        if not self._still_registered(person, now=now):
            raise PhoneOpensNothing(
                "这个手机号已不在账号本人名下，不能用短信登录。请用密码或通行密钥登录，或选择“实名认证登录”。",
                code="changed-hands",
            )

    def _still_registered(self, person: Person, *, now: datetime) -> bool:
        """Numbers are given to new people; while the operators' register is silent, its last answer counts."""
        if Evidence.DOCUMENT_AT_COUNTER in person.evidence:
            return True  # an officer saw this phone in the person's hand, whoever it is registered to
        number = parse_citizen_number(self._persons.number_of(person.realname_ref), today=civil_day(now))
        try:
            return self._ownership.is_registered_to(person.mobile, number, normalise_name(person.name))
        except OwnershipUnavailable:
            return True
