"""SMS codes: six digits, bound to one visit and one phone, short-lived, few attempts, sent within limits.

Everything that limits is stored, so a restart forgives nothing.
"""

import hmac
import re
import secrets
import unicodedata
from datetime import datetime
from enum import Enum
from typing import Final

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from idp.errors import CodeRefused, MalformedCode, SmsRefused
from idp.identity.sentence import said
from idp.mobile_number import MobileNumber
from idp.ports import SmsGateway
from idp.settings import Limits
from idp.store.marks import DAY_S, Marks, seconds
from idp.store.tables import sms_codes, sms_sendings

_FORM: Final = re.compile(r"[0-9]{6}", re.ASCII)


class Purpose(Enum):
    """What a code is for; the message says it, so that nobody reads one out for something else."""

    PROOF = "proof"
    SIGN_IN = "sign-in"


def parse_code(text: str) -> str:
    """A code as typed: spaces and full width are accepted.

    Raises:
        MalformedCode: `code-form`.
    """
    digits = re.sub(r"\s", "", unicodedata.normalize("NFKC", text))
    if not _FORM.fullmatch(digits):
        raise MalformedCode("请填写短信中的 6 位数字验证码。", code="code-form")
    return digits


class SmsCodes:
    """Sends codes and checks them."""

    def __init__(self, engine: Engine, gateway: SmsGateway, marks: Marks, limits: Limits) -> None:
        self._engine = engine
        self._gateway = gateway
        self._marks = marks
        self._limits = limits

    def send(
        self,
        visit_mark: str,
        mobile: MobileNumber,
        *,
        address: str,
        now: datetime,
        purpose: Purpose = Purpose.PROOF,
    ) -> None:
        """Sends a new code; an earlier one of the same visit is void.

        Raises:
            SmsRefused: `cool-down`, `daily-limit` or `gateway`.
        """
        code = f"{secrets.randbelow(1_000_000):06}"
        values = {
            "code_mark": self._code_mark(visit_mark, mobile, code),
            "attempts": 0,
            "expires_at": seconds(now) + self._limits.sms_expiry_s,
        }
        with self._engine.begin() as connection:
            self._count(connection, mobile, address, now)
            connection.execute(delete(sms_codes).where(sms_codes.c.visit_mark == visit_mark))
            connection.execute(insert(sms_codes).values(visit_mark=visit_mark, **values))
        minutes = self._limits.sms_expiry_s // 60
        text = _message(purpose, code, minutes)
        self._gateway.send(mobile, text, now=now)

    def check(self, visit_mark: str, mobile: MobileNumber, code: str, *, now: datetime) -> None:
        """Returns when the code is right, and then it is used up.

        The attempt is counted before the comparison, which takes the same time for every wrong code.

        Raises:
            CodeRefused: `not-sent`, `expired`, `used-up` or `wrong`.
        """
        this = sms_codes.c.visit_mark == visit_mark
        with self._engine.begin() as connection:
            allowed = this & (sms_codes.c.attempts < self._limits.sms_attempts)
            counted = connection.execute(
                update(sms_codes).where(allowed).values(attempts=sms_codes.c.attempts + 1)
            ).rowcount
            row = connection.execute(select(sms_codes).where(this)).mappings().one_or_none()
        if row is None:
            raise CodeRefused("验证码已失效，请重新获取。", code="not-sent")
        if not counted:
            raise CodeRefused("验证码输错次数过多，请重新获取。", code="used-up")
        if row["expires_at"] <= seconds(now):
            raise CodeRefused("验证码已过期，请重新获取。", code="expired")
        if not hmac.compare_digest(row["code_mark"], self._code_mark(visit_mark, mobile, code)):
            raise CodeRefused("验证码不正确，请核对后重新填写。", code="wrong")
        with self._engine.begin() as connection:
            used = connection.execute(
                delete(sms_codes).where(this, sms_codes.c.code_mark == row["code_mark"])
            ).rowcount
        if not used:
            raise CodeRefused("验证码已失效，请重新获取。", code="not-sent")

    def _code_mark(self, visit_mark: str, mobile: MobileNumber, code: str) -> str:
        # The phone is part of it: of two forms sent at once from one browser, neither can lend the other
        # its code.
        return self._marks.of("sms-code", visit_mark, mobile, code)

    def _count(self, connection: Connection, mobile: MobileNumber, address: str, now: datetime) -> None:
        moment, limits = seconds(now), self._limits
        mobile_mark = self._marks.of("mobile", mobile)
        address_mark = self._marks.of("address", address)
        connection.execute(delete(sms_sendings).where(sms_sendings.c.at <= moment - DAY_S))
        # Written first: this takes the write lock, so that two at once cannot both be the last.
        connection.execute(
            insert(sms_sendings).values(mobile_mark=mobile_mark, address_mark=address_mark, at=moment)
        )
        recent = (
            select(func.count()).select_from(sms_sendings).where(sms_sendings.c.mobile_mark == mobile_mark)
        )
        cooling = recent.where(sms_sendings.c.at > moment - limits.sms_cool_down_s)
        if limits.sms_cool_down_s and connection.execute(cooling).scalar_one() > 1:
            wait_s = limits.sms_cool_down_s
            raise SmsRefused(
                said("验证码刚刚发送过，请 %(wait_s)s 秒后再试。", wait_s=wait_s),
                code="cool-down",
                retry_after_s=wait_s,
            )
        from_address = (
            select(func.count()).select_from(sms_sendings).where(sms_sendings.c.address_mark == address_mark)
        )
        over = connection.execute(recent).scalar_one() > limits.sms_per_number
        if over or connection.execute(from_address).scalar_one() > limits.sms_per_address:
            raise SmsRefused(
                "今天获取验证码的次数已用完，请明天再试，或到政务服务窗口办理。", code="daily-limit"
            )


def _message(purpose: Purpose, code: str, minutes: int) -> str:
    if purpose is Purpose.SIGN_IN:
        return said(
            "【示例省政务服务】验证码 %(code)s，%(minutes)s 分钟内有效，用于登录政务服务账号。工作人员不会向您索要验证码。",
            code=code,
            minutes=minutes,
        )
    return said(
        "【示例省政务服务】验证码 %(code)s，%(minutes)s 分钟内有效，用于实名核验。工作人员不会向您索要验证码。",
        code=code,
        minutes=minutes,
    )
