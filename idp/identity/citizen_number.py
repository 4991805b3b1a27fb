"""Citizen numbers and the numbers of permits that share their form.

Layout of the 18 characters::

    6  region (GB/T 2260; 810000, 820000, 830000 on residence permits)
    8  birth date YYYYMMDD
    3  sequence, odd for men
    1  check character, ISO 7064 MOD 11-2

A first digit 9 selects the foreign permanent resident's layout (2023 edition)::

    1  always 9
    2  province of first issue
    3  country, ISO 3166-1 numeric
    8  birth date, 3 sequence, 1 check: as above

Source: GB 11643-1999; identity card rules for foreign permanent residents, edition 2023.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from enum import Enum

from idp.identity.errors import MalformedNumber

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_CHARACTERS = "10X98765432"
_EIGHTEEN = re.compile(r"[1-9][0-9]{16}[0-9X]", re.ASCII)
_FIFTEEN = re.compile(r"[1-8][0-9]{14}", re.ASCII)
# Provinces by their first two digits; Taiwan's 71 is assigned though not in use.
_PROVINCES = frozenset(
    f"{province:02}"
    for first, last in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71))
    for province in range(first, last + 1)
)


class NumberKind(Enum):
    """Which document family a number belongs to."""

    CITIZEN = "citizen"
    HONG_KONG_RESIDENCE_PERMIT = "hong-kong-residence-permit"
    MACAO_RESIDENCE_PERMIT = "macao-residence-permit"
    TAIWAN_RESIDENCE_PERMIT = "taiwan-residence-permit"
    FOREIGN_PERMANENT_RESIDENT = "foreign-permanent-resident"


_PERMITS = {
    "81": NumberKind.HONG_KONG_RESIDENCE_PERMIT,
    "82": NumberKind.MACAO_RESIDENCE_PERMIT,
    "83": NumberKind.TAIWAN_RESIDENCE_PERMIT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenNumber:
    """A number that keeps every rule of its standard.

    Attributes:
        number: 18 characters, upper case; secret, so it is not part of `repr`.
        birth_date: as written in the number.
        kind: which document family.
        region_known: whether the province part is in use; a warning only, since numbers are for life.
        upgraded: whether 15 digits were given.
    """

    number: str
    birth_date: date
    kind: NumberKind
    region_known: bool
    upgraded: bool = False

    def __repr__(self) -> str:
        return f"CitizenNumber(kind={self.kind.name})"


def check_character(first_17: str) -> str:
    """The check character of 17 digits.

    Source: GB 11643-1999 4.2.4, ISO 7064 MOD 11-2.
    """
    total = sum(int(digit) * weight for digit, weight in zip(first_17, _WEIGHTS, strict=True))
    return _CHECK_CHARACTERS[total % 11]


def upgrade_fifteen(number: str) -> str:
    """The 18 characters that replaced a 15-digit number: `19` before the year, check added.

    Raises:
        MalformedNumber: `length` when it is not 15 digits.
    """
    if not _FIFTEEN.fullmatch(number):
        raise MalformedNumber("十五位身份证号码应全为数字。", code="length")
    first_17 = f"{number[:6]}19{number[6:]}"
    return first_17 + check_character(first_17)


def parse_citizen_number(text: str, *, today: date) -> CitizenNumber:
    """A citizen number, residence permit number or foreign permanent resident number, checked.

    Args:
        text: as typed: full-width characters, surrounding spaces and a small x are accepted.
        today: civil date at UTC+8, against which a birth date lies in the future.

    Raises:
        MalformedNumber: `length`, `alphabet`, `check-character`, `birth-date`, `birth-in-future`
            or `permit-region`.

    Source: GB 11643-1999.
    """
    number = unicodedata.normalize("NFKC", text).strip().upper()
    upgraded = len(number) == 15 and number.isascii() and number.isdigit()
    if upgraded:
        number = upgrade_fifteen(number)
    if len(number) != 18:
        raise MalformedNumber("身份证号码应为 18 位。", code="length")
    if not _EIGHTEEN.fullmatch(number):
        raise MalformedNumber("身份证号码前 17 位应为数字，最后一位为数字或 X。", code="alphabet")
    if check_character(number[:17]) != number[17]:
        raise MalformedNumber("身份证号码的校验位不符，请核对是否输错。", code="check-character")
    birth_date = _birth_date(number[6:14], today=today)
    kind = _kind(number)
    return CitizenNumber(
        number=number,
        birth_date=birth_date,
        kind=kind,
        region_known=_region_known(number, kind),
        upgraded=upgraded,
    )


def _birth_date(digits: str, *, today: date) -> date:
    try:
        birth_date = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError as error:
        raise MalformedNumber("身份证号码中的出生日期不存在。", code="birth-date") from error
    if birth_date > today:
        raise MalformedNumber("身份证号码中的出生日期晚于今天。", code="birth-in-future")
    return birth_date


def _kind(number: str) -> NumberKind:
    if number[0] == "9":
        return NumberKind.FOREIGN_PERMANENT_RESIDENT
    kind = _PERMITS.get(number[:2], NumberKind.CITIZEN)
    if kind is not NumberKind.CITIZEN and number[2:6] != "0000":
        raise MalformedNumber("港澳台居民居住证号码的前六位不符。", code="permit-region")
    return kind


def _region_known(number: str, kind: NumberKind) -> bool:
    if kind is NumberKind.FOREIGN_PERMANENT_RESIDENT:
        return number[1:3] in _PROVINCES
    return kind is not NumberKind.CITIZEN or number[:2] in _PROVINCES
