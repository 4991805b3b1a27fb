"""The archive's book in SQL, and the gate that lets one run in."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, final

from sqlalchemy import insert, select, update

from cert_registry.archive.errors import RenewalRunning
from cert_registry.archive.types import FileVersion
from cert_registry.errors import StoreUnavailable
from cert_registry.store.engine import insert_missing
from cert_registry.store.outbox import put_leaf
from cert_registry.store.tables import ECERTS, FILE_VERSIONS
from cert_registry.types import EcertIdentifier, FileDigest, Origin, Registration

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from cert_registry.log_events import NewLeaf
    from cert_registry.signing.file_evidence import FileEvidence
    from cert_registry.store.engine import Database

_BATCH: Final = 1000
_LOWERED: Final = ("B-B", "B-T")


@final
class SqlArchive:
    """The archive's book over the registry's database."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    def unexamined(self, *, after: str, limit: int) -> tuple[tuple[EcertIdentifier, FileDigest], ...]:
        """Effective ecerts sealed here whose file has no version on record yet, behind an identifier."""
        known = select(FILE_VERSIONS.c.file_digest).where(FILE_VERSIONS.c.file_digest == ECERTS.c.file_digest)
        query = (
            select(ECERTS.c.identifier, ECERTS.c.file_digest)
            .where(
                ECERTS.c.identifier > after,
                ECERTS.c.file_digest.is_not(None),
                ECERTS.c.origin == Origin.ISSUED.value,
                ECERTS.c.registration == Registration.EFFECTIVE.value,
                ~known.exists(),
            )
            .order_by(ECERTS.c.identifier)
            .limit(limit)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return tuple((EcertIdentifier(row.identifier), FileDigest(row.file_digest)) for row in rows)

    def record_first(
        self, identifier: EcertIdentifier, digest: FileDigest, evidence: FileEvidence, *, now: datetime
    ) -> None:
        """Record the file as it was sealed; recording it twice changes nothing."""
        with self._database.writing() as connection:
            insert_missing(
                connection,
                FILE_VERSIONS,
                identifier=identifier,
                sequence=1,
                file_digest=digest,
                reason="sealed",
                recorded_at=now,
                **_facts(evidence),
            )

    def newest(self) -> Iterator[FileVersion]:
        """The newest version of every examined file, by identifier, read in batches."""
        after = ""
        while batch := self._newest_after(after):
            yield from batch
            after = batch[-1].identifier

    def _newest_after(self, after: str) -> list[FileVersion]:
        query = (
            select(FILE_VERSIONS, ECERTS.c.type_code)
            .join(ECERTS, ECERTS.c.file_digest == FILE_VERSIONS.c.file_digest)
            .where(FILE_VERSIONS.c.identifier > after)
            .order_by(FILE_VERSIONS.c.identifier)
            .limit(_BATCH)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            FileVersion(
                identifier=EcertIdentifier(row.identifier),
                type_code=row.type_code,
                sequence=row.sequence,
                file_digest=FileDigest(row.file_digest),
                level=row.level,
                holds_until=row.holds_until,
                ends_with=row.ends_with,
                renewable_until=row.renewable_until,
                algorithms=tuple(row.algorithms.split()),
            )
            for row in rows
        ]

    def has_lowered(self) -> bool:
        """Whether there may be a file below the level of its type; cheap, for every sweep."""
        query = select(ECERTS.c.identifier).where(ECERTS.c.sealed_level.in_(_LOWERED)).limit(1)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def record_next(
        self,
        version: FileVersion,
        digest: FileDigest,
        evidence: FileEvidence,
        *,
        reason: str,
        leaf: NewLeaf,
        now: datetime,
    ) -> bool:
        """In one transaction: the new version, the ecert's row, the leaf; False when the row moved on before."""
        with self._database.writing() as connection:
            moved = connection.execute(
                update(ECERTS)
                .where(ECERTS.c.identifier == version.identifier, ECERTS.c.file_digest == version.file_digest)
                .values(file_digest=digest, sealed_level=evidence.level)
            ).rowcount
            if not moved:
                return False
            connection.execute(
                insert(FILE_VERSIONS).values(
                    identifier=version.identifier,
                    sequence=version.sequence + 1,
                    file_digest=digest,
                    reason=reason,
                    recorded_at=now,
                    **_facts(evidence),
                )
            )
            put_leaf(connection, version.identifier, leaf, now=now)
        return True


def _facts(evidence: FileEvidence) -> dict[str, object]:
    return {
        "level": evidence.level,
        "stamped_at": evidence.stamped_at,
        "holds_until": evidence.holds_until,
        "ends_with": evidence.ends_with,
        "renewable_until": evidence.renewable_until,
        "algorithms": " ".join(evidence.algorithms),
    }


@final
class FileGate:
    """A lock file: the system opens the gate when the process that holds it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the gate.

        Raises:
            RenewalRunning: Somebody else does.
        """
        try:
            lock = self._path.open("w")
        except OSError as error:
            raise StoreUnavailable("the archive's lock file cannot be written") from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise RenewalRunning("档案续期正在进行，请等它结束后再运行。") from error
            yield
