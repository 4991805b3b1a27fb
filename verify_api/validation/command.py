"""`./longzheng verify FILE… [--trust PEM]… [--crl FILE]… [--at TIME] [--offline] [--json]`.

Exit 0: every file is TOTAL-PASSED; 1: at least one is not; 2: wrong usage, or a file that cannot be read (the
others are reported all the same). Needs no running service and no network.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from verify_api.validation.errors import FileUnreadable, ValidationRoomError
from verify_api.validation.sandbox import Limits, validate_isolated
from verify_api.validation.trust import TrustAnchors, own_anchors, read_revocation_lists
from verify_api.validation.verdicts import DocumentReport, Verdict

PASSED, NOT_PASSED, USAGE = 0, 1, 2
_WORDS = {
    Verdict.PASSED: "",
    Verdict.FAILED: "无效，",
    Verdict.INDETERMINATE: "不能确定，",
    Verdict.NO_SIGNATURE: "",
    Verdict.NOT_A_PDF: "",
}


class _UsageError(ValidationRoomError):
    """The command line is wrong; the message is the sentence to print."""

    code = "usage"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _UsageError(f"用法不对：{message}")


def main(argv: list[str]) -> int:
    """Run the command.

    Args:
        argv: Arguments after `verify`.

    Returns:
        The exit code.
    """
    try:
        options = _parser().parse_args(argv)
        at = _moment(options.at) if options.at else None
        trust = _trust([Path(p) for p in options.trust])
        crls = [der for path in options.crl for der in read_revocation_lists(_read(Path(path)))]
    except ValidationRoomError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    unreadable = False
    answers: list[tuple[str, DocumentReport]] = []
    now = datetime.now(UTC)
    for name in options.files:
        try:
            data = _read(Path(name))
        except FileUnreadable as error:
            sys.stderr.write(f"{error}\n")
            unreadable = True
            continue
        report = validate_isolated(data, trust=trust, at=at, now=now, crls=crls, limits=Limits())
        answers.append((name, report))
    _print(answers, as_json=options.json)
    if unreadable:
        return USAGE
    return PASSED if all(report.verdict is Verdict.PASSED for _, report in answers) else NOT_PASSED


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="longzheng verify", description="验证 PDF 上的电子签名与印章，不需要运行中的服务。")
    parser.add_argument("files", nargs="+", metavar="FILE", help="要验证的文件")
    parser.add_argument(
        "--trust", action="append", default=[], metavar="PEM", help="信任列表，代替本服务自己的"
    )
    parser.add_argument("--crl", action="append", default=[], metavar="FILE", help="证书吊销列表，PEM 或 DER")
    parser.add_argument("--at", metavar="TIME", help="按哪个时刻验证，ISO 8601；不写时区则为 UTC")
    parser.add_argument("--offline", action="store_true", help="不联网（本命令从不联网）")
    parser.add_argument("--json", action="store_true", help="输出 JSON")
    return parser


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _UsageError(f"时间写法不对：{text}，例如 2026-01-31T08:00:00Z") from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileUnreadable(f"读不到文件 {path}：{error.strerror or error}") from error
    except ValueError as error:
        raise FileUnreadable("文件名不合法") from error


def _trust(paths: list[Path]) -> TrustAnchors:
    state = Path(os.environ.get("LONGZHENG_VAR") or Path(__file__).resolve().parents[2] / "var")
    try:
        own = own_anchors(state / "pki")
    except OSError:
        own = TrustAnchors()
    if not paths:
        return own
    named = TrustAnchors.from_pem([_read(path) for path in paths])
    return replace(named, own=own.own & named.marks)


def _print(answers: list[tuple[str, DocumentReport]], *, as_json: bool) -> None:
    if as_json:
        document = [report.to_json(file=name) for name, report in answers]
        text = json.dumps(document, ensure_ascii=False, indent=2)
    else:
        text = "\n".join(f"{name}：{_WORDS[report.verdict]}{report.reason}" for name, report in answers)
    if not text:
        return
    try:
        sys.stdout.buffer.write((text + "\n").encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
