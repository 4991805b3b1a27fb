"""Unified social credit codes.

Layout of the 18 characters::

    1  registering department (digits, A military, N agriculture, Y other)
    1  class of organisation
    6  region, GB/T 2260
    9  organisation code, GB 11714: 8 characters and its own check
    1  check character, MOD 31

Source: GB 32100-2015 with amendment 1 of 2016; GB 11714-1997.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from idp.identity.errors import MalformedNumber

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_DEPARTMENTS = frozenset("123456789ANY")
_FORM = re.compile(rf"[{_ALPHABET}]{{2}}[0-9]{{6}}[{_ALPHABET}]{{10}}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditCode:
    """A unified social credit code whose two checks hold.

    Attributes:
        code: 18 characters, upper case.
        department: the registering department's character.
        organisation_class: the second character.
        area_code: six digits of the place of registration.
        organisation_code: the nine inner characters.
    """

    code: str
    department: str
    organisation_class: str
    area_code: str
    organisation_code: str


def check_character(first_17: str) -> str:
    """The check character of the first 17.

    Source: GB 32100-2015 5.6.
    """
    total = sum(_ALPHABET.index(char) * weight for char, weight in zip(first_17, _WEIGHTS, strict=True))
    return _ALPHABET[(31 - total % 31) % 31]


def organisation_check(first_8: str) -> str:
    """The ninth character of an organisation code.

    Source: GB 11714-1997.
    """
    total = sum(int(char, 36) * weight for char, weight in zip(first_8, _ORGANISATION_WEIGHTS, strict=True))
    value = 11 - total % 11
    return {10: "X", 11: "0"}.get(value, str(value))


def parse_credit_code(text: str) -> CreditCode:
    """A unified social credit code, both checks verified.

    Args:
        text: as typed: full-width characters, surrounding spaces and small letters are accepted.

    Raises:
        MalformedNumber: `length`, `alphabet`, `department`, `organisation-check` or `check-character`.
    """
    code = unicodedata.normalize("NFKC", text).strip().upper()
    if len(code) != 18:
        raise MalformedNumber("统一社会信用代码应为 18 位。", code="length")
    if not _FORM.fullmatch(code):
        raise MalformedNumber(
            "统一社会信用代码只含数字和大写字母（不用 I、O、S、V、Z），第 3 至 8 位为数字。", code="alphabet"
        )
    if code[0] not in _DEPARTMENTS:
        raise MalformedNumber("统一社会信用代码的登记管理部门代码不存在。", code="department")
    if check_character(code[:17]) != code[17]:
        raise MalformedNumber("统一社会信用代码的校验位不符，请核对是否输错。", code="check-character")
    if organisation_check(code[8:16]) != code[16]:
        raise MalformedNumber("统一社会信用代码中的组织机构代码校验位不符。", code="organisation-check")
    return CreditCode(
        code=code,
        department=code[0],
        organisation_class=code[1],
        area_code=code[2:8],
        organisation_code=code[8:17],
    )
