"""Hostile files end in a report: limits on time, memory and size, and a worker that dies."""

from __future__ import annotations

import io
import zlib
from datetime import timedelta
from typing import Any

import pikepdf
import pytest
from validation_files import plain_pdf, sign
from validation_pki import NOW, Pki

from verify_api.validation import Limits, TrustAnchors, Verdict, validate_isolated, validate_pdf


def isolated(data: bytes, trust: TrustAnchors, **limits: Any) -> Any:
    return validate_isolated(data, trust=trust, at=None, now=NOW, limits=Limits(**limits))


def test_isolated_and_direct_reports_are_the_same(pki: Pki, trust: TrustAnchors) -> None:
    data = sign(plain_pdf(), pki, stamped_at=NOW)
    assert isolated(data, trust) == validate_pdf(data, trust=trust, at=None, now=NOW)


def test_own_marks_and_lists_reach_the_worker(pki: Pki, own: TrustAnchors) -> None:
    data = sign(plain_pdf(), pki)
    crl = pki.crl(NOW, [(pki.signer, NOW - timedelta(days=3))])
    report = validate_isolated(data, trust=own, at=None, now=NOW, crls=[crl])
    assert report.verdict is not Verdict.PASSED


def test_too_large_a_file_is_not_read(trust: TrustAnchors) -> None:
    report = isolated(b"%PDF-1.7 " + b"x" * 5000, trust, file_bytes=1000)
    assert report.verdict is Verdict.INDETERMINATE
    assert "大小" in report.reason


def test_memory_limit_is_a_reason(trust: TrustAnchors) -> None:
    report = isolated(
        b"%PDF-1.7\n" + b"/ByteRange [0 1 2 3] " * 2_000_000, trust, memory_bytes=96 * 1024 * 1024
    )
    assert report.verdict is Verdict.INDETERMINATE


def bomb(layers: int) -> bytes:
    content = b"\0" * 50_000_000
    for _ in range(layers):
        content = zlib.compress(content, 9)
    pdf = pikepdf.new()
    pdf.add_blank_page()
    stream = pikepdf.Stream(pdf, content)
    stream.Filter = pikepdf.Array([pikepdf.Name.FlateDecode] * layers)
    pdf.Root.Metadata = stream
    pdf.Root.DSS = pikepdf.Dictionary(Certs=[pdf.make_indirect(stream)])
    out = io.BytesIO()
    pdf.save(out, compress_streams=False)
    return out.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        bomb(3),
        b"%PDF-1.7\n1 0 obj\n" + b"[" * 100_000,
        b"%PDF-1.7\n1 0 obj\n" + b"<</A" * 50_000,
        b"%PDF-1.7\nstartxref\n0\n%%EOF",
        b"%PDF-1.7\nxref\n0 1\n0000000000 65535 f \ntrailer\n<</Root 1 0 R/Prev 9/Size 1>>\nstartxref\n9\n%%EOF",
        b"%PDF-1.7\n%%EOF",
        b"PK\x03\x04" + b"\0" * 1000,
    ],
)
def test_hostile_structures_are_answered(data: bytes, trust: TrustAnchors) -> None:
    report = isolated(data, trust)
    assert report.verdict in {Verdict.INDETERMINATE, Verdict.NOT_A_PDF, Verdict.NO_SIGNATURE}


def test_many_files_go_through_one_worker(pki: Pki, trust: TrustAnchors) -> None:
    data = sign(plain_pdf(), pki)
    for cut in range(20):
        assert isolated(data[: len(data) - cut * 97], trust).reason
    assert isolated(data, trust).verdict is Verdict.PASSED


def test_no_anchor_needs_no_special_case(pki: Pki) -> None:
    assert isolated(sign(plain_pdf(), pki), TrustAnchors()).verdict is Verdict.INDETERMINATE
