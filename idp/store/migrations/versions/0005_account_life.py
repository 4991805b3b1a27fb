"""The life of an account: closed links are over, registers are asked again, acts say what left, orders name a site."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("persons", sa.Column("rechecked_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_persons_rechecked_at", "persons", ["rechecked_at"])
    _one_in_force("state NOT IN ('displaced', 'closed')")
    op.add_column("acts", sa.Column("detail", sa.String(length=200), nullable=False, server_default=""))
    op.add_column(
        "account_orders", sa.Column("subject", sa.String(length=200), nullable=False, server_default="")
    )


def downgrade() -> None:
    op.execute("UPDATE persons SET state = 'displaced' WHERE state = 'closed'")
    op.drop_column("account_orders", "subject")
    op.drop_column("acts", "detail")
    _one_in_force("state <> 'displaced'")
    op.drop_index("ix_persons_rechecked_at", "persons")
    op.drop_column("persons", "rechecked_at")


def _one_in_force(where: str) -> None:
    op.drop_index("persons_one_in_force", "persons")
    op.create_index(
        "persons_one_in_force",
        "persons",
        ["holder_reference"],
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )
