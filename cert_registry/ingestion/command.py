"""``./longzheng ingest FILE --source S --type T [--json]``.

Exit codes: 0 the file is done, 1 it is done and not one row of it is in the registry, 2 bad usage or a file that
cannot be taken, 3 a part is unavailable (run the same command again: it goes on where it stood).
"""

import argparse
import importlib
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cert_registry.catalog.errors import CatalogError
from cert_registry.errors import ConfigurationError, RegistryError
from cert_registry.ingestion.errors import IngestionError, RegistrarFailed
from cert_registry.ingestion.ingest import Progress, StockIngestion
from cert_registry.ingestion.types import BatchReport, Outcome, RowOutcome
from cert_registry.tlog.errors import TlogError

SHOWN_REMARKS = 50


def main(argv: Sequence[str] | None = None, *, open_room: Callable[[], StockIngestion] | None = None) -> int:
    """Run the command; returns the exit code.

    Args:
        argv: arguments behind ``ingest``.
        open_room: how the room is wired; by default `cert_registry.composition.open_ingestion`.
    """
    options = _parser().parse_args(argv)
    try:
        room = (open_room or _open_wired_room)()
        report = room.ingest(
            Path(options.file),
            source=options.source,
            type_slug=options.type,
            now=datetime.now(UTC),
            progress=_show_progress,
        )
    except (RegistrarFailed, TlogError) as error:
        return _fail(options.json, 3, error.code, f"{error} 请再次运行同一命令，会从中断处继续。")
    except (IngestionError, CatalogError, ConfigurationError) as error:
        return _fail(options.json, 2, error.code, str(error))
    except RegistryError as error:
        return _fail(options.json, 3, error.code, f"{error} 请再次运行同一命令，会从中断处继续。")
    if options.json:
        sys.stdout.write(json.dumps(report_document(report), ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("\n".join(_lines(report)) + "\n")
    taken = report.outcomes[Outcome.REGISTERED] + report.outcomes[Outcome.DUPLICATE]
    return 1 if report.rows and not taken else 0


def report_document(report: BatchReport) -> dict[str, Any]:
    """The report as JSON values; the schema of ``--json``."""
    return {
        "batch": report.batch_id,
        "source": report.source,
        "type": report.type_slug,
        "encoding": report.encoding,
        "rows": report.rows,
        "outcomes": {outcome.value: count for outcome, count in report.outcomes.items()},
        "reasons": dict(report.reasons),
        "flags": {flag.value: count for flag, count in report.flags.items()},
        "resumed_rows": report.resumed_rows,
        "ignored_columns": list(report.ignored_columns),
        "started_at": report.started_at.isoformat(),
        "finished_at": report.finished_at.isoformat(),
        "remarks": [_remark_document(each) for each in report.remarks],
    }


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="longzheng ingest", description="Take over a file of stock (存量归集)."
    )
    parser.add_argument("file", help="CSV, UTF-8 or GB18030, first row with the columns' names")
    parser.add_argument("--source", required=True, help="which register the file comes from")
    parser.add_argument("--type", required=True, help="certificate type, for example food-business-licence")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return parser


def _open_wired_room() -> StockIngestion:
    # The composition imports every room; it is loaded only when the command really runs.
    composition = importlib.import_module("cert_registry.composition")
    room: StockIngestion = composition.open_ingestion()
    return room


def _show_progress(progress: Progress) -> None:
    counts = "，".join(f"{outcome.title} {count}" for outcome, count in progress.outcomes.items())
    sys.stderr.write(f"{progress.rows} 行：{counts}\n")


def _fail(as_json: bool, exit_code: int, code: str, sentence: str) -> int:  # noqa: FBT001 - an option's value
    if as_json:
        sys.stdout.write(json.dumps({"error": code, "reason": sentence}, ensure_ascii=False) + "\n")
    sys.stderr.write(f"ingest: {sentence}\n")
    return exit_code


def _remark_document(remark: RowOutcome) -> dict[str, Any]:
    return {
        "line": remark.line_number,
        "outcome": remark.outcome.value,
        "reason": remark.reason.value if remark.reason else None,
        "field": remark.field,
        "sentence": remark.sentence,
        "flags": sorted(flag.value for flag in remark.flags),
        "identifier": remark.identifier,
    }


def _lines(report: BatchReport) -> list[str]:
    counts = "，".join(f"{outcome.title} {count}" for outcome, count in report.outcomes.items())
    lines = [f"{report.source}：{report.rows} 行（{report.encoding}）：{counts}。"]
    if report.resumed_rows:
        lines.append(f"其中 {report.resumed_rows} 行在之前的运行中已完成。")
    if report.ignored_columns:
        lines.append(f"未使用的列：{'、'.join(report.ignored_columns)}。")
    lines += [f"  {reason}：{count}" for reason, count in report.reasons.items()]
    lines += [f"  存疑（已入库）{flag.value}：{count}" for flag, count in report.flags.items()]
    ended = [each for each in report.remarks if each.outcome is not Outcome.REGISTERED]
    lines += [
        f"第 {each.line_number} 行 {each.outcome.title}：{each.sentence}" for each in ended[:SHOWN_REMARKS]
    ]
    if len(ended) > SHOWN_REMARKS:
        lines.append(f"……另有 {len(ended) - SHOWN_REMARKS} 行，见 --json。")
    return lines
