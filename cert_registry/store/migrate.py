"""Brings a database to the newest revision; run at every start, changes nothing when there is nothing to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from cert_registry.errors import ConfigurationError
from cert_registry.store.metadata import METADATA

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from cert_registry.store.engine import Database

MIGRATIONS = Path(__file__).parent / "migrations"


def upgrade(database: Database) -> None:
    """Apply the migrations that the database lacks, all or none.

    Raises:
        ConfigurationError: The database was written by a newer version of this service.
        StoreUnavailable: The database does not take writes.
    """
    with database.writing() as connection:
        config = alembic_config(connection)
        script = ScriptDirectory.from_config(config)
        present = _present_revision(connection)
        if present is not None and present not in {revision.revision for revision in script.walk_revisions()}:
            raise ConfigurationError(
                "registry.database_url: the database is of a newer version; start that version of the service."
            )
        if present != script.get_current_head():
            command.upgrade(config, "head")


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration on a connection, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _present_revision(connection: Connection) -> str | None:
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - slow to import, used once a start

    context = MigrationContext.configure(connection, opts={"target_metadata": METADATA})
    revision: str | None = context.get_current_revision()
    return revision
