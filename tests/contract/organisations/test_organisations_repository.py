"""Charts through the database: loaded, loaded again, changed, seen at once."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from cert_registry.organisations.errors import (
    ChartRefused,
    NotAuthorised,
    Refusal,
    UnknownOrganisation,
)
from cert_registry.organisations.loader import load_organisations, read_organisations
from cert_registry.organisations.repository import (
    ChartReader,
    end_appointment,
    end_issuing_right,
    move_department,
    read_chart,
    read_revision,
)
from cert_registry.organisations.rules import authorise
from cert_registry.organisations.tables import (
    ORG_APPOINTMENTS,
    ORG_CLIENT_RIGHTS,
    ORG_DEPARTMENTS,
    ORG_ISSUING_RIGHTS,
    ORG_PLACEMENTS,
    ORG_REVISIONS,
)
from cert_registry.organisations.types import Operation, StaffActor, TypeSlug
from cert_registry.store.engine import Database, open_database
from cert_registry.store.metadata import METADATA
from cert_registry.types import DepartmentCode, StaffId

DEMO = Path(__file__).parents[3] / "deploy" / "demo" / "organisations.yaml"
TABLES = [
    ORG_DEPARTMENTS,
    ORG_PLACEMENTS,
    ORG_APPOINTMENTS,
    ORG_ISSUING_RIGHTS,
    ORG_CLIENT_RIGHTS,
    ORG_REVISIONS,
]
CITY_MARKET = DepartmentCode("119901000000002037")
CITY = DepartmentCode("11990100000000027A")
COUNTY = DepartmentCode("11990121000000035J")
COUNTY_MARKET = DepartmentCode("1199012100000030XT")
PROVINCE = DepartmentCode("11990000000000019A")
FOOD = TypeSlug("food-business-licence")
TODAY = date(2026, 11, 22)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = open_database(tmp_path / "registry.db")
    METADATA.create_all(database.engine, tables=TABLES)
    with database.writing() as connection:
        assert load_organisations(connection, DEMO) > 50
    return database


def may_draft(database: Database) -> Refusal | None:
    try:
        authorise(
            ChartReader(database).chart(),
            StaffActor(staff_id=StaffId("li.wenjing")),
            Operation.DRAFT,
            department=CITY_MARKET,
            certificate_type=FOOD,
            on=TODAY,
        )
    except NotAuthorised as error:
        return error.refusal
    return None


def test_what_is_loaded_is_what_the_file_says(database: Database) -> None:
    with database.reading() as connection:
        stored = read_chart(connection)
    described = read_organisations(DEMO)
    for part in ("departments", "placements", "appointments", "issuing_rights", "client_rights"):
        assert set(getattr(stored, part)) == set(getattr(described, part)), part


def test_loading_again_adds_nothing_and_undoes_nothing(database: Database) -> None:
    with database.writing() as connection:
        end_issuing_right(connection, CITY_MARKET, FOOD, last_day=date(2026, 11, 1))
        revision = read_revision(connection)
    with database.writing() as connection:
        assert load_organisations(connection, DEMO) == 0
        assert read_revision(connection) == revision
    assert may_draft(database) is Refusal.RIGHT_ENDED


def test_a_reader_sees_an_ended_appointment_at_once(database: Database) -> None:
    reader = ChartReader(database)
    held = reader.chart()
    assert reader.chart() is held, "an unchanged chart is not read again"
    assert may_draft(database) is None
    with database.writing() as connection:
        end_appointment(connection, StaffId("li.wenjing"), last_day=date(2026, 11, 21))
    assert reader.chart() is not held
    assert may_draft(database) is Refusal.NOT_APPOINTED


def test_a_reorganisation_is_one_call_and_keeps_the_past(database: Database) -> None:
    with database.writing() as connection:
        move_department(connection, COUNTY, parent=PROVINCE, from_day=date(2026, 7, 1))
    chart = ChartReader(database).chart()
    assert chart.is_within(COUNTY_MARKET, CITY, date(2026, 6, 30))
    assert not chart.is_within(COUNTY_MARKET, CITY, date(2026, 7, 1))
    assert chart.is_within(COUNTY_MARKET, PROVINCE, date(2026, 7, 1))


def test_a_move_that_makes_no_tree_leaves_everything_as_it_was(database: Database) -> None:
    before = ChartReader(database).chart()
    for department, parent, error in (
        (CITY, COUNTY, ChartRefused),
        (DepartmentCode("no-such"), CITY, UnknownOrganisation),
        (COUNTY, DepartmentCode("no-such"), UnknownOrganisation),
    ):
        with pytest.raises(error), database.writing() as connection:
            move_department(connection, department, parent=parent, from_day=TODAY)
    with pytest.raises(UnknownOrganisation), database.writing() as connection:
        move_department(connection, COUNTY, parent=PROVINCE, from_day=date(2018, 1, 1))
    after = ChartReader(database).chart()
    assert set(after.placements) == set(before.placements)


def test_ending_what_is_not_there_is_said(database: Database) -> None:
    with pytest.raises(UnknownOrganisation), database.writing() as connection:
        end_appointment(connection, StaffId("nobody"), last_day=TODAY)
    with pytest.raises(UnknownOrganisation), database.writing() as connection:
        end_issuing_right(connection, COUNTY_MARKET, TypeSlug("real-estate-title"), last_day=TODAY)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("departments", 5, "parent"), "00000000000000000X"),
        (("departments", 5, "level"), "village"),
        (("departments", 5, "colour"), "red"),
        (("departments", 5, "code"), "11990000000000019A"),
        (("departments", 1, "parent"), "11990121000000035J"),
        (("staff", 0, "roles"), ["king"]),
        (("staff", 0, "department"), "00000000000000000X"),
        (("issuing", 0, "within"), "00000000000000000X"),
        (("seals", 0, "kind"), "公章"),
        (("department_clients", 0, "scopes"), ["everything"]),
    ],
)
def test_a_file_that_contradicts_itself_is_refused_with_a_sentence(
    tmp_path: Path, place: tuple[str, int, str], value: object
) -> None:
    document = yaml.safe_load(DEMO.read_text(encoding="utf-8"))
    section, number, field = place
    document[section][number][field] = value
    path = tmp_path / "organisations.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ChartRefused) as caught:
        read_organisations(path)
    assert any(mark in str(caught.value) for mark in "。：")


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    for content in (b"a: [", b"\xff\xfe\x00", b"- 1"):
        (tmp_path / "x.yaml").write_bytes(content)
        with pytest.raises(ChartRefused):
            read_organisations(tmp_path / "x.yaml")
    with pytest.raises(ChartRefused):
        read_organisations(tmp_path / "none.yaml")
