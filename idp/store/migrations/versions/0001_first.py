"""First tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "authorization_codes",
        sa.Column("code_mark", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=True),
        sa.Column("code_challenge", sa.String(length=128), nullable=False),
        sa.Column("realname_ref", sa.String(length=64), nullable=False),
        sa.Column("proved_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("code_mark"),
    )
    op.create_index(
        op.f("ix_authorization_codes_expires_at"), "authorization_codes", ["expires_at"], unique=False
    )
    op.create_table(
        "bearer_tokens",
        sa.Column("token_mark", sa.String(length=64), nullable=False),
        sa.Column("code_mark", sa.String(length=64), nullable=False),
        sa.Column("realname_ref", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("token_mark"),
    )
    op.create_index(op.f("ix_bearer_tokens_code_mark"), "bearer_tokens", ["code_mark"], unique=False)
    op.create_index(op.f("ix_bearer_tokens_expires_at"), "bearer_tokens", ["expires_at"], unique=False)
    op.create_table(
        "client_assertions",
        sa.Column("assertion_mark", sa.String(length=64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("assertion_mark"),
    )
    op.create_index(
        op.f("ix_client_assertions_expires_at"), "client_assertions", ["expires_at"], unique=False
    )
    op.create_table(
        "guesses",
        sa.Column("bucket", sa.String(length=80), nullable=False),
        sa.Column("guess_mark", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("bucket", "guess_mark"),
    )
    op.create_index(op.f("ix_guesses_at"), "guesses", ["at"], unique=False)
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
        sa.PrimaryKeyConstraint("realname_ref"),
        sa.UniqueConstraint("holder_reference"),
    )
    op.create_table(
        "proofs",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("realname_ref", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("number_mark", sa.String(length=64), nullable=False),
        sa.Column("mobile_mark", sa.String(length=64), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_proofs_number_mark"), "proofs", ["number_mark"], unique=False)
    op.create_index(op.f("ix_proofs_realname_ref"), "proofs", ["realname_ref"], unique=False)
    op.create_table(
        "sms_codes",
        sa.Column("visit_mark", sa.String(length=64), nullable=False),
        sa.Column("code_mark", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("visit_mark"),
    )
    op.create_index(op.f("ix_sms_codes_expires_at"), "sms_codes", ["expires_at"], unique=False)
    op.create_table(
        "sms_messages",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("mobile", sa.String(length=16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "sms_sendings",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("mobile_mark", sa.String(length=64), nullable=False),
        sa.Column("address_mark", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sms_sendings_address", "sms_sendings", ["address_mark", "at"], unique=False)
    op.create_index("sms_sendings_mobile", "sms_sendings", ["mobile_mark", "at"], unique=False)
    op.create_table(
        "visits",
        sa.Column("visit_mark", sa.String(length=64), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("typed_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("step", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("realname_ref", sa.String(length=64), nullable=True),
        sa.Column("proved_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("visit_mark"),
    )
    op.create_index(op.f("ix_visits_expires_at"), "visits", ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_visits_expires_at"), table_name="visits")
    op.drop_table("visits")
    op.drop_index("sms_sendings_mobile", table_name="sms_sendings")
    op.drop_index("sms_sendings_address", table_name="sms_sendings")
    op.drop_table("sms_sendings")
    op.drop_table("sms_messages")
    op.drop_index(op.f("ix_sms_codes_expires_at"), table_name="sms_codes")
    op.drop_table("sms_codes")
    op.drop_index(op.f("ix_proofs_realname_ref"), table_name="proofs")
    op.drop_index(op.f("ix_proofs_number_mark"), table_name="proofs")
    op.drop_table("proofs")
    op.drop_table("persons")
    op.drop_index(op.f("ix_guesses_at"), table_name="guesses")
    op.drop_table("guesses")
    op.drop_index(op.f("ix_client_assertions_expires_at"), table_name="client_assertions")
    op.drop_table("client_assertions")
    op.drop_index(op.f("ix_bearer_tokens_expires_at"), table_name="bearer_tokens")
    op.drop_index(op.f("ix_bearer_tokens_code_mark"), table_name="bearer_tokens")
    op.drop_table("bearer_tokens")
    op.drop_index(op.f("ix_authorization_codes_expires_at"), table_name="authorization_codes")
    op.drop_table("authorization_codes")
