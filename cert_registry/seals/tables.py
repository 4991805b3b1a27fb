"""Tables of the seals room. Days are civil, the last one included; null is open."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)

from cert_registry.store.metadata import METADATA, UtcInstant

SEAL_PICTURES: Final = Table(
    "seal_pictures",
    METADATA,
    Column("sha256", String(64), primary_key=True),
    Column("media_type", String(32), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("width_mm", Float, nullable=False),
    Column("height_mm", Float, nullable=False),
    Column("stored_at", UtcInstant, nullable=False),
)

SEALS: Final = Table(
    "seals",
    METADATA,
    Column("seal_id", String(64), primary_key=True),
    Column("department", String(18), ForeignKey("org_departments.code"), nullable=False, index=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("filing_number", String(14), nullable=False),
    Column("shape", String(16), nullable=False),
    Column("types", Text, nullable=False),  # JSON list of slugs, sorted
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date),
    Column("usage_limit", Integer),
    Column("used", Integer, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("applicant", String(64), nullable=False),
    Column("certificate_source", String(16), nullable=False),
    Column(
        "certificate_serial", String(40)
    ),  # hex; drawn with the second approval, before anything is signed
    Column("certificate", LargeBinary),  # DER
    Column("picture_sha256", String(64), ForeignKey("seal_pictures.sha256")),
    Column("replaces", String(64)),
    Column("replaced_by", String(64)),
    Column("revoked_as_of", UtcInstant),
    Column("revocation_pending", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
)

SEAL_EVENTS: Final = Table(
    "seal_events",
    METADATA,
    Column("seal_id", String(64), ForeignKey("seals.seal_id"), primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("act", String(24), nullable=False),
    Column("state", String(16), nullable=False),
    Column("actor_id", String(64), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("recorded_at", UtcInstant, nullable=False),
)
