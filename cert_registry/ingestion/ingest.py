"""The use case: a file in, every row registered, duplicate, conflicting or refused.

`StockIngestion.ingest`:

1. read the file through once: digest, encoding, and from them the batch's identity
2. bind the type's mapping to the file's header
3. open the batch, or find it where an interrupted run left it
4. chunk by chunk: read rows, hash holders, look up what is known — outside any transaction
5. in one transaction: find what exists, register the rest, write every row's end, move the cursor
6. push the chunk's leaves to the log; what fails here waits and is pushed later
7. finish the batch and report

A kill before 5 ends leaves nothing of the chunk; after it, the cursor stands behind the chunk. So a second run of
the same file goes on where the first stood and doubles nothing, and a third only reports.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from cert_registry.catalog.certificate_type import CertificateType
from cert_registry.civil_date import civil_date_at
from cert_registry.ingestion.batches import (
    finish_batch,
    known_stock,
    open_batch,
    read_report,
    record_outcomes,
    remember_stock,
    rows_done,
)
from cert_registry.ingestion.errors import HeaderRefused, RegistrarFailed
from cert_registry.ingestion.mapping import load_mapping
from cert_registry.ingestion.ports import KnownHolders, KnownIssuers, LeafWriter, StockRegistrar
from cert_registry.ingestion.reading import Record, SurveyedFile, records, survey
from cert_registry.ingestion.rules import RowReader, RowRefused
from cert_registry.ingestion.types import (
    BatchId,
    BatchReport,
    ExistingStock,
    Flag,
    Outcome,
    Reason,
    RowKey,
    RowOutcome,
    StockEcert,
)
from cert_registry.store.engine import Database
from idp.identity.holder import HolderReference, Mac

CHUNK_ROWS = 200
SENTENCES = {
    Reason.MALFORMED_ROW: "引号或分隔符不成对，无法拆分这一行。",
    Reason.ROW_TOO_LONG: "这一行过长。",
    Reason.SAME_ROW_AGAIN: "同一证照已入库，内容相同。",
    Reason.OTHER_CONTENT: "同一证照编号已入库，但内容不同，请核对。",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a batch has come."""

    rows: int
    outcomes: Mapping[Outcome, int]


class StockIngestion:
    """Takes files of stock over into the registry."""

    def __init__(
        self,
        database: Database,
        *,
        certificate_type: Callable[[str], CertificateType],
        registrar: StockRegistrar,
        holders: KnownHolders,
        issuers: KnownIssuers,
        mac: Mac,
        leaves: LeafWriter | None = None,
        chunk_rows: int = CHUNK_ROWS,
    ) -> None:
        """Wire the room.

        Args:
            database: where batches are kept, and in whose transactions the registrar writes.
            certificate_type: a type by its slug.
            registrar: writes ecerts.
            holders: who is known.
            issuers: which departments there are.
            mac: the holder key's HMAC, in the token.
            leaves: called after each chunk, so that its rows become answerable; without it they wait.
            chunk_rows: rows in one transaction.
        """
        self._database = database
        self._certificate_type = certificate_type
        self._registrar = registrar
        self._holders = holders
        self._issuers = issuers
        self._mac = mac
        self._leaves = leaves
        self._chunk_rows = chunk_rows

    def ingest(
        self,
        path: Path,
        *,
        source: str,
        type_slug: str,
        now: datetime,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> BatchReport:
        """Take over one file; again: goes on where it was interrupted, or only reports.

        Args:
            path: a CSV file.
            source: which register it comes from.
            type_slug: the certificate type of all its rows.
            now: the time that is recorded.
            progress: called after each chunk.

        Raises:
            FileNotReadable: it is no text, or changed while it was read.
            HeaderRefused: its header does not fit the mapping.
            MappingMalformed: there is no mapping for this type.
            RegistrarFailed: the registry does not take rows now; run again later.
            TypeUnknown: the catalogue has no such type.
            StoreUnavailable: the database does not answer; run again later.
        """
        mapping = load_mapping(type_slug)
        certificate_type = self._certificate_type(type_slug)
        # (1): the file's identity is the batch's
        surveyed = survey(path)
        batch_id = _batch_id(surveyed, source=source, type_slug=type_slug)
        # (2): the header
        rows = records(surveyed)
        header = next(rows, None)
        if header is None or header.cells is None:
            raise HeaderRefused("文件没有首行。")
        bound = mapping.bind(header.cells)
        # (3): begin or go on
        with self._database.writing() as connection:
            done = open_batch(
                connection,
                batch_id,
                source=source,
                type_slug=type_slug,
                surveyed=surveyed,
                ignored_columns=bound.ignored,
                now=now,
            )
        reader = RowReader(
            batch_id=batch_id,
            source=source,
            mapping=bound,
            certificate_type=certificate_type,
            mac=self._mac,
            row_secret=self._mac(b"longzheng stock rows v1"),
            today=civil_date_at(now),
        )
        # (4), (5), (6): chunks
        self._ingest_chunks(islice(rows, done, None), reader, done, now, progress)
        # (7): the end
        with self._database.writing() as connection:
            finish_batch(connection, batch_id, now=now)
            return read_report(connection, batch_id, resumed_rows=done)

    def _ingest_chunks(
        self,
        rows: Iterator[Record],
        reader: RowReader,
        done: int,
        now: datetime,
        progress: Callable[[Progress], None],
    ) -> None:
        totals = dict.fromkeys(Outcome, 0)
        while chunk := list(islice(rows, self._chunk_rows)):
            read = [self._read(reader, record) for record in chunk]
            flagged = self._flagged([each for each in read if isinstance(each, StockEcert)])
            ends = {each.line_number: each for each in read if isinstance(each, RowOutcome)}
            outcomes = self._commit(chunk, flagged, ends, reader=reader, done=done, now=now)
            done += len(chunk)
            if self._leaves is not None:
                self._leaves.push(now=now)
            for outcome in outcomes:
                totals[outcome.outcome] += 1
            progress(Progress(rows=done, outcomes=totals))

    def _commit(
        self,
        chunk: Sequence[Record],
        rows: Sequence[StockEcert],
        ends: Mapping[int, RowOutcome],
        *,
        reader: RowReader,
        done: int,
        now: datetime,
    ) -> list[RowOutcome]:
        """Step 5: one transaction for a chunk."""
        try:
            with self._database.writing() as connection:
                if rows_done(connection, reader.batch_id) != done:
                    raise RegistrarFailed("同一文件正由另一个进程归集。")
                registered = self._register(rows, connection, source=reader.source, now=now)
                every_end = {**ends, **registered}
                outcomes = [every_end[record.line_number] for record in chunk]
                record_outcomes(connection, reader.batch_id, outcomes)
        except IntegrityError as error:
            raise RegistrarFailed("登记库中已有这一批中的某一行。") from error
        return outcomes

    def _read(self, reader: RowReader, record: Record) -> StockEcert | RowOutcome:
        if record.cells is None:
            return _ended(record.line_number, Outcome.REFUSED, record.fault or Reason.MALFORMED_ROW)
        try:
            return reader.read_row(record.line_number, record.cells)
        except RowRefused as error:
            return RowOutcome(
                line_number=record.line_number,
                outcome=Outcome.REFUSED,
                reason=error.reason,
                field=error.field,
                sentence=error.sentence,
            )

    def _flagged(self, rows: Sequence[StockEcert]) -> list[StockEcert]:
        """Rows with what is doubtful about each."""
        references = {reference for row in rows for reference in row.holder_references}
        known = self._holders.known(sorted(references)) if references else frozenset()
        departments = {
            code for code in {row.issuer_code for row in rows} if self._issuers.is_department(code)
        }
        return [replace(row, flags=_flags(row, known, departments)) for row in rows]

    def _register(
        self, rows: Sequence[StockEcert], connection: Connection, *, source: str, now: datetime
    ) -> dict[int, RowOutcome]:
        keys = [row.row_key for row in rows]
        existing = known_stock(connection, source, keys)
        rest = [key for key in keys if key not in existing]
        existing |= self._registrar.find_existing(rest, source=source, connection=connection)
        ends: dict[int, RowOutcome] = {}
        first: dict[RowKey, StockEcert] = {}
        repeated: list[StockEcert] = []
        for row in rows:
            if row.row_key in existing:
                ends[row.line_number] = _against(row, existing[row.row_key])
            elif row.row_key in first:
                repeated.append(row)
            else:
                first[row.row_key] = row
        written = (
            self._registrar.register(list(first.values()), connection=connection, now=now) if first else []
        )
        by_key: dict[RowKey, RowOutcome] = {}
        for row, outcome in zip(first.values(), written, strict=True):
            ends[row.line_number] = by_key[row.row_key] = replace(
                outcome, line_number=row.line_number, flags=row.flags
            )
        remember_stock(
            connection,
            [(row, end.identifier) for row in first.values() if (end := by_key[row.row_key]).identifier],
        )
        for row in repeated:
            ends[row.line_number] = _repeated(row, first[row.row_key], by_key[row.row_key])
        return ends


def _batch_id(surveyed: SurveyedFile, *, source: str, type_slug: str) -> BatchId:
    identity = json.dumps(["longzheng batch v1", source, type_slug, surveyed.digest])
    return BatchId(hashlib.sha256(identity.encode()).hexdigest()[:32])


def _flags(row: StockEcert, known: frozenset[HolderReference], departments: set[str]) -> frozenset[Flag]:
    flags = set()
    if not known.issuperset(row.holder_references):
        flags.add(Flag.UNKNOWN_HOLDER)
    if row.issuer_code not in departments:
        flags.add(Flag.UNKNOWN_ISSUER)
    return frozenset(flags)


def _ended(line_number: int, outcome: Outcome, reason: Reason) -> RowOutcome:
    return RowOutcome(line_number=line_number, outcome=outcome, reason=reason, sentence=SENTENCES[reason])


def _against(row: StockEcert, existing: ExistingStock) -> RowOutcome:
    same = existing.content_digest == row.content_digest
    outcome = Outcome.DUPLICATE if same else Outcome.CONFLICTING
    reason = Reason.SAME_ROW_AGAIN if same else Reason.OTHER_CONTENT
    return replace(_ended(row.line_number, outcome, reason), identifier=existing.identifier)


def _repeated(row: StockEcert, first: StockEcert, end: RowOutcome) -> RowOutcome:
    """A row whose certificate came earlier in the same chunk shares that one's fate."""
    if end.identifier is None:
        return replace(end, line_number=row.line_number)
    return _against(row, ExistingStock(identifier=end.identifier, content_digest=first.content_digest))
