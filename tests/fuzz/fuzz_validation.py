"""Coverage-guided fuzzing of the validator: python tests/fuzz/fuzz_validation.py CORPUS [libFuzzer options].

Whatever the bytes are, validation in process must answer with a report, and soon. What is TOTAL-PASSED must begin with
the signed bytes of a seed, and draw on its pages what that state drew, in the eyes of an independent reader. The
mutator knows PDF: besides libFuzzer's own mutations it exchanges whole objects between the seeds, repeats, swaps and
cuts them, and spoils numbers, so that inputs get past the parser.
"""

from __future__ import annotations

import io
import random
import re
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import atheris
import pikepdf

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

with atheris.instrument_imports(include=["verify_api.validation"]):
    from verify_api.validation import TrustAnchors, Verdict, validate_pdf

VECTORS = ROOT / "tests" / "vectors" / "pdf"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
TRUST = TrustAnchors.from_pem([(VECTORS / "trust.pem").read_bytes()])
SEEDS = {path.name: path.read_bytes() for path in sorted(VECTORS.glob("*.pdf"))}
_COVERED = re.compile(rb"/ByteRange\s*\[\s*0\s+\d+\s+(\d+)\s+(\d+)")


def drawings(data: bytes) -> list[bytes]:
    """Return what qpdf, an independent reader, finds drawn on each page, beside its annotations."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pages = []
        for page in pdf.pages:
            page.contents_coalesce()
            pages.append(repr(page.mediabox).encode() + page.Contents.read_bytes())
        return pages


def signed_state(data: bytes) -> bytes:
    """Return a file up to where its first signature covers it; all of it when that is written unusually."""
    return data[: min((int(a) + int(b) for a, b in _COVERED.findall(data)), default=len(data))]


PASSED = {
    signed: drawings(signed)
    for signed in (
        signed_state(data)
        for data in SEEDS.values()
        if validate_pdf(data, trust=TRUST, at=None, now=NOW).verdict is Verdict.PASSED
    )
}
_OBJECT = re.compile(rb"\d+ \d+ obj.*?endobj\s?", re.DOTALL)
_NUMBER = re.compile(rb"\d+")
_KEY = re.compile(rb"/[A-Za-z]+")
_ODD = (
    b"0",
    b"-1",
    b"1",
    b"2147483648",
    b"99999999999999999999",
    b"null",
    b"0.5",
    b"<<>>",
    b"[]",
    b"(x)",
    b"/X",
)
_SLOW_S = 20.0


def test_one_input(data: bytes) -> None:
    """Validate one input.

    Raises:
        AssertionError: The answer was late, or passes what was altered.
    """
    started = time.process_time()
    report = validate_pdf(data, trust=TRUST, at=None, now=NOW)
    if time.process_time() - started > _SLOW_S:
        raise AssertionError("too slow")
    if report.verdict is Verdict.PASSED and not any(
        data.startswith(signed) and drawings(data) == drawn for signed, drawn in PASSED.items()
    ):
        raise AssertionError("an altered file passes")


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Return another input, one or several steps away."""
    pick = random.Random(seed)  # noqa: S311 - a repeatable choice, no secret
    if pick.random() < 0.25:
        return bytes(atheris.Mutate(data, max_size))
    for _ in range(pick.choice((1, 1, 2, 4))):
        data = pick.choice(_STEPS)(data, pick)
    return data[:max_size]


def _object_from_elsewhere(data: bytes, pick: random.Random) -> bytes:
    mine = list(_OBJECT.finditer(data))
    other = _OBJECT.findall(pick.choice(list(SEEDS.values())))
    if not mine or not other:
        return data
    spot = pick.choice(mine)
    return data[: spot.start()] + pick.choice(other) + data[pick.choice((spot.start(), spot.end())) :]


def _number(data: bytes, pick: random.Random) -> bytes:
    numbers = list(_NUMBER.finditer(data))
    if not numbers:
        return data
    spot = pick.choice(numbers)
    return data[: spot.start()] + pick.choice((*_ODD, b"%d" % pick.randrange(400))) + data[spot.end() :]


def _name(data: bytes, pick: random.Random) -> bytes:
    keys = list(_KEY.finditer(data))
    if not keys:
        return data
    spot, other = pick.choice(keys), pick.choice(keys)
    return data[: spot.start()] + other.group() + data[spot.end() :]


def _piece(data: bytes, pick: random.Random) -> bytes:
    """Cut a piece out, or write it twice."""
    start = pick.randrange(len(data) + 1)
    end = min(len(data), start + pick.choice((1, 8, 200, 3000)))
    return data[:start] + data[end:] if pick.random() < 0.5 else data[:end] + data[start:]


def _appended_revision(data: bytes, pick: random.Random) -> bytes:
    """Append the last update of a seed, as an attacker appends his own."""
    other = pick.choice(list(SEEDS.values()))
    at = other.rfind(b"%%EOF", 0, max(0, len(other) - 10))
    return data + other[at + 6 :] if at > 0 else data + other


_STEPS = (_object_from_elsewhere, _number, _number, _name, _piece, _appended_revision)


def main() -> None:
    """Run libFuzzer."""
    atheris.Setup(sys.argv, test_one_input, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
