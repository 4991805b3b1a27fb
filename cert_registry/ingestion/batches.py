"""Batches, their cursor and their rows' ends, in the database."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select, update

from cert_registry.ingestion.reading import SurveyedFile
from cert_registry.ingestion.tables import ING_BATCHES, ING_ROWS, ING_STOCK
from cert_registry.ingestion.types import (
    BatchId,
    BatchReport,
    ExistingStock,
    Flag,
    Outcome,
    Reason,
    RowKey,
    RowOutcome,
    SourceQuality,
    StockEcert,
)
from cert_registry.types import EcertIdentifier

CHECK_DIGIT_REASONS = (Reason.CHECK_CHARACTER, Reason.CREDIT_CODE)


def open_batch(
    connection: Connection,
    batch_id: BatchId,
    *,
    source: str,
    type_slug: str,
    surveyed: SurveyedFile,
    ignored_columns: Sequence[str],
    now: datetime,
) -> int:
    """Begin a batch, or find it again.

    Returns:
        Number of rows that are done already.
    """
    query = select(ING_BATCHES.c.rows_done).where(ING_BATCHES.c.batch_id == batch_id)
    done = connection.execute(query).scalar_one_or_none()
    if done is not None:
        return int(done)
    connection.execute(
        ING_BATCHES.insert().values(
            batch_id=batch_id,
            source=source,
            type_slug=type_slug,
            file_name=surveyed.path.name[:200],
            file_digest=surveyed.digest,
            encoding=surveyed.encoding_name,
            ignored_columns=json.dumps(list(ignored_columns), ensure_ascii=False),
            rows_done=0,
            started_at=now,
        )
    )
    return 0


def record_outcomes(connection: Connection, batch_id: BatchId, outcomes: Sequence[RowOutcome]) -> None:
    """Write how rows ended and move the cursor past them."""
    connection.execute(ING_ROWS.insert(), [_values(batch_id, each) for each in outcomes])
    connection.execute(
        update(ING_BATCHES)
        .where(ING_BATCHES.c.batch_id == batch_id)
        .values(rows_done=ING_BATCHES.c.rows_done + len(outcomes))
    )


def rows_done(connection: Connection, batch_id: BatchId) -> int:
    """The cursor."""
    query = select(ING_BATCHES.c.rows_done).where(ING_BATCHES.c.batch_id == batch_id)
    return int(connection.execute(query).scalar_one())


def finish_batch(connection: Connection, batch_id: BatchId, *, now: datetime) -> None:
    """Mark a batch as done; the first time counts."""
    connection.execute(
        update(ING_BATCHES)
        .where(ING_BATCHES.c.batch_id == batch_id, ING_BATCHES.c.finished_at.is_(None))
        .values(finished_at=now)
    )


def read_report(connection: Connection, batch_id: BatchId, *, resumed_rows: int) -> BatchReport:
    """What became of a finished batch."""
    batch = connection.execute(select(ING_BATCHES).where(ING_BATCHES.c.batch_id == batch_id)).one()
    mine = ING_ROWS.c.batch_id == batch_id
    counted = connection.execute(
        select(ING_ROWS.c.outcome, func.count()).where(mine).group_by(ING_ROWS.c.outcome)
    ).all()
    outcomes = dict.fromkeys(Outcome, 0) | {Outcome(name): count for name, count in counted}
    remarked = mine & ((ING_ROWS.c.outcome != Outcome.REGISTERED.value) | (ING_ROWS.c.flags != ""))
    query = select(ING_ROWS).where(remarked).order_by(ING_ROWS.c.line_number)
    remarks = tuple(_outcome(row) for row in connection.execute(query))
    return BatchReport(
        batch_id=batch_id,
        source=batch.source,
        type_slug=batch.type_slug,
        encoding=batch.encoding,
        rows=batch.rows_done,
        outcomes=outcomes,
        reasons=dict(sorted(Counter(_reason_key(each) for each in remarks if each.reason).items())),
        flags=Counter(flag for each in remarks for flag in sorted(each.flags, key=lambda flag: flag.value)),
        resumed_rows=resumed_rows,
        ignored_columns=tuple(json.loads(batch.ignored_columns)),
        started_at=batch.started_at,
        finished_at=batch.finished_at,
        remarks=remarks,
    )


def source_quality(connection: Connection) -> tuple[SourceQuality, ...]:
    """Quality of every source over all its batches."""
    source = ING_BATCHES.c.source
    counts: Sequence[Row[Any]] = connection.execute(
        select(source, ING_ROWS.c.outcome, ING_ROWS.c.reason, ING_ROWS.c.flags, func.count().label("rows"))
        .join(ING_BATCHES, ING_ROWS.c.batch_id == ING_BATCHES.c.batch_id)
        .group_by(source, ING_ROWS.c.outcome, ING_ROWS.c.reason, ING_ROWS.c.flags)
    ).all()
    names = sorted({each.source for each in counts})
    return tuple(_quality(name, [each for each in counts if each.source == name]) for name in names)


def known_stock(
    connection: Connection, source: str, row_keys: Sequence[RowKey]
) -> dict[RowKey, ExistingStock]:
    """What was registered from this source under these keys, by any batch."""
    rows = connection.execute(
        select(ING_STOCK).where(ING_STOCK.c.source == source, ING_STOCK.c.row_key.in_(row_keys))
    )
    return {
        RowKey(row.row_key): ExistingStock(
            identifier=EcertIdentifier(row.identifier), content_digest=row.content_digest
        )
        for row in rows
    }


def remember_stock(connection: Connection, rows: Sequence[tuple[StockEcert, EcertIdentifier]]) -> None:
    """Keep what was registered, so that it is recognised when it comes again."""
    if rows:
        connection.execute(
            ING_STOCK.insert(),
            [
                {
                    "source": row.source,
                    "row_key": row.row_key,
                    "content_digest": row.content_digest,
                    "identifier": identifier,
                }
                for row, identifier in rows
            ],
        )


def _quality(source: str, counts: Sequence[Row[Any]]) -> SourceQuality:
    def total(holds: Callable[[Row[Any]], bool]) -> int:
        return sum(each.rows for each in counts if holds(each))

    check_digits = {reason.value for reason in CHECK_DIGIT_REASONS}
    return SourceQuality(
        source=source,
        rows=total(lambda _: True),
        registered=total(lambda each: each.outcome == Outcome.REGISTERED.value),
        missing_fields=total(lambda each: each.reason == Reason.MISSING_FIELD.value),
        bad_check_digits=total(lambda each: each.reason in check_digits),
        unknown_holders=total(lambda each: Flag.UNKNOWN_HOLDER.value in each.flags.split()),
        conflicting=total(lambda each: each.outcome == Outcome.CONFLICTING.value),
    )


def _reason_key(outcome: RowOutcome) -> str:
    if outcome.reason is Reason.MISSING_FIELD:
        return f"{outcome.reason.value}:{outcome.field}"
    return outcome.reason.value if outcome.reason else ""


def _values(batch_id: BatchId, outcome: RowOutcome) -> dict[str, object]:
    return {
        "batch_id": batch_id,
        "line_number": outcome.line_number,
        "outcome": outcome.outcome.value,
        "reason": outcome.reason.value if outcome.reason else None,
        "field": outcome.field,
        "sentence": outcome.sentence,
        "flags": " ".join(sorted(flag.value for flag in outcome.flags)),
        "identifier": outcome.identifier,
    }


def _outcome(row: Row[Any]) -> RowOutcome:
    return RowOutcome(
        line_number=row.line_number,
        outcome=Outcome(row.outcome),
        identifier=EcertIdentifier(row.identifier) if row.identifier else None,
        reason=Reason(row.reason) if row.reason else None,
        field=row.field,
        sentence=row.sentence,
        flags=frozenset(Flag(each) for each in row.flags.split()),
    )
