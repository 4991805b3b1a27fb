"""Versions of sealed files: old digests stay known, and the level that a file reached is told.

Revision: 0004
Revises: 0003
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cert_registry.store.metadata import UtcInstant

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "file_versions",
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("file_digest", sa.String(length=64), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("stamped_at", UtcInstant(), nullable=True),
        sa.Column("holds_until", UtcInstant(), nullable=True),
        sa.Column("ends_with", sa.String(length=16), nullable=False),
        sa.Column("renewable_until", UtcInstant(), nullable=True),
        sa.Column("algorithms", sa.String(length=200), nullable=False),
        sa.Column("recorded_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["identifier"], ["ecerts.identifier"], name=op.f("fk_file_versions_identifier_ecerts")
        ),
        sa.PrimaryKeyConstraint("identifier", "sequence", name=op.f("pk_file_versions")),
        sa.UniqueConstraint("file_digest", name=op.f("uq_file_versions_file_digest")),
    )
    op.add_column("intents", sa.Column("sealed_level", sa.String(length=8), nullable=True))
    op.add_column("ecerts", sa.Column("sealed_level", sa.String(length=8), nullable=True))
    op.create_index(op.f("ix_ecerts_sealed_level"), "ecerts", ["sealed_level"])
