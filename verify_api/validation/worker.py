"""The worker process of `sandbox`: it has everything imported and forks a child for each request.

The child sets its limits before it reads a byte of the file's structure, answers over a pipe and ends.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import select
import signal
import struct
import sys
import time
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from verify_api.validation.pdf_validation import validate_pdf
from verify_api.validation.report_json import report_to_wire
from verify_api.validation.trust import TrustAnchors

_SPECIMEN = Path(__file__).parent / "specimen"  # as tests/vectors/pdf/honest-certified-lt-in-one-revision.pdf


def serve() -> None:
    """Answer requests until the input ends."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    _warm_up()
    gc.freeze()
    while True:
        head = source.read(8)
        if len(head) < 8:
            return
        parameters = json.loads(source.read(struct.unpack(">Q", head)[0]))
        _trust_of(parameters).parsed()  # the caller's, and so no stranger's bytes: children find them parsed
        data = source.read(struct.unpack(">Q", source.read(8))[0])
        answer = _in_child(parameters, data)
        sink.write(struct.pack(">Q", len(answer)) + answer)
        sink.flush()


def _warm_up() -> None:
    """Validate a specimen of ours: what libraries prepare at first use is then prepared for every child."""
    trust = TrustAnchors.from_pem([(_SPECIMEN / "trust.pem").read_bytes()])
    now = datetime(2026, 11, 22, 12, tzinfo=UTC)
    validate_pdf((_SPECIMEN / "sealed.pdf").read_bytes(), trust=trust, at=None, now=now)


def _trust_of(parameters: dict[str, Any]) -> TrustAnchors:
    return TrustAnchors(
        certificates=tuple(b64decode(text) for text in parameters["trust"]),
        own=frozenset(bytes.fromhex(text) for text in parameters["own"]),
    )


def _in_child(parameters: dict[str, Any], data: bytes) -> bytes:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            gc.disable()  # the process ends soon, and its memory is limited
            _limit(int(parameters["seconds"]), int(parameters["memory_bytes"]))
            _write_all(writing, json.dumps(_validate(parameters, data)).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    answer, in_time = _collect(reading, int(parameters["seconds"]) + 1.0)
    os.close(reading)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not in_time or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGXCPU):
        return b'{"stopped": "time"}'
    if os.WIFSIGNALED(status) or os.WEXITSTATUS(status) or not answer:
        return b'{"stopped": "crash"}'
    return answer


def _limit(seconds: int, memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _validate(parameters: dict[str, Any], data: bytes) -> dict[str, Any]:
    try:
        report = validate_pdf(
            data,
            trust=_trust_of(parameters),
            at=datetime.fromisoformat(parameters["at"]) if parameters["at"] else None,
            now=datetime.fromisoformat(parameters["now"]),
            crls=[b64decode(text) for text in parameters["crls"]],
        )
    except MemoryError:
        return {"stopped": "memory"}
    return report_to_wire(report)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _collect(descriptor: int, seconds: float) -> tuple[bytes, bool]:
    """Read until the other end closes; tell whether that happened in time."""
    deadline = time.monotonic() + seconds
    parts = bytearray()
    while True:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return bytes(parts), False
        chunk = os.read(descriptor, 65536)
        if not chunk:
            return bytes(parts), True
        parts += chunk


if __name__ == "__main__":
    serve()
