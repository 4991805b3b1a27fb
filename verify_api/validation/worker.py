"""The worker process of `sandbox`: one request in, one report out, under limits set before anything is read."""

from __future__ import annotations

import json
import resource
import sys
from base64 import b64decode
from datetime import datetime
from typing import Any

from verify_api.validation.pdf_validation import validate_pdf
from verify_api.validation.report_json import report_to_wire
from verify_api.validation.trust import TrustAnchors


def run(seconds: int, memory_bytes: int) -> None:
    """Set the limits, read one request, answer it."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    parameters: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    data = sys.stdin.buffer.read()
    report = validate_pdf(
        data,
        trust=TrustAnchors(
            certificates=tuple(b64decode(text) for text in parameters["trust"]),
            own=frozenset(bytes.fromhex(text) for text in parameters["own"]),
        ),
        at=datetime.fromisoformat(parameters["at"]) if parameters["at"] else None,
        now=datetime.fromisoformat(parameters["now"]),
        crls=[b64decode(text) for text in parameters["crls"]],
    )
    sys.stdout.write(json.dumps(report_to_wire(report)))
    sys.stdout.flush()


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]))
