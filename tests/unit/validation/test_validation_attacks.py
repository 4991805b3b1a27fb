"""Nothing altered is ever TOTAL-PASSED, and a signature that was taken away is not "unsigned"."""

from __future__ import annotations

import re

import pytest
from validation_attacks import ATTACKS
from validation_files import plain_pdf, sign
from validation_pki import NOW, Pki

from verify_api.validation import TrustAnchors, Verdict, validate_pdf

CERTAIN = [
    "content-byte",
    "wrapping",
    "range-gap",
    "range-overlap",
    "range-order",
    "range-negative",
    "range-beyond",
    "usf-no-contents",
    "usf-no-range",
    "incremental-content",
    "certified-content",
    "certified-none-filled",
    "shadow-hide",
    "shadow-replace-font",
    "root-replaced",
    "open-action",
    "page-added",
    "locked-field",
]


@pytest.mark.parametrize("case", ATTACKS)
def test_altered_file_never_passes(case: str, pki: Pki, trust: TrustAnchors, own: TrustAnchors) -> None:
    data = ATTACKS[case](pki)
    for anchors in (trust, own):
        report = validate_pdf(data, trust=anchors, at=None, now=NOW)
        assert report.verdict in {Verdict.FAILED, Verdict.INDETERMINATE}, report
        assert report.reason


def test_an_embedded_certificate_made_unreadable_never_passes(pki: Pki, trust: TrustAnchors) -> None:
    """Found by fuzzing: the tag of an extension, in a certificate that the store holds once more unaltered."""
    sound = sign(plain_pdf(), pki, lt=True, stamped_at=NOW)
    assert validate_pdf(sound, trust=trust, at=None, now=NOW).verdict is Verdict.PASSED
    places = [found.start() for found in re.finditer(b"301f0603551d2304", sound, re.IGNORECASE)]
    assert places
    for place in places:
        altered = sound[:place] + b"5" + sound[place + 1 :]
        report = validate_pdf(altered, trust=trust, at=None, now=NOW)
        assert report.verdict in {Verdict.FAILED, Verdict.INDETERMINATE}, (place, report)


@pytest.mark.parametrize("case", CERTAIN)
def test_certain_alteration_fails(case: str, pki: Pki, trust: TrustAnchors) -> None:
    report = validate_pdf(ATTACKS[case](pki), trust=trust, at=None, now=NOW)
    assert report.verdict is Verdict.FAILED, report


@pytest.mark.parametrize("case", [name for name in ATTACKS if name.startswith("vanish")])
def test_vanished_signature_has_its_own_sentence(case: str, pki: Pki, trust: TrustAnchors) -> None:
    report = validate_pdf(ATTACKS[case](pki), trust=trust, at=None, now=NOW)
    assert "痕迹" in report.reason


@pytest.mark.parametrize("case", ["shadow-replace-field", "evil-annotation-p3", "newline-after", "retitled"])
def test_not_understood_is_not_called_tampered(case: str, pki: Pki, trust: TrustAnchors) -> None:
    report = validate_pdf(ATTACKS[case](pki), trust=trust, at=None, now=NOW)
    assert report.verdict is Verdict.INDETERMINATE
    assert report.signatures[0].modifications.value == "not-understood"
