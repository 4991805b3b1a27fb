"""Tables of the real-name provider. Times are whole seconds since 1970, UTC.

What names a person is either encrypted (`*_sealed`) or a keyed hash (`*_mark`); nothing here is in clear
but the embedded gateway's messages, which exist only in a demonstration.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, String, Table, Text, text

metadata = MetaData()

persons = Table(
    "persons",
    metadata,
    Column("realname_ref", String(64), primary_key=True),
    Column("holder_reference", String(64), nullable=False, index=True),
    Column("name_sealed", LargeBinary, nullable=False),
    Column("number_sealed", LargeBinary, nullable=False),
    Column("mobile_sealed", LargeBinary, nullable=False),
    Column("level", String(8), nullable=False),
    Column("state", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("verified_at", BigInteger, nullable=False),
    Column("evidence", Text, nullable=False),
    Column("displaced_at", BigInteger, nullable=True),
    Column("displaced_by", String(64), nullable=True, index=True),
    Column("rechecked_at", BigInteger, nullable=True, index=True),
    # One person has one link that counts; those displaced by a stronger proof or closed stay as history.
    Index(
        "persons_one_in_force",
        "holder_reference",
        unique=True,
        sqlite_where=text("state NOT IN ('displaced', 'closed')"),
        postgresql_where=text("state NOT IN ('displaced', 'closed')"),
    ),
)

proofs = Table(
    "proofs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("realname_ref", String(64), nullable=True, index=True),
    Column("outcome", String(32), nullable=False),
    Column("number_mark", String(64), nullable=False, index=True),
    Column("mobile_mark", String(64), nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("name_notes", Text, nullable=False, server_default="[]"),
)

waiting_proofs = Table(
    "waiting_proofs",
    metadata,
    Column("claim_mark", String(64), primary_key=True),
    Column("claim_sealed", LargeBinary, nullable=False),
    Column("client_id", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

visits = Table(
    "visits",
    metadata,
    Column("visit_mark", String(64), primary_key=True),
    Column("request", Text, nullable=False),
    Column("typed_sealed", LargeBinary, nullable=True),
    Column("step", String(16), nullable=False),
    Column("outcome", String(32), nullable=True),
    Column("realname_ref", String(64), nullable=True),
    Column("proved_at", BigInteger, nullable=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

sms_codes = Table(
    "sms_codes",
    metadata,
    Column("visit_mark", String(64), primary_key=True),
    Column("code_mark", String(64), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

sms_sendings = Table(
    "sms_sendings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mobile_mark", String(64), nullable=False),
    Column("address_mark", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("sms_sendings_mobile", "mobile_mark", "at"),
    Index("sms_sendings_address", "address_mark", "at"),
)

sms_messages = Table(
    "sms_messages",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mobile", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)

guesses = Table(
    "guesses",
    metadata,
    Column("bucket", String(80), primary_key=True),
    Column("guess_mark", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
)

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("code_mark", String(64), primary_key=True),
    Column("client_id", String(64), nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("nonce", Text, nullable=True),
    Column("code_challenge", String(128), nullable=False),
    Column("realname_ref", String(64), nullable=False),
    Column("proved_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("used_at", BigInteger, nullable=True),
)

bearer_tokens = Table(
    "bearer_tokens",
    metadata,
    Column("token_mark", String(64), primary_key=True),
    Column("code_mark", String(64), nullable=False, index=True),
    Column("realname_ref", String(64), nullable=False),
    Column("scope", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

client_assertions = Table(
    "client_assertions",
    metadata,
    Column("assertion_mark", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

window_grants = Table(
    "window_grants",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("staff_id", String(64), nullable=False, index=True),
    Column("department_code", String(18), nullable=False),
    Column("office", String(100), nullable=False),
    Column("valid_from", String(10), nullable=False),
    Column("valid_to", String(10), nullable=True),
    Column("basis", String(200), nullable=False),
    Column("granted_by", String(64), nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
)

counter_acts = Table(
    "counter_acts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("staff_id", String(64), nullable=False, index=True),
    Column("department_code", String(18), nullable=False),
    Column("office", String(100), nullable=False),
    Column("grant_id", Integer, nullable=False),
    Column("document_kind", String(32), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("decision", String(16), nullable=True),
    Column("realname_ref", String(64), nullable=True, index=True),
    Column("displaced_ref", String(64), nullable=True),
    Column("number_mark", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
)

acts = Table(
    "acts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("realname_ref", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("source_id", String(64), nullable=True, unique=True),
    Column("detail", String(200), nullable=False, server_default=""),
    Column("at", BigInteger, nullable=False),
    Index("acts_of_link", "realname_ref", "at"),
)

account_orders = Table(
    "account_orders",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("realname_ref", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", String(200), nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("done_at", BigInteger, nullable=True, index=True),
    Column("attempts", Integer, nullable=False),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("session_mark", String(64), primary_key=True),
    Column("client_id", String(64), nullable=False),
    Column("content_sealed", LargeBinary, nullable=False),
    Column("sid", String(255), nullable=True, index=True),
    Column("subject", String(255), nullable=True, index=True),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

face_checks = Table(
    "face_checks",
    metadata,
    Column("visit_mark", String(64), primary_key=True),
    Column("check_id", String(64), nullable=False),
    Column("nonce", String(64), nullable=False),
    Column("passed_at", BigInteger, nullable=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

number_releases = Table(
    "number_releases",
    metadata,
    Column("release_id", String(64), primary_key=True),
    Column("realname_ref", String(64), nullable=False, index=True),
    Column("session_mark", String(64), nullable=False, index=True),
    Column("site_id", String(64), nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("case_number", String(64), nullable=False),
    Column("agreed_at", BigInteger, nullable=False),
    Column("released_at", BigInteger, nullable=True),
)

used_proofs = Table(
    "used_proofs",
    metadata,
    Column("proof_mark", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
)
