"""Opens the database and brings its schema up to date."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url

_MIGRATIONS = Path(__file__).with_name("migrations")


def open_database(url: str) -> Engine:
    """An engine; SQLite in WAL mode, waiting up to 10 s for another writer. Errors do not repeat bound values."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, hide_parameters=True)
    _create_private(make_url(url).database)
    engine = create_engine(url, connect_args={"timeout": 10}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine


def _create_private(path: str | None) -> None:
    """A new database file is its owner's only (0600); SQLite gives its journals the same mode."""
    if not path or path == ":memory:" or path.startswith("file:"):
        return
    with suppress(OSError):  # it exists, or cannot be made: SQLite will say which when it connects
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def migrate(engine: Engine) -> None:
    """Applies the migrations that the database lacks; of several processes that start at once, one does."""
    configuration = Config()
    configuration.set_main_option("script_location", str(_MIGRATIONS))
    configuration.set_main_option("path_separator", "os")
    with _one_at_a_time(engine), engine.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
    engine.dispose()  # a process forked from this one opens its own connections


@contextmanager
def _one_at_a_time(engine: Engine) -> Iterator[None]:
    """SQLite has no lock that spans reading the version and creating tables; a file beside it has."""
    path = engine.url.database
    if engine.dialect.name != "sqlite" or not path:
        yield
        return
    with Path(f"{path}.migrating").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
