"""Tables of the legal-person room. The head's name is encrypted; the head's number is not kept."""

from typing import Final

from sqlalchemy import Column, LargeBinary, String, Table

from cert_registry.store.metadata import METADATA, UtcInstant

LP_LEGAL_PERSONS: Final = Table(
    "lp_legal_persons",
    METADATA,
    Column("credit_code", String(18), primary_key=True),
    Column("holder_reference", String(64), nullable=False, unique=True),
    Column("name", String(300), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(8), nullable=False),
    Column("head_reference", String(64), nullable=False, index=True),
    Column("head_name_sealed", LargeBinary, nullable=False),  # bound to the credit code
    Column("source", String(200), nullable=False),
    Column("updated_at", UtcInstant, nullable=False),
)
