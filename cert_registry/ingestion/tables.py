"""Tables of the ingestion room. A refused row leaves its line, reason and field, never a value."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from cert_registry.store.metadata import METADATA, UtcInstant

ING_BATCHES: Final = Table(
    "ing_batches",
    METADATA,
    Column("batch_id", String(32), primary_key=True),
    Column("source", String(64), nullable=False, index=True),
    Column("type_slug", String(64), nullable=False),
    Column("file_name", String(200), nullable=False),
    Column("file_digest", String(64), nullable=False),
    Column("encoding", String(16), nullable=False),
    Column("ignored_columns", Text, nullable=False),  # JSON list
    Column("rows_done", Integer, nullable=False),  # the cursor
    Column("started_at", UtcInstant, nullable=False),
    Column("finished_at", UtcInstant),  # null: running or interrupted
)

ING_ROWS: Final = Table(
    "ing_rows",
    METADATA,
    Column("batch_id", String(32), ForeignKey("ing_batches.batch_id"), primary_key=True),
    Column("line_number", Integer, primary_key=True),
    Column("outcome", String(16), nullable=False),
    Column("reason", String(32)),
    Column("field", String(64), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("flags", String(200), nullable=False),  # codes, sorted, joined by a blank
    Column("identifier", String(160)),
    Index(None, "batch_id", "outcome"),
)

ING_STOCK: Final = Table(
    "ing_stock",
    METADATA,
    Column("source", String(64), primary_key=True),
    Column("row_key", String(64), primary_key=True),  # keyed digest of the certificate's own number
    Column("content_digest", String(64), nullable=False),  # keyed digest of everything the row said
    Column("identifier", String(160), nullable=False),
)
