"""Who may do what: the demo's chart and the ways around it, each refused by name."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cert_registry.organisations.chart import OrganisationChart
from cert_registry.organisations.errors import ChartRefused, NotAuthorised, Refusal
from cert_registry.organisations.loader import read_organisations
from cert_registry.organisations.rules import authorise, require_fields, require_two_persons
from cert_registry.organisations.types import (
    Actor,
    Appointment,
    ClientActor,
    ClientId,
    ClientRight,
    Department,
    IssuingRight,
    Level,
    Operation,
    Placement,
    Role,
    StaffActor,
    TypeSlug,
)
from cert_registry.types import DepartmentCode, StaffId

DEMO = Path(__file__).parents[3] / "deploy" / "demo" / "organisations.yaml"
CITY_MARKET = DepartmentCode("119901000000002037")
COUNTY_MARKET = DepartmentCode("1199012100000030XT")
CITY_LAND = DepartmentCode("119901000000002112")
CITY_EDUCATION = DepartmentCode("11990100000000238R")
CITY_POLICE = DepartmentCode("1199010000000022XR")
PROVINCE = DepartmentCode("11990000000000019A")
CITY = DepartmentCode("11990100000000027A")
COUNTY = DepartmentCode("11990121000000035J")
SISTER = DepartmentCode("99")
SISTER_MARKET = DepartmentCode("98")
FOOD = TypeSlug("food-business-licence")
TITLE = TypeSlug("real-estate-title")
RECORD = TypeSlug("no-criminal-record")
TODAY = date(2026, 11, 22)
LONG_AGO = date(2018, 1, 1)


def staff(name: str) -> StaffActor:
    return StaffActor(staff_id=StaffId(name))


def client(name: str) -> ClientActor:
    return ClientActor(client_id=ClientId(name))


@pytest.fixture(scope="module")
def demo() -> OrganisationChart:
    """The demo's chart, and a sister county with a market bureau of its own."""
    chart = _with_sister()
    return replace(chart, issuing_rights=(*chart.issuing_rights, right(SISTER_MARKET)))


def right(
    department: DepartmentCode, within: DepartmentCode | None = None, kind: TypeSlug = FOOD
) -> IssuingRight:
    return IssuingRight(
        department=department,
        certificate_type=kind,
        within=within or department,
        valid_from=LONG_AGO,
        valid_to=None,
    )


def reaching(
    chart: OrganisationChart, department: DepartmentCode, within: DepartmentCode
) -> OrganisationChart:
    others = tuple(
        each
        for each in chart.issuing_rights
        if (each.department, each.certificate_type) != (department, FOOD)
    )
    return replace(chart, issuing_rights=(*others, right(department, within)))


def refusal(  # noqa: PLR0917 - the whole question
    chart: OrganisationChart,
    actor: Actor,
    operation: Operation,
    department: DepartmentCode,
    kind: TypeSlug | None = FOOD,
    on: date = TODAY,
) -> Refusal | None:
    """The rule that refuses, or None when the act is granted."""
    try:
        grant = authorise(chart, actor, operation, department=department, certificate_type=kind, on=on)
    except NotAuthorised as error:
        return error.refusal
    assert (grant.actor, grant.operation, grant.department, grant.on) == (actor, operation, department, on)
    return None


def test_the_story_drafter_and_signer_of_one_department(demo: OrganisationChart) -> None:
    drafting = authorise(
        demo,
        staff("li.wenjing"),
        Operation.DRAFT,
        department=CITY_MARKET,
        certificate_type=FOOD,
        on=TODAY,
    )
    signing = authorise(
        demo, staff("gao.yuan"), Operation.SIGN, department=CITY_MARKET, certificate_type=FOOD, on=TODAY
    )
    assert drafting.acting_department == signing.acting_department == CITY_MARKET
    require_two_persons(drafting, signing)
    with pytest.raises(NotAuthorised) as caught:
        require_two_persons(drafting, replace(drafting, operation=Operation.SIGN))
    assert caught.value.reason == "same-person"
    assert refusal(demo, staff("gao.yuan"), Operation.CHANGE_STATE, CITY_MARKET) is None


@pytest.mark.parametrize(
    ("who", "operation", "department", "kind", "expected"),
    [
        ("li.wenjing", Operation.SIGN, CITY_MARKET, FOOD, Refusal.ROLE_MISSING),
        ("gao.yuan", Operation.DRAFT, CITY_MARKET, FOOD, Refusal.ROLE_MISSING),
        ("li.wenjing", Operation.ISSUE, CITY_MARKET, FOOD, Refusal.ROLE_MISSING),
        ("bai.yun", Operation.DRAFT, CITY_MARKET, FOOD, Refusal.ROLE_MISSING),
        ("nobody", Operation.DRAFT, CITY_MARKET, FOOD, Refusal.NOT_APPOINTED),
        ("li.wenjing", Operation.DRAFT, CITY_MARKET, TITLE, Refusal.RIGHT_MISSING),
        ("li.wenjing", Operation.DRAFT, CITY_LAND, TITLE, Refusal.RIGHT_MISSING),
        ("li.wenjing", Operation.DRAFT, DepartmentCode("no-such"), FOOD, Refusal.UNKNOWN_DEPARTMENT),
        # across a boundary: county for city, city for county, county for sister county, bureau for bureau
        ("he.ping", Operation.DRAFT, CITY_MARKET, FOOD, Refusal.OUTSIDE_SUBTREE),
        ("song.an", Operation.SIGN, CITY_MARKET, FOOD, Refusal.OUTSIDE_SUBTREE),
        ("song.an", Operation.CHANGE_STATE, CITY_MARKET, FOOD, Refusal.OUTSIDE_SUBTREE),
        ("he.ping", Operation.DRAFT, SISTER_MARKET, FOOD, Refusal.OUTSIDE_SUBTREE),
        ("li.wenjing", Operation.DRAFT, COUNTY_MARKET, FOOD, Refusal.OUTSIDE_SUBTREE),
        ("gao.yuan", Operation.SIGN, SISTER_MARKET, FOOD, Refusal.OUTSIDE_SUBTREE),
    ],
)
def test_staff_are_refused_by_name_of_the_rule(  # noqa: PLR0917 - one row of the table
    demo: OrganisationChart,
    who: str,
    operation: Operation,
    department: DepartmentCode,
    kind: TypeSlug,
    expected: Refusal,
) -> None:
    assert refusal(demo, staff(who), operation, department, kind) is expected


def test_a_city_right_that_reaches_the_city_reaches_its_counties(demo: OrganisationChart) -> None:
    chart = reaching(demo, CITY_MARKET, CITY)
    assert refusal(chart, staff("li.wenjing"), Operation.DRAFT, COUNTY_MARKET) is None
    assert refusal(chart, staff("gao.yuan"), Operation.SIGN, SISTER_MARKET) is None
    narrow = reaching(demo, CITY_MARKET, COUNTY)
    assert refusal(narrow, staff("li.wenjing"), Operation.DRAFT, COUNTY_MARKET) is None
    assert refusal(narrow, staff("gao.yuan"), Operation.SIGN, SISTER_MARKET) is Refusal.OUTSIDE_SUBTREE


@pytest.mark.parametrize("within", [PROVINCE, CITY, SISTER, CITY_MARKET, SISTER_MARKET])
def test_a_county_right_written_wider_than_its_county_stays_in_the_county(
    demo: OrganisationChart, within: DepartmentCode
) -> None:
    chart = reaching(demo, COUNTY_MARKET, within)
    for department in (CITY_MARKET, SISTER_MARKET):
        assert refusal(chart, staff("he.ping"), Operation.DRAFT, department) is Refusal.OUTSIDE_SUBTREE
    assert refusal(chart, staff("he.ping"), Operation.DRAFT, COUNTY_MARKET) is None, "its own name is its own"


def test_acting_for_another_department_needs_that_departments_own_right(demo: OrganisationChart) -> None:
    chart = replace(reaching(demo, CITY_MARKET, CITY), issuing_rights=(right(CITY_MARKET, CITY),))
    assert refusal(chart, staff("li.wenjing"), Operation.DRAFT, COUNTY_MARKET) is Refusal.RIGHT_MISSING


def test_a_right_counts_from_its_first_to_its_last_day(demo: OrganisationChart) -> None:
    ended = replace(right(CITY_MARKET), valid_from=date(2025, 1, 1), valid_to=date(2026, 6, 30))
    chart = replace(demo, issuing_rights=(ended,))

    def ask(on: date) -> Refusal | None:
        return refusal(chart, staff("li.wenjing"), Operation.DRAFT, CITY_MARKET, on=on)

    assert ask(date(2024, 12, 31)) is Refusal.RIGHT_ENDED
    assert ask(date(2025, 1, 1)) is None
    assert ask(date(2026, 6, 30)) is None
    assert ask(date(2026, 7, 1)) is Refusal.RIGHT_ENDED
    renewed = replace(chart, issuing_rights=(ended, replace(right(CITY_MARKET), valid_from=date(2026, 9, 1))))
    assert refusal(renewed, staff("li.wenjing"), Operation.DRAFT, CITY_MARKET, on=TODAY) is None


def test_an_appointment_counts_from_its_first_to_its_last_day(demo: OrganisationChart) -> None:
    def ask(on: date) -> Refusal | None:
        return refusal(demo, staff("li.wenjing"), Operation.DRAFT, CITY_MARKET, on=on)

    assert ask(date(2023, 12, 31)) is Refusal.NOT_APPOINTED
    assert ask(date(2024, 1, 1)) is None
    left = replace(
        demo,
        appointments=tuple(
            replace(each, valid_to=date(2026, 11, 21)) if each.staff_id == "li.wenjing" else each
            for each in demo.appointments
        ),
    )
    assert refusal(left, staff("li.wenjing"), Operation.DRAFT, CITY_MARKET) is Refusal.NOT_APPOINTED


def test_one_person_in_two_departments_acts_from_the_one_that_may(demo: OrganisationChart) -> None:
    second = Appointment(
        staff_id=StaffId("he.ping"),
        name="何平",
        department=CITY_MARKET,
        role=Role.DRAFTER,
        valid_from=LONG_AGO,
        valid_to=None,
    )
    chart = replace(demo, appointments=(*demo.appointments, second))
    for department in (COUNTY_MARKET, CITY_MARKET):
        grant = authorise(
            chart,
            staff("he.ping"),
            Operation.DRAFT,
            department=department,
            certificate_type=FOOD,
            on=TODAY,
        )
        assert grant.acting_department == department


def test_a_reorganisation_moves_rights_with_its_day(demo: OrganisationChart) -> None:
    """The county moves to the province on 2026-07-01: the city's reach ends the day before."""
    moved_on = date(2026, 7, 1)
    placements = tuple(
        replace(each, valid_to=date(2026, 6, 30)) if each.department == COUNTY else each
        for each in demo.placements
    )
    chart = replace(
        reaching(demo, CITY_MARKET, CITY),
        placements=(
            *placements,
            Placement(department=COUNTY, parent=PROVINCE, valid_from=moved_on, valid_to=None),
        ),
    )
    chart.check()

    def ask(on: date) -> Refusal | None:
        return refusal(chart, staff("li.wenjing"), Operation.DRAFT, COUNTY_MARKET, on=on)

    assert ask(date(2026, 6, 30)) is None
    assert ask(moved_on) is Refusal.OUTSIDE_SUBTREE
    assert refusal(chart, staff("he.ping"), Operation.DRAFT, COUNTY_MARKET, on=moved_on) is None


def test_a_dissolved_department_acts_no_more_and_neither_does_what_hangs_on_it(
    demo: OrganisationChart,
) -> None:
    chart = replace(
        demo,
        placements=tuple(
            replace(each, valid_to=date(2026, 6, 30)) if each.department == COUNTY else each
            for each in demo.placements
        ),
    )
    assert refusal(chart, staff("he.ping"), Operation.DRAFT, COUNTY_MARKET) is Refusal.DEPARTMENT_NOT_IN_FORCE
    assert refusal(chart, staff("he.ping"), Operation.DRAFT, CITY_MARKET) is Refusal.NOT_APPOINTED
    early = date(2017, 12, 31)
    assert (
        refusal(demo, staff("he.ping"), Operation.DRAFT, COUNTY_MARKET, on=early)
        is Refusal.DEPARTMENT_NOT_IN_FORCE
    )


def test_systems_issue_for_their_own_department_only(demo: OrganisationChart) -> None:
    system = client("dept-city-market")
    assert refusal(demo, system, Operation.ISSUE, CITY_MARKET) is None
    assert refusal(demo, system, Operation.PUSH, CITY_MARKET) is None
    assert refusal(demo, system, Operation.ISSUE, COUNTY_MARKET) is Refusal.OUTSIDE_SUBTREE
    assert refusal(demo, system, Operation.ISSUE, CITY_LAND, TITLE) is Refusal.RIGHT_MISSING
    assert refusal(demo, system, Operation.DRAFT, CITY_MARKET) is Refusal.RIGHT_MISSING
    assert refusal(demo, client("dept-city-education"), Operation.ISSUE, CITY_MARKET) is Refusal.RIGHT_MISSING
    assert refusal(demo, client("dept-unknown"), Operation.ISSUE, CITY_MARKET) is Refusal.UNKNOWN_CLIENT
    assert refusal(demo, system, Operation.REQUIREMENTS, CITY_MARKET, None) is None
    assert refusal(demo, system, Operation.REQUIREMENTS, CITY_EDUCATION, None) is Refusal.OUTSIDE_SUBTREE


def test_a_department_may_compare_and_not_read(demo: OrganisationChart) -> None:
    education = client("dept-city-education")
    assert refusal(demo, education, Operation.COMPARE, COUNTY_MARKET) is None
    assert refusal(demo, education, Operation.VERIFY, CITY_MARKET) is None
    assert refusal(demo, education, Operation.READ, CITY_MARKET) is Refusal.COMPARE_ONLY
    assert refusal(demo, education, Operation.READ, CITY_POLICE, RECORD) is Refusal.RIGHT_MISSING
    assert refusal(demo, education, Operation.COMPARE, CITY_LAND, TITLE) is Refusal.RIGHT_MISSING
    assert refusal(demo, client("dept-city-market"), Operation.READ, CITY_LAND, TITLE) is None
    assert refusal(demo, staff("bai.yun"), Operation.COMPARE, CITY_MARKET) is None
    assert refusal(demo, staff("bai.yun"), Operation.READ, CITY_MARKET) is Refusal.COMPARE_ONLY
    assert refusal(demo, staff("li.wenjing"), Operation.COMPARE, CITY_MARKET) is Refusal.ROLE_MISSING


def test_a_checking_right_may_end_at_a_subtree_and_at_fields(demo: OrganisationChart) -> None:
    limited = ClientRight(
        client_id=ClientId("dept-limited"),
        department=CITY_EDUCATION,
        operation=Operation.COMPARE,
        certificate_type=FOOD,
        within=COUNTY,
        fields=frozenset({"name", "address"}),
        valid_from=LONG_AGO,
        valid_to=TODAY,
    )
    chart = replace(demo, client_rights=(limited,))
    grant = authorise(
        chart,
        client("dept-limited"),
        Operation.COMPARE,
        department=COUNTY_MARKET,
        certificate_type=FOOD,
        on=TODAY,
    )
    require_fields(grant, ["name"])
    with pytest.raises(NotAuthorised) as caught:
        require_fields(grant, ["name", "scope"])
    assert caught.value.refusal is Refusal.FIELD_NOT_GRANTED
    require_fields(replace(grant, fields=None), ["anything"])
    asked = client("dept-limited")
    assert refusal(chart, asked, Operation.COMPARE, CITY_MARKET) is Refusal.OUTSIDE_SUBTREE
    tomorrow = date(2026, 11, 23)
    assert refusal(chart, asked, Operation.COMPARE, COUNTY_MARKET, on=tomorrow) is Refusal.RIGHT_ENDED


def test_charts_that_contradict_themselves_are_refused(demo: OrganisationChart) -> None:
    circle = tuple(
        replace(each, parent=COUNTY) if each.department == CITY else each for each in demo.placements
    )
    upside_down = tuple(
        replace(each, parent=COUNTY) if each.department == CITY_MARKET else each for each in demo.placements
    )
    twice = (
        *demo.placements,
        Placement(department=CITY_MARKET, parent=PROVINCE, valid_from=TODAY, valid_to=None),
    )
    for placements in (circle, upside_down, twice):
        with pytest.raises(ChartRefused):
            replace(demo, placements=placements).check()
    backwards = replace(right(CITY_MARKET), valid_to=date(2017, 1, 1))
    with pytest.raises(ChartRefused):
        replace(demo, issuing_rights=(backwards,)).check()
    same_rank = tuple(
        replace(each, parent=SISTER) if each.department == SISTER_MARKET else each for each in demo.placements
    )
    replace(demo, placements=same_rank).check()


ALL = (CITY_MARKET, COUNTY_MARKET, SISTER_MARKET, CITY_LAND)


@settings(max_examples=150, deadline=None)
@given(
    acting=st.sampled_from(ALL),
    target=st.sampled_from(ALL),
    within=st.sampled_from((*ALL, PROVINCE, CITY, COUNTY, SISTER)),
)
def test_no_row_ever_carries_an_act_out_of_the_actors_government(
    acting: DepartmentCode, target: DepartmentCode, within: DepartmentCode
) -> None:
    chart = CHART_FOR_PROPERTY
    chart = replace(
        chart,
        issuing_rights=tuple(right(each, within if each == acting else None) for each in ALL),
        appointments=(
            Appointment(
                staff_id=StaffId("x"),
                name="某",
                department=acting,
                role=Role.SIGNER,
                valid_from=LONG_AGO,
                valid_to=None,
            ),
        ),
    )
    granted = refusal(chart, staff("x"), Operation.SIGN, target) is None
    inside = chart.is_within(target, within, TODAY) and chart.is_within(
        within, chart.home(acting, TODAY), TODAY
    )
    assert granted == (acting == target or inside)
    if granted:
        assert chart.is_within(target, chart.home(acting, TODAY), TODAY)


def _with_sister() -> OrganisationChart:
    chart = read_organisations(DEMO)
    sister = Department(
        code=SISTER, slug="sister", name="示例区人民政府", area_code="990122", level=Level.COUNTY
    )
    bureau = replace(sister, code=SISTER_MARKET, slug="sm", name="示例区市场监督管理局")
    hang = Placement(department=SISTER, parent=CITY, valid_from=LONG_AGO, valid_to=None)
    return replace(
        chart,
        departments=(*chart.departments, sister, bureau),
        placements=(*chart.placements, hang, replace(hang, department=SISTER_MARKET, parent=SISTER)),
    )


CHART_FOR_PROPERTY = _with_sister()
