"""Under a foreign root, too, nothing that a CMS carries beside its signature can be altered unnoticed.

Honest files carry certificates that cannot be judged here; what makes them honest is tried as well.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from asn1crypto import cms, core
from asn1crypto import x509 as ax509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID
from validation_attacks_beside import ALTERED, changed, value_of, with_value
from validation_files import plain_pdf, sign
from validation_pki import END, NOW, START, Party, Pki, issue

from verify_api.validation import TrustAnchors, Verdict, validate_pdf

_SHA256_NULL = bytes.fromhex("06096086480165030402010500")


def verdict(data: bytes, trust: TrustAnchors) -> Verdict:
    return validate_pdf(data, trust=trust, at=None, now=NOW).verdict


@pytest.fixture(scope="module")
def sealed(pki: Pki) -> bytes:
    return sign(plain_pdf(), pki, stamped_at=NOW, lt=True)


def nth(raw: bytes, wanted: bytes, count: int) -> int:
    """Return where the n-th occurrence of some bytes stands."""
    at = -1
    for _ in range(count):
        at = raw.index(wanted, at + 1)
    return at


def in_certificate(raw: bytes, party: Party, inside: bytes, offset: int) -> bytes:
    """Alter one byte of the first copy of a certificate, counted from the first of `inside`."""
    at = raw.index(party.der) + party.der.index(inside) + offset
    return changed(raw, at, raw[at] ^ 1)


def issuer_of(party: Party) -> bytes:
    return party.asn1.issuer.dump()


ALTERATIONS: dict[str, Callable[[bytes, Pki], bytes]] = {
    "issuer of the embedded root": lambda raw, pki: in_certificate(raw, pki.root, issuer_of(pki.root), 40),
    "subject of the embedded root": lambda raw, pki: in_certificate(
        raw, pki.root, pki.root.asn1.subject.dump() + b"\x30\x59", 40
    ),
    "version of the CMS": lambda raw, _: changed(raw, raw.index(b"\x02\x01\x01") + 2, 3),
    "version of the signer": lambda raw, _: changed(raw, raw.index(b"\x02\x01\x01\x30") + 2, 3),
    "parameters of the first digest": lambda raw, _: changed(raw, raw.index(_SHA256_NULL) + 11, 0x04),
    "parameters of the signer's digest": lambda raw, _: changed(raw, nth(raw, _SHA256_NULL, 2) + 11, 0x25),
    "length of the whole": lambda raw, _: changed(raw, 3, raw[3] + 2),
    "certificates called lists": lambda raw, _: changed(raw, raw.index(b"\xa0\x82", 20), 0xA1),
}


@pytest.mark.parametrize("case", ALTERED)
def test_an_alteration_that_is_stored_is_noticed(case: str, sealed: bytes, trust: TrustAnchors) -> None:
    assert verdict(sealed, trust) is Verdict.PASSED
    assert verdict(ALTERED[case](sealed), trust) is not Verdict.PASSED


@pytest.mark.parametrize("case", ALTERATIONS)
def test_an_alteration_beside_the_signature_is_noticed(
    case: str, sealed: bytes, pki: Pki, trust: TrustAnchors
) -> None:
    assert verdict(sealed, trust) is Verdict.PASSED
    _, _, raw = value_of(sealed)
    assert verdict(with_value(sealed, ALTERATIONS[case](raw, pki)), trust) is not Verdict.PASSED


def test_alteration_in_the_signers_name_is_noticed_in_another_case(
    sealed: bytes, pki: Pki, trust: TrustAnchors
) -> None:
    _, _, raw = value_of(sealed)
    at = raw.rindex(pki.signer.asn1.issuer.dump()) + pki.signer.asn1.issuer.dump().index(b"CN")
    assert verdict(with_value(sealed, changed(raw, at, ord("c"))), trust) is not Verdict.PASSED


def test_sample_of_bits_in_the_value(sealed: bytes, trust: TrustAnchors) -> None:
    _, _, raw = value_of(sealed)
    pick = random.Random(20261125)  # noqa: S311 - a repeatable sample, no secret
    for _ in range(150):
        at, bit = pick.randrange(len(raw)), pick.randrange(8)
        altered = with_value(sealed, changed(raw, at, raw[at] ^ (1 << bit)))
        assert verdict(altered, trust) is not Verdict.PASSED, (at, bit)


@pytest.mark.long
def test_every_bit_of_the_value(sealed: bytes, trust: TrustAnchors) -> None:
    _, _, raw = value_of(sealed)
    for at in range(len(raw)):
        for bit in range(8):
            altered = with_value(sealed, changed(raw, at, raw[at] ^ (1 << bit)))
            assert verdict(altered, trust) is not Verdict.PASSED, (at, bit)


# -- honest variety ---------------------------------------------------------------------------------------


def with_certificates(data: bytes, more: list[ax509.Certificate]) -> bytes:
    """Embed further certificates; the signature does not cover them."""
    _, _, raw = value_of(data)
    info = cms.ContentInfo.load(raw)
    embedded = [cms.CertificateChoices("certificate", one) for one in more]
    info["content"]["certificates"] = [*info["content"]["certificates"], *embedded]
    return with_value(data, info.dump(force=True))


def cross_certificate(subject: Party, issuer: Party) -> ax509.Certificate:
    """A second certificate for an authority's key, by another authority."""
    made = (
        x509.CertificateBuilder()
        .subject_name(subject.certificate.subject)
        .issuer_name(issuer.certificate.subject)
        .public_key(subject.certificate.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START)
        .not_valid_after(END)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.certificate.public_key()),
            critical=False,
        )
        .sign(issuer.key, hashes.SHA256())  # type: ignore[arg-type]
    )
    return Party(None, made).asn1


def test_cross_certificate_of_an_absent_authority_is_no_fault(pki: Pki, trust: TrustAnchors) -> None:
    older = issue("更早的根", None, ca=True)
    for authority in (pki.root, pki.ca):
        data = with_certificates(sign(plain_pdf(), pki), [cross_certificate(authority, older)])
        assert verdict(data, trust) is Verdict.PASSED


def test_certificate_that_has_nothing_to_do_with_the_signature_is_not_passed(
    pki: Pki, trust: TrustAnchors
) -> None:
    stranger = issue("旁人", issue("旁人的根", None, ca=True))
    assert verdict(with_certificates(sign(plain_pdf(), pki), [stranger.asn1]), trust) is Verdict.INDETERMINATE


def test_chain_above_an_anchor_that_is_no_root_is_no_fault(pki: Pki) -> None:
    """The root is not embedded and not trusted, the intermediate authority is."""
    middle = issue("中间机构", pki.ca, ca=True)
    signer = issue("签名人", middle)
    data = with_certificates(sign(plain_pdf(), pki, party=signer), [middle.asn1])
    anchors = TrustAnchors.from_pem([middle.pem])
    assert verdict(data, anchors) is Verdict.PASSED


def test_stamp_of_an_unknown_authority_is_no_fault_and_is_told(pki: Pki, trust: TrustAnchors) -> None:
    class Stranger(Pki):
        """An authority of whom nobody here has heard."""

    stranger = Stranger()
    data = sign(plain_pdf(), pki, stamper=stranger.stamper(NOW))
    report = validate_pdf(data, trust=trust, at=None, now=NOW)
    assert report.verdict is Verdict.PASSED
    assert report.signatures[0].timestamps[0].indication.value == "INDETERMINATE"


def test_private_unsigned_attribute_is_no_fault(pki: Pki, trust: TrustAnchors) -> None:
    data = sign(plain_pdf(), pki, stamped_at=NOW)
    _, _, raw = value_of(data)
    info = cms.ContentInfo.load(raw)
    signer_info = info["content"]["signer_infos"][0]
    private = cms.CMSAttribute({"type": "1.3.6.1.4.1.52042.2.2", "values": [core.OctetString(b"a mark")]})
    signer_info["unsigned_attrs"] = [*signer_info["unsigned_attrs"], private]
    assert verdict(with_value(data, info.dump(force=True)), trust) is Verdict.PASSED


def test_issuer_of_a_time_stamp_is_not_altered_unnoticed(pki: Pki, trust: TrustAnchors) -> None:
    """A stamp's CA that is found nowhere else: its stamp would be distrusted, as those of strangers are."""
    usage = [ExtendedKeyUsageOID.TIME_STAMPING]
    stamping = issue("时间戳机构", pki.root, ca=True)
    unit = issue("时间戳单元", stamping, kind="rsa", extended=usage)

    class Other(Pki):
        """Embeds the stamping authority."""

    other = Other()
    other.__dict__.update(root=pki.root, ca=stamping, tsa=unit)
    data = sign(plain_pdf(), pki, stamper=other.stamper(NOW))
    assert verdict(data, trust) is Verdict.PASSED
    _, _, raw = value_of(data)
    altered = in_certificate(raw, stamping, stamping.asn1.issuer.dump(), 40)
    assert verdict(with_value(data, altered), trust) is not Verdict.PASSED
