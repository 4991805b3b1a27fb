"""Writes the PDF vectors of this folder anew: python tests/vectors/pdf/generate.py

Keys are thrown away, so every run gives other bytes; what each file is and must be answered stays the same.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[2]), str(HERE.parents[1] / "unit" / "validation")]

from validation_attacks import ATTACKS  # noqa: E402 - the generators stand with the tests
from validation_honest import HONEST  # noqa: E402
from validation_pki import NOW, Pki  # noqa: E402

from verify_api.validation import TrustAnchors, validate_pdf  # noqa: E402

KEPT_HONEST = [
    "certified-lt-in-one-revision",
    "two-signatures",
    "hybrid-references",
    "form-filled-after-approval",
]
KEPT_ATTACKS = [
    "wrapping",
    "usf-null-contents",
    "incremental-content",
    "shadow-hide",
    "shadow-replace-font",
    "shadow-replace-field",
    "evil-annotation-p3",
    "sneaky-empty-field",
    "vanish-fields",
    "behind-cms",
]


def main() -> None:
    """Write the files, the trust anchor and the expected verdicts."""
    pki = Pki()
    trust = TrustAnchors.from_pem([pki.root.pem])
    files = {f"honest-{name}.pdf": HONEST[name][0](pki) for name in KEPT_HONEST}
    files |= {f"attack-{name}.pdf": ATTACKS[name](pki) for name in KEPT_ATTACKS}
    expected = {
        name: validate_pdf(data, trust=trust, at=None, now=NOW).verdict.value for name, data in files.items()
    }
    for name, data in files.items():
        (HERE / name).write_bytes(data)
    (HERE / "trust.pem").write_bytes(pki.root.pem)
    (HERE / "expected.json").write_text(
        json.dumps({"at": NOW.isoformat(), "verdicts": expected}, indent=1) + "\n"
    )


if __name__ == "__main__":
    main()
