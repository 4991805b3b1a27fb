"""Renewing the archive: every file gets its next time stamp before the last one can no longer be proved.

The order of writes is the design: the stamped file is checked and durable under its digest before the ecert's
row names it, and row, version and leaf are one transaction. A run that dies leaves at most one file that nobody
refers to; the next run goes on with what is still due. The bytes before are kept, and known by their digest.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from cert_registry.archive.errors import NothingGained, StampsUnavailable
from cert_registry.archive.rules import due_of, forecast, is_too_late
from cert_registry.archive.types import DueReason, FileVersion, RenewalReport
from cert_registry.catalog.errors import CatalogError
from cert_registry.error_telling import told
from cert_registry.errors import RegistryError, StoreUnavailable, TokenBusyOrGone
from cert_registry.log_events import RenewedFile, renewed_leaf
from cert_registry.signing.errors import (
    AuthorityUnavailable,
    SigningError,
    TimeStampUnavailable,
    TokenUnavailable,
)
from cert_registry.signing.file_evidence import evidence_of
from cert_registry.signing.release_stamp import check_before_keeping
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.sm2.algorithms import SM2_WITH_SM3

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from cert_registry.archive.ports import ArchiveBook, RenewalGate
    from cert_registry.archive.types import Due, Forecast, RenewalPolicy
    from cert_registry.catalog.loading import Catalog
    from cert_registry.ports import ObjectStore
    from cert_registry.recovery import LeafPusher
    from cert_registry.signing.document_stamp import DocumentStamper
    from cert_registry.signing.file_evidence import FileEvidence
    from cert_registry.signing.pki.directory import PkiDirectory
    from cert_registry.types import EcertIdentifier

_LOGGER = logging.getLogger("longzheng.archive")
_BATCH: Final = 200
_PDF: Final = "application/pdf"
_AWAY: Final = (TimeStampUnavailable, AuthorityUnavailable, TokenUnavailable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a run is: files looked at, renewed, and the one just done."""

    looked_at: int
    renewed: int
    identifier: EcertIdentifier


class StampingSuite(Protocol):
    """A hierarchy of certificates that keeps the files sealed under it."""

    @property
    def stamper(self) -> DocumentStamper:
        """Appends document time stamps."""
        ...

    @property
    def pki(self) -> PkiDirectory:
        """Its certificates."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The room; each part is a port.

    Attributes:
        sm2: Keeps the files sealed with SM2; None where there are no SM2 keys.
    """

    book: ArchiveBook
    objects: ObjectStore
    suite: StampingSuite
    catalog: Catalog
    leaves: LeafPusher
    gate: RenewalGate
    policy: RenewalPolicy
    sm2: StampingSuite | None = None

    def examine(self, *, now: datetime) -> tuple[tuple[EcertIdentifier, str], ...]:
        """Read what every new file proves; returns the files that could not be read, with the code."""
        failed: list[tuple[EcertIdentifier, str]] = []
        after = ""
        while batch := self.book.unexamined(after=after, limit=_BATCH):
            for identifier, digest in batch:
                try:
                    evidence = evidence_of(self.objects.get(digest))
                    self.book.record_first(identifier, digest, evidence, now=now)
                except (StoreUnavailable, TokenBusyOrGone):
                    raise
                except (RegistryError, SigningError) as error:
                    _LOGGER.warning("a file cannot be examined: %s", told(error))
                    failed.append((identifier, error.code))
            after = batch[-1][0]
        return tuple(failed)

    def forecast(self, *, now: datetime) -> Forecast:
        """Count what falls due by month; files that are new are examined first."""
        self.examine(now=now)
        return forecast(
            ((version, self._wanted(version)) for version in self.book.newest()), policy=self.policy, now=now
        )

    def raise_lowered(self, *, now: datetime) -> RenewalReport:
        """Bring files that were sealed below the level of their type to it; nothing else, and nothing to do mostly.

        Raises:
            StampsUnavailable: They cannot be had now; what is left waits.
            RenewalRunning: Another run does.
        """
        if not self.book.has_lowered():
            return RenewalReport(due=0, renewed=0, already=0, too_late=(), failed=(), unreadable=())
        return self.renew(now=now, only=DueReason.LEVEL)

    def renew(
        self,
        *,
        now: datetime,
        only: DueReason | None = None,
        limit: int | None = None,
        progress: Callable[[Progress], None] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> RenewalReport:
        """Give every file that is due its next time stamp; running again goes on with what is left.

        Args:
            now: What is due by this time.
            only: Nothing but what is due for this reason.
            limit: At most so many files.
            progress: Told after each renewed file.
            clock: The time of each stamp; by default `now`.

        Raises:
            StampsUnavailable: Time stamps or revocation lists cannot be had; what was done stays done.
            NothingGained: A stamp made now would end as early as those before.
            RenewalRunning: Another run is on this archive.
            StoreUnavailable: The store or the log does not take writes.
        """
        with self.gate.alone():
            unreadable = self.examine(now=now)  # (1) what is new in the archive
            run = _Run(self, clock or (lambda: now))
            try:
                for looked_at, (version, due) in enumerate(self._due(now, only), start=1):  # (2) what is due
                    if limit is not None and run.renewed >= limit:
                        break
                    run.take(version, due, now=now)  # (3) to (7) one file
                    if progress is not None:
                        progress(
                            Progress(looked_at=looked_at, renewed=run.renewed, identifier=version.identifier)
                        )
            finally:
                self.leaves.push(now=now)  # (8) the leaves of this run
            return run.report(unreadable)

    def _due(self, now: datetime, only: DueReason | None) -> Iterator[tuple[FileVersion, Due]]:
        for version in self.book.newest():
            due = due_of(version, wanted=self._wanted(version), policy=self.policy)
            if due is not None and due.at <= now and only in {None, due.reason}:
                yield version, due

    def suite_for(self, version: FileVersion) -> StampingSuite:
        """What keeps a file: the hierarchy of its newest stamp, without one that of its type.

        Raises:
            StampsUnavailable: It is of SM2, and there are no SM2 keys.
        """
        is_sm2 = SM2_WITH_SM3 in version.algorithms
        if not version.algorithms:
            with suppress(CatalogError):
                is_sm2 = self.catalog.type(version.type_code).signature_profile == KeyAlgorithm.SM2.value
        if not is_sm2:
            return self.suite
        if self.sm2 is None:
            raise StampsUnavailable("档案中有国密印章的文件，而本系统没有配置国密密钥。")
        return self.sm2

    def _wanted(self, version: FileVersion) -> str:
        """The level that the type promises; a type that is gone promises what the file has."""
        try:
            return self.catalog.type(version.type_code).pades_level
        except CatalogError:
            return version.level


class _Run:
    def __init__(self, archive: Archive, clock: Callable[[], datetime]) -> None:
        self._archive = archive
        self._clock = clock
        self._due = self._already = self.renewed = 0
        self._too_late: list[EcertIdentifier] = []
        self._failed: list[tuple[EcertIdentifier, str]] = []

    def take(self, version: FileVersion, due: Due, *, now: datetime) -> None:
        self._due += 1
        if is_too_late(version, now=now):
            self._too_late.append(version.identifier)
            return
        try:
            if self._renew(version, due, now=now):
                self.renewed += 1
            else:
                self._already += 1
        except _AWAY as error:
            raise StampsUnavailable("时间戳或吊销列表暂时不可用，请稍后再次运行，会从中断处继续。") from error
        except (NothingGained, StoreUnavailable, TokenBusyOrGone):
            raise  # it would be the same with every other file
        except (RegistryError, SigningError) as error:  # one file must not hold up the others
            _LOGGER.warning("a file was not renewed: %s", told(error))
            self._failed.append((version.identifier, error.code))

    def _renew(self, version: FileVersion, due: Due, *, now: datetime) -> bool:
        archive, at = self._archive, self._clock()
        before = archive.objects.get(version.file_digest)  # (3) the file, its digest checked
        suite = archive.suite_for(version)
        stamped = suite.stamper.append(before, now=at)  # (4) evidence and stamp at its end
        check_before_keeping(  # (5) on an independent path
            stamped.pdf, before=before, anchors=suite.pki.anchors(), now=at
        )
        evidence = evidence_of(stamped.pdf)
        self._require_gain(version, evidence, due, now=now)
        digest = archive.objects.put(stamped.pdf, media_type=_PDF, now=at)  # (6) durable under its digest
        renewed = RenewedFile(
            identifier=version.identifier,
            sequence=version.sequence + 1,
            file_digest=digest,
            previous_digest=version.file_digest,
            level=evidence.level,
            stamped_at=stamped.stamped_at,
            recorded_at=at,
        )
        leaf = renewed_leaf(renewed, salt=secrets.token_bytes(32))
        return archive.book.record_next(  # (7) version, row and leaf in one transaction
            version, digest, evidence, reason="renewed", leaf=leaf, now=at
        )

    def _require_gain(self, version: FileVersion, evidence: FileEvidence, due: Due, *, now: datetime) -> None:
        """A file that would be due again at once would be stamped without end.

        Raises:
            NothingGained: It would.
        """
        after = replace(
            version,
            level=evidence.level,
            holds_until=evidence.holds_until,
            ends_with=evidence.ends_with,
            algorithms=evidence.algorithms,
        )
        again = due_of(after, wanted=version.level, policy=self._archive.policy)
        if due.reason is not DueReason.LEVEL and again is not None and again.at <= now:
            raise NothingGained(
                f"现在加盖时间戳不能延长有效期（{again.reason.title}）："
                "请先更换时间戳单元或CA、更新吊销列表，或缩短提前期，再运行。"
            )

    def report(self, unreadable: tuple[tuple[EcertIdentifier, str], ...]) -> RenewalReport:
        return RenewalReport(
            due=self._due,
            renewed=self.renewed,
            already=self._already,
            too_late=tuple(self._too_late),
            failed=tuple(self._failed),
            unreadable=unreadable,
        )
