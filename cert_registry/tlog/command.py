"""``./longzheng log verify``: check every tile of a log; needs no running service.

Exit codes: 0 whole, 1 damaged, rolled back or wrongly signed, 2 bad usage, 3 files cannot be read.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cert_registry.tlog.audit import AuditReport, audit_log
from cert_registry.tlog.errors import LogUnavailable, MalformedNote, TlogError
from cert_registry.tlog.note import NoteVerifier

CHECKOUT = Path(__file__).resolve().parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(argv)
    directory = Path(options.directory or _state_directory() / "tlog")
    try:
        verifier = _read_key(options.vkey, directory)
    except MalformedNote as error:
        return _say(options.json, 2, {"verdict": "usage", "reason": f"--vkey: {error}"})
    except OSError as error:
        return _say(options.json, 3, {"verdict": "unavailable", "reason": f"{directory}: {error.strerror}"})
    try:
        older = Path(options.older).read_bytes() if options.older else None
    except OSError as error:
        return _say(options.json, 2, {"verdict": "usage", "reason": f"--older: {error.strerror}"})
    try:
        report = audit_log(
            directory, origin=options.origin or verifier.name, verifier=verifier, older_note=older
        )
    except LogUnavailable as error:
        return _say(options.json, 3, {"verdict": "unavailable", "code": error.code, "reason": str(error)})
    except TlogError as error:
        return _say(options.json, 1, {"verdict": "damaged", "code": error.code, "reason": str(error)})
    return _say(options.json, 0, _whole(report))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="longzheng log", description="The transparency log.")
    commands = parser.add_subparsers(dest="command", required=True)
    verify = commands.add_parser("verify", help="check all tiles against the checkpoint")
    verify.add_argument("--directory", help="the log's files (default: this system's own)")
    verify.add_argument(
        "--vkey", help="the log's key as text, or a file with it (default: vkey beside the tiles)"
    )
    verify.add_argument("--origin", help="the log's name (default: the key's name)")
    verify.add_argument("--older", metavar="FILE", help="an earlier checkpoint that the log must continue")
    verify.add_argument("--json", action="store_true", help="one JSON document on stdout")
    return parser


def _state_directory() -> Path:
    return Path(os.environ.get("LONGZHENG_VAR") or CHECKOUT / "var")


def _read_key(given: str | None, directory: Path) -> NoteVerifier:
    if given and "+" in given:
        return NoteVerifier.from_vkey(given)
    try:
        text = Path(given or directory / "vkey").read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise MalformedNote("not a key file") from error
    return NoteVerifier.from_vkey(text.strip())


def _whole(report: AuditReport) -> dict[str, object]:
    return {
        "verdict": "whole",
        "origin": report.checkpoint.origin,
        "size": report.checkpoint.size,
        "root": report.checkpoint.root.hex(),
        "tiles": report.tiles,
        "continues": report.older.size if report.older else None,
    }


def _say(as_json: bool, code: int, document: dict[str, object]) -> int:  # noqa: FBT001 - an option's value
    if as_json:
        sys.stdout.write(json.dumps(document, ensure_ascii=False) + "\n")
    elif code == 0:
        continues = (
            "" if document["continues"] is None else f"; it continues the older {document['continues']}"
        )
        sys.stdout.write(
            f"{document['origin']}: {document['size']} entries, {document['tiles']} tiles, whole{continues}\n"
        )
    else:
        sys.stderr.write(f"log verify: {document['reason']}\n")
    return code
