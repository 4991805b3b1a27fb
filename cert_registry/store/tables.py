"""The registry core's tables.

Faces, holders' numbers and check codes are only in columns named `…_sealed`, which hold what the data cipher
made of them; a holder is found by reference, a check code by its MAC. Digests are lower-case hex SHA-256.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from cert_registry.store.metadata import METADATA, UtcInstant

DRAFTS: Final = Table(
    "drafts",
    METADATA,
    Column("draft_id", String(32), primary_key=True),
    Column("stage", String(16), nullable=False, index=True),
    Column("issuer_code", String(18), nullable=False),
    Column("type_code", String(21), nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("drafter_id", String(64), nullable=False),
    Column("signer_id", String(64)),
    Column("order_sealed", LargeBinary, nullable=False),
    Column("remark", Text, nullable=False, default=""),
    Column("identifier", String(160)),
    Column("revision", Integer, nullable=False, default=1),
    Column("created_at", UtcInstant, nullable=False),
    Column("changed_at", UtcInstant, nullable=False),
    Index(None, "issuer_code", "changed_at", "draft_id"),
)

INTENTS: Final = Table(
    "intents",
    METADATA,
    Column("intent_id", String(32), primary_key=True),
    Column("issuer_code", String(18), nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("type_code", String(21), nullable=False),
    Column("service_item", String(64), nullable=False),
    Column("identifier", String(160), nullable=False, unique=True),
    Column("stage", String(16), nullable=False, index=True),
    Column("content_mac", String(64)),
    Column("order_sealed", LargeBinary),
    Column("check_code_sealed", LargeBinary),
    Column("check_code_mac", LargeBinary),
    Column("salt", LargeBinary),
    Column("status_list", Integer),
    Column("status_index", Integer),
    Column("stored_at", UtcInstant),
    Column("twin_digest", String(64)),
    Column("rendered_digest", String(64)),
    Column("seal_place", Text),  # JSON: page, left, bottom, right, top
    Column("sealed_digest", String(64), unique=True),
    Column("sealed_level", String(8)),  # PAdES level reached; null: before levels were recorded
    Column("seal_id", String(64)),
    Column("requested_by", String(64), nullable=False),  # client id, or the drafter's staff id
    Column("created_at", UtcInstant, nullable=False),
    Column("delivered_at", UtcInstant),
    Column("problem", String(64), nullable=False, default=""),
    UniqueConstraint("issuer_code", "case_number", "type_code", "service_item"),
)

STATUS_LISTS: Final = Table(
    "status_lists",
    METADATA,
    Column("list_number", Integer, primary_key=True),
    Column("used", Integer, nullable=False),
)

STATUS_ENTRIES: Final = Table(
    "status_entries",
    METADATA,
    Column("list_number", Integer, ForeignKey("status_lists.list_number"), primary_key=True),
    Column("status_index", Integer, primary_key=True),
    Column("identifier", String(160), nullable=False, unique=True),
)

ECERTS: Final = Table(
    "ecerts",
    METADATA,
    Column("identifier", String(160), primary_key=True),
    Column("intent_id", String(32), ForeignKey("intents.intent_id"), unique=True),  # null: stock
    Column("registration", String(16), nullable=False, index=True),
    Column("origin", String(16), nullable=False),
    Column("type_code", String(21), nullable=False),
    Column("issuer_code", String(18), nullable=False),
    Column("issuer_name", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("service_item", String(64), nullable=False),
    Column("face_sealed", LargeBinary, nullable=False),
    Column("check_code_sealed", LargeBinary),
    Column("check_code_mac", LargeBinary),
    Column("file_digest", String(64), unique=True),
    Column("sealed_level", String(8), index=True),  # PAdES level that the file reached
    Column("twin_digest", String(64)),
    Column("issued_on", Date, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_until", Date),  # last day included; null: 长期
    Column("state", String(2), nullable=False),
    Column("state_sequence", Integer, nullable=False),
    Column("file_state", String(16), nullable=False),
    Column("frozen", Boolean, nullable=False, default=False),
    Column("status_list", Integer),
    Column("status_index", Integer),
    Column("salt", LargeBinary, nullable=False),
    Column("replaces", String(160)),
    Column("replaced_by", String(160)),
    Column("seal_id", String(64)),
    Column("source", String(64)),
    Column("source_key", String(64)),  # keyed digest of the stock row's own key
    Column("recorded_at", UtcInstant, nullable=False),
    Column("effective_at", UtcInstant),
    UniqueConstraint("source", "source_key"),
    # each order and each usual filter of an issuer's list, so that a page is read and not sorted
    Index(None, "issuer_code", "recorded_at", "identifier"),
    Index(None, "issuer_code", "issued_on", "identifier"),
    Index(None, "issuer_code", "valid_until", "identifier"),
    Index(None, "issuer_code", "type_code", "recorded_at", "identifier"),
    Index(None, "issuer_code", "state", "recorded_at", "identifier"),
)

ECERT_TERMS: Final = Table(
    "ecert_terms",
    METADATA,
    Column("term", LargeBinary(16), primary_key=True),  # keyed hash of a word of the face: ecert_search.py
    Column("identifier", String(160), ForeignKey("ecerts.identifier"), primary_key=True),
    sqlite_with_rowid=False,
)

ECERT_TERMS_DUE: Final = Table(
    "ecert_terms_due",
    METADATA,
    Column("identifier", String(160), ForeignKey("ecerts.identifier"), primary_key=True),
)

#: Every version of every ecert's file; the newest is the one that the ecert's row names.
FILE_VERSIONS: Final = Table(
    "file_versions",
    METADATA,
    Column("identifier", String(160), ForeignKey("ecerts.identifier"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("file_digest", String(64), nullable=False, unique=True),
    Column("level", String(8), nullable=False),
    Column("reason", String(16), nullable=False),  # sealed, renewed
    Column("stamped_at", UtcInstant),
    Column("holds_until", UtcInstant),
    Column("ends_with", String(16), nullable=False),
    Column("renewable_until", UtcInstant),
    Column("algorithms", String(200), nullable=False),  # names, separated by spaces
    Column("recorded_at", UtcInstant, nullable=False),
)

CERTIFICATE_NUMBERS: Final = Table(
    "certificate_numbers",
    METADATA,
    Column("issuer_code", String(18), primary_key=True),
    Column("type_code", String(21), primary_key=True),
    Column("year", Integer, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("case_number", String(64), nullable=False),
    Column("service_item", String(64), nullable=False),
    UniqueConstraint("issuer_code", "type_code", "case_number", "service_item"),
)

ECERT_HOLDERS: Final = Table(
    "ecert_holders",
    METADATA,
    Column("identifier", String(160), ForeignKey("ecerts.identifier"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("holder_reference", String(64), nullable=False, index=True),
    Column("code_type", String(3), nullable=False),
)

STATE_EVENTS: Final = Table(
    "state_events",
    METADATA,
    Column("identifier", String(160), ForeignKey("ecerts.identifier"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("operation", String(24), nullable=False),
    Column("state", String(2), nullable=False),
    Column("file_state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("legal_basis", Text, nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("actor_department", String(18), nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("effective_at", UtcInstant, nullable=False),
    Column("recorded_at", UtcInstant, nullable=False),
)

OUTBOX: Final = Table(
    "outbox",
    METADATA,
    Column("leaf_id", Integer, primary_key=True, autoincrement=True),
    Column("subject", String(160), nullable=False, index=True),
    Column("kind", String(24), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("event", Text, nullable=False),  # RFC 8785 canonical JSON, as hashed
    Column("salt", LargeBinary, nullable=False),
    Column("leaf_entry", LargeBinary, nullable=False, unique=True),
    Column("created_at", UtcInstant, nullable=False),
    Column("leaf_index", Integer, index=True),
    Column("sequenced_at", UtcInstant),
    UniqueConstraint("subject", "kind", "sequence"),
)

OBJECTS: Final = Table(
    "objects",
    METADATA,
    Column("digest", String(64), primary_key=True),
    Column("size_bytes", Integer, nullable=False),
    Column("media_type", String(64), nullable=False),
    Column("stored_at", UtcInstant, nullable=False),
)

SEAL_USES: Final = Table(
    "seal_uses",
    METADATA,
    Column("use_id", Integer, primary_key=True, autoincrement=True),
    Column("intent_id", String(32), ForeignKey("intents.intent_id"), nullable=False, index=True),
    Column("seal_id", String(64), nullable=False, index=True),
    Column("rendered_digest", String(64), nullable=False),
    Column("started_at", UtcInstant, nullable=False),
    Column("sealed_digest", String(64)),
    Column("outcome", String(24), nullable=False),
)

CHECKS: Final = Table(
    "checks",
    METADATA,
    Column("check_id", String(32), primary_key=True),
    Column("identifier", String(160), index=True),  # null: what was asked for is not in the registry
    Column("asked_at", UtcInstant, nullable=False),
    Column("department_code", String(18), nullable=False),
    Column("department_name", String(200), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("officer", String(64), nullable=False),
    Column("purpose", String(200), nullable=False),
    Column("service_item", String(64), nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("legal_basis", String(200), nullable=False),
    Column("operation", String(24), nullable=False),
    Column("fields", Text, nullable=False),  # JSON list of field names, never values
    Column("answer", String(200), nullable=False),
    Index(None, "department_code", "asked_at", "check_id"),
)

DOWNLOADS: Final = Table(
    "downloads",
    METADATA,
    Column("ticket_hash", String(64), primary_key=True),
    Column("identifier", String(160), ForeignKey("ecerts.identifier"), nullable=False),
    Column("holder_reference", String(64), nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("expires_at", UtcInstant, nullable=False),
    Column("used_at", UtcInstant),
)

NOTICES: Final = Table(
    "notices",
    METADATA,
    Column("notice_id", Integer, primary_key=True, autoincrement=True),
    Column("holder_reference", String(64), nullable=False, index=True),
    Column("identifier", String(160), nullable=False),
    Column("kind", String(24), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("read_at", UtcInstant),
    UniqueConstraint("holder_reference", "identifier", "kind", "sequence"),
)

ALARMS: Final = Table(
    "alarms",
    METADATA,
    Column("alarm_id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String(32), nullable=False),
    Column("file_digest", String(64), nullable=False),
    Column("signer", String(200), nullable=False),
    Column("raised_at", UtcInstant, nullable=False),
    UniqueConstraint("kind", "file_digest"),
)
