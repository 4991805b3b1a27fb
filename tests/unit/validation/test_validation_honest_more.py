"""Honest files in every legal way of writing, filling and signing; and what is not understood is not called tampered."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.sign.fields import MDPPerm
from validation_attacks import annotation, evil_content
from validation_files import plain_pdf, sign
from validation_honest import fill
from validation_honest_more import MORE_HONEST, archived_sha1, bare_value
from validation_honest_syntax import SYNTAX, written
from validation_pki import NOW, Party, Pki, issue

from verify_api.validation import SubIndication, TrustAnchors, Verdict, sentences, validate_pdf


class OldPki(Pki):
    """Authorities that were there when SHA-1 still was good enough."""

    @cached_property
    def root(self) -> Party:
        return issue("早年的根", None, ca=True, start=datetime(2008, 1, 1, tzinfo=UTC))

    @cached_property
    def ca(self) -> Party:
        return issue("早年的签发机构", self.root, ca=True, start=datetime(2008, 1, 1, tzinfo=UTC))

    @cached_property
    def tsa(self) -> Party:
        usage = [ExtendedKeyUsageOID.TIME_STAMPING]
        return issue(
            "早年的时间戳", self.ca, kind="rsa", extended=usage, start=datetime(2008, 1, 1, tzinfo=UTC)
        )


@pytest.mark.parametrize("case", MORE_HONEST)
def test_honest_file_has_its_verdict(case: str, pki: Pki, trust: TrustAnchors) -> None:
    build, verdict = MORE_HONEST[case]
    report = validate_pdf(build(pki), trust=trust, at=None, now=NOW)
    assert report.verdict.value == verdict, report


@pytest.mark.parametrize("case", SYNTAX)
def test_legal_syntax_passes(case: str, pki: Pki, trust: TrustAnchors) -> None:
    report = validate_pdf(SYNTAX[case](pki), trust=trust, at=None, now=NOW)
    assert report.verdict is Verdict.PASSED, report
    assert len(report.signatures) == 1


@pytest.mark.parametrize("case", SYNTAX)
def test_altered_content_fails_however_it_is_written(case: str, pki: Pki, trust: TrustAnchors) -> None:
    data = SYNTAX[case](pki)
    altered = data.replace(b"VALID", b"WRONG")
    assert altered != data
    report = validate_pdf(altered, trust=trust, at=None, now=NOW)
    assert report.verdict is Verdict.FAILED
    assert report.signatures[0].sub_indication is SubIndication.HASH_FAILURE


def test_old_digest_is_accepted_only_with_a_stamp_of_its_time() -> None:
    old = OldPki()
    trust = TrustAnchors.from_pem([old.root.pem])
    then = validate_pdf(archived_sha1(old, datetime(2012, 5, 1, tzinfo=UTC)), trust=trust, at=None, now=NOW)
    assert then.verdict is Verdict.PASSED, then
    late = validate_pdf(archived_sha1(old, datetime(2020, 5, 1, tzinfo=UTC)), trust=trust, at=None, now=NOW)
    assert late.verdict is Verdict.INDETERMINATE
    assert late.signatures[0].sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE
    alone = sign(plain_pdf(), old, party=old.signer_of("无时间戳", kind="rsa"), md_algorithm="sha1")
    without = validate_pdf(alone, trust=trust, at=datetime(2025, 5, 1, tzinfo=UTC), now=NOW)
    assert without.signatures[0].sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE


def test_bare_value_is_taken_apart(pki: Pki, trust: TrustAnchors) -> None:
    data = bare_value(pki)
    (signature,) = validate_pdf(data, trust=trust, at=None, now=NOW).signatures
    assert signature.sub_indication is SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
    assert signature.signer is not None
    assert "旧式签名人" in signature.signer
    (spoilt,) = validate_pdf(data.replace(b"VALID", b"WRONG"), trust=trust, at=None, now=NOW).signatures
    assert spoilt.sub_indication is SubIndication.HASH_FAILURE
    begin = data.index(b"/Contents <") + 60
    forged = data[:begin] + (b"1" if data[begin : begin + 1] != b"1" else b"2") + data[begin + 1 :]
    (other,) = validate_pdf(forged, trust=trust, at=None, now=NOW).signatures
    assert other.sub_indication is SubIndication.SIG_CRYPTO_FAILURE


def test_usage_right_is_no_signature_and_no_trace_of_one(pki: Pki, trust: TrustAnchors) -> None:
    rights = (
        b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /Reference [<< /Type /SigRef"
        b" /TransformMethod /UR3 /TransformParams << /V /2.2 >> >>] /ByteRange RANGE /Contents HEX >>"
    )
    data = written(pki, dictionary=rights, field_value=b"null")
    report = validate_pdf(data, trust=trust, at=None, now=NOW)
    assert (report.verdict, report.reason) == (Verdict.NO_SIGNATURE, sentences.ONLY_USAGE_RIGHTS)
    other = written(pki, field_value=b"null")
    assert validate_pdf(other, trust=trust, at=None, now=NOW).reason == sentences.VANISHED


def test_comment_that_may_be_added_is_not_understood_and_not_tampered(pki: Pki, trust: TrustAnchors) -> None:
    data = annotation("/Text")(sign(plain_pdf(), pki, certify=MDPPerm.ANNOTATE))
    report = validate_pdf(data, trust=trust, at=None, now=NOW)
    assert report.signatures[0].modifications.value == "not-understood"
    assert report.reason == sentences.NOT_UNDERSTOOD


def test_encrypted_file_altered_later_fails(pki: Pki, trust: TrustAnchors) -> None:
    data = MORE_HONEST["encrypted"][0](pki)
    assert validate_pdf(evil_content(data), trust=trust, at=None, now=NOW).verdict is Verdict.FAILED


def test_filling_breaks_a_signature_that_permits_nothing(pki: Pki, trust: TrustAnchors) -> None:
    data = fill(sign(plain_pdf(form=True), pki, certify=MDPPerm.NO_CHANGES))
    assert validate_pdf(data, trust=trust, at=None, now=NOW).verdict is Verdict.FAILED
