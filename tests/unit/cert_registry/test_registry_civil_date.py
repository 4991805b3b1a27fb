"""Civil dates: UTC+8, the last day included, periods that count their first day, 长期."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cert_registry.catalog.errors import CivilDateRefused
from cert_registry.civil_date import (
    LONG_TERM,
    Period,
    PeriodUnit,
    Term,
    civil_date_at,
    end_of_day,
    last_day,
    parse_civil_date,
    parse_expiry,
    parse_validity_rule,
    parse_validity_rules,
    print_civil_date,
    start_of_day,
    term_at,
)


def test_the_day_turns_at_sixteen_hours_utc() -> None:
    assert civil_date_at(datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC)) == date(2026, 11, 22)
    assert civil_date_at(datetime(2026, 11, 22, 16, 0, tzinfo=UTC)) == date(2026, 11, 23)
    with pytest.raises(CivilDateRefused):
        civil_date_at(datetime(2026, 11, 22))  # noqa: DTZ001 (a naive instant is what is refused)


def test_the_last_day_is_included() -> None:
    last = date(2027, 2, 28)
    assert end_of_day(last) == datetime(2027, 2, 28, 16, tzinfo=UTC)
    for instant, term in [
        (start_of_day(date(2026, 3, 1)) - timedelta(seconds=1), Term.NOT_YET),
        (start_of_day(date(2026, 3, 1)), Term.RUNNING),
        (end_of_day(last) - timedelta(seconds=1), Term.RUNNING),
        (end_of_day(last), Term.ENDED),
    ]:
        assert term_at(instant, effective=date(2026, 3, 1), expiry=last) is term
    assert term_at(end_of_day(last), effective=date(2026, 3, 1), expiry=LONG_TERM) is Term.RUNNING


@pytest.mark.parametrize(
    ("rule", "effective", "expected"),
    [
        ("1年", date(2026, 3, 1), date(2027, 2, 28)),
        ("5年", date(2026, 11, 22), date(2031, 11, 21)),
        ("1年", date(2024, 2, 29), date(2025, 2, 28)),
        ("4年", date(2024, 2, 29), date(2028, 2, 28)),
        ("1个月", date(2026, 1, 31), date(2026, 2, 28)),
        ("6月", date(2026, 8, 31), date(2027, 2, 28)),
        ("3个月", date(2026, 11, 1), date(2027, 1, 31)),
        ("1天", date(2026, 11, 22), date(2026, 11, 22)),
        ("30日", date(2026, 11, 22), date(2026, 12, 21)),
        ("长期", date(2026, 11, 22), LONG_TERM),
        ("2027-03-01", date(2026, 11, 22), date(2027, 3, 1)),
    ],
)
def test_validity_rules(rule: str, effective: date, expected: object) -> None:
    assert last_day(parse_validity_rule(rule), effective=effective) == expected


@settings(max_examples=60)
@given(
    st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    st.integers(1, 99),
    st.sampled_from(PeriodUnit),
)
def test_periods_print_back_and_never_end_before_they_begin(
    effective: date, count: int, unit: PeriodUnit
) -> None:
    period = Period(count=count, unit=unit)
    assert parse_validity_rule(str(period)) == period
    end = last_day(period, effective=effective)
    assert end is not LONG_TERM
    assert end >= effective


def test_several_rules_and_what_is_none() -> None:
    assert parse_validity_rules("5年^长期") == (Period(count=5, unit=PeriodUnit.YEAR), LONG_TERM)
    for text in ("", "0年", "五年", "1 年", "１年", "2027-02-30", "2027-3-1", "20270301", "-1年"):
        with pytest.raises(CivilDateRefused):
            parse_validity_rule(text)
    with pytest.raises(CivilDateRefused):
        last_day(Period(count=9999, unit=PeriodUnit.YEAR), effective=date(2026, 1, 1))


@settings(max_examples=40)
@given(st.dates())
def test_dates_read_back(day: date) -> None:
    assert parse_civil_date(day.isoformat()) == day
    assert parse_expiry("长期") is LONG_TERM


def test_dates_on_a_face() -> None:
    assert print_civil_date(date(2027, 3, 1)) == "2027年3月1日"
    assert print_civil_date(LONG_TERM) == "长期"


def test_the_ends_of_the_calendar_do_not_overflow() -> None:
    assert end_of_day(date.max) == datetime(9999, 12, 31, 15, 59, 59, 999999, tzinfo=UTC)
    assert civil_date_at(end_of_day(date.max) - timedelta(microseconds=1)) == date.max
    assert civil_date_at(start_of_day(date.min)) == date.min
    for beyond in (
        datetime.max.replace(tzinfo=UTC),
        datetime.fromisoformat("0001-01-01T00:00:00+23:00"),
        datetime.fromisoformat("9999-12-31T23:59:59-23:00"),
    ):
        with pytest.raises(CivilDateRefused):
            civil_date_at(beyond)
