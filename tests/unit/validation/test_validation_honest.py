"""No honest file is TOTAL-FAILED, and the ordinary ones pass, under foreign and own anchors alike."""

from __future__ import annotations

import pytest
from validation_attacks import hole_of
from validation_files import plain_pdf, sign
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


def test_streamed_ber_is_honest_elsewhere_but_not_ours(
    pki: Pki, trust: TrustAnchors, own: TrustAnchors
) -> None:
    """Streaming encoders write indefinite lengths; under our own anchors only DER is ours."""
    data = sign(plain_pdf(), pki)
    start, end, _ = hole_of(data)
    raw = bytes.fromhex(data[start + 1 : end - 1].decode())
    length = int.from_bytes(raw[2:4], "big")
    streamed = (b"\x30\x80" + raw[4 : 4 + length] + b"\0\0").hex().encode()
    made = data[: start + 1] + streamed.ljust(end - start - 2, b"0") + data[end - 1 :]
    assert validate_pdf(made, trust=trust, at=None, now=NOW).verdict is Verdict.PASSED
    assert validate_pdf(made, trust=own, at=None, now=NOW).verdict is Verdict.FAILED


def test_names_of_anchors_prove_nothing(pki: Pki) -> None:
    """A stranger's PKI with the same names does not pass, and is not called tampered."""
    report = validate_pdf(
        sign(plain_pdf(), pki), trust=TrustAnchors.own_only(Pki().root.pem), at=None, now=NOW
    )
    assert report.verdict is Verdict.INDETERMINATE
