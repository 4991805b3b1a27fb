"""Civil dates of certificates: at UTC+8, the last day included, 长期 a value of its own.

A period of years or months counts its first day, as licences print it: one year from 2026-03-01 ends with
the day 2027-02-28; from 2024-02-29 it ends with 2025-02-28.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from enum import Enum
from typing import Literal

from cert_registry.catalog.errors import CivilDateRefused
from idp.identity.sentence import in_chinese

CHINA = timezone(timedelta(hours=8), "UTC+8")

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PERIOD = re.compile(r"([1-9][0-9]{0,3})(天|日|个月|月|年)")


class LongTerm(Enum):
    """The value 长期: no last day."""

    LONG_TERM = "长期"


LONG_TERM: Literal[LongTerm.LONG_TERM] = LongTerm.LONG_TERM

Expiry = date | Literal[LongTerm.LONG_TERM]
"""The last day on which a certificate is valid, or 长期 `LONG_TERM`."""


class Term(Enum):
    """Where an instant lies in a certificate's term; says nothing about its state."""

    NOT_YET = "not-yet"
    RUNNING = "running"
    ENDED = "ended"


class PeriodUnit(Enum):
    """What a validity rule counts in."""

    DAY = "天"
    MONTH = "月"
    YEAR = "年"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A length of validity, for example 1年.

    Args:
        count: From 1 to 9999.
        unit: Days, months or years.
    """

    count: int
    unit: PeriodUnit

    def __str__(self) -> str:
        return f"{self.count}{self.unit.value}"


ValidityRule = Period | date | Literal[LongTerm.LONG_TERM]
"""A period from the effective date, a fixed last day, or 长期."""


def civil_date_at(instant: datetime) -> date:
    """The civil date in China at an aware instant.

    Raises:
        CivilDateRefused: The instant has no time zone, or lies beyond the calendar.
    """
    if instant.tzinfo is None:
        raise CivilDateRefused("时刻缺少时区。")
    try:
        return instant.astimezone(CHINA).date()
    except OverflowError as error:
        raise CivilDateRefused("时刻超出日历范围。") from error


def start_of_day(day: date) -> datetime:
    """The first instant of a civil day, in UTC; of the calendar's first day, the first instant there is."""
    if day == date.min:
        return datetime.min.replace(tzinfo=UTC)
    return datetime.combine(day, time(), tzinfo=CHINA).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The first instant after a civil day, in UTC: a last day is included up to here, exclusive.

    Nothing comes after the calendar's last day (9999-12-31): its own last microsecond then stands for its end.
    """
    if day == date.max:
        return datetime.combine(day, time.max, tzinfo=CHINA).astimezone(UTC)
    return start_of_day(day + timedelta(days=1))


def term_at(instant: datetime, *, effective: date, expiry: Expiry) -> Term:
    """Where an instant lies in the term from `effective` to `expiry`, both days included."""
    today = civil_date_at(instant)
    if today < effective:
        return Term.NOT_YET
    if expiry is not LONG_TERM and today > expiry:
        return Term.ENDED
    return Term.RUNNING


def parse_civil_date(text: str) -> date:
    """Read `YYYY-MM-DD` strictly.

    Raises:
        CivilDateRefused: Another form, or a day that no calendar has.
    """
    if not _ISO_DATE.fullmatch(text):
        raise CivilDateRefused("日期应写成 YYYY-MM-DD。")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CivilDateRefused("日历上没有这一天。") from error


def parse_expiry(text: str) -> Expiry:
    """Read a last day, or 长期.

    Raises:
        CivilDateRefused: Neither.
    """
    return LONG_TERM if text == LONG_TERM.value else parse_civil_date(text)


def parse_validity_rule(text: str) -> ValidityRule:
    """Read one validity rule: `10天`, `6个月`, `1年`, `长期` or a fixed last day.

    Raises:
        CivilDateRefused: None of these.

    Source: GB/T 36902, ValidityRange.
    """
    if text == LONG_TERM.value:
        return LONG_TERM
    match = _PERIOD.fullmatch(text)
    if match is None:
        return parse_civil_date(text)
    unit = {"天": PeriodUnit.DAY, "日": PeriodUnit.DAY, "年": PeriodUnit.YEAR}.get(match[2], PeriodUnit.MONTH)
    return Period(count=int(match[1]), unit=unit)


def parse_validity_rules(text: str) -> tuple[ValidityRule, ...]:
    """Read the rules of a type, several joined by `^`; the first is the usual one.

    Raises:
        CivilDateRefused: One of them is no rule.
    """
    return tuple(parse_validity_rule(part) for part in text.split("^"))


def last_day(rule: ValidityRule, *, effective: date) -> Expiry:
    """The last day of validity under a rule, counting the effective day as the first.

    Raises:
        CivilDateRefused: The day lies beyond the calendar.
    """
    if isinstance(rule, Period):
        try:
            return _end_of_period(rule, effective)
        except (OverflowError, ValueError) as error:
            raise CivilDateRefused("有效期超出日历范围。") from error
    return rule


def _end_of_period(period: Period, effective: date) -> date:
    if period.unit is PeriodUnit.DAY:
        return effective + timedelta(days=period.count - 1)
    months = period.count * (12 if period.unit is PeriodUnit.YEAR else 1)
    month_index = effective.year * 12 + effective.month - 1 + months
    year, month = divmod(month_index, 12)
    month += 1
    days_in_month = calendar.monthrange(year, month)[1]
    if effective.day > days_in_month:  # no such day: the month's last day ends the period
        return date(year, month, days_in_month)
    return date(year, month, effective.day) - timedelta(days=1)


def print_civil_date(day: Expiry) -> str:
    """A date as faces print it, for example 2027年3月1日; 长期 as it is."""
    return LONG_TERM.value if day is LONG_TERM else in_chinese(day)
