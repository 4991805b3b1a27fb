"""Terms to find ecerts by, and the orders in which officers list them.

Ecerts that are there already are listed as due; the service gives them their terms once it runs, since a term needs a key of the
token.

Revision: 0002
Revises: 0001
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_ADDED = (
    ("ecerts", ("issuer_code", "recorded_at", "identifier")),
    ("ecerts", ("issuer_code", "issued_on", "identifier")),
    ("ecerts", ("issuer_code", "valid_until", "identifier")),
    ("ecerts", ("issuer_code", "type_code", "recorded_at", "identifier")),
    ("ecerts", ("issuer_code", "state", "recorded_at", "identifier")),
    ("drafts", ("issuer_code", "changed_at", "draft_id")),
    ("checks", ("department_code", "asked_at", "check_id")),
)
_REPLACED = (
    ("ecerts", "issuer_code"),
    ("ecerts", "type_code"),
    ("drafts", "issuer_code"),
    ("checks", "department_code"),
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "ecert_terms",
        sa.Column("term", sa.LargeBinary(length=16), nullable=False),
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(
            ["identifier"], ["ecerts.identifier"], name=op.f("fk_ecert_terms_identifier_ecerts")
        ),
        sa.PrimaryKeyConstraint("term", "identifier", name=op.f("pk_ecert_terms")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "ecert_terms_due",
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(
            ["identifier"], ["ecerts.identifier"], name=op.f("fk_ecert_terms_due_identifier_ecerts")
        ),
        sa.PrimaryKeyConstraint("identifier", name=op.f("pk_ecert_terms_due")),
    )
    op.execute("INSERT INTO ecert_terms_due (identifier) SELECT identifier FROM ecerts")
    for table, column in _REPLACED:
        op.drop_index(f"ix_{table}_{column}", table_name=table)
    for table, columns in _ADDED:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), unique=False)
