"""Writes that share a commit, and files that share their way to the disk."""

import hashlib
import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError
from test_store_contract import MemoryKey

from cert_registry.errors import StoreUnavailable
from cert_registry.store.engine import Database, open_database
from cert_registry.store.migrate import upgrade
from cert_registry.store.objects import DiskObjects
from cert_registry.store.tables import OBJECTS

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Database:
    opened = open_database(tmp_path / "groups.db")
    upgrade(opened)
    return opened


def keep(connection: Connection, digest: str) -> None:
    connection.execute(
        insert(OBJECTS), {"digest": digest, "size_bytes": 1, "media_type": "a/b", "stored_at": NOW}
    )


def keep_and_fail(database: Database, digest: str) -> None:
    with database.writing() as connection:
        keep(connection, digest)
        raise ZeroDivisionError


def kept(database: Database) -> list[str]:
    with database.reading() as connection:
        return list(connection.scalars(select(OBJECTS.c.digest).order_by(OBJECTS.c.digest)))


def test_a_group_of_writes_is_one_commit_and_each_write_takes_back_its_own_only(database: Database) -> None:
    seen_outside: list[list[str]] = []
    with database.together():
        with database.writing() as connection:
            keep(connection, "1")
        with pytest.raises(ZeroDivisionError):
            keep_and_fail(database, "2")
        with pytest.raises(IntegrityError), database.writing() as connection:
            keep(connection, "1")
        with database.together(), database.writing() as connection:
            keep(connection, "3")
        assert kept(database) == ["1", "3"]
        other = threading.Thread(target=lambda: seen_outside.append(kept(database)))
        other.start()
        other.join()
    assert seen_outside == [[]]
    assert kept(database) == ["1", "3"]


def test_a_group_of_writes_that_raises_leaves_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.together():
        keep_and_fail(database, "1")
    assert kept(database) == []
    with database.writing() as connection:  # the thread is out of the group again
        keep(connection, "2")
    assert kept(database) == ["2"]


def test_files_kept_together_are_there_and_mended_where_damaged(database: Database, tmp_path: Path) -> None:
    objects = DiskObjects(tmp_path / "objects", database=database, cipher=MemoryKey())
    files = [(secrets.token_bytes(100), "application/pdf") for _ in range(5)]
    digests = objects.put_all([*files, files[0]], now=NOW)
    assert digests == (*(hashlib.sha256(content).hexdigest() for content, _ in files), digests[0])
    assert [objects.get(digest) for digest in digests[:5]] == [content for content, _ in files]
    (tmp_path / "objects" / digests[2][:2] / digests[2]).write_bytes(b"x")
    assert objects.put_all(files, now=NOW) == digests[:5]
    assert objects.get(digests[2]) == files[2][0]
    assert not list((tmp_path / "objects").rglob(".incoming-*"))


def test_files_kept_together_on_a_broken_disk_leave_no_row_and_no_rest(
    database: Database, tmp_path: Path
) -> None:
    root = tmp_path / "objects"
    objects = DiskObjects(root, database=database, cipher=MemoryKey())
    first, second = secrets.token_bytes(10), secrets.token_bytes(10)
    (root / hashlib.sha256(second).hexdigest()[:2]).write_bytes(b"no directory")
    with pytest.raises(StoreUnavailable):
        objects.put_all([(first, "a/b"), (second, "a/b")], now=NOW)
    with database.reading() as connection:
        assert connection.scalar(select(func.count()).select_from(OBJECTS)) == 0
    assert not list(root.rglob(".incoming-*"))
