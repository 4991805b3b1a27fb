"""A validator in a process of its own, so that no peer works with what another has changed in shared libraries.

`python -m bench.validators NAME DIRECTORY` reads lines with CPU seconds, validates the directory's files in turn for so
long, and answers each line with CPU and wall milliseconds for one file. `profile` instead of a number tells where the
time goes.
"""

import io
import itertools
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bench.measure import profile

Validate = Callable[[bytes], str]


def ours(trust: bytes) -> Validate:
    """`validate_pdf`: every check of docs/verify-report.md."""
    from verify_api.validation import TrustAnchors, validate_pdf  # noqa: PLC0415 - changes asn1crypto's comparing

    anchors = TrustAnchors.from_pem([trust])
    return lambda data: validate_pdf(data, trust=anchors, at=None, now=datetime.now(UTC)).verdict.value


def isolated(trust: bytes) -> Validate:
    """`validate_isolated`: the same in a child process with limits, as the service does it."""
    from verify_api.validation import TrustAnchors, validate_isolated  # noqa: PLC0415 - as above

    anchors = TrustAnchors.from_pem([trust])
    return lambda data: validate_isolated(data, trust=anchors, at=None, now=datetime.now(UTC)).verdict.value


def plain_pyhanko(trust: bytes) -> Validate:
    """PyHanko as its manual shows it: the signature with its stamp, revocation required, changes compared."""
    from asn1crypto import pem, x509  # noqa: PLC0415 - see above
    from pyhanko.pdf_utils.reader import PdfFileReader  # noqa: PLC0415
    from pyhanko.sign.validation import validate_pdf_signature  # noqa: PLC0415
    from pyhanko.sign.validation.dss import DocumentSecurityStore  # noqa: PLC0415

    roots = [x509.Certificate.load(der) for _, _, der in pem.unarmor(trust, multiple=True)]

    def validate(data: bytes) -> str:
        reader = PdfFileReader(io.BytesIO(data))
        settings = {"trust_roots": roots, "allow_fetching": False, "revocation_mode": "require"}
        context = DocumentSecurityStore.read_dss(reader).as_validation_context(settings)
        status = validate_pdf_signature(reader.embedded_regular_signatures[0], context)
        return "TOTAL-PASSED" if status.bottom_line else "INDETERMINATE"

    return validate


VALIDATORS = {"ours": ours, "ours, isolated": isolated, "plain pyHanko": plain_pyhanko}


def main(name: str, directory: str) -> None:
    """Serve; refuses to measure what does not pass."""
    folder = Path(directory)
    validate = VALIDATORS[name]((folder / "trust.pem").read_bytes())
    files = [path.read_bytes() for path in sorted(folder.glob("*.pdf"))]
    answers = {validate(data) for data in files}
    if answers != {"TOTAL-PASSED"}:
        raise SystemExit(f"{name} says {sorted(answers)}")
    turns = itertools.cycle(files)
    for line in sys.stdin:
        if line.strip() == "profile":
            told: object = profile(lambda: validate(next(turns)), repeat=3 * len(files), lines=16)
        else:
            told = _slot(validate, turns, float(line))
        print(json.dumps(told), flush=True)


def _slot(validate: Validate, turns: "itertools.cycle[bytes]", seconds: float) -> dict[str, float]:
    done, cpu, wall = 0, time.process_time(), time.perf_counter()
    while done == 0 or time.perf_counter() - wall < seconds:
        validate(next(turns))
        done += 1
    return {
        "cpu_ms": 1000 * (time.process_time() - cpu) / done,
        "wall_ms": 1000 * (time.perf_counter() - wall) / done,
    }


if __name__ == "__main__":
    main(*sys.argv[1:3])
