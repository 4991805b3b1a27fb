"""`./longzheng eseal verify FILE… [--trust PEM]… [--untrusted PEM]… [--crl FILE]… [--data FILE] [--at TIME] [--json]`.

Verifies e-seals (SESeal) and signatures with them (SES_Signature). Exit 0: every file is VALID; 1: at least one is not;
2: wrong usage, or a file that cannot be read. Needs no running service and no network.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from cert_registry.eseal import export_command
from cert_registry.eseal.report import EsealReport, EsealVerdict, Severity
from cert_registry.eseal.verifying import verify
from verify_api.eseal_judge import ChainJudge
from verify_api.validation.command_line import SentenceParser, add_checking_options, moment, read_file
from verify_api.validation.errors import ValidationRoomError
from verify_api.validation.trust import TrustAnchors, read_certificates, read_revocation_lists

if TYPE_CHECKING:
    from collections.abc import Sequence

VALID, NOT_VALID, USAGE = 0, 1, 2
_WORDS = {
    EsealVerdict.VALID: "有效",
    EsealVerdict.INVALID: "无效",
    EsealVerdict.INDETERMINATE: "不能确定",
}


def main(argv: list[str]) -> int:
    """Run the command.

    Args:
        argv: Arguments after `eseal`.

    Returns:
        The exit code.
    """
    if argv[:1] == ["export"]:
        return export_command.main(argv[1:])
    try:
        options = _parser().parse_args(argv)
        now = moment(options.at) if options.at else datetime.now(UTC)
        judge = _judge(options)
        data = read_file(Path(options.data)) if options.data else None
        contents = [(name, read_file(Path(name))) for name in options.files]
    except ValidationRoomError as error:
        sys.stderr.write(f"{error}\n")
        return USAGE
    except SystemExit as stop:  # --help
        return int(stop.code or 0)
    reports = [(name, verify(content, judge=judge, now=now, data=data)) for name, content in contents]
    if options.json:
        document = [report.to_json(file=name) for name, report in reports]
        sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stdout.write("".join(_lines(name, report) for name, report in reports))
    return VALID if all(report.verdict is EsealVerdict.VALID for _, report in reports) else NOT_VALID


def _lines(name: str, report: EsealReport) -> str:
    title = f"（{report.name}，版本 {report.version.value}）" if report.name and report.version else ""
    lines = [f"{name}：{_WORDS[report.verdict]}{title}"]
    for finding in report.findings:
        mark = "提醒：" if finding.severity is Severity.WARNING else ""
        lines.append(f"  {mark}{finding.sentence}")
    return "\n".join(lines) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = SentenceParser(
        prog="longzheng eseal", description="电子印章与电子签章数据，不需要运行中的服务。"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("export", help="导出在用印章的 SESeal：SEAL_ID --out FILE", add_help=False)
    checking = commands.add_parser("verify", help="验证印章（SESeal）或签章（SES_Signature）")
    add_checking_options(checking)
    checking.add_argument(
        "--untrusted", action="append", default=[], metavar="PEM", help="其他证书，例如制章人的上级"
    )
    checking.add_argument("--data", metavar="FILE", help="签章所保护的数据")
    return parser


def _judge(options: argparse.Namespace) -> ChainJudge:
    certificates = [der for path in options.untrusted for der in read_certificates(read_file(Path(path)))]
    crls = [der for path in options.crl for der in read_revocation_lists(read_file(Path(path)))]
    if options.trust:
        trust = TrustAnchors.from_pem([read_file(Path(path)) for path in options.trust])
        return ChainJudge(trust=trust, certificates=certificates, crls=crls)
    own = _own_directories()
    anchors = [read_file(directory / "trust.pem") for directory in own]
    for directory in own:
        for file in sorted(directory.glob("*-ca.pem")):
            certificates += read_certificates(read_file(file))
        for file in sorted(directory.glob("*.crl")):
            crls += read_revocation_lists(read_file(file))
    trust = TrustAnchors.from_pem(anchors, own=anchors) if anchors else TrustAnchors()
    return ChainJudge(trust=trust, certificates=certificates, crls=crls)


def _own_directories() -> Sequence[Path]:
    """The service's own hierarchies on this machine, if any."""
    state = Path(os.environ.get("LONGZHENG_VAR") or Path(__file__).resolve().parents[1] / "var")
    return [d for d in (state / "pki", state / "pki" / "sm2") if (d / "trust.pem").is_file()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
