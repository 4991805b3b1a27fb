"""Agreements to the release of an ID number, and proofs of possession that were used."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "number_releases",
        sa.Column("release_id", sa.String(length=64), nullable=False),
        sa.Column("realname_ref", sa.String(length=64), nullable=False),
        sa.Column("session_mark", sa.String(length=64), nullable=False),
        sa.Column("site_id", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=64), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("agreed_at", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("release_id"),
    )
    op.create_index("ix_number_releases_realname_ref", "number_releases", ["realname_ref"])
    op.create_index("ix_number_releases_session_mark", "number_releases", ["session_mark"])
    op.create_table(
        "used_proofs",
        sa.Column("proof_mark", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("proof_mark"),
    )
    op.create_index("ix_used_proofs_expires_at", "used_proofs", ["expires_at"])


def downgrade() -> None:
    op.drop_table("used_proofs")
    op.drop_table("number_releases")
