"""``./longzheng archive forecast|renew|clock``.

Exit codes: 0 done, 1 done but some files could not be renewed or examined, 2 bad usage, 3 a part is unavailable
(run the same command again: it goes on where it stood).
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from cert_registry.archive.errors import NothingGained, RenewalRunning
from cert_registry.archive.rules import NOW
from cert_registry.archive.types import DueReason
from cert_registry.errors import ConfigurationError, RegistryError
from cert_registry.signing.errors import SigningError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cert_registry.archive.renewal import Progress
    from cert_registry.archive.types import Forecast, RenewalReport
    from cert_registry.composition import RegistryRooms

_SHOWN: Final = 20
_TOLD_EVERY: Final = 100


def main(
    argv: Sequence[str] | None = None,
    *,
    open_rooms: Callable[[], RegistryRooms] | None = None,
    clock: Callable[[], datetime] | None = None,
) -> int:
    """Run the command; returns the exit code.

    Args:
        argv: Arguments behind `archive`.
        open_rooms: How the rooms are wired; by default `cert_registry.composition.open_registry`.
        clock: The time; by default the machine's.
    """
    options = _parser().parse_args(argv)
    now = clock or (lambda: datetime.now(UTC))
    try:
        rooms = (open_rooms or _open_wired_rooms)()
        return int(_COMMANDS[options.command](rooms, options, now))
    except ConfigurationError as error:
        return _fail(options, 2, error.code, str(error))
    except (NothingGained, RenewalRunning) as error:
        return _fail(options, 3, error.code, str(error))
    except (RegistryError, SigningError) as error:
        return _fail(options, 3, error.code, f"{error} 请再次运行同一命令，会从中断处继续。")


def _forecast(rooms: RegistryRooms, options: argparse.Namespace, now: Callable[[], datetime]) -> int:
    found = rooms.archive.forecast(now=now())
    _say(options, forecast_document(found), _forecast_lines(found))
    return 0


def _renew(rooms: RegistryRooms, options: argparse.Namespace, now: Callable[[], datetime]) -> int:
    report = rooms.archive.renew(now=now(), limit=options.limit, progress=_show_progress, clock=now)
    _say(options, report_document(report), _report_lines(report))
    return 1 if report.failed or report.unreadable or report.too_late else 0


def _clock(rooms: RegistryRooms, options: argparse.Namespace, now: Callable[[], datetime]) -> int:
    before = rooms.pki.accept_clock(now()) if options.accept else rooms.pki.newest_stamp()
    shown = None if before is None else before.isoformat()
    accepted = bool(options.accept)
    lines = [f"最近一次时间戳的时间：{shown or '尚无'}"]
    if accepted:
        lines.append("已以当前时间为准；此前时间戳中超前的时间已经发出，请核对并登记。")
    _say(options, {"newest_stamp": shown, "accepted": accepted}, lines)
    return 0


_COMMANDS: Final = {"forecast": _forecast, "renew": _renew, "clock": _clock}


def forecast_document(found: Forecast) -> dict[str, Any]:
    """The forecast as JSON values; the schema of ``--json``."""
    return {
        "files": found.files,
        "never": found.never,
        "too_late": found.too_late,
        "months": [
            {
                "month": one.month,
                "files": one.files,
                "reasons": {reason.value: count for reason, count in one.reasons},
            }
            for one in found.months
        ],
    }


def report_document(report: RenewalReport) -> dict[str, Any]:
    """The report as JSON values; the schema of ``--json``."""
    return {
        "due": report.due,
        "renewed": report.renewed,
        "already": report.already,
        "too_late": list(report.too_late),
        "failed": [{"identifier": name, "code": code} for name, code in report.failed],
        "unreadable": [{"identifier": name, "code": code} for name, code in report.unreadable],
    }


def _forecast_lines(found: Forecast) -> list[str]:
    columns = list(DueReason)
    lines = ["月份      份数  " + "  ".join(reason.title for reason in columns)]
    for one in found.months:
        counts = dict(one.reasons)
        month = "已到期 " if one.month == NOW else one.month
        row = "  ".join(str(counts.get(reason, 0)).rjust(2 * len(reason.title)) for reason in columns)
        lines.append(f"{month}  {one.files:>6}  {row}")
    lines.append(f"共 {found.files} 份；不需续期 {found.never} 份；已无法续期 {found.too_late} 份。")
    return lines


def _report_lines(report: RenewalReport) -> list[str]:
    lines = [f"应续期 {report.due} 份，已续期 {report.renewed} 份。"]
    if report.already:
        lines.append(f"另有 {report.already} 份已由他处更新。")
    lines += [f"已无法续期：{name}" for name in report.too_late[:_SHOWN]]
    lines += [f"未能续期（{code}）：{name}" for name, code in report.failed[:_SHOWN]]
    lines += [f"文件不可读（{code}）：{name}" for name, code in report.unreadable[:_SHOWN]]
    return lines


def _show_progress(progress: Progress) -> None:
    if progress.looked_at == 1 or progress.looked_at % _TOLD_EVERY == 0:
        sys.stderr.write(f"已处理 {progress.looked_at} 份，续期 {progress.renewed} 份\n")


def _say(options: argparse.Namespace, document: dict[str, Any], lines: list[str]) -> None:
    text = json.dumps(document, ensure_ascii=False) if options.json else "\n".join(lines)
    sys.stdout.write(text + "\n")


def _fail(options: argparse.Namespace, code: int, error: str, sentence: str) -> int:
    if options.json:
        sys.stdout.write(json.dumps({"error": error, "sentence": sentence}, ensure_ascii=False) + "\n")
    sys.stderr.write(f"longzheng archive: {sentence}\n")
    return code


def _open_wired_rooms() -> RegistryRooms:
    # The composition imports every room; it is loaded only when the command really runs.
    composition = importlib.import_module("cert_registry.composition")
    rooms: RegistryRooms = composition.open_registry()
    return rooms


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="longzheng archive", description="Keeps sealed files provable.")
    commands = parser.add_subparsers(dest="command", required=True)
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--json", action="store_true", help="one JSON document on standard output")
    commands.add_parser("forecast", parents=[shared], help="what falls due when, by month")
    renew = commands.add_parser("renew", parents=[shared], help="stamp what is due; again: goes on")
    renew.add_argument("--limit", type=_count, help="at most so many files")
    clock = commands.add_parser("clock", parents=[shared], help="the newest stamped time")
    clock.add_argument("--accept", action="store_true", help="take the present time for right after a jump")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 10**9:
        raise argparse.ArgumentTypeError("must be a number of files above 0")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
