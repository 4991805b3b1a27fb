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
from validation_attacks_beside import ALTERED  # noqa: E402
from validation_attacks_content import CONTENT_ATTACKS  # noqa: E402
from validation_attacks_structure import STRUCTURE_ATTACKS  # noqa: E402
from validation_honest import HONEST  # noqa: E402
from validation_honest_more import MORE_HONEST  # noqa: E402
from validation_honest_syntax import SYNTAX  # noqa: E402
from validation_pki import NOW, Pki  # noqa: E402

from verify_api.validation import TrustAnchors, validate_pdf  # noqa: E402

KEPT_HONEST = [
    "certified-lt-in-one-revision",
    "two-signatures",
    "hybrid-references",
    "form-filled-after-approval",
    "ticked-p2",
    "radio-pressed",
    "chosen",
    "two-widgets-filled",
    "lock-exclude-this",
    "encrypted-two-signatures",
    "renewed-twice",
    "evidence-added-twice",
    "p521",
    "ed448",
    "bare-rsa-sha256",
    "syntax-comments",
    "syntax-hex-names",
    "syntax-indirect-value",
    "syntax-direct-dictionary",
    "syntax-carriage-returns",
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
    "second-cms",
    "vanish-value",
    "vanish-root",
    "usf-no-range",
    "usf-zero-range",
    "usf-garbage-contents",
    "range-six-numbers",
    "range-huge",
    "range-override-short",
    "incremental-without-table",
    "incremental-hybrid",
    "incremental-forked",
    "old-trailer-repeated",
    "copied-signature",
    "twice-in-one-update",
    "lying-length",
    "points-between",
    "table-and-stream",
    "other-generation",
    "swapped-values",
    "by-time-stamp-key",
    "by-responder-key",
    "shadow-replace-look",
    "shadow-large-field",
    "layer-switched",
    "look-switched",
    "pages-swapped",
    "store-with-stowaway",
    "store-reuses-number",
    "catalogue-openaction",
    "catalogue-names",
    "page-rotate",
    "form-xfa",
    "form-needappearances",
    "annotation-p3-stamp",
    "annotation-p3-redact",
    "annotation-p2-freetext",
    "sneaky-signature",
]


def main() -> None:
    """Write the files, the trust anchor and the expected verdicts."""
    pki = Pki()
    trust = TrustAnchors.from_pem([pki.root.pem])
    honest = {name: build for name, (build, _) in {**HONEST, **MORE_HONEST}.items()}
    honest |= {f"syntax-{name}": build for name, build in SYNTAX.items()}
    attacks = {**ATTACKS, **CONTENT_ATTACKS, **STRUCTURE_ATTACKS}
    files = {f"honest-{name}.pdf": honest[name](pki) for name in KEPT_HONEST}
    files |= {f"attack-{name}.pdf": attacks[name](pki) for name in KEPT_ATTACKS}
    stamped = files["honest-certified-lt-in-one-revision.pdf"]
    files |= {f"attack-beside-{name}.pdf": alter(stamped) for name, alter in ALTERED.items()}
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
