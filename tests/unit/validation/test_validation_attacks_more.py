"""Every place of a document, and every way to write one: what is altered there is never TOTAL-PASSED."""

from __future__ import annotations

import pytest
from validation_attacks import behind_cms
from validation_attacks_content import CONTENT_ATTACKS
from validation_attacks_structure import STRUCTURE_ATTACKS
from validation_files import plain_pdf, sign
from validation_pki import NOW, Pki

from verify_api.validation import SubIndication, TrustAnchors, Verdict, validate_pdf

pytestmark = pytest.mark.thorough

MORE = {**CONTENT_ATTACKS, **STRUCTURE_ATTACKS}
PROVED = [
    *(
        name
        for name in CONTENT_ATTACKS
        if name.startswith(("catalogue-", "page-")) and name != "page-structparents"
    ),
    *(name for name in CONTENT_ATTACKS if name.startswith("annotation-p2-")),
    "masked-as-field",
    "masked-as-annotation",
    "masked-page-as-field",
    "layer-switched",
    "look-switched",
    "note-removed",
    "note-unhidden",
    "store-reuses-number",
    "inherited-rotation",
    "pages-swapped",
    "swapped-values",
    "copied-signature",
]


@pytest.mark.parametrize("case", MORE)
def test_altered_file_never_passes(case: str, pki: Pki, trust: TrustAnchors) -> None:
    report = validate_pdf(MORE[case](pki), trust=trust, at=None, now=NOW)
    assert report.verdict in {Verdict.FAILED, Verdict.INDETERMINATE}, report
    assert report.reason.count("。") == 1


@pytest.mark.parametrize("case", PROVED)
def test_proved_alteration_fails(case: str, pki: Pki, trust: TrustAnchors) -> None:
    report = validate_pdf(MORE[case](pki), trust=trust, at=None, now=NOW)
    assert report.verdict is Verdict.FAILED, report


def test_bytes_behind_the_value_are_proof_only_under_our_own_anchors(
    pki: Pki, trust: TrustAnchors, own: TrustAnchors
) -> None:
    """Some honest programs leave rubbish there; ours never does."""
    data = behind_cms(sign(plain_pdf(), pki))
    assert validate_pdf(data, trust=own, at=None, now=NOW).verdict is Verdict.FAILED
    report = validate_pdf(data, trust=trust, at=None, now=NOW)
    assert report.verdict is Verdict.INDETERMINATE
    assert report.signatures[0].sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE
