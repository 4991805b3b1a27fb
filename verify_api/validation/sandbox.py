"""Runs validations in worker processes with limits, so that a hostile file cannot hurt.

A worker is a fresh interpreter that has everything imported and forks a child for each file; the child sets its
own limits, validates, answers and ends. Nothing of one file is left for the next. A crash or a limit becomes
INDETERMINATE with its reason. The worker needs no network and inherits no environment.

Frames on the pipes: length as 8 bytes big-endian, then that many bytes; a request is two frames (parameters as
JSON, the file), an answer is one (JSON).
"""

from __future__ import annotations

import atexit
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
from base64 import b64encode
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from verify_api.validation import sentences
from verify_api.validation.errors import ValidatorsBusy
from verify_api.validation.report_json import report_from_wire
from verify_api.validation.verdicts import DocumentReport, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from verify_api.validation.trust import TrustAnchors

_ROOT = Path(__file__).resolve().parents[2]
_GRACE_S = 10.0  # beyond the child's own limit, for starting up and for a worker that hangs
_MAX_ANSWER_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one validation may use."""

    seconds: int = 20  # CPU and clock
    memory_bytes: int = 1536 * 1024 * 1024  # address space
    file_bytes: int = 100 * 1024 * 1024
    workers: int = 4  # files validated at once by this process
    wait_s: float = 3.0  # how long a further file waits for its turn


class _Lost(Exception):
    """The worker ended or answered nonsense."""


class _Worker:
    """One worker process; used by one thread at a time."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "verify_api.validation.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", "LC_ALL": "C.UTF-8"},
        )
        self.owner = os.getpid()

    def ask(self, parameters: dict[str, Any], data: bytes, timeout_s: float) -> dict[str, Any]:
        """Send one request and wait for its answer.

        Raises:
            _Lost: The worker broke.
            TimeoutError: No answer in time.
        """
        deadline = time.monotonic() + timeout_s
        stdin, stdout = self._pipes()
        try:
            for part in (json.dumps(parameters).encode(), data):
                stdin.write(struct.pack(">Q", len(part)) + part)
            stdin.flush()
            (length,) = struct.unpack(">Q", self._read(stdout, 8, deadline))
            if length > _MAX_ANSWER_BYTES:
                raise _Lost
            answer = json.loads(self._read(stdout, length, deadline))
        except (OSError, ValueError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise _Lost from error
        if not isinstance(answer, dict):
            raise _Lost
        return answer

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process.stdin is None or self._process.stdout is None:
            raise _Lost
        return self._process.stdin, self._process.stdout

    def _read(self, stream: IO[bytes], length: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < length:
            ready, _, _ = select.select([stream], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            chunk = os.read(stream.fileno(), length - len(parts))
            if not chunk:
                raise _Lost
            parts += chunk
        return bytes(parts)

    def close(self) -> None:
        """End the process and close its pipes."""
        if self.owner == os.getpid():
            self._process.kill()
            self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue


class _Pool:
    """Idle workers; as many are made as there are callers at once."""

    def __init__(self, most_idle: int) -> None:
        self._idle: list[_Worker] = []
        self._most_idle = most_idle
        self._lock = threading.Lock()

    def take(self) -> tuple[_Worker, bool]:
        """Return a worker and whether it has served before; one inherited over a fork is not used."""
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.owner == os.getpid():
                    return worker, True
        return _Worker(), False

    def give_back(self, worker: _Worker) -> None:
        """Keep a worker for the next caller."""
        with self._lock:
            if len(self._idle) < self._most_idle:
                self._idle.append(worker)
                return
        worker.close()

    def close(self) -> None:
        """End all idle workers."""
        with self._lock:
            while self._idle:
                self._idle.pop().close()


class _Turns:
    """How many validations run at once; the most allowed comes with each question."""

    def __init__(self) -> None:
        self._running = 0
        self._changed = threading.Condition()

    @contextmanager
    def one(self, *, most: int, wait_s: float) -> Iterator[None]:
        """Hold one turn.

        Raises:
            ValidatorsBusy: None became free in time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._running < most, timeout=wait_s):
                raise ValidatorsBusy(sentences.BUSY)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify()


_TURNS = _Turns()
_POOL = _Pool(most_idle=2)
atexit.register(_POOL.close)


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
        limits: What the validation may use.

    Returns:
        The report.

    Raises:
        ValidatorsBusy: `limits.workers` files are being validated and none ended in `limits.wait_s`.
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
        "seconds": limits.seconds,
        "memory_bytes": limits.memory_bytes,
    }
    with _TURNS.one(most=limits.workers, wait_s=limits.wait_s):
        return _ask_worker(parameters, data, limits.seconds + _GRACE_S)


def _ask_worker(parameters: dict[str, Any], data: bytes, timeout_s: float) -> DocumentReport:
    used_before = True
    while used_before:
        try:
            worker, used_before = _POOL.take()
        except OSError:
            return _stopped(sentences.CRASHED)
        try:
            answer = worker.ask(parameters, data, timeout_s)
        except TimeoutError:
            worker.close()
            return _stopped(sentences.LIMIT_TIME)
        except _Lost:
            worker.close()  # a worker that had been idle may have been ended by the system: once more, with a new one
            continue
        _POOL.give_back(worker)
        return _read_answer(answer)
    return _stopped(sentences.CRASHED)


def _read_answer(answer: dict[str, Any]) -> DocumentReport:
    if "stopped" in answer:
        reasons = {"time": sentences.LIMIT_TIME, "memory": sentences.LIMIT_MEMORY}
        return _stopped(reasons.get(str(answer["stopped"]), sentences.CRASHED))
    try:
        return report_from_wire(answer)
    except (ValueError, KeyError, TypeError):
        return _stopped(sentences.CRASHED)


def _stopped(reason: str) -> DocumentReport:
    return DocumentReport(verdict=Verdict.INDETERMINATE, reason=reason)
