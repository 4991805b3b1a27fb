"""Which certificates each CA has issued and revoked, and counters that outlive processes.

A small SQLite file beside the certificates; it holds nothing secret. Serial numbers are stored as hexadecimal
text since they exceed 64 bits. Every write is durable before it returns.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from cert_registry.signing.errors import AuthorityUnavailable, UnknownCertificate

_SCHEMA = """
CREATE TABLE IF NOT EXISTS issued (
    issuer TEXT NOT NULL, serial TEXT NOT NULL, name TEXT NOT NULL, not_after TEXT NOT NULL,
    sha256 TEXT NOT NULL, revoked_at TEXT, reason TEXT, PRIMARY KEY (issuer, serial));
CREATE TABLE IF NOT EXISTS counter (name TEXT PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS mark (name TEXT PRIMARY KEY, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS answer (
    issuer TEXT NOT NULL, asked BLOB NOT NULL, serial TEXT NOT NULL, standing TEXT NOT NULL, made_at TEXT NOT NULL,
    der BLOB NOT NULL, PRIMARY KEY (issuer, asked));
CREATE INDEX IF NOT EXISTS answer_of ON answer (issuer, serial);
"""


# A kept answer counts while it says what the register says.
_WITH_ANSWER = """
SELECT i.revoked_at, i.reason, a.made_at, a.der FROM issued i LEFT JOIN answer a ON a.issuer=i.issuer AND a.asked=?
    AND a.standing=coalesce(i.revoked_at || ' ' || i.reason, '')
WHERE i.issuer=? AND i.serial=?"""
_WITHOUT_ANSWERS = """
SELECT i.serial FROM issued i WHERE i.issuer=? AND i.not_after>=? AND (
    SELECT count(*) FROM answer a WHERE a.issuer=i.issuer AND a.serial=i.serial
    AND a.standing=coalesce(i.revoked_at || ' ' || i.reason, '') AND a.made_at>? AND a.made_at<=?) < ?
LIMIT ?"""


class RevocationReason(Enum):
    """Reasons of RFC 5280 section 5.3.1 that are used here."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION_OF_OPERATION = "cessationOfOperation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A revoked certificate of one issuer."""

    serial_number: int
    revoked_at: datetime
    reason: RevocationReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a serial number was ever issued, and its revocation."""

    issued: bool
    revocation: Revocation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """An OCSPResponse that was signed before it was asked for.

    Args:
        asked: The CertID that it answers, DER.
        standing: What it says of the certificate.
        made_at: Its thisUpdate.
        der: The OCSPResponse.
    """

    asked: bytes
    standing: Standing
    made_at: datetime
    der: bytes


class AuthorityRegister:
    """The register of one PKI directory; safe between threads and processes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._has_schema = False

    def record_issued(self, issuer: str, name: str, certificate: x509.Certificate) -> None:
        """Record a certificate under its issuer's short name; recording it twice changes nothing."""
        row = (
            issuer,
            f"{certificate.serial_number:x}",
            name,
            certificate.not_valid_after_utc.isoformat(),
            certificate.fingerprint(hashes.SHA256()).hex(),
        )
        with self._writing() as db:
            db.execute(
                "INSERT OR IGNORE INTO issued (issuer, serial, name, not_after, sha256) VALUES (?,?,?,?,?)",
                row,
            )

    def is_issued(self, issuer: str, serial_number: int) -> bool:
        """Tell whether that issuer ever issued that serial number."""
        with self._reading() as db:
            query = "SELECT 1 FROM issued WHERE issuer=? AND serial=?"
            return db.execute(query, (issuer, f"{serial_number:x}")).fetchone() is not None

    def revoke(self, issuer: str, serial_number: int, *, reason: RevocationReason, now: datetime) -> None:
        """Revoke; the first revocation stands, unless the key turns out to have been compromised before it.

        Raises:
            UnknownCertificate: That issuer never issued that serial number.
        """
        with self._writing() as db:
            key = (issuer, f"{serial_number:x}")
            if db.execute("SELECT 1 FROM issued WHERE issuer=? AND serial=?", key).fetchone() is None:
                raise UnknownCertificate(f"The CA {issuer!r} issued no certificate with that serial number.")
            moment = now.astimezone(UTC).replace(microsecond=0).isoformat()
            compromised = reason is RevocationReason.KEY_COMPROMISE
            db.execute(
                "UPDATE issued SET revoked_at=?, reason=? WHERE issuer=? AND serial=?"
                " AND (revoked_at IS NULL OR (? AND revoked_at > ?))",
                (moment, reason.value, *key, compromised, moment),
            )

    def revocations(self, issuer: str) -> tuple[Revocation, ...]:
        """Return the issuer's revoked certificates in the order of their serial numbers."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT serial, revoked_at, reason FROM issued WHERE issuer=? AND revoked_at IS NOT NULL"
                " ORDER BY length(serial), serial",
                (issuer,),
            ).fetchall()
        return tuple(
            Revocation(
                serial_number=int(serial, 16),
                revoked_at=datetime.fromisoformat(revoked_at),
                reason=RevocationReason(reason),
            )
            for serial, revoked_at, reason in rows
        )

    def revocation_of(self, issuer: str, serial_number: int) -> Revocation | None:
        """Return the revocation of one certificate, if it is revoked."""
        return self.standing_of(issuer, serial_number).revocation

    def standing_of(self, issuer: str, serial_number: int) -> Standing:
        """Return what is recorded of one serial number."""
        with self._reading() as db:
            row = db.execute(
                "SELECT revoked_at, reason FROM issued WHERE issuer=? AND serial=?",
                (issuer, f"{serial_number:x}"),
            ).fetchone()
        return _standing(serial_number, row)

    def standing_and_answer(
        self, issuer: str, serial_number: int, asked: bytes
    ) -> tuple[Standing, KeptAnswer | None]:
        """Return what is recorded of one serial number, and the kept answer if it says just that."""
        with self._reading() as db:
            row = db.execute(_WITH_ANSWER, (asked, issuer, f"{serial_number:x}")).fetchone()
        standing = _standing(serial_number, row)
        if row is None or row[3] is None:
            return standing, None
        made_at = datetime.fromisoformat(row[2])
        return standing, KeptAnswer(asked=asked, standing=standing, made_at=made_at, der=row[3])

    def keep_answers(self, issuer: str, answers: Sequence[tuple[int, KeptAnswer]]) -> None:
        """Keep answers, each with its serial number, in the place of older ones."""
        rows = [
            (issuer, one.asked, f"{serial_number:x}", _told(one.standing), one.made_at.isoformat(), one.der)
            for serial_number, one in answers
        ]
        with self._writing() as db:
            db.executemany("INSERT OR REPLACE INTO answer VALUES (?,?,?,?,?,?)", rows)

    def without_answers(
        self, issuer: str, *, forms: int, made_after: datetime, now: datetime, most: int
    ) -> tuple[int, ...]:
        """Return serial numbers whose certificate has not ended and which lack kept answers.

        Args:
            issuer: The CA's short name.
            forms: How many answers each certificate should have.
            made_after: Answers that were made before this are counted as lacking.
            now: Aware UTC time.
            most: Return no more than so many.
        """
        with self._reading() as db:
            rows = db.execute(
                _WITHOUT_ANSWERS,
                (issuer, now.isoformat(), made_after.isoformat(), now.isoformat(), forms, most),
            ).fetchall()
        return tuple(int(serial, 16) for (serial,) in rows)

    def take_numbers(self, counter: str, count: int) -> range:
        """Take the next `count` numbers of a counter; no two callers ever get the same one. Starts at 1."""
        with self._writing() as db:
            db.execute("INSERT OR IGNORE INTO counter (name, next) VALUES (?, 1)", (counter,))
            (first,) = db.execute("SELECT next FROM counter WHERE name=?", (counter,)).fetchone()
            db.execute("UPDATE counter SET next=? WHERE name=?", (first + count, counter))
        return range(first, first + count)

    def mark(self, name: str) -> datetime | None:
        """Return the newest time that was recorded under a name."""
        with self._reading() as db:
            row = db.execute("SELECT at FROM mark WHERE name=?", (name,)).fetchone()
        return None if row is None else datetime.fromisoformat(row[0])

    def raise_mark(self, name: str, at: datetime) -> datetime:
        """Record a time unless a later one is recorded; returns the later of the two, durable."""
        moment = at.astimezone(UTC)
        with self._writing() as db:
            row = db.execute("SELECT at FROM mark WHERE name=?", (name,)).fetchone()
            before = None if row is None else datetime.fromisoformat(row[0])
            if before is not None and before >= moment:
                return before
            db.execute("INSERT OR REPLACE INTO mark (name, at) VALUES (?, ?)", (name, moment.isoformat()))
        return moment

    def set_mark(self, name: str, at: datetime) -> None:
        """Record a time, also an earlier one."""
        with self._writing() as db:
            row = (name, at.astimezone(UTC).isoformat())
            db.execute("INSERT OR REPLACE INTO mark (name, at) VALUES (?, ?)", row)

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as db:
                if not self._has_schema:
                    db.executescript(_SCHEMA)
                    self._has_schema = True
                yield db
        except sqlite3.Error as error:
            raise AuthorityUnavailable(f"The register {self._path} cannot be used: {error}.") from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as db:
            db.execute("PRAGMA synchronous=FULL")
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")


def _standing(serial_number: int, row: Sequence[str | None] | None) -> Standing:
    """What a row says whose first two values are the time and the reason of a revocation."""
    if row is None or row[0] is None or row[1] is None:
        return Standing(issued=row is not None, revocation=None)
    return Standing(
        issued=True,
        revocation=Revocation(
            serial_number=serial_number,
            revoked_at=datetime.fromisoformat(row[0]),
            reason=RevocationReason(row[1]),
        ),
    )


def _told(standing: Standing) -> str:
    """Return a standing as `_WITH_ANSWER` compares it."""
    if standing.revocation is None:
        return ""
    return f"{standing.revocation.revoked_at.isoformat()} {standing.revocation.reason.value}"
