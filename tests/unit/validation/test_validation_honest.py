"""No honest file is TOTAL-FAILED, and the ordinary ones pass, under foreign and own anchors alike."""

from __future__ import annotations

import pytest
from validation_honest import HONEST
from validation_pki import NOW, Pki

from verify_api.validation import TrustAnchors, Verdict, validate_pdf


@pytest.mark.parametrize("case", HONEST)
def test_honest_file_has_its_verdict(case: str, pki: Pki, trust: TrustAnchors, own: TrustAnchors) -> None:
    build, verdict = HONEST[case]
    data = build(pki)
    for anchors in (trust, own):
        report = validate_pdf(data, trust=anchors, at=None, now=NOW)
        assert report.verdict.value == verdict, report
        assert report.verdict is not Verdict.FAILED
        assert report.reason.endswith("。")


def test_levels_are_told_apart(pki: Pki, trust: TrustAnchors) -> None:
    expected = {
        "approval-pades": "PAdES-BASELINE-B",
        "dss-added-later": "PAdES-BASELINE-LT",
        "certified-lt-in-one-revision": "PAdES-BASELINE-LT",
        "certified-lta": "PAdES-BASELINE-LTA",
        "approval-adobe": "OTHER",
    }
    for case, level in expected.items():
        report = validate_pdf(HONEST[case][0](pki), trust=trust, at=None, now=NOW)
        assert report.signatures[0].level.value == level, case


def test_report_says_what_came_after_each_signature(pki: Pki, trust: TrustAnchors) -> None:
    report = validate_pdf(HONEST["three-visible-signatures"][0](pki), trust=trust, at=None, now=NOW)
    assert [s.coverage.value for s in report.signatures] == ["revision", "revision", "whole-file"]
    assert [s.modifications.value for s in report.signatures] == ["permitted", "permitted", "none"]
    assert [s.field for s in report.signatures] == ["Seal0", "Seal1", "Seal2"]
