"""Opens the database: SQLite in WAL mode by default, PostgreSQL by URL.

A writer takes SQLite's write lock when its transaction begins (BEGIN IMMEDIATE): a transaction that reads
first and writes later cannot fail half way with SQLITE_BUSY. A commit is on disk when it returns
(`synchronous=FULL`), because the order of writes is what the issuing steps rely on. Errors do not repeat
bound values.

Many writes of one thread can be made one commit (`Database.together`): each of them keeps its own all or nothing by
a savepoint, and all of them are on disk when the group ends.
Source: sqlite.org, "Write-Ahead Logging", "PRAGMA synchronous", "BEGIN IMMEDIATE".
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, final

from sqlalchemy import create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, IntegrityError, SQLAlchemyError

from cert_registry.errors import ConfigurationError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection, Engine, Table

_BUSY_TIMEOUT_MS: Final = 15_000
_WRITE: Final = "longzheng_write"


class _Group(threading.local):
    """The transaction that a thread's writes share; None outside a group."""

    connection: Connection | None = None


@final
class Database:
    """Transactions on one engine: `reading()` sees a snapshot, `writing()` commits when its block ends."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(**{_WRITE: True})
        self._group = _Group()

    @contextmanager
    def together(self) -> Iterator[None]:
        """What this thread writes inside is one commit, durable when the block ends, and nothing when it raises.

        Each `writing()` inside is a savepoint: one that raises takes back its own writes only. Keep the block short,
        since SQLite has one writer. A group inside a group is part of it.

        Raises:
            StoreUnavailable: The database did not take the commit; nothing of the group was written.
        """
        if self._group.connection is not None:
            yield
            return
        try:
            with self._writer.begin() as connection:
                self._group.connection = connection
                try:
                    yield
                finally:
                    self._group.connection = None
        except SQLAlchemyError as error:
            raise StoreUnavailable("the registry's database did not take a group of writes") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that reads one snapshot.

        Raises:
            StoreUnavailable: The database cannot be reached or refused the statement.
        """
        try:
            if self._group.connection is not None:
                yield self._group.connection
                return
            with self.engine.connect() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise StoreUnavailable("the registry's database did not answer a query") from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is durable when the block ends, and nothing when it raises.

        Raises:
            IntegrityError: A constraint was broken; repositories turn it into the decision it means.
            StoreUnavailable: The database cannot be reached, is full or is locked for too long.
        """
        grouped = self._group.connection
        try:
            with self._writer.begin() if grouped is None else _savepoint(grouped) as connection:
                yield connection
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise StoreUnavailable("the registry's database did not take a write") from error

    def dispose(self) -> None:
        """Closes every pooled connection."""
        self.engine.dispose()


@contextmanager
def _savepoint(connection: Connection) -> Iterator[Connection]:
    """All or nothing inside a transaction; said directly, because a group does it for every write."""
    connection.exec_driver_sql("SAVEPOINT one_of_a_group")
    try:
        yield connection
    except BaseException:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT one_of_a_group")
        connection.exec_driver_sql("RELEASE SAVEPOINT one_of_a_group")
        raise
    connection.exec_driver_sql("RELEASE SAVEPOINT one_of_a_group")


def open_database(database: str | Path) -> Database:
    """The database at `database`: a file path (SQLite), or an SQLAlchemy URL (`sqlite://…`, `postgresql…://…`).

    Raises:
        ConfigurationError: The URL names a database that the registry does not run on.
    """
    text = str(database)
    if "://" not in text:
        text = f"sqlite:///{text}"
    try:
        url = make_url(text)
        if url.get_backend_name() == "sqlite":
            _create_private(url.database)
            engine = create_engine(
                url, connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000}, hide_parameters=True
            )
            _prepare_sqlite(engine)
        elif url.get_backend_name() == "postgresql":
            engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
        else:
            raise ConfigurationError(f"database: {url.get_backend_name()} is not SQLite or PostgreSQL")
    except (ArgumentError, ImportError) as error:
        raise ConfigurationError("database: not a file path or URL with an installed driver") from error
    return Database(engine)


def insert_missing(connection: Connection, table: Table, **values: object) -> bool:
    """Insert a row unless its key or a unique value is there already; tells whether it was inserted."""
    build = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return connection.execute(build(table).on_conflict_do_nothing(), values).rowcount == 1


def _create_private(path: str | None) -> None:
    """A new database file is its owner's only (0600); SQLite gives its journals the same mode."""
    if not path or path == ":memory:" or path.startswith("file:"):
        return
    with suppress(OSError):  # it exists, or cannot be made: SQLite will say which when it connects
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the "begin" listener below starts transactions, not the driver
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_TIMEOUT_MS}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")
