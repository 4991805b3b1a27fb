"""The SM2 profile: certificates, revocation data, time stamps and sealed files, judged by openssl, qpdf and veraPDF."""

import hashlib
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import algos, cms, core, crl, keys, ocsp, tsp
from cryptography.hazmat.primitives.serialization import Encoding
from sample_documents import appearance, content, rendered
from sealed_alterations import cms_of as altered_cms

from cert_registry.signing.certificate_keys import is_issued_by, public_key_of
from cert_registry.signing.credentials import SealCredentials
from cert_registry.signing.errors import CertificateExpired, KeyMisuse, ReleaseRefused
from cert_registry.signing.pki.issuing import Subject
from cert_registry.signing.pki.register import RevocationReason
from cert_registry.signing.release import check_before_release
from cert_registry.signing.sealing import PadesLevel, SealedPdf
from cert_registry.signing.settings import Settings
from cert_registry.signing.sm2_services import Sm2Services, open_sm2
from cert_registry.sm2 import libcrypto
from cert_registry.sm2.public_key import Sm2PublicKey
from hsm_sim.sm2_ceremony import Sm2Hierarchy, run
from tests.fixtures_token import PUBLIC_URL
from tests.fixtures_verapdf import VeraPdf
from verify_api.validation import TrustAnchors, validate_pdf
from verify_api.validation.signature_values import signature_verdict
from verify_api.validation.verdicts import Verdict

pytestmark = pytest.mark.thorough

IDENTITY = "distid:1234567812345678"
LABEL = "seal-city-market"


@pytest.fixture(scope="module")
def sm2(ceremony_state: Path, signing_settings: Settings) -> Sm2Services:
    run(ceremony_state, PUBLIC_URL)
    run(ceremony_state, PUBLIC_URL)  # again: changes nothing
    subject = Subject(
        common_name="示例市市场监督管理局证照专用章",
        organisation="示例市市场监督管理局",
        credit_code="119901000000002037",
    )
    hierarchy = Sm2Hierarchy(ceremony_state, PUBLIC_URL)
    first = hierarchy.equip_seal(LABEL, subject)
    assert hierarchy.equip_seal(LABEL, subject) == first
    return open_sm2(signing_settings, key_directory=ceremony_state / "sm2-keys")


@pytest.fixture
def credentials(sm2: Sm2Services) -> SealCredentials:
    return sm2.credentials(LABEL, now=datetime.now(UTC))


def _seal(sm2: Sm2Services, credentials: SealCredentials, level: PadesLevel) -> SealedPdf:
    now = datetime.now(UTC)
    return sm2.sealer.seal(rendered(), credentials=credentials, appearance=appearance(), level=level, now=now)


@pytest.fixture(scope="module")
def sealed(sm2: Sm2Services) -> dict[PadesLevel, SealedPdf]:
    credentials = sm2.credentials(LABEL, now=datetime.now(UTC))
    return {level: _seal(sm2, credentials, level) for level in PadesLevel}


def _openssl(*arguments: str, cwd: Path) -> str:
    done = subprocess.run(
        ["openssl", *arguments], cwd=cwd, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_openssl_verifies_every_certificate(sm2: Sm2Services) -> None:
    """Link by link: openssl gives the identity to the certificate in question alone, not to those above it."""
    links = [("root", "seal-ca"), ("root", "tsa-ca"), ("root", "service-ca"), ("seal-ca", LABEL)]
    links += [("seal-ca", "ocsp"), ("tsa-ca", "tsa"), ("service-ca", "eseal-maker")]
    for authority, name in links:
        trusted = ("-partial_chain", "-CAfile", f"{authority}.pem")
        said = _openssl("verify", "-vfyopt", IDENTITY, *trusted, f"{name}.pem", cwd=sm2.pki.path)
        assert said.strip() == f"{name}.pem: OK"
        certificate = sm2.pki.certificate(name)
        assert is_issued_by(certificate, sm2.pki.certificate(authority))
        assert not is_issued_by(certificate, certificate)


def test_certificates_say_what_those_of_p256_say(sm2: Sm2Services, credentials: SealCredentials) -> None:
    text = _openssl("x509", "-in", f"{LABEL}.pem", "-noout", "-text", cwd=sm2.pki.path)
    assert "Signature Algorithm: SM2-with-SM3" in text
    assert "ASN1 OID: SM2" in text
    assert "Non Repudiation" in text
    assert f"URI:{PUBLIC_URL}/pki/sm2/ocsp" in text
    assert f"URI:{PUBLIC_URL}/pki/sm2/seal-ca.crl" in text
    assert isinstance(public_key_of(credentials.certificate), Sm2PublicKey)


def test_lists_and_answers_are_signed_by_sm2(sm2: Sm2Services, credentials: SealCredentials) -> None:
    now = datetime.now(UTC)
    for authority in ("root", "seal-ca", "tsa-ca"):
        listed = crl.CertificateList.load(sm2.crls.current(authority, now=now).der, strict=True)
        key = Sm2PublicKey.of(sm2.pki.certificate(authority))
        key.verify(listed["signature"].native, listed["tbs_cert_list"].dump())
    response = ocsp.OCSPResponse.load(sm2.ocsp.answer_for(credentials.certificate, now=now), strict=True)
    basic = response["response_bytes"]["response"].parsed
    key = Sm2PublicKey.of(sm2.pki.certificate("ocsp"))
    key.verify(basic["signature"].native, basic["tbs_response_data"].dump())
    assert basic["tbs_response_data"]["responses"][0]["cert_status"].name == "good"


@pytest.mark.parametrize("level", list(PadesLevel))
def test_the_release_check_accepts_each_level_and_no_altered_byte(
    sm2: Sm2Services, sealed: dict[PadesLevel, SealedPdf], credentials: SealCredentials, level: PadesLevel
) -> None:
    def check(pdf: bytes, digest: bytes) -> None:
        check_before_release(
            pdf,
            expected_digest=digest,
            certificate=credentials.certificate,
            anchors=sm2.pki.anchors(),
            now=datetime.now(UTC),
            content=content(level),
            stamped=level is not PadesLevel.B_B,
            archived=level is PadesLevel.B_LTA,
        )

    one = sealed[level]
    check(one.pdf, one.sha256)
    hole = one.pdf.index(b"/Contents <") + len(b"/Contents <")
    length = 2 * len(altered_cms(one.pdf))
    for place in [*range(100, len(one.pdf) - 10, len(one.pdf) // 12), *range(hole + 40, hole + length, 1500)]:
        digit = one.pdf[place]
        altered = one.pdf[:place] + bytes([digit ^ 1]) + one.pdf[place + 1 :]
        with pytest.raises(ReleaseRefused):
            check(altered, hashlib.sha256(altered).digest())


def _cms(pdf: bytes) -> bytes:
    (hole,) = re.findall(rb"/Contents <([0-9a-fA-F]+)>", pdf)
    content = bytes.fromhex(hole.decode())
    return bytes(cms.ContentInfo.load(content).dump())


def _covered(pdf: bytes) -> bytes:
    (numbers,) = re.findall(rb"/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", pdf)
    before, after, rest = map(int, numbers)
    return pdf[:before] + pdf[after : after + rest]


def test_openssl_verifies_the_signature_in_the_file(
    sealed: dict[PadesLevel, SealedPdf], credentials: SealCredentials, tmp_path: Path
) -> None:
    """`openssl cms` has no way to give SM2's identity, so the parts are taken apart here and verified there."""
    pdf = sealed[PadesLevel.B_LT].pdf
    signer = cms.ContentInfo.load(_cms(pdf))["content"]["signer_infos"][0]
    _verified_by_openssl(
        tmp_path,
        credentials.certificate.public_bytes(Encoding.PEM),
        signer["signature"].native,
        signer["signed_attrs"].untag().dump(),
    )
    (tmp_path / "covered").write_bytes(_covered(pdf))
    said = _openssl("dgst", "-sm3", "-r", "covered", cwd=tmp_path)
    digests = [a["values"][0].native for a in signer["signed_attrs"] if a["type"].native == "message_digest"]
    assert digests == [bytes.fromhex(said.split()[0])]


def _verified_by_openssl(directory: Path, certificate: bytes, signature: bytes, data: bytes) -> None:
    (directory / "certificate.pem").write_bytes(certificate)
    (directory / "signature").write_bytes(signature)
    (directory / "data").write_bytes(data)
    public = _openssl("x509", "-in", "certificate.pem", "-noout", "-pubkey", cwd=directory)
    (directory / "public.pem").write_text(public)
    said = _openssl(
        *("pkeyutl", "-verify", "-pubin", "-inkey", "public.pem", "-in", "data", "-sigfile", "signature"),
        *("-rawin", "-digest", "sm3", "-pkeyopt", IDENTITY),
        cwd=directory,
    )
    assert "Signature Verified Successfully" in said


def test_the_time_stamp_is_over_sm3_and_by_sm2(
    sm2: Sm2Services, sealed: dict[PadesLevel, SealedPdf], tmp_path: Path
) -> None:
    signer = cms.ContentInfo.load(_cms(sealed[PadesLevel.B_T].pdf))["content"]["signer_infos"][0]
    (attribute,) = signer["unsigned_attrs"]
    token = cms.ContentInfo.load(attribute["values"][0].dump())["content"]
    info = tsp.TSTInfo.load(bytes(token["encap_content_info"]["content"]))
    assert info["message_imprint"]["hash_algorithm"]["algorithm"].native == "sm3"
    stamper = token["signer_infos"][0]
    _verified_by_openssl(
        tmp_path,
        sm2.pki.certificate("tsa").public_bytes(Encoding.PEM),
        stamper["signature"].native,
        stamper["signed_attrs"].untag().dump(),
    )
    request = tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": {"hash_algorithm": {"algorithm": "md5"}, "hashed_message": bytes(16)},
        }
    )
    status = core.Sequence.load(sm2.tsa.respond(request.dump(), now=datetime.now(UTC)))[0]
    assert tsp.PKIStatusInfo.load(status.dump())["status"].native == "rejection"


def test_the_files_are_still_pdf_a_and_whole(
    sealed: dict[PadesLevel, SealedPdf], verapdf: VeraPdf, tmp_path: Path
) -> None:
    files = {level.name: one.pdf for level, one in sealed.items()}
    assert verapdf.failures(files, "3a") == {}
    assert verapdf.failures(files, "ua1") == {}
    for name, pdf in files.items():
        (tmp_path / name).write_bytes(pdf)
        done = subprocess.run(["qpdf", "--check", str(tmp_path / name)], capture_output=True, check=False)
        assert done.returncode == 0, done.stdout


def test_verify_passes_the_file_and_no_altered_bit(
    sm2: Sm2Services, sealed: dict[PadesLevel, SealedPdf]
) -> None:
    """Strict, as under our own anchor: nothing in the unprotected parts can be altered either."""
    pdf, now = sealed[PadesLevel.B_LT].pdf, datetime.now(UTC)
    trust = TrustAnchors.from_pem([(sm2.pki.path / "trust.pem").read_bytes()])
    report = validate_pdf(pdf, trust=trust, at=None, now=now)
    assert report.verdict is Verdict.PASSED
    (signature,) = report.signatures
    assert (signature.level.value, signature.sub_indication) == ("PAdES-BASELINE-LT", None)
    assert [stamp.indication.value for stamp in signature.timestamps] == ["TOTAL-PASSED"]
    start = pdf.index(b"/Contents <") + len(b"/Contents <")
    end = pdf.index(b">", start)
    inside = range(start, start + 2 * len(_cms(pdf)), 331)
    places = [*inside, end - 2, *range(50, start, start // 8), *range(end + 2, len(pdf) - 2, 200)]
    for place in places:
        altered = pdf[:place] + bytes([pdf[place] ^ 1]) + pdf[place + 1 :]
        if altered != pdf:
            assert validate_pdf(altered, trust=trust, at=None, now=now).verdict is not Verdict.PASSED, place
    stranger = TrustAnchors.from_pem([(sm2.pki.path.parent / "trust.pem").read_bytes()])
    assert validate_pdf(pdf, trust=stranger, at=None, now=now).verdict is Verdict.INDETERMINATE


def test_a_signature_with_another_identity_is_beyond_us_and_not_forged() -> None:
    private = libcrypto.generate()
    public = keys.PublicKeyInfo.load(libcrypto.public_half(private))
    algorithm = algos.SignedDigestAlgorithm({"algorithm": "sm2_sm3"})
    for identity, verdict in ((libcrypto.DEFAULT_IDENTITY, True), (b"", None), (b"somebody", False)):
        signature = libcrypto.sign(private, b"data", identity=identity)
        assert signature_verdict(public, algorithm, b"data", signature) is verdict


def test_a_revoked_seal_seals_no_more(sm2: Sm2Services, ceremony_state: Path) -> None:
    hierarchy = Sm2Hierarchy(ceremony_state, PUBLIC_URL)
    subject = Subject(
        common_name="临时章", organisation="示例市市场监督管理局", credit_code="119901000000002037"
    )
    certificate = hierarchy.equip_seal("seal-for-revoking", subject)
    now = datetime.now(UTC)
    assert sm2.credentials("seal-for-revoking", now=now).certificate == certificate
    sm2.pki.register.revoke(
        "seal-ca", certificate.serial_number, reason=RevocationReason.KEY_COMPROMISE, now=now
    )
    with pytest.raises(CertificateExpired):
        sm2.credentials("seal-for-revoking", now=now)
    listed = crl.CertificateList.load(sm2.crls.current("seal-ca", now=now).der)
    numbers = [one["user_certificate"].native for one in listed["tbs_cert_list"]["revoked_certificates"]]
    assert numbers == [certificate.serial_number]


def test_a_certificate_for_another_key_is_refused(sm2: Sm2Services, ceremony_state: Path) -> None:
    (ceremony_state / "pki" / "sm2" / "seal-mixed-up.pem").write_bytes(
        sm2.pki.certificate(LABEL).public_bytes(Encoding.PEM)
    )
    sm2.keys.generate("seal-mixed-up")
    with pytest.raises(KeyMisuse):
        sm2.credentials("seal-mixed-up", now=datetime.now(UTC))
