"""Seals with a life: what was a row of the chart becomes an object with its history.

Seals that stand are taken over as they are, each with one event and its leaf.

Revision: 0003
Revises: 0002
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime

import rfc8785
import sqlalchemy as sa
from alembic import op

from cert_registry.store.metadata import UtcInstant
from cert_registry.tlog.leaf import leaf_entry

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "seal_pictures",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("width_mm", sa.Float(), nullable=False),
        sa.Column("height_mm", sa.Float(), nullable=False),
        sa.Column("stored_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_seal_pictures")),
    )
    op.create_table(
        "seals",
        sa.Column("seal_id", sa.String(length=64), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("filing_number", sa.String(length=14), nullable=False),
        sa.Column("shape", sa.String(length=16), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("usage_limit", sa.Integer(), nullable=True),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("applicant", sa.String(length=64), nullable=False),
        sa.Column("certificate_source", sa.String(length=16), nullable=False),
        sa.Column("certificate_serial", sa.String(length=40), nullable=True),
        sa.Column("certificate", sa.LargeBinary(), nullable=True),
        sa.Column("picture_sha256", sa.String(length=64), nullable=True),
        sa.Column("replaces", sa.String(length=64), nullable=True),
        sa.Column("replaced_by", sa.String(length=64), nullable=True),
        sa.Column("revoked_as_of", UtcInstant(), nullable=True),
        sa.Column("revocation_pending", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["department"], ["org_departments.code"], name=op.f("fk_seals_department_org_departments")
        ),
        sa.ForeignKeyConstraint(
            ["picture_sha256"], ["seal_pictures.sha256"], name=op.f("fk_seals_picture_sha256_seal_pictures")
        ),
        sa.PrimaryKeyConstraint("seal_id", name=op.f("pk_seals")),
    )
    op.create_index(op.f("ix_seals_department"), "seals", ["department"])
    op.create_index(op.f("ix_seals_state"), "seals", ["state"])
    op.create_table(
        "seal_events",
        sa.Column("seal_id", sa.String(length=64), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("act", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("recorded_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(["seal_id"], ["seals.seal_id"], name=op.f("fk_seal_events_seal_id_seals")),
        sa.PrimaryKeyConstraint("seal_id", "sequence", name=op.f("pk_seal_events")),
    )
    _take_over()
    op.drop_table("org_seals")


def _take_over() -> None:
    """A seal of the chart becomes a seal with one event; its key and certificate have its old label as name."""
    connection = op.get_bind()
    now = datetime.now(UTC)
    metadata = sa.MetaData()
    old = sa.Table("org_seals", metadata, autoload_with=connection)
    tables = {
        name: sa.Table(name, metadata, autoload_with=connection)
        for name in ("seals", "seal_events", "outbox")
    }
    for row in connection.execute(sa.select(old)).mappings().all():
        used = connection.execute(
            sa.text("SELECT COUNT(DISTINCT intent_id) FROM seal_uses WHERE seal_id = :id"),
            {"id": row["seal_id"]},
        ).scalar_one()
        connection.execute(
            tables["seals"].insert(),
            {
                **{
                    name: row[name]
                    for name in ("department", "name", "shape", "types", "valid_from", "valid_to")
                },
                "seal_id": row["key_label"],
                "kind": row["kind"],
                "filing_number": "",
                "used": used,
                "state": row["state"],
                "applicant": "",
                "certificate_source": "own",
                "revocation_pending": False,
                "revision": 1,
                "created_at": now,
            },
        )
        event = {
            "event": "seal-changed",
            "seal_id": row["key_label"],
            "sequence": 1,
            "act": "take-over",
            "state": row["state"],
            "department": row["department"],
            "detail": "",
            "recorded_at": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        }
        connection.execute(
            tables["seal_events"].insert(),
            {
                **{name: event[name] for name in ("seal_id", "sequence", "act", "state", "detail")},
                "actor_id": "",
                "channel": "system",
                "reason": "系统升级时沿用",
                "recorded_at": now,
            },
        )
        salt = os.urandom(32)
        connection.execute(
            tables["outbox"].insert(),
            {
                "subject": row["key_label"],
                "kind": "seal-changed",
                "sequence": 1,
                "event": rfc8785.dumps(event).decode(),
                "salt": salt,
                "leaf_entry": leaf_entry("longzheng seal-changed v1", salt, event),
                "created_at": now,
            },
        )
