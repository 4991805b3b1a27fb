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

from verify_api.validation.command_line import SentenceParser, add_checking_options, moment, read_file
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


def main(argv: list[str]) -> int:
    """Run the command.

    Args:
        argv: Arguments after `verify`.

    Returns:
        The exit code.
    """
    try:
        options = _parser().parse_args(argv)
        at = moment(options.at) if options.at else None
        trust = _trust([Path(p) for p in options.trust])
        crls = [der for path in options.crl for der in read_revocation_lists(read_file(Path(path)))]
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
            data = read_file(Path(name))
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
    parser = SentenceParser(
        prog="longzheng verify", description="验证 PDF 上的电子签名与印章，不需要运行中的服务。"
    )
    add_checking_options(parser)
    parser.add_argument("--offline", action="store_true", help="不联网（本命令从不联网）")
    return parser


def _trust(paths: list[Path]) -> TrustAnchors:
    state = Path(os.environ.get("LONGZHENG_VAR") or Path(__file__).resolve().parents[2] / "var")
    try:
        own = own_anchors(state / "pki")
    except OSError:
        own = TrustAnchors()
    if not paths:
        return own
    named = TrustAnchors.from_pem([read_file(path) for path in paths])
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
