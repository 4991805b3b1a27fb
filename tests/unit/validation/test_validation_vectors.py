"""The stored files keep their verdicts, whatever changes in the code or in the libraries."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from verify_api.validation import TrustAnchors, validate_pdf

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "pdf"
EXPECTED = json.loads((VECTORS / "expected.json").read_text())


@pytest.mark.parametrize("name", EXPECTED["verdicts"])
def test_stored_file_keeps_its_verdict(name: str) -> None:
    trust = TrustAnchors.from_pem([(VECTORS / "trust.pem").read_bytes()])
    at = datetime.fromisoformat(EXPECTED["at"])
    report = validate_pdf((VECTORS / name).read_bytes(), trust=trust, at=at, now=at)
    assert report.verdict.value == EXPECTED["verdicts"][name]
    assert name.startswith("honest-") == (report.verdict.value == "TOTAL-PASSED")
