"""An independent program draws the signed and the final state: what looks otherwise was permitted, or does not pass."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from validation_attacks import ATTACKS
from validation_attacks_content import CONTENT_ATTACKS
from validation_honest import HONEST
from validation_honest_more import MORE_HONEST
from validation_pki import NOW, Pki

from verify_api.validation import Modifications, TrustAnchors, Verdict, validate_pdf

pytestmark = pytest.mark.thorough

_ENDS = re.compile(rb"/ByteRange\s*\[\s*0\s+\d+\s+(\d+)\s+(\d+)")
_SEEN_CHANGES = {Modifications.PERMITTED}
CASES = {
    **{f"honest-{key}": build for key, (build, _) in {**HONEST, **MORE_HONEST}.items()},
    **{f"attack-{key}": build for key, build in ATTACKS.items() if "shadow" in key or "incremental" in key},
    **{
        key: CONTENT_ATTACKS[key]
        for key in ("layer-switched", "look-switched", "page-rotate", "page-contents")
    },
}


def drawn(data: bytes, folder: Path, label: str) -> list[bytes]:
    """Draw every page with poppler, small and grey."""
    source = folder / f"{label}.pdf"
    source.write_bytes(data)
    subprocess.run(
        ["pdftoppm", "-r", "36", "-gray", str(source), str(folder / label)],
        check=False,
        capture_output=True,
        timeout=120,
    )
    return [page.read_bytes() for page in sorted(folder.glob(f"{label}-*.pgm"))]


@pytest.mark.parametrize("case", CASES)
def test_what_looks_otherwise_was_permitted_or_does_not_pass(
    case: str, pki: Pki, trust: TrustAnchors, tmp_path: Path
) -> None:
    data = CASES[case](pki)
    report = validate_pdf(data, trust=trust, at=None, now=NOW)
    ends = [int(a) + int(b) for a, b in _ENDS.findall(data)]
    if report.verdict is not Verdict.PASSED or not ends:
        assert case.startswith(("attack-", "layer", "look", "page")) or report.verdict is not Verdict.FAILED
        return
    signed, final = drawn(data[: min(ends)], tmp_path, "signed"), drawn(data, tmp_path, "final")
    assert signed
    if signed != final:
        assert report.signatures[0].modifications in _SEEN_CHANGES
