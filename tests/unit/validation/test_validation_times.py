"""Certificates and revocation at the proved time, or at the time asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from validation_files import make_context, plain_pdf, sign
from validation_pki import CRL_URL, END, NOW, OCSP_URL, START, Pki

from verify_api.validation import SubIndication, TrustAnchors, Verdict, validate_pdf

DAY = timedelta(days=1)


def judged(data: bytes, trust: TrustAnchors, *, at: Any = None, crls: Any = ()) -> Any:
    report = validate_pdf(data, trust=trust, at=at, now=NOW, crls=crls)
    return report.verdict, report.signatures[0].sub_indication if report.signatures else None


@pytest.fixture(scope="module")
def crl_pki() -> Pki:
    return Pki(crl_url=CRL_URL)


@pytest.fixture(scope="module")
def crl_trust(crl_pki: Pki) -> TrustAnchors:
    return TrustAnchors.own_only(crl_pki.root.pem)


def test_named_revocation_source_without_an_answer_is_indeterminate(
    crl_pki: Pki, crl_trust: TrustAnchors
) -> None:
    assert judged(sign(plain_pdf(), crl_pki), crl_trust) == (
        Verdict.INDETERMINATE,
        SubIndication.TRY_LATER,
    )


def test_a_crl_from_the_command_line_answers(crl_pki: Pki, crl_trust: TrustAnchors) -> None:
    crl = crl_pki.crl(NOW - DAY)
    assert judged(sign(plain_pdf(), crl_pki), crl_trust, crls=[crl])[0] is Verdict.PASSED


def test_stale_crl_does_not_answer(crl_pki: Pki, crl_trust: TrustAnchors) -> None:
    crl = crl_pki.crl(NOW - 30 * DAY)
    assert judged(sign(plain_pdf(), crl_pki), crl_trust, crls=[crl])[0] is Verdict.INDETERMINATE


def test_revoked_before_the_proved_time_fails(crl_pki: Pki, crl_trust: TrustAnchors) -> None:
    data = sign(plain_pdf(), crl_pki, stamped_at=NOW - DAY)
    crl = crl_pki.crl(NOW - DAY / 2, [(crl_pki.signer, NOW - 10 * DAY)])
    assert judged(data, crl_trust, crls=[crl]) == (Verdict.FAILED, SubIndication.REVOKED)


def test_revoked_after_the_proved_time_passes(crl_pki: Pki, crl_trust: TrustAnchors) -> None:
    data = sign(plain_pdf(), crl_pki, stamped_at=NOW - 10 * DAY)
    crl = crl_pki.crl(NOW - DAY / 2, [(crl_pki.signer, NOW - DAY)])
    assert judged(data, crl_trust, crls=[crl])[0] is Verdict.PASSED


def test_revoked_without_proof_of_time_does_not_pass(crl_pki: Pki, crl_trust: TrustAnchors) -> None:
    data = sign(plain_pdf(), crl_pki)
    crl = crl_pki.crl(NOW - DAY / 2, [(crl_pki.signer, NOW - DAY)])
    verdict, why = judged(data, crl_trust, crls=[crl])
    assert verdict is not Verdict.PASSED
    assert why in {SubIndication.REVOKED, SubIndication.REVOKED_NO_POE}


def test_embedded_good_answer_does_not_hide_a_revocation(crl_pki: Pki, crl_trust: TrustAnchors) -> None:
    data = sign(plain_pdf(), crl_pki, stamped_at=NOW - DAY, lt=True)
    assert judged(data, crl_trust)[0] is Verdict.PASSED
    crl = crl_pki.crl(NOW - DAY / 2, [(crl_pki.signer, NOW - 10 * DAY)])
    assert judged(data, crl_trust, crls=[crl]) == (Verdict.FAILED, SubIndication.REVOKED)


def test_ocsp_in_the_file_answers_offline() -> None:
    pki = Pki(ocsp_url=OCSP_URL)
    data = sign(plain_pdf(), pki, stamped_at=NOW - DAY, lt=True)
    assert judged(data, TrustAnchors.own_only(pki.root.pem))[0] is Verdict.PASSED


def test_a_list_that_says_revoked_beats_an_ocsp_that_says_good() -> None:
    pki = Pki(ocsp_url=OCSP_URL)
    good = make_context(pki, NOW - DAY)
    data = sign(plain_pdf(), pki, stamped_at=NOW - DAY, lt=True, context=good)
    crl = pki.crl(NOW, [(pki.signer, NOW - 5 * DAY)])
    assert judged(data, TrustAnchors.own_only(pki.root.pem), crls=[crl])[0] is Verdict.FAILED


def test_expired_after_a_time_stamp_passes(pki: Pki, trust: TrustAnchors) -> None:
    party = pki.signer_of("短期", start=NOW - 100 * DAY, end=NOW - 10 * DAY)
    data = sign(plain_pdf(), pki, party=party, stamped_at=NOW - 50 * DAY)
    assert judged(data, trust)[0] is Verdict.PASSED


def test_expired_with_embedded_answers_passes(crl_pki: Pki, crl_trust: TrustAnchors) -> None:
    party = crl_pki.signer_of("短期", start=NOW - 100 * DAY, end=NOW - 10 * DAY)
    data = sign(plain_pdf(), crl_pki, party=party, stamped_at=NOW - 50 * DAY, lt=True)
    assert judged(data, crl_trust)[0] is Verdict.PASSED


def test_expired_without_time_stamp_is_indeterminate(pki: Pki, trust: TrustAnchors) -> None:
    party = pki.signer_of("短期", start=NOW - 100 * DAY, end=NOW - 10 * DAY)
    data = sign(plain_pdf(), pki, party=party)
    assert judged(data, trust) == (Verdict.INDETERMINATE, SubIndication.OUT_OF_BOUNDS_NO_POE)
    assert judged(data, trust, at=NOW - 20 * DAY)[0] is Verdict.PASSED


def test_not_yet_valid_at_the_proved_time_fails(pki: Pki, trust: TrustAnchors) -> None:
    party = pki.signer_of("将来", start=NOW - 5 * DAY)
    data = sign(plain_pdf(), pki, party=party, stamped_at=NOW - 50 * DAY)
    assert judged(data, trust) == (Verdict.FAILED, SubIndication.NOT_YET_VALID)


def test_untrusted_time_stamp_proves_nothing(pki: Pki, trust: TrustAnchors) -> None:
    stranger = Pki()
    party = pki.signer_of("短期", start=NOW - 100 * DAY, end=NOW - 10 * DAY)
    data = sign(plain_pdf(), pki, party=party, stamper=stranger.stamper(NOW - 50 * DAY))
    assert judged(data, trust)[0] is Verdict.INDETERMINATE


def test_time_stamping_certificate_may_not_sign(pki: Pki, trust: TrustAnchors) -> None:
    party = pki.signer_of("冒充", extended=[ExtendedKeyUsageOID.TIME_STAMPING])
    verdict, why = judged(sign(plain_pdf(), pki, party=party), trust)
    assert (verdict, why) == (Verdict.INDETERMINATE, SubIndication.CHAIN_CONSTRAINTS_FAILURE)


def test_encryption_only_certificate_may_not_sign(pki: Pki, trust: TrustAnchors) -> None:
    party = pki.signer_of("加密", usage=(False, False))
    assert judged(sign(plain_pdf(), pki, party=party), trust)[0] is Verdict.INDETERMINATE


def test_archive_stamp_carries_an_aged_time_stamp(crl_pki: Pki, crl_trust: TrustAnchors) -> None:
    """The signature's TSA certificate is expired today; a later document time stamp covers it."""
    old_tsa = crl_pki.tsa_of(start=START, end=NOW - 30 * DAY)
    data = sign(
        plain_pdf(),
        crl_pki,
        stamper=crl_pki.stamper(NOW - 60 * DAY, old_tsa),
        lt=True,
        context=make_context(crl_pki, NOW - 60 * DAY),
    )
    assert judged(data, crl_trust)[0] is Verdict.INDETERMINATE
    from validation_honest import stamped_again  # noqa: PLC0415 - a helper that only this test needs

    assert judged(stamped_again(data, crl_pki, NOW - 40 * DAY), crl_trust)[0] is Verdict.PASSED


def test_without_anchors_everything_is_indeterminate(pki: Pki) -> None:
    assert judged(sign(plain_pdf(), pki), TrustAnchors()) == (
        Verdict.INDETERMINATE,
        SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
    )


def test_the_signers_own_certificate_may_be_the_anchor(pki: Pki) -> None:
    assert judged(sign(plain_pdf(), pki), TrustAnchors.from_pem([pki.signer.pem]))[0] is Verdict.PASSED
    assert END > NOW


def test_a_list_is_believed_though_the_certificate_names_none(pki: Pki, trust: TrustAnchors) -> None:
    data = sign(plain_pdf(), pki, stamped_at=NOW - DAY)
    crl = pki.crl(NOW, [(pki.signer, NOW - 5 * DAY)])
    assert judged(data, trust, crls=[crl]) == (Verdict.FAILED, SubIndication.REVOKED)


def test_revoked_authority_does_not_pass(pki: Pki, trust: TrustAnchors) -> None:
    crl = pki.crl(NOW, [(pki.ca, NOW - 5 * DAY)], issuer=pki.root)
    assert judged(sign(plain_pdf(), pki), trust, crls=[crl]) == (
        Verdict.INDETERMINATE,
        SubIndication.REVOKED_CA_NO_POE,
    )
