"""Document time stamps behind a seal: accepted by EU DSS, veraPDF and our own strict rules; nothing else is."""

import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sample_documents as documents
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from cert_registry.signing.credentials import SealCredentials, load_credentials
from cert_registry.signing.document_stamp import DocumentStamper
from cert_registry.signing.errors import DocumentRefused, ReleaseRefused
from cert_registry.signing.file_evidence import evidence_of
from cert_registry.signing.pki.services import PkiServices
from cert_registry.signing.release_stamp import check_before_keeping
from cert_registry.signing.sealing import PadesLevel, Sealer
from cert_registry.signing.settings import Settings
from tests.fixtures_verapdf import VeraPdf
from tests.peers.dss.harness import EuDss
from verify_api.validation import DocumentReport, TrustAnchors, Verdict, validate_pdf

pytestmark = pytest.mark.thorough

_LEVELS = (PadesLevel.B_B, PadesLevel.B_T, PadesLevel.B_LT)
_YEAR = timedelta(days=365)


@pytest.fixture(scope="module")
def stamper(services: PkiServices) -> DocumentStamper:
    return DocumentStamper(pki=services.pki, tsa=services.tsa, crls=services.crls, ocsp=services.ocsp)


@pytest.fixture(scope="module")
def sealed(sealer: Sealer, services: PkiServices, signing_settings: Settings) -> dict[str, bytes]:
    now = datetime.now(UTC)
    credentials: SealCredentials = load_credentials(
        signing_settings.open_token("seals"), services.pki, "seal-city-market", now=now
    )
    return {
        level.name: sealer.seal(
            documents.rendered(),
            credentials=credentials,
            appearance=documents.appearance(),
            level=level,
            now=now,
        ).pdf
        for level in _LEVELS
    }


@pytest.fixture(scope="module")
def archived(stamper: DocumentStamper, sealed: dict[str, bytes]) -> dict[str, bytes]:
    """Each file with one stamp, of now, and with a second one, of a year later."""
    now = datetime.now(UTC)
    once = {name: stamper.append(pdf, now=now).pdf for name, pdf in sealed.items()}
    twice = {f"{name}_again": stamper.append(pdf, now=now + _YEAR).pdf for name, pdf in once.items()}
    return once | twice


@pytest.fixture(scope="module")
def trust(ceremony_state: Path) -> bytes:
    return (ceremony_state / "pki" / "trust.pem").read_bytes()


def judged(pdf: bytes, trust: bytes, *, at: datetime) -> DocumentReport:
    return validate_pdf(pdf, trust=TrustAnchors.own_only(trust), at=at, now=at)


def test_our_strict_rules_accept_stamps_behind_every_level(archived: dict[str, bytes], trust: bytes) -> None:
    for name, pdf in archived.items():
        report = judged(pdf, trust, at=datetime.now(UTC) + _YEAR + timedelta(days=1))
        assert report.verdict is Verdict.PASSED, (name, report)
        assert report.signatures[0].level.value == "PAdES-BASELINE-LTA"


def test_eu_dss_names_the_level_lta(archived: dict[str, bytes], trust: bytes, eu_dss: EuDss) -> None:
    once = {name: pdf for name, pdf in archived.items() if not name.endswith("_again")}
    again = {name: pdf for name, pdf in archived.items() if name.endswith("_again")}
    for files, at in ((once, None), (again, datetime.now(UTC) + 2 * _YEAR)):
        for name, (verdict,) in eu_dss.verdicts(files, trust=trust, at=at).items():
            assert (verdict.indication, verdict.level) == ("TOTAL_PASSED", "PAdES-BASELINE-LTA"), (
                name,
                verdict,
            )


def test_a_stamped_file_stays_pdf_a_and_pdf_ua(archived: dict[str, bytes], verapdf: VeraPdf) -> None:
    assert verapdf.failures(archived, "3a") == {}
    assert verapdf.failures(archived, "ua1") == {}


def test_the_bytes_before_the_update_are_kept(sealed: dict[str, bytes], archived: dict[str, bytes]) -> None:
    for name, pdf in sealed.items():
        assert archived[name].startswith(pdf)
        assert archived[f"{name}_again"].startswith(archived[name])


def test_no_altered_byte_of_the_updates_passes(
    sealed: dict[str, bytes], archived: dict[str, bytes], trust: bytes
) -> None:
    pdf, begin = archived["B_LT_again"], len(sealed["B_LT"])
    at = datetime.now(UTC) + _YEAR + timedelta(days=1)
    places = random.Random(5).sample(range(begin, len(pdf)), 24)  # noqa: S311 - places, not secrets
    for place in places:
        altered = bytearray(pdf)
        altered[place] ^= 1 << (place % 8)
        verdict = judged(bytes(altered), trust, at=at).verdict
        white = pdf[place : place + 1] in b"\n\r " and verdict is Verdict.PASSED
        assert verdict is not Verdict.PASSED or white, (place, pdf[place - 20 : place + 20])


def test_an_update_without_a_stamp_does_not_pass(archived: dict[str, bytes], trust: bytes) -> None:
    at = datetime.now(UTC) + timedelta(minutes=1)
    assert judged(archived["B_LT"] + b"\n", trust, at=at).verdict is not Verdict.PASSED
    writer = IncrementalPdfFileWriter(io.BytesIO(archived["B_LT"]))
    writer.root["/DSS"]["/Certs"].append(writer.add_object(generic.StreamObject(stream_data=b"\0")))
    writer.update_container(writer.root["/DSS"]["/Certs"])
    out = io.BytesIO()
    writer.write(out)
    assert judged(out.getvalue(), trust, at=at).verdict is not Verdict.PASSED


def test_an_update_hidden_under_the_next_stamp_does_not_pass(
    stamper: DocumentStamper, sealed: dict[str, bytes], trust: bytes
) -> None:
    """Even a harmless one: the updates of this house are stamps, one each."""
    now = datetime.now(UTC)
    writer = IncrementalPdfFileWriter(io.BytesIO(sealed["B_LT"]))
    writer.root["/Extensions"] = generic.DictionaryObject()
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    hidden = stamper.append(out.getvalue(), now=now).pdf
    assert judged(hidden, trust, at=now + timedelta(minutes=1)).verdict is Verdict.INDETERMINATE


@pytest.mark.parametrize("pdf", [b"", b"no pdf", documents.rendered(), documents.generic_pdf()])
def test_only_sealed_files_are_stamped(stamper: DocumentStamper, pdf: bytes, now: datetime) -> None:
    with pytest.raises(DocumentRefused):
        stamper.append(pdf, now=now)


def test_a_file_tells_until_when_it_holds(
    sealed: dict[str, bytes], archived: dict[str, bytes], services: PkiServices
) -> None:
    """And our validator agrees: the day before it passes, the day after it does not."""
    assert {evidence_of(pdf).level for pdf in archived.values()} == {"B-LTA"}
    assert [evidence_of(pdf).level for pdf in sealed.values()] == ["B-B", "B-T", "B-LT"]
    trust = b"".join(c.public_bytes(Encoding.PEM) for c in services.pki.anchors())
    for pdf in (sealed["B_LT"], archived["B_LT"], archived["B_B_again"]):
        end = evidence_of(pdf).holds_until
        assert end is not None
        assert judged(pdf, trust, at=end - timedelta(days=1)).verdict is Verdict.PASSED
        assert judged(pdf, trust, at=end + timedelta(days=1)).verdict is Verdict.INDETERMINATE


@pytest.mark.parametrize("pdf", [b"", b"no pdf", documents.rendered()])
def test_only_sealed_files_have_evidence(pdf: bytes) -> None:
    with pytest.raises(DocumentRefused):
        evidence_of(pdf)


def test_a_stamp_is_checked_on_another_path_before_it_is_kept(
    sealed: dict[str, bytes], stamper: DocumentStamper, services: PkiServices, now: datetime
) -> None:
    before, anchors = sealed["B_LT"], services.pki.anchors()
    stamped = stamper.append(before, now=now).pdf
    check_before_keeping(stamped, before=before, anchors=anchors, now=now)
    hole = stamped.rindex(b"/Contents <") + 200
    for wrong in (
        before,
        stamped + b"\n",
        stamped[:300] + b"#" + stamped[301:],
        stamped[:hole] + (b"0" if stamped[hole : hole + 1] != b"0" else b"1") + stamped[hole + 1 :],
        stamped[:-40] + b"#" + stamped[-39:],
    ):
        with pytest.raises(ReleaseRefused):
            check_before_keeping(wrong, before=before, anchors=anchors, now=now)
    with pytest.raises(ReleaseRefused):
        check_before_keeping(stamped, before=before, anchors=anchors, now=now + timedelta(hours=1))
    with pytest.raises(ReleaseRefused):
        check_before_keeping(stamped, before=before, anchors=(), now=now)
