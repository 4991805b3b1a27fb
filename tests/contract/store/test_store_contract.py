"""The store's promises, on SQLite; PostgreSQL joins when its driver is in the lock."""

import hashlib
import secrets
import sqlite3
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, text
from sqlalchemy.exc import OperationalError

from cert_registry.errors import ConfigurationError, ObjectMissing, StoreUnavailable
from cert_registry.store.engine import Database, insert_missing, open_database
from cert_registry.store.every_table import METADATA
from cert_registry.store.migrate import upgrade
from cert_registry.store.numbers import SqlNumbers
from cert_registry.store.objects import DiskObjects
from cert_registry.store.status_entries import take_status_entry
from cert_registry.store.tables import ALARMS, STATUS_ENTRIES
from cert_registry.types import DepartmentCode, EcertIdentifier, IssueKey
from idp.store.database import open_database as open_idp_database

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class MemoryKey:
    """A data cipher whose key is not in a token."""

    def __init__(self) -> None:
        self._key = AESGCM(AESGCM.generate_key(256))

    def encrypt(self, plaintext: bytes, *, associated_data: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + self._key.encrypt(nonce, plaintext, associated_data)

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        try:
            return self._key.decrypt(ciphertext[:12], ciphertext[12:], associated_data)
        except Exception as error:
            raise ObjectMissing("damaged") from error


@pytest.fixture
def database(tmp_path: Path) -> Database:
    opened = open_database(tmp_path / "registry.db")
    upgrade(opened)
    return opened


def test_the_migrations_make_exactly_the_tables(database: Database) -> None:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"render_as_batch": True})
        assert compare_metadata(context, METADATA) == []


def test_upgrading_again_changes_nothing_and_a_newer_database_is_refused(database: Database) -> None:
    upgrade(database)
    with database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="newer version"):
        upgrade(database)


def test_the_database_is_durable_and_checks_references(database: Database) -> None:
    with database.reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_writer_takes_the_lock_when_it_begins(database: Database, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "registry.db", timeout=0, isolation_level=None)
    with database.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    row = {"kind": "k", "file_digest": "d", "signer": "s", "raised_at": NOW}

    def write_and_fail() -> None:
        with database.writing() as connection:
            connection.execute(insert(ALARMS).values(row))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_and_fail()
    with database.writing() as connection:
        assert insert_missing(connection, ALARMS, **row)
        assert not insert_missing(connection, ALARMS, **row)


def test_a_driver_error_does_not_escape(database: Database) -> None:
    with pytest.raises(StoreUnavailable), database.reading() as connection:
        connection.exec_driver_sql("SELECT * FROM nowhere")


def test_times_come_back_aware_in_utc_and_naive_ones_are_refused(database: Database) -> None:
    china = datetime(2026, 11, 22, 20, tzinfo=timezone(timedelta(hours=8)))
    row = {"kind": "k", "file_digest": "d", "signer": "s"}
    with database.writing() as connection:
        connection.execute(insert(ALARMS).values(raised_at=china, **row))
        assert connection.scalar(select(ALARMS.c.raised_at)) == NOW
    with pytest.raises(StoreUnavailable), database.writing() as connection:
        connection.execute(insert(ALARMS).values(raised_at=NOW.replace(tzinfo=None), **row))


def test_a_new_database_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    for opened in (
        open_database(tmp_path / "registry.db").engine,
        open_idp_database(f"sqlite:///{tmp_path / 'idp.db'}"),
    ):
        with opened.connect() as connection:
            connection.exec_driver_sql("CREATE TABLE t (x INTEGER)")
            connection.commit()
            modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
        opened.dispose()
        assert modes
        assert set(modes.values()) == {0o600}, modes


def test_errors_of_the_driver_do_not_repeat_bound_values(tmp_path: Path) -> None:
    for opened in (
        open_database(tmp_path / "registry.db").engine,
        open_idp_database(f"sqlite:///{tmp_path / 'idp.db'}"),
    ):
        with pytest.raises(OperationalError) as refused, opened.connect() as connection:
            connection.execute(text("SELECT :number FROM nowhere"), {"number": "110101199003071233"})
        assert "110101199003071233" not in str(refused.value)
        opened.dispose()


@pytest.mark.parametrize("name", ["mysql://x/y", "no such scheme://"])
def test_an_impossible_database_is_refused_in_a_sentence(name: str) -> None:
    with pytest.raises(ConfigurationError, match="database"):
        open_database(name)


@settings(max_examples=25, deadline=None)
@given(content=st.binary(max_size=2000))
def test_objects_come_back_whole_and_lie_encrypted(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    directory = tmp_path_factory.mktemp("objects")
    database = open_database(directory / "o.db")
    METADATA.create_all(database.engine)
    objects = DiskObjects(directory / "files", database=database, cipher=MemoryKey())
    digest = objects.put(content, media_type="application/pdf", now=NOW)
    assert digest == hashlib.sha256(content).hexdigest()
    assert objects.put(content, media_type="application/pdf", now=NOW) == digest
    assert objects.get(digest) == content
    (file,) = [path for path in (directory / "files").rglob("*") if path.is_file()]
    assert len(content) < 8 or content not in file.read_bytes()
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ObjectMissing):
        objects.get(digest)
    assert objects.put(content, media_type="application/pdf", now=NOW) == digest
    assert objects.get(digest) == content
    database.dispose()


def test_an_object_that_never_was_is_missing(database: Database, tmp_path: Path) -> None:
    objects = DiskObjects(tmp_path / "files", database=database, cipher=MemoryKey())
    with pytest.raises(ObjectMissing):
        objects.get("ab" * 32)  # type: ignore[arg-type] # a digest


def test_status_places_are_random_distinct_and_kept(database: Database) -> None:
    drawn = iter([5, 5, 7])
    first, second = EcertIdentifier("a"), EcertIdentifier("b")
    with database.writing() as connection:
        assert take_status_entry(connection, first, lambda _: next(drawn)) == (1, 5)
        assert take_status_entry(connection, second, lambda _: next(drawn)) == (1, 7)
        assert take_status_entry(connection, first, secrets.randbelow) == (1, 5)
        assert len(connection.execute(select(STATUS_ENTRIES)).all()) == 2


def test_a_running_number_is_given_once_a_case(database: Database) -> None:
    numbers = SqlNumbers(database=database)

    def key(case: str) -> IssueKey:
        return IssueKey(
            issuer_code=DepartmentCode("1" * 18), case_number=case, type_code="t", service_item="s"
        )

    given_out: dict[str, int] = {}

    def work(case: str) -> None:
        given_out[case] = numbers.sequence_for(key(case), year=2026)

    threads = [threading.Thread(target=work, args=(f"c{number}",)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given_out.values()) == list(range(1, 13))
    assert numbers.sequence_for(key("c3"), year=2026) == given_out["c3"]
