"""Tables of the organisations room. Dates are civil days, the last one included; null is open."""

from typing import Final

from sqlalchemy import Column, Date, ForeignKey, Integer, String, Table, Text

from cert_registry.store.metadata import METADATA

ORG_DEPARTMENTS: Final = Table(
    "org_departments",
    METADATA,
    Column("code", String(18), primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("area_code", String(6), nullable=False),
    Column("level", String(16), nullable=False),
)

ORG_PLACEMENTS: Final = Table(
    "org_placements",
    METADATA,
    Column("department", String(18), ForeignKey("org_departments.code"), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("parent", String(18), ForeignKey("org_departments.code")),
    Column("valid_to", Date),
)

ORG_APPOINTMENTS: Final = Table(
    "org_appointments",
    METADATA,
    Column("staff_id", String(64), primary_key=True),
    Column("department", String(18), ForeignKey("org_departments.code"), primary_key=True),
    Column("role", String(16), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("valid_to", Date),
)

ORG_ISSUING_RIGHTS: Final = Table(
    "org_issuing_rights",
    METADATA,
    Column("department", String(18), ForeignKey("org_departments.code"), primary_key=True),
    Column("certificate_type", String(64), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("within", String(18), ForeignKey("org_departments.code"), nullable=False),
    Column("valid_to", Date),
)

ORG_CLIENT_RIGHTS: Final = Table(
    "org_client_rights",
    METADATA,
    Column("client_id", String(64), primary_key=True),
    Column("operation", String(16), primary_key=True),
    Column("certificate_type", String(64), primary_key=True),  # "" for an operation not about one type
    Column("valid_from", Date, primary_key=True),
    Column("department", String(18), ForeignKey("org_departments.code"), nullable=False),
    Column("within", String(18), ForeignKey("org_departments.code"), nullable=False),
    Column("fields", Text),  # JSON list of names, sorted; null: all
    Column("valid_to", Date),
)

ORG_REVISIONS: Final = Table(
    "org_revisions",
    METADATA,
    Column("only", Integer, primary_key=True),  # one row, 1
    Column("revision", Integer, nullable=False),
)
