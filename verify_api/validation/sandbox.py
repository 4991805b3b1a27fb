"""Runs one validation in a worker process with limits, so that a hostile file cannot hurt.

The worker is a fresh interpreter. It reads one JSON line of parameters and the file's bytes from its standard
input and answers one JSON document; it has no network need, limited address space, CPU time and output.
A crash or a limit becomes INDETERMINATE with its reason.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from verify_api.validation import sentences
from verify_api.validation.report_json import report_from_wire
from verify_api.validation.verdicts import DocumentReport, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from verify_api.validation.trust import TrustAnchors

_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one validation may use."""

    seconds: int = 20  # CPU seconds, and twice that on the clock
    memory_bytes: int = 1536 * 1024 * 1024  # address space
    file_bytes: int = 100 * 1024 * 1024


def validate_isolated(
    data: bytes,
    *,
    trust: TrustAnchors,
    at: datetime | None,
    now: datetime,
    crls: Iterable[bytes] = (),
    limits: Limits | None = None,
) -> DocumentReport:
    """Validate a file in a worker process; like `validate_pdf`, but nothing the file does can hurt.

    Args:
        data: The file.
        trust: Anchors.
        at: Validation time, aware; None means `now`.
        now: The present, aware.
        crls: Further revocation lists, DER.
        limits: What the worker may use.

    Returns:
        The report.
    """
    limits = limits or Limits()
    if len(data) > limits.file_bytes:
        return _stopped(sentences.LIMIT_SIZE)
    parameters = {
        "trust": [b64encode(der).decode() for der in trust.certificates],
        "own": [mark.hex() for mark in sorted(trust.own)],
        "at": at.isoformat() if at else None,
        "now": now.isoformat(),
        "crls": [b64encode(der).decode() for der in crls],
    }
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module, no shell
            [
                sys.executable,
                "-m",
                "verify_api.validation.worker",
                str(limits.seconds),
                str(limits.memory_bytes),
            ],
            input=json.dumps(parameters).encode() + b"\n" + data,
            capture_output=True,
            timeout=limits.seconds * 2,
            cwd=_ROOT,
            env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _stopped(sentences.LIMIT_TIME)
    except OSError:
        return _stopped(sentences.CRASHED)
    if done.returncode in {-signal.SIGXCPU, -signal.SIGKILL}:
        return _stopped(sentences.LIMIT_TIME)
    try:
        return report_from_wire(json.loads(done.stdout))
    except (ValueError, KeyError, TypeError):
        memory = b"MemoryError" in done.stderr
        return _stopped(sentences.LIMIT_MEMORY if memory else sentences.CRASHED)


def _stopped(reason: str) -> DocumentReport:
    return DocumentReport(verdict=Verdict.INDETERMINATE, reason=reason)
