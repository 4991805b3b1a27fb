"""Sealed documents before every judge at hand: pdfsig, pyHanko, veraPDF, and the independent release check."""

import asyncio
import hashlib
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pikepdf
import pytest
import sample_documents as documents
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation import (
    DocumentSecurityStore,
    SignatureCoverageLevel,
    async_validate_pdf_signature,
)
from pyhanko_certvalidator import ValidationContext

from cert_registry.signing.credentials import SealCredentials
from cert_registry.signing.errors import DocumentRefused, SealingFailed
from cert_registry.signing.pki.issuing import Subject
from cert_registry.signing.pki.register import RevocationReason
from cert_registry.signing.pki.services import PkiServices
from cert_registry.signing.release import check_before_release
from cert_registry.signing.seal_field import add_seal_field
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.signing.sealing import PadesLevel, SealedPdf, Sealer
from cert_registry.signing.settings import Settings
from tests.fixtures_verapdf import VeraPdf

pytestmark = pytest.mark.thorough


def seal(
    sealer: Sealer, credentials: SealCredentials, pdf: bytes, level: PadesLevel = PadesLevel.B_LT
) -> SealedPdf:
    return sealer.seal(
        pdf,
        credentials=credentials,
        appearance=documents.appearance(),
        level=level,
        now=datetime.now(UTC),
    )


def test_a_sealed_page_stays_pdf_a_and_pdf_ua(
    sealer: Sealer, credentials: SealCredentials, verapdf: VeraPdf
) -> None:
    files = {level.name: seal(sealer, credentials, documents.rendered(), level).pdf for level in PadesLevel}
    assert verapdf.failures(files, "3a") == {}
    assert verapdf.failures(files, "ua1") == {}


def test_pdfsig_calls_the_seal_valid(sealer: Sealer, credentials: SealCredentials, tmp_path: Path) -> None:
    file = tmp_path / "sealed.pdf"
    for pdf in (documents.rendered(), documents.generic_pdf()):
        file.write_bytes(seal(sealer, credentials, pdf).pdf)
        said = subprocess.run(["pdfsig", file], capture_output=True, text=True, check=True).stdout
        assert "Signature Validation: Signature is Valid." in said
        assert "Total document signed" in said
        assert "ETSI.CAdES.detached" in said
        assert "示例市市场监督管理局证照专用章" in said


def test_pyhanko_validates_offline_from_what_is_embedded(
    sealer: Sealer, credentials: SealCredentials, services: PkiServices, tmp_path: Path
) -> None:
    """As PAdES B-LT is: judged at the stamped time, so at any later time, with nothing given but the root."""
    file = tmp_path / "sealed.pdf"
    file.write_bytes(seal(sealer, credentials, documents.rendered()).pdf)
    anchors = [asn1_x509.Certificate.load(c.public_bytes(Encoding.DER)) for c in services.pki.anchors()]
    with file.open("rb") as stream:
        reader = PdfFileReader(stream)
        (signature,) = reader.embedded_signatures
        store = DocumentSecurityStore.read_dss(reader)
        (attribute,) = signature.signer_info["unsigned_attrs"]
        stamped = attribute["values"][0]["content"]["encap_content_info"]["content"].parsed
        context = ValidationContext(
            trust_roots=anchors,
            other_certs=list(store.load_certs()),
            ocsps=[o.get_object().data for o in store.ocsps],
            crls=[c.get_object().data for c in store.crls],
            moment=stamped["gen_time"].native,
            allow_fetching=False,
            revocation_mode="require",
        )
        status = asyncio.run(
            async_validate_pdf_signature(
                signature, signer_validation_context=context, ts_validation_context=context
            )
        )
    assert status.bottom_line
    assert status.coverage is SignatureCoverageLevel.ENTIRE_FILE
    assert status.modification_level is ModificationLevel.NONE
    assert status.docmdp_ok
    assert status.timestamp_validity.valid


def test_the_signature_is_of_the_pades_form(
    sealer: Sealer, credentials: SealCredentials, tmp_path: Path
) -> None:
    file = tmp_path / "sealed.pdf"
    file.write_bytes(seal(sealer, credentials, documents.rendered()).pdf)
    with file.open("rb") as stream:
        reader = PdfFileReader(stream)
        (signature,) = reader.embedded_signatures
        attributes = [a["type"].native for a in signature.signer_info["signed_attrs"]]
        assert sorted(attributes) == sorted(set(attributes))
        assert "signing_time" not in attributes
        assert {"content_type", "message_digest", "signing_certificate_v2"} <= set(attributes)
        assert "/M" in signature.sig_object
        assert "/VRI" not in reader.root["/DSS"]
        assert reader.root["/Perms"]["/DocMDP"]["/Reference"][0]["/TransformParams"]["/P"] == 1


def test_the_field_is_tagged_and_shows_vector_art(
    sealer: Sealer, credentials: SealCredentials, tmp_path: Path
) -> None:
    file = tmp_path / "sealed.pdf"
    file.write_bytes(seal(sealer, credentials, documents.rendered()).pdf)
    with pikepdf.open(file) as document:
        widget = document.Root.AcroForm.Fields[0]
        assert str(widget.TU) == documents.WORDS
        tree = pikepdf.NumberTree(document.Root.StructTreeRoot.ParentTree)
        element = tree[int(widget.StructParent)]
        assert element.S == "/Form"
        assert str(element.Alt) == documents.WORDS
        assert element.K.Obj.objgen == widget.objgen
        assert b"BDC" not in widget.AP.N.read_bytes()
        assert document.pages[0].Tabs == "/S"
        assert list(document.attachments) == ["ecert.json"]


def test_an_rsa_seal_works_too(
    sealer: Sealer, services: PkiServices, signing_settings: Settings, now: datetime
) -> None:
    subject = Subject(common_name="示例RSA章", organisation="示例局", credit_code="119901000000002037")
    credentials = services.seal_authority.equip("seal-rsa", subject, now=now, algorithm=KeyAlgorithm.RSA_3072)
    assert signing_settings.open_token("seals").is_extractable("seal-rsa") is False
    sealed = seal(sealer, credentials, documents.rendered())
    check_before_release(
        sealed.pdf,
        expected_digest=sealed.sha256,
        certificate=credentials.certificate,
        anchors=services.pki.anchors(),
        now=now,
    )


def test_a_revoked_seal_cannot_seal(sealer: Sealer, services: PkiServices, now: datetime) -> None:
    subject = Subject(common_name="示例停用章", organisation="示例局", credit_code="119901000000002037")
    credentials = services.seal_authority.equip("seal-stopped", subject, now=now)
    serial_number = credentials.certificate.serial_number
    services.pki.register.revoke(
        "seal-ca", serial_number, reason=RevocationReason.CESSATION_OF_OPERATION, now=now
    )
    with pytest.raises(SealingFailed):
        seal(sealer, credentials, documents.rendered())


@pytest.mark.parametrize("pdf", [b"", b"not a pdf", documents.rendered()[:9000], documents.encrypted_pdf()])
def test_what_is_not_a_sound_pdf_is_refused(sealer: Sealer, credentials: SealCredentials, pdf: bytes) -> None:
    with pytest.raises(DocumentRefused):
        seal(sealer, credentials, pdf)


def test_a_sealed_file_is_not_sealed_again(sealer: Sealer, credentials: SealCredentials) -> None:
    with pytest.raises(DocumentRefused, match="already"):
        seal(sealer, credentials, seal(sealer, credentials, documents.rendered()).pdf)


def test_a_place_off_the_page_is_refused(sealer: Sealer, credentials: SealCredentials, now: datetime) -> None:
    for place in (replace(documents.PLACE, page=2), replace(documents.PLACE, left=590)):
        appearance = replace(documents.appearance(), place=place)
        with pytest.raises(DocumentRefused):
            sealer.seal(
                documents.rendered(),
                credentials=credentials,
                appearance=appearance,
                level=PadesLevel.B_B,
                now=now,
            )


def test_the_same_page_is_prepared_to_the_same_bytes() -> None:
    first, second = (add_seal_field(documents.rendered(), documents.appearance()) for _ in range(2))
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()


def test_the_stamp_and_the_signing_time_are_the_time_given(
    sealer: Sealer, credentials: SealCredentials, services: PkiServices
) -> None:
    earlier = datetime.now(UTC) - timedelta(minutes=2)
    sealed = sealer.seal(
        documents.rendered(),
        credentials=credentials,
        appearance=documents.appearance(),
        level=PadesLevel.B_T,
        now=earlier,
    )
    evidence = check_before_release(
        sealed.pdf,
        expected_digest=sealed.sha256,
        certificate=credentials.certificate,
        anchors=services.pki.anchors(),
        now=earlier,
        content=documents.content(PadesLevel.B_T),
    )
    assert evidence.stamped_at == earlier.replace(microsecond=0)
