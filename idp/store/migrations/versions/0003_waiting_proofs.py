"""Proofs that wait for a register, and what was normalised of a name."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("proofs") as proofs:
        proofs.add_column(sa.Column("name_notes", sa.Text(), nullable=False, server_default="[]"))
    op.create_table(
        "waiting_proofs",
        sa.Column("claim_mark", sa.String(length=64), nullable=False),
        sa.Column("claim_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("claim_mark"),
    )
    op.create_index("ix_waiting_proofs_expires_at", "waiting_proofs", ["expires_at"])


def downgrade() -> None:
    op.drop_table("waiting_proofs")
    with op.batch_alter_table("proofs") as proofs:
        proofs.drop_column("name_notes")
