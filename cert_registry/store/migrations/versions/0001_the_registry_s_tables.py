"""The registry's tables.

Revision: 0001
Revises:
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from cert_registry.store.metadata import UtcInstant

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:  # noqa: PLR0915 - one statement a table
    """Apply."""
    op.create_table(
        "alarms",
        sa.Column("alarm_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("file_digest", sa.String(length=64), nullable=False),
        sa.Column("signer", sa.String(length=200), nullable=False),
        sa.Column("raised_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("alarm_id", name=op.f("pk_alarms")),
        sa.UniqueConstraint("kind", "file_digest", name=op.f("uq_alarms_kind_file_digest")),
    )
    op.create_table(
        "certificate_numbers",
        sa.Column("issuer_code", sa.String(length=18), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("service_item", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint(
            "issuer_code", "type_code", "year", "sequence", name=op.f("pk_certificate_numbers")
        ),
        sa.UniqueConstraint(
            "issuer_code",
            "type_code",
            "case_number",
            "service_item",
            name=op.f("uq_certificate_numbers_issuer_code_type_code_case_number_service_item"),
        ),
    )
    op.create_table(
        "checks",
        sa.Column("check_id", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=160), nullable=True),
        sa.Column("asked_at", UtcInstant(), nullable=False),
        sa.Column("department_code", sa.String(length=18), nullable=False),
        sa.Column("department_name", sa.String(length=200), nullable=False),
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("officer", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=200), nullable=False),
        sa.Column("service_item", sa.String(length=64), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("legal_basis", sa.String(length=200), nullable=False),
        sa.Column("operation", sa.String(length=24), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("answer", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("check_id", name=op.f("pk_checks")),
    )
    with op.batch_alter_table("checks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_checks_department_code"), ["department_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_checks_identifier"), ["identifier"], unique=False)

    op.create_table(
        "drafts",
        sa.Column("draft_id", sa.String(length=32), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("issuer_code", sa.String(length=18), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("drafter_id", sa.String(length=64), nullable=False),
        sa.Column("signer_id", sa.String(length=64), nullable=True),
        sa.Column("order_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("identifier", sa.String(length=160), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("changed_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("draft_id", name=op.f("pk_drafts")),
    )
    with op.batch_alter_table("drafts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_drafts_issuer_code"), ["issuer_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_drafts_stage"), ["stage"], unique=False)

    op.create_table(
        "ing_batches",
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("type_slug", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("file_digest", sa.String(length=64), nullable=False),
        sa.Column("encoding", sa.String(length=16), nullable=False),
        sa.Column("ignored_columns", sa.Text(), nullable=False),
        sa.Column("rows_done", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcInstant(), nullable=False),
        sa.Column("finished_at", UtcInstant(), nullable=True),
        sa.PrimaryKeyConstraint("batch_id", name=op.f("pk_ing_batches")),
    )
    with op.batch_alter_table("ing_batches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ing_batches_source"), ["source"], unique=False)

    op.create_table(
        "ing_stock",
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("row_key", sa.String(length=64), nullable=False),
        sa.Column("content_digest", sa.String(length=64), nullable=False),
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.PrimaryKeyConstraint("source", "row_key", name=op.f("pk_ing_stock")),
    )
    op.create_table(
        "intents",
        sa.Column("intent_id", sa.String(length=32), nullable=False),
        sa.Column("issuer_code", sa.String(length=18), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("service_item", sa.String(length=64), nullable=False),
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("content_mac", sa.String(length=64), nullable=True),
        sa.Column("order_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("check_code_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("check_code_mac", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("status_list", sa.Integer(), nullable=True),
        sa.Column("status_index", sa.Integer(), nullable=True),
        sa.Column("stored_at", UtcInstant(), nullable=True),
        sa.Column("twin_digest", sa.String(length=64), nullable=True),
        sa.Column("rendered_digest", sa.String(length=64), nullable=True),
        sa.Column("seal_place", sa.Text(), nullable=True),
        sa.Column("sealed_digest", sa.String(length=64), nullable=True),
        sa.Column("seal_id", sa.String(length=64), nullable=True),
        sa.Column("requested_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("delivered_at", UtcInstant(), nullable=True),
        sa.Column("problem", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("intent_id", name=op.f("pk_intents")),
        sa.UniqueConstraint("identifier", name=op.f("uq_intents_identifier")),
        sa.UniqueConstraint(
            "issuer_code",
            "case_number",
            "type_code",
            "service_item",
            name=op.f("uq_intents_issuer_code_case_number_type_code_service_item"),
        ),
        sa.UniqueConstraint("sealed_digest", name=op.f("uq_intents_sealed_digest")),
    )
    with op.batch_alter_table("intents", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_intents_stage"), ["stage"], unique=False)

    op.create_table(
        "lp_legal_persons",
        sa.Column("credit_code", sa.String(length=18), nullable=False),
        sa.Column("holder_reference", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("head_reference", sa.String(length=64), nullable=False),
        sa.Column("head_name_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("updated_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("credit_code", name=op.f("pk_lp_legal_persons")),
        sa.UniqueConstraint("holder_reference", name=op.f("uq_lp_legal_persons_holder_reference")),
    )
    with op.batch_alter_table("lp_legal_persons", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_lp_legal_persons_head_reference"), ["head_reference"], unique=False
        )

    op.create_table(
        "notices",
        sa.Column("notice_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("holder_reference", sa.String(length=64), nullable=False),
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("read_at", UtcInstant(), nullable=True),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_notices")),
        sa.UniqueConstraint(
            "holder_reference",
            "identifier",
            "kind",
            "sequence",
            name=op.f("uq_notices_holder_reference_identifier_kind_sequence"),
        ),
    )
    with op.batch_alter_table("notices", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_notices_holder_reference"), ["holder_reference"], unique=False)

    op.create_table(
        "objects",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=64), nullable=False),
        sa.Column("stored_at", UtcInstant(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_objects")),
    )
    op.create_table(
        "org_departments",
        sa.Column("code", sa.String(length=18), nullable=False),
        sa.Column("slug", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("area_code", sa.String(length=6), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_org_departments")),
        sa.UniqueConstraint("slug", name=op.f("uq_org_departments_slug")),
    )
    op.create_table(
        "org_revisions",
        sa.Column("only", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("only", name=op.f("pk_org_revisions")),
    )
    op.create_table(
        "outbox",
        sa.Column("leaf_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("leaf_entry", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("leaf_index", sa.Integer(), nullable=True),
        sa.Column("sequenced_at", UtcInstant(), nullable=True),
        sa.PrimaryKeyConstraint("leaf_id", name=op.f("pk_outbox")),
        sa.UniqueConstraint("leaf_entry", name=op.f("uq_outbox_leaf_entry")),
        sa.UniqueConstraint("subject", "kind", "sequence", name=op.f("uq_outbox_subject_kind_sequence")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_leaf_index"), ["leaf_index"], unique=False)
        batch_op.create_index(batch_op.f("ix_outbox_subject"), ["subject"], unique=False)

    op.create_table(
        "status_lists",
        sa.Column("list_number", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("list_number", name=op.f("pk_status_lists")),
    )
    op.create_table(
        "ecerts",
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.Column("intent_id", sa.String(length=32), nullable=True),
        sa.Column("registration", sa.String(length=16), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("issuer_code", sa.String(length=18), nullable=False),
        sa.Column("issuer_name", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("service_item", sa.String(length=64), nullable=False),
        sa.Column("face_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("check_code_sealed", sa.LargeBinary(), nullable=True),
        sa.Column("check_code_mac", sa.LargeBinary(), nullable=True),
        sa.Column("file_digest", sa.String(length=64), nullable=True),
        sa.Column("twin_digest", sa.String(length=64), nullable=True),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("state", sa.String(length=2), nullable=False),
        sa.Column("state_sequence", sa.Integer(), nullable=False),
        sa.Column("file_state", sa.String(length=16), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.Column("status_list", sa.Integer(), nullable=True),
        sa.Column("status_index", sa.Integer(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=False),
        sa.Column("replaces", sa.String(length=160), nullable=True),
        sa.Column("replaced_by", sa.String(length=160), nullable=True),
        sa.Column("seal_id", sa.String(length=64), nullable=True),
        sa.Column("source", sa.String(length=64), nullable=True),
        sa.Column("source_key", sa.String(length=64), nullable=True),
        sa.Column("recorded_at", UtcInstant(), nullable=False),
        sa.Column("effective_at", UtcInstant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["intent_id"], ["intents.intent_id"], name=op.f("fk_ecerts_intent_id_intents")
        ),
        sa.PrimaryKeyConstraint("identifier", name=op.f("pk_ecerts")),
        sa.UniqueConstraint("file_digest", name=op.f("uq_ecerts_file_digest")),
        sa.UniqueConstraint("intent_id", name=op.f("uq_ecerts_intent_id")),
        sa.UniqueConstraint("source", "source_key", name=op.f("uq_ecerts_source_source_key")),
    )
    with op.batch_alter_table("ecerts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ecerts_issuer_code"), ["issuer_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_ecerts_registration"), ["registration"], unique=False)
        batch_op.create_index(batch_op.f("ix_ecerts_type_code"), ["type_code"], unique=False)

    op.create_table(
        "ing_rows",
        sa.Column("batch_id", sa.String(length=32), nullable=False),
        sa.Column("line_number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=32), nullable=True),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("flags", sa.String(length=200), nullable=False),
        sa.Column("identifier", sa.String(length=160), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["ing_batches.batch_id"], name=op.f("fk_ing_rows_batch_id_ing_batches")
        ),
        sa.PrimaryKeyConstraint("batch_id", "line_number", name=op.f("pk_ing_rows")),
    )
    with op.batch_alter_table("ing_rows", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ing_rows_batch_id_outcome"), ["batch_id", "outcome"], unique=False
        )

    op.create_table(
        "org_appointments",
        sa.Column("staff_id", sa.String(length=64), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["department"],
            ["org_departments.code"],
            name=op.f("fk_org_appointments_department_org_departments"),
        ),
        sa.PrimaryKeyConstraint(
            "staff_id", "department", "role", "valid_from", name=op.f("pk_org_appointments")
        ),
    )
    op.create_table(
        "org_client_rights",
        sa.Column("client_id", sa.String(length=64), nullable=False),
        sa.Column("operation", sa.String(length=16), nullable=False),
        sa.Column("certificate_type", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.Column("within", sa.String(length=18), nullable=False),
        sa.Column("fields", sa.Text(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["department"],
            ["org_departments.code"],
            name=op.f("fk_org_client_rights_department_org_departments"),
        ),
        sa.ForeignKeyConstraint(
            ["within"], ["org_departments.code"], name=op.f("fk_org_client_rights_within_org_departments")
        ),
        sa.PrimaryKeyConstraint(
            "client_id", "operation", "certificate_type", "valid_from", name=op.f("pk_org_client_rights")
        ),
    )
    op.create_table(
        "org_issuing_rights",
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.Column("certificate_type", sa.String(length=64), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("within", sa.String(length=18), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["department"],
            ["org_departments.code"],
            name=op.f("fk_org_issuing_rights_department_org_departments"),
        ),
        sa.ForeignKeyConstraint(
            ["within"], ["org_departments.code"], name=op.f("fk_org_issuing_rights_within_org_departments")
        ),
        sa.PrimaryKeyConstraint(
            "department", "certificate_type", "valid_from", name=op.f("pk_org_issuing_rights")
        ),
    )
    op.create_table(
        "org_placements",
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("parent", sa.String(length=18), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["department"],
            ["org_departments.code"],
            name=op.f("fk_org_placements_department_org_departments"),
        ),
        sa.ForeignKeyConstraint(
            ["parent"], ["org_departments.code"], name=op.f("fk_org_placements_parent_org_departments")
        ),
        sa.PrimaryKeyConstraint("department", "valid_from", name=op.f("pk_org_placements")),
    )
    op.create_table(
        "org_seals",
        sa.Column("seal_id", sa.String(length=64), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("key_label", sa.String(length=64), nullable=False),
        sa.Column("shape", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("types", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["department"], ["org_departments.code"], name=op.f("fk_org_seals_department_org_departments")
        ),
        sa.PrimaryKeyConstraint("seal_id", name=op.f("pk_org_seals")),
    )
    op.create_table(
        "seal_uses",
        sa.Column("use_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("intent_id", sa.String(length=32), nullable=False),
        sa.Column("seal_id", sa.String(length=64), nullable=False),
        sa.Column("rendered_digest", sa.String(length=64), nullable=False),
        sa.Column("started_at", UtcInstant(), nullable=False),
        sa.Column("sealed_digest", sa.String(length=64), nullable=True),
        sa.Column("outcome", sa.String(length=24), nullable=False),
        sa.ForeignKeyConstraint(
            ["intent_id"], ["intents.intent_id"], name=op.f("fk_seal_uses_intent_id_intents")
        ),
        sa.PrimaryKeyConstraint("use_id", name=op.f("pk_seal_uses")),
    )
    with op.batch_alter_table("seal_uses", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seal_uses_intent_id"), ["intent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_seal_uses_seal_id"), ["seal_id"], unique=False)

    op.create_table(
        "status_entries",
        sa.Column("list_number", sa.Integer(), nullable=False),
        sa.Column("status_index", sa.Integer(), nullable=False),
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.ForeignKeyConstraint(
            ["list_number"],
            ["status_lists.list_number"],
            name=op.f("fk_status_entries_list_number_status_lists"),
        ),
        sa.PrimaryKeyConstraint("list_number", "status_index", name=op.f("pk_status_entries")),
        sa.UniqueConstraint("identifier", name=op.f("uq_status_entries_identifier")),
    )
    op.create_table(
        "downloads",
        sa.Column("ticket_hash", sa.String(length=64), nullable=False),
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.Column("holder_reference", sa.String(length=64), nullable=False),
        sa.Column("created_at", UtcInstant(), nullable=False),
        sa.Column("expires_at", UtcInstant(), nullable=False),
        sa.Column("used_at", UtcInstant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["identifier"], ["ecerts.identifier"], name=op.f("fk_downloads_identifier_ecerts")
        ),
        sa.PrimaryKeyConstraint("ticket_hash", name=op.f("pk_downloads")),
    )
    op.create_table(
        "ecert_holders",
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("holder_reference", sa.String(length=64), nullable=False),
        sa.Column("code_type", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(
            ["identifier"], ["ecerts.identifier"], name=op.f("fk_ecert_holders_identifier_ecerts")
        ),
        sa.PrimaryKeyConstraint("identifier", "position", name=op.f("pk_ecert_holders")),
    )
    with op.batch_alter_table("ecert_holders", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ecert_holders_holder_reference"), ["holder_reference"], unique=False
        )

    op.create_table(
        "state_events",
        sa.Column("identifier", sa.String(length=160), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("operation", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=2), nullable=False),
        sa.Column("file_state", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("actor_department", sa.String(length=18), nullable=False),
        sa.Column("case_number", sa.String(length=64), nullable=False),
        sa.Column("effective_at", UtcInstant(), nullable=False),
        sa.Column("recorded_at", UtcInstant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["identifier"], ["ecerts.identifier"], name=op.f("fk_state_events_identifier_ecerts")
        ),
        sa.PrimaryKeyConstraint("identifier", "sequence", name=op.f("pk_state_events")),
    )
