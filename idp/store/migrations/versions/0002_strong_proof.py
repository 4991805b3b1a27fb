"""Proof at a counter or by face; one link in force a person, the displaced ones kept."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_KEPT = "realname_ref, holder_reference, name_sealed, number_sealed, mobile_sealed, level, state, created_at, verified_at"


def upgrade() -> None:
    # Written anew, since the old unique constraint has no name that every database agrees on.
    op.rename_table("persons", "persons_before_0002")
    op.create_table(
        "persons",
        sa.Column("realname_ref", sa.String(length=64), nullable=False),
        sa.Column("holder_reference", sa.String(length=64), nullable=False),
        sa.Column("name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("number_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("mobile_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("displaced_at", sa.BigInteger(), nullable=True),
        sa.Column("displaced_by", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("realname_ref", name="pk_persons_0002"),
    )
    op.execute(
        f"INSERT INTO persons ({_KEPT}, evidence) "  # noqa: S608 - the names are those above
        f'SELECT {_KEPT}, \'["population_register","mobile_number_register"]\' FROM persons_before_0002'
    )
    op.drop_table("persons_before_0002")
    op.create_index("ix_persons_holder_reference", "persons", ["holder_reference"])
    op.create_index("ix_persons_displaced_by", "persons", ["displaced_by"])
    op.create_index(
        "persons_one_in_force",
        "persons",
        ["holder_reference"],
        unique=True,
        sqlite_where=sa.text("state <> 'displaced'"),
        postgresql_where=sa.text("state <> 'displaced'"),
    )
    _create_counter()
    _create_accounts()


def _create_counter() -> None:
    op.create_table(
        "window_grants",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("staff_id", sa.String(length=64), nullable=False),
        sa.Column("department_code", sa.String(length=18), nullable=False),
        sa.Column("office", sa.String(length=100), nullable=False),
        sa.Column("valid_from", sa.String(length=10), nullable=False),
        sa.Column("valid_to", sa.String(length=10), nullable=True),
        sa.Column("basis", sa.String(length=200), nullable=False),
        sa.Column("granted_by", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_window_grants_staff_id", "window_grants", ["staff_id"])
    op.create_table(
        "counter_acts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("staff_id", sa.String(length=64), nullable=False),
        sa.Column("department_code", sa.String(length=18), nullable=False),
        sa.Column("office", sa.String(length=100), nullable=False),
        sa.Column("grant_id", sa.Integer(), nullable=False),
        sa.Column("document_kind", sa.String(length=32), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("decision", sa.String(length=16), nullable=True),
        sa.Column("realname_ref", sa.String(length=64), nullable=True),
        sa.Column("displaced_ref", sa.String(length=64), nullable=True),
        sa.Column("number_mark", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_counter_acts_staff_id", "counter_acts", ["staff_id"])
    op.create_index("ix_counter_acts_realname_ref", "counter_acts", ["realname_ref"])
    op.create_table(
        "face_checks",
        sa.Column("visit_mark", sa.String(length=64), nullable=False),
        sa.Column("check_id", sa.String(length=64), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("passed_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("visit_mark"),
    )
    op.create_index("ix_face_checks_expires_at", "face_checks", ["expires_at"])


def _create_accounts() -> None:
    op.create_table(
        "acts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("realname_ref", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("source_id", sa.String(length=64), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("source_id"),
    )
    op.create_index("acts_of_link", "acts", ["realname_ref", "at"])
    op.create_table(
        "account_orders",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("realname_ref", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_account_orders_done_at", "account_orders", ["done_at"])
    op.create_table(
        "web_sessions",
        sa.Column("session_mark", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("content_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("sid", sa.String(length=255), nullable=True),
        sa.Column("subject", sa.String(length=255), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("session_mark"),
    )
    op.create_index("ix_web_sessions_sid", "web_sessions", ["sid"])
    op.create_index("ix_web_sessions_subject", "web_sessions", ["subject"])
    op.create_index("ix_web_sessions_expires_at", "web_sessions", ["expires_at"])


def downgrade() -> None:
    for table in ("web_sessions", "account_orders", "acts", "face_checks", "counter_acts", "window_grants"):
        op.drop_table(table)
    op.execute("DELETE FROM persons WHERE state = 'displaced'")
    for index in ("persons_one_in_force", "ix_persons_displaced_by", "ix_persons_holder_reference"):
        op.drop_index(index, table_name="persons")
    with op.batch_alter_table("persons") as persons:
        for column in ("displaced_by", "displaced_at", "evidence"):
            persons.drop_column(column)
        persons.create_unique_constraint("persons_holder_reference_key", ["holder_reference"])
