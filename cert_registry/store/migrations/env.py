"""Alembic's entry: runs on the connection that `migrate.upgrade` hands over, never on one of its own."""

from alembic import context

from cert_registry.store.every_table import METADATA

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=METADATA, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
