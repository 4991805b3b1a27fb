"""The demo's 300 rows through a real database and the real catalogue, whole, killed midway, and again."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, UniqueConstraint, func, select

from cert_registry.catalog.errors import TypeUnknown
from cert_registry.catalog.loading import Catalog
from cert_registry.ingestion.batches import source_quality
from cert_registry.ingestion.command import main
from cert_registry.ingestion.errors import HeaderRefused, MappingMalformed, RegistrarFailed
from cert_registry.ingestion.ingest import Progress, StockIngestion
from cert_registry.ingestion.tables import ING_BATCHES, ING_ROWS, ING_STOCK
from cert_registry.ingestion.types import (
    BatchReport,
    ExistingStock,
    Flag,
    Outcome,
    Reason,
    RowKey,
    RowOutcome,
    StockEcert,
)
from cert_registry.store.engine import Database, open_database
from cert_registry.store.metadata import METADATA
from cert_registry.types import EcertIdentifier
from idp.identity.holder import HolderReference

pytestmark = pytest.mark.thorough

CHECKOUT = Path(__file__).parents[3]
DEMO = CHECKOUT / "deploy" / "demo" / "stock-food.csv"
EXPECTED = json.loads((CHECKOUT / "deploy" / "demo" / "stock-food.expected.json").read_text(encoding="utf-8"))
CATALOG = Catalog.load(CHECKOUT / "cert_registry" / "catalog" / "types")
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ISSUERS = {"119901000000002037", "1199012100000030XT"}
TYPE = "food-business-licence"
SOURCE = "示例省市场监督管理局存量库"

# Of its own metadata, so that the registry's is what the migrations make.
OWN = MetaData()
REGISTERED = Table(
    "test_registered",
    OWN,
    Column("place", Integer, primary_key=True),
    Column("source", String(64)),
    Column("row_key", String(64)),
    Column("name", String(200)),
    Column("flags", String(200)),
    UniqueConstraint("source", "row_key"),
)


def make_tables(database: Database) -> None:
    METADATA.create_all(database.engine, tables=[ING_BATCHES, ING_ROWS, ING_STOCK])
    OWN.create_all(database.engine)


def mac(data: bytes) -> bytes:
    return hmac.new(b"a key of the token", data, hashlib.sha256).digest()


class PowerCut(BaseException):
    """The process ends here."""


class Registrar:
    """Writes rows into a table of the same database, in the transaction it is given."""

    def __init__(self, *, stop_in_call: int = 0, fails_with: Exception | None = None) -> None:
        self.calls = 0
        self.fails_with = fails_with
        self.stop_in_call = stop_in_call

    def find_existing(
        self, row_keys: Sequence[RowKey], *, source: str, connection: Connection
    ) -> Mapping[RowKey, ExistingStock]:
        assert connection.in_transaction()
        del row_keys, source
        return {}

    def register(
        self, rows: Sequence[StockEcert], *, connection: Connection, now: datetime
    ) -> Sequence[RowOutcome]:
        assert now == NOW or now.tzinfo
        self.calls += 1
        if self.fails_with:
            raise self.fails_with
        outcomes = []
        for row in rows:
            place = connection.execute(
                REGISTERED.insert().values(
                    source=row.source,
                    row_key=row.row_key,
                    name=row.face.values["operator_name"],
                    flags=" ".join(sorted(flag.value for flag in row.flags)),
                )
            ).inserted_primary_key[0]
            outcomes.append(
                RowOutcome(
                    line_number=row.line_number,
                    outcome=Outcome.REGISTERED,
                    identifier=EcertIdentifier(f"e-{place}"),
                )
            )
        if self.calls == self.stop_in_call:
            raise PowerCut
        return outcomes


class Holders:
    def known(self, references: Sequence[HolderReference]) -> frozenset[HolderReference]:
        return frozenset(reference for reference in references if reference[-1] < "n")


class Issuers:
    def is_department(self, code: str) -> bool:
        return code in ISSUERS


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = open_database(tmp_path / "registry.db")
    make_tables(database)
    return database


def room(database: Database, registrar: Registrar | None = None, *, chunk_rows: int = 40) -> StockIngestion:
    return StockIngestion(
        database,
        certificate_type=CATALOG.by_slug,
        registrar=registrar or Registrar(),
        holders=Holders(),
        issuers=Issuers(),
        mac=mac,
        chunk_rows=chunk_rows,
    )


def ingest(database: Database, path: Path = DEMO, *, source: str = SOURCE) -> BatchReport:
    return room(database).ingest(path, source=source, type_slug=TYPE, now=NOW)


def count(database: Database) -> int:
    with database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(REGISTERED)).scalar_one())


def check_expected(report: BatchReport) -> None:
    assert report.rows == EXPECTED["rows"]
    assert {outcome.value: number for outcome, number in report.outcomes.items()} == EXPECTED["outcomes"]
    assert dict(report.reasons) == EXPECTED["reasons"]
    assert list(report.ignored_columns) == EXPECTED["ignored_columns"]
    lines = {
        str(each.line_number): f"{each.reason.value}:{each.field}"
        if each.reason is Reason.MISSING_FIELD
        else each.reason.value
        for each in report.remarks
        if each.reason
    }
    assert lines == EXPECTED["lines"]


def test_the_demo_file_ends_as_its_generator_says(database: Database) -> None:
    report = ingest(database)
    check_expected(report)
    assert report.encoding == "UTF-8-BOM"
    assert count(database) == EXPECTED["outcomes"]["registered"]
    assert 0 < report.flags[Flag.UNKNOWN_HOLDER] < EXPECTED["outcomes"]["registered"]
    assert Flag.UNKNOWN_ISSUER not in report.flags
    for remark in report.remarks:
        assert bool(remark.sentence) == (remark.outcome is not Outcome.REGISTERED)


def test_the_same_file_again_only_reports(database: Database) -> None:
    first = ingest(database)
    again = ingest(database)
    assert again.resumed_rows == first.rows
    assert (again.outcomes, again.reasons, again.remarks) == (first.outcomes, first.reasons, first.remarks)
    assert count(database) == EXPECTED["outcomes"]["registered"]


def test_another_file_with_the_same_rows_is_all_duplicates(database: Database, tmp_path: Path) -> None:
    ingest(database)
    copy = tmp_path / "copy.csv"
    copy.write_bytes(DEMO.read_text(encoding="utf-8-sig").encode("gb18030"))
    report = ingest(database, copy)
    assert report.encoding == "GB18030"
    assert report.outcomes[Outcome.REGISTERED] == 0
    assert report.outcomes[Outcome.DUPLICATE] == 280
    assert report.outcomes[Outcome.CONFLICTING] == 2
    other = ingest(database, copy, source="另一来源")
    assert other.outcomes[Outcome.DUPLICATE] == 12, "another source is another register"


@pytest.mark.parametrize("stop_in_call", range(1, 9))
def test_a_kill_inside_a_chunk_leaves_nothing_of_it(database: Database, stop_in_call: int) -> None:
    with pytest.raises(PowerCut):
        room(database, Registrar(stop_in_call=stop_in_call)).ingest(
            DEMO, source=SOURCE, type_slug=TYPE, now=NOW
        )
    with database.reading() as connection:
        done = connection.execute(select(ING_BATCHES.c.rows_done)).scalar_one()
        ends = connection.execute(select(func.count()).select_from(ING_ROWS)).scalar_one()
    assert done == ends == 40 * (stop_in_call - 1)
    report = ingest(database)
    assert report.resumed_rows == done
    check_expected(report)
    assert count(database) == EXPECTED["outcomes"]["registered"]


@pytest.mark.parametrize("stop_after", range(1, 9))
def test_a_kill_behind_a_chunk_doubles_nothing(database: Database, stop_after: int) -> None:
    def cut(progress: Progress) -> None:
        if progress.rows >= 40 * stop_after or progress.rows == EXPECTED["rows"]:
            raise PowerCut

    with pytest.raises(PowerCut):
        room(database).ingest(DEMO, source=SOURCE, type_slug=TYPE, now=NOW, progress=cut)
    report = ingest(database)
    assert report.resumed_rows == min(40 * stop_after, 300)
    check_expected(report)
    assert count(database) == EXPECTED["outcomes"]["registered"]


class Leaves:
    def __init__(self, database: Database) -> None:
        self.database = database
        self.seen: list[int] = []

    def push(self, *, now: datetime) -> int:
        assert now == NOW
        self.seen.append(count(self.database))
        return 0


def test_leaves_are_pushed_when_their_chunk_is_in(database: Database) -> None:
    leaves = Leaves(database)
    StockIngestion(
        database,
        certificate_type=CATALOG.by_slug,
        registrar=Registrar(),
        holders=Holders(),
        issuers=Issuers(),
        mac=mac,
        leaves=leaves,
        chunk_rows=100,
    ).ingest(DEMO, source=SOURCE, type_slug=TYPE, now=NOW)
    assert len(leaves.seen) == 3
    assert leaves.seen[-1] == EXPECTED["outcomes"]["registered"]


def test_two_runs_at_once_do_not_double(database: Database) -> None:
    def run_another(progress: Progress) -> None:
        if progress.rows == 40:
            check_expected(ingest(database))

    with pytest.raises(RegistrarFailed):
        room(database).ingest(DEMO, source=SOURCE, type_slug=TYPE, now=NOW, progress=run_another)
    assert count(database) == EXPECTED["outcomes"]["registered"]


def test_a_row_that_the_registry_has_all_the_same_stops_the_chunk_and_is_told(database: Database) -> None:
    ingest(database)
    with database.writing() as connection:
        for table in (ING_ROWS, ING_BATCHES, ING_STOCK):
            connection.execute(table.delete())
    with pytest.raises(RegistrarFailed):
        ingest(database)
    assert count(database) == EXPECTED["outcomes"]["registered"]


def test_every_size_of_chunk_gives_the_same(tmp_path: Path) -> None:
    for chunk_rows in (1, 7, 300, 1000):
        database = open_database(tmp_path / f"{chunk_rows}.db")
        make_tables(database)
        check_expected(
            room(database, chunk_rows=chunk_rows).ingest(DEMO, source=SOURCE, type_slug=TYPE, now=NOW)
        )


def test_quality_is_counted_per_source(database: Database) -> None:
    report = ingest(database)
    with database.reading() as connection:
        (quality,) = source_quality(connection)
    assert (quality.source, quality.rows, quality.registered) == (SOURCE, 300, 268)
    assert (quality.missing_fields, quality.bad_check_digits, quality.conflicting) == (4, 9, 2)
    assert quality.unknown_holders == report.flags[Flag.UNKNOWN_HOLDER]


def test_no_value_of_a_row_stays_behind_with_its_end(database: Database) -> None:
    ingest(database)
    with database.reading() as connection:
        text = repr(connection.execute(select(ING_ROWS)).all() + connection.execute(select(ING_STOCK)).all())
    for row in DEMO.read_text(encoding="utf-8-sig").splitlines()[1:]:
        for cell in row.split(",")[:5]:
            if cell.strip():
                assert cell not in text


def lines() -> list[str]:
    return DEMO.read_text(encoding="utf-8-sig").splitlines()


def test_rows_that_are_no_rows_are_refused_and_the_rest_goes_in(database: Database, tmp_path: Path) -> None:
    header, good = lines()[0], lines()[1]
    unknown_issuer = lines()[2].replace("119901000000002037", "620100")
    long_issuer = lines()[4].replace("119901000000002037", "1" * 19)
    path = tmp_path / "x.csv"
    rows = [header, '"open', "", good, "a,b", unknown_issuer, long_issuer]
    path.write_text("\n".join(rows), encoding="utf-8")
    report = ingest(database, path)
    assert [(each.line_number, each.reason) for each in report.remarks if each.reason] == [
        (2, Reason.MALFORMED_ROW),
        (5, Reason.ROW_SHAPE),
        (7, Reason.ISSUER_CODE),
    ]
    assert report.outcomes[Outcome.REGISTERED] == 2
    assert report.flags[Flag.UNKNOWN_ISSUER] == 1


def test_files_that_cannot_be_taken_are_refused_whole(database: Database, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    for content in ("", "许可证编号\n1\n", '"open\n'):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(HeaderRefused):
            ingest(database, path)
    with pytest.raises(MappingMalformed):
        room(database).ingest(DEMO, source=SOURCE, type_slug="unknown", now=NOW)
    empty = StockIngestion(
        database,
        certificate_type=_no_type,
        registrar=Registrar(),
        holders=Holders(),
        issuers=Issuers(),
        mac=mac,
    )
    with pytest.raises(TypeUnknown):
        empty.ingest(DEMO, source=SOURCE, type_slug=TYPE, now=NOW)
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(ING_BATCHES)).scalar_one() == 0


def _no_type(slug: str) -> NoReturn:
    raise TypeUnknown(slug)


def test_the_command_reports_and_exits_by_result(
    database: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(DEMO), "--source", SOURCE, "--type", TYPE]
    assert main([*arguments, "--json"], open_room=lambda: room(database)) == 0
    said = capsys.readouterr()
    document = json.loads(said.out)
    assert document["outcomes"] == EXPECTED["outcomes"]
    assert document["reasons"] == EXPECTED["reasons"]
    assert "300 行" in said.err
    assert main(arguments, open_room=lambda: room(database)) == 0
    text = capsys.readouterr().out
    assert "已入库 268，重复 12，冲突 2，退回 18" in text
    assert "300 行在之前的运行中已完成" in text

    bad = tmp_path / "bad.csv"
    bad.write_text("\n".join([lines()[0], "a,b"]), encoding="utf-8")
    assert main([str(bad), *arguments[1:]], open_room=lambda: room(database)) == 1
    assert main([str(tmp_path / "none.csv"), *arguments[1:]], open_room=lambda: room(database)) == 2
    capsys.readouterr()
    bad.write_text("x", encoding="utf-8")
    assert main([str(bad), *arguments[1:], "--json"], open_room=lambda: room(database)) == 2
    assert json.loads(capsys.readouterr().out)["error"] == "header-refused"
    with pytest.raises(SystemExit) as caught:
        main([str(DEMO)])
    assert caught.value.code == 2


def test_the_command_says_when_a_part_is_down(
    tmp_path: Path, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    no_tables = open_database(tmp_path / "empty.db")
    arguments = [str(DEMO), "--source", SOURCE, "--type", TYPE]
    assert main(arguments, open_room=lambda: room(no_tables)) == 3

    down = Registrar(fails_with=RegistrarFailed("登记库没有应答。"))
    assert main(arguments, open_room=lambda: room(database, down)) == 3
    assert "从中断处继续" in capsys.readouterr().err
