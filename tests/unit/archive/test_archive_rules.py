"""When files fall due: pure rules, and the section of the configuration that they follow."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_registry.archive.rules import LEVELS, due_of, forecast, is_below, is_too_late
from cert_registry.archive.settings import USUAL_LEAD, read_policy
from cert_registry.archive.types import DueReason, FileVersion, RenewalPolicy
from cert_registry.errors import ConfigurationError
from cert_registry.types import EcertIdentifier, FileDigest

NOW = datetime(2030, 1, 15, 8, 0, tzinfo=UTC)
LEAD = RenewalPolicy(lead=timedelta(days=180))


def version(
    *,
    level: str = "B-LT",
    holds_days: int | None = 1000,
    ends_with: str = "list",
    renewable_days: int = 1500,
    algorithms: tuple[str, ...] = ("sha256", "sha256_ecdsa"),
) -> FileVersion:
    has_evidence = holds_days is not None
    return FileVersion(
        identifier=EcertIdentifier("x"),
        type_code="t",
        sequence=1,
        file_digest=FileDigest("d"),
        level=level,
        holds_until=NOW + timedelta(days=holds_days) if holds_days is not None else None,
        ends_with=ends_with if has_evidence else "",
        renewable_until=NOW + timedelta(days=renewable_days) if has_evidence else None,
        algorithms=algorithms,
    )


def test_levels_are_in_order() -> None:
    assert [is_below(level, "B-LT") for level in LEVELS] == [True, True, False, False]


@pytest.mark.parametrize("ends_with", ["list", "unit", "authority"])
def test_a_file_is_due_a_lead_before_its_evidence_ends(ends_with: str) -> None:
    due = due_of(version(ends_with=ends_with), wanted="B-LT", policy=LEAD)
    assert due is not None
    assert due.at == NOW + timedelta(days=820)
    assert due.reason is DueReason(ends_with)


def test_what_promises_nothing_is_never_due() -> None:
    for level in ("B-B", "B-T"):
        assert due_of(version(level=level, holds_days=None), wanted=level, policy=LEAD) is None


def test_a_file_below_its_type_is_due_at_once() -> None:
    due = due_of(version(level="B-B", holds_days=None), wanted="B-LT", policy=LEAD)
    assert due is not None
    assert (due.reason, due.at <= NOW) == (DueReason.LEVEL, True)
    due = due_of(version(level="B-LT"), wanted="B-LTA", policy=LEAD)
    assert due is not None
    assert due.reason is DueReason.LEVEL


def test_an_algorithm_ends_with_its_last_day() -> None:
    last_day = (NOW + timedelta(days=400)).date()
    policy = RenewalPolicy(lead=timedelta(days=180), algorithms_end=(("sha256_ecdsa", last_day),))
    due = due_of(version(), wanted="B-LT", policy=policy)
    assert due is not None
    assert due.reason is DueReason.ALGORITHM
    assert due.at.date() == last_day - timedelta(days=180)
    other = due_of(version(algorithms=("sha384", "sha384_ecdsa")), wanted="B-LT", policy=policy)
    assert other is not None
    assert other.reason is DueReason.LIST


def test_a_file_whose_stamp_has_ended_is_too_late() -> None:
    assert not is_too_late(version(holds_days=-10, renewable_days=1), now=NOW)
    assert is_too_late(version(holds_days=-10, renewable_days=-1), now=NOW)
    assert not is_too_late(version(level="B-B", holds_days=None), now=NOW)


@given(st.lists(st.tuples(st.integers(-2000, 4000), st.integers(-2000, 4000), st.sampled_from(LEVELS))))
def test_a_forecast_counts_every_file_once_and_months_in_order(files: list[tuple[int, int, str]]) -> None:
    versions = [
        version(level=level, holds_days=days if level in {"B-LT", "B-LTA"} else None, renewable_days=left)
        for days, left, level in files
    ]
    found = forecast(((one, "B-T") for one in versions), policy=LEAD, now=NOW)
    assert found.files == len(files)
    assert sum(month.files for month in found.months) + found.never + found.too_late == len(files)
    months = [month.month for month in found.months]
    dated = [month for month in months if month != "now"]
    assert dated == sorted(set(dated))
    assert "now" not in months[1:]
    assert all(month >= "2030-01" for month in dated)
    for month in found.months:
        assert month.files == sum(count for _, count in month.reasons)


def test_the_policy_is_read_strictly() -> None:
    assert read_policy(None) == RenewalPolicy(lead=USUAL_LEAD)
    read = read_policy({"lead_days": 30, "algorithms_end": {"sha256": "2035-12-31", "a": date(2031, 1, 2)}})
    assert read.lead == timedelta(days=30)
    assert read.algorithms_end == (("a", date(2031, 1, 2)), ("sha256", date(2035, 12, 31)))
    for wrong in (
        7,
        {"lead": 1},
        {"lead_days": 0},
        {"lead_days": True},
        {"lead_days": "30"},
        {"algorithms_end": ["sha256"]},
        {"algorithms_end": {"sha256": "soon"}},
    ):
        with pytest.raises(ConfigurationError):
            read_policy(wrong)
