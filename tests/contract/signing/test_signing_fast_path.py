"""The fast path against the reference: the same structure, the same CMS but for chance, valid before every judge."""

import io
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pikepdf
import pytest
import sample_documents as documents
import sealed_alterations as altered
from asn1crypto import cms, core, tsp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.catalogue_pages import CataloguePage, catalogue_pages
from cert_registry.catalog.loading import TYPES_DIRECTORY, Catalog
from cert_registry.signing.cms_form import CmsForm
from cert_registry.signing.credentials import SealCredentials
from cert_registry.signing.errors import DocumentRefused, LayoutUnknown, SealingFailed
from cert_registry.signing.fast_sealing import EVIDENCE_USED_FOR, FastSealer
from cert_registry.signing.house_page import read_house_page
from cert_registry.signing.pki.issuing import Subject
from cert_registry.signing.pki.register import RevocationReason
from cert_registry.signing.pki.services import PkiServices
from cert_registry.signing.release import check_before_release
from cert_registry.signing.release_content import SealedContent
from cert_registry.signing.seal_field import SealAppearance
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.signing.sealing import PadesLevel, Sealer
from tests.fixtures_verapdf import VeraPdf
from verify_api.validation import TrustAnchors, Verdict, validate_pdf

pytestmark = pytest.mark.thorough

PAGES = catalogue_pages(Catalog.load(TYPES_DIRECTORY))
_SUBJECT = Subject(common_name="示例快速盖章", organisation="示例局", credit_code="119901000000002037")


@pytest.fixture(scope="module")
def fast(sealer: Sealer, services: PkiServices) -> FastSealer:
    return FastSealer(sealer, services.tsa)


@pytest.fixture(scope="module")
def seals(services: PkiServices) -> dict[str, SealCredentials]:
    now = datetime.now(UTC)
    return {
        name: services.seal_authority.equip(f"seal-fast-{name}", _SUBJECT, now=now, algorithm=algorithm)
        for name, algorithm in (("p256", KeyAlgorithm.ECDSA_P256), ("rsa", KeyAlgorithm.RSA_3072))
    }


def on(page: CataloguePage) -> SealAppearance:
    return replace(documents.appearance(), place=page.place)


@pytest.fixture(scope="module")
def pairs(
    sealer: Sealer, fast: FastSealer, seals: dict[str, SealCredentials]
) -> dict[str, tuple[CataloguePage, SealCredentials, PadesLevel, bytes, bytes]]:
    """Every sample of the catalogue at every level with every algorithm: by the reference, and fast."""
    made = {}
    for page in PAGES:
        for name, credentials in seals.items():
            for level in PadesLevel:
                now = datetime.now(UTC)
                slow, quick = (
                    one.seal(page.pdf, credentials=credentials, appearance=on(page), level=level, now=now).pdf
                    for one in (sealer, fast)
                )
                made[f"{page.name}-{name}-{level.name}"] = (page, credentials, level, slow, quick)
    return made


def test_both_paths_write_the_same_cms(pairs: dict[str, Any]) -> None:
    """What the reference signed and had stamped, filled into the form of the fast path, is the reference's CMS."""
    assert len(pairs) == len(PAGES) * 8
    for _, _, level, slow, quick in pairs.values():
        theirs, ours = (cms.ContentInfo.load(altered.cms_of(pdf)) for pdf in (slow, quick))
        signer = theirs["content"]["signer_infos"][0]
        form = CmsForm.cut_from(ours, digest=_digest_in(ours))
        stamp = None
        if level is not PadesLevel.B_B:
            stamp = signer["unsigned_attrs"][0]["values"][0].dump()
        attributes = form.signed_attributes(_digest_in(theirs))
        filled = form.filled(attributes, signer["signature"].native, stamp=stamp)
        assert filled == altered.cms_of(slow)


def _digest_in(info: cms.ContentInfo) -> bytes:
    attributes = info["content"]["signer_infos"][0]["signed_attrs"]
    (digest,) = (a["values"][0].native for a in attributes if a["type"].native == "message_digest")
    return bytes(digest)


def test_both_paths_write_the_same_structure(pairs: dict[str, Any]) -> None:
    for name, (_, _, _, slow, quick) in pairs.items():
        assert _structure(quick) == _structure(slow), name


def _structure(pdf: bytes) -> dict[str, Any]:
    """All that a seal adds to a document, without object numbers and what differs by chance."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        root, fields = document.Root, list(document.Root.AcroForm.Fields)
        value = fields[0].V
        tree = pikepdf.NumberTree(root.StructTreeRoot.ParentTree)
        element = tree[int(fields[0].StructParent)]
        drawing = fields[0].AP.N
        store = root.get("/DSS", {})
        return {
            "catalogue": {
                key: _plain(root.get(key)) for key in ("/Extensions", "/Version", "/Lang", "/MarkInfo")
            },
            "form": int(root.AcroForm.SigFlags),
            "fields": [{k: _plain(v) for k, v in f.items() if k not in {"/P", "/V", "/AP"}} for f in fields],
            "drawing": (drawing.read_bytes(), _plain(drawing.BBox), sorted(drawing.Resources.keys())),
            # the reference puts the archive stamp's widget, which nobody sees, on the first page
            "widgets": sorted(
                [one.objgen == field.objgen for field in fields]
                for page in document.pages
                for one in page.get("/Annots", [])
            ),
            "tabs": [_plain(page.get("/Tabs")) for page in document.pages],
            "element": (str(element.S), str(element.Alt), element.K.Obj.objgen == fields[0].objgen),
            "elements": len(element.P.K),
            "next key": int(root.StructTreeRoot.ParentTreeNextKey),
            "signatures": [
                {k: _plain(v) for k, v in f.V.items() if k not in {"/Contents", "/ByteRange"}} for f in fields
            ],
            "permissions": root.Perms.DocMDP.objgen == value.objgen,
            "certificates": {bytes(c.read_bytes()) for c in store.get("/Certs", [])},
            "lists": {bytes(c.read_bytes()) for c in store.get("/CRLs", [])},
            "answers": bool(len(store.get("/OCSPs", []))),
            "attachments": {n: s.get_file().read_bytes() for n, s in document.attachments.items()},
        }


def _plain(value: Any) -> Any:
    if isinstance(value, pikepdf.Dictionary):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, pikepdf.Array):
        return [_plain(one) for one in value]
    return str(value)


def test_every_file_is_valid_at_its_level(
    pairs: dict[str, Any], services: PkiServices, ceremony_state: Path
) -> None:
    trust = TrustAnchors.own_only((ceremony_state / "pki" / "trust.pem").read_bytes())
    now = datetime.now(UTC)
    lists = [services.crls.current(name, now=now).der for name in ("root", "seal-ca")]
    lists_of_stamps = [*lists, services.crls.current("tsa-ca", now=now).der]
    for name, (page, _, level, _, quick) in pairs.items():
        if not page.name.endswith("-strangest"):
            continue  # one document of each type; the structure of the others is the same, as tested above
        crls = lists if level is PadesLevel.B_B else lists_of_stamps
        report = validate_pdf(quick, trust=trust, at=None, now=datetime.now(UTC), crls=crls)
        assert report.verdict is Verdict.PASSED, (name, report)
        assert report.signatures[0].level.value == level.value, name


def test_every_file_passes_the_release_check(pairs: dict[str, Any], services: PkiServices) -> None:
    for page, credentials, level, slow, quick in pairs.values():
        for pdf in (slow, quick):
            evidence = check_before_release(
                pdf,
                expected_digest=documents.sha256(pdf),
                certificate=credentials.certificate,
                anchors=services.pki.anchors(),
                now=datetime.now(UTC),
                content=SealedContent(
                    page=page.pdf,
                    appearance=on(page),
                    with_evidence=level in {PadesLevel.B_LT, PadesLevel.B_LTA},
                ),
                stamped=level is not PadesLevel.B_B,
                archived=level is PadesLevel.B_LTA,
            )
            assert (evidence.stamped_at is None) is (level is PadesLevel.B_B)


def test_pdf_a_and_pdf_ua_hold(pairs: dict[str, Any], verapdf: VeraPdf) -> None:
    files = {name: pair[4] for name, pair in pairs.items()}
    assert verapdf.failures(files, "3a") == {}
    assert verapdf.failures(files, "ua1") == {}


def test_qpdf_and_pdfsig_find_nothing_wrong(pairs: dict[str, Any], tmp_path: Path) -> None:
    for name, (_, _, level, _, quick) in pairs.items():
        file = tmp_path / f"{name}.pdf"
        file.write_bytes(quick)
        checked = subprocess.run(["qpdf", "--check", file], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, (name, checked.stderr)
        said = subprocess.run(["pdfsig", file], capture_output=True, text=True, check=True).stdout
        assert said.count("Signature Validation: Signature is Valid.") == 1, name
        if level is not PadesLevel.B_LTA:
            assert "Total document signed" in said, name


def test_the_page_keeps_its_bytes(pairs: dict[str, Any]) -> None:
    assert all(quick.startswith(page.pdf) for page, _, _, _, quick in pairs.values())


def test_a_stamp_is_what_the_ordinary_encoder_writes(services: PkiServices) -> None:
    now = datetime.now(UTC)
    token = cms.ContentInfo.load(services.tsa.stamp_sha256(bytes(32), now=now), strict=True)
    content = token["content"]["encap_content_info"]["content"]
    assert (
        cms.ContentInfo(
            {
                "content_type": "signed_data",
                "content": cms.SignedData({k: token["content"][k] for k in _SIGNED_DATA_FIELDS}),
            }
        ).dump(force=True)
        == token.dump()
    )
    info = tsp.TSTInfo.load(bytes(content), strict=True)
    assert info.dump(force=True) == bytes(content)
    assert info["gen_time"].native == now.replace(microsecond=0)
    assert info["message_imprint"]["hashed_message"].native == bytes(32)
    assert isinstance(info["nonce"], core.Void)
    assert len(token.dump()) <= services.tsa.longest_stamp_bytes


_SIGNED_DATA_FIELDS = ("version", "digest_algorithms", "encap_content_info", "certificates", "signer_infos")


def test_pages_of_others_take_the_reference_path(fast: FastSealer, seals: dict[str, SealCredentials]) -> None:
    for pdf in (documents.generic_pdf(), documents.rendered()):  # the second lacks its last line end
        with pytest.raises(LayoutUnknown):
            read_house_page(pdf, page=1)
        sealed = fast.seal(
            pdf,
            credentials=seals["p256"],
            appearance=documents.appearance(),
            level=PadesLevel.B_B,
            now=datetime.now(UTC),
        )
        assert altered.cms_of(sealed.pdf)


def test_a_place_off_the_page_is_refused(fast: FastSealer, seals: dict[str, SealCredentials]) -> None:
    page = PAGES[0]
    for place in (replace(page.place, page=99), replace(page.place, left=5000), replace(page.place, width=0)):
        with pytest.raises(DocumentRefused):
            fast.seal(
                page.pdf,
                credentials=seals["p256"],
                appearance=replace(on(page), place=place),
                level=PadesLevel.B_B,
                now=datetime.now(UTC),
            )


def test_evidence_is_gathered_again_and_a_revoked_seal_ends(services: PkiServices, fast: FastSealer) -> None:
    now = datetime.now(UTC)
    credentials = services.seal_authority.equip("seal-fast-stopped", _SUBJECT, now=now)

    def answers(moment: datetime) -> bytes:
        sealed = fast.seal(
            PAGES[0].pdf, credentials=credentials, appearance=on(PAGES[0]), level=PadesLevel.B_LT, now=moment
        )
        with pikepdf.open(io.BytesIO(sealed.pdf)) as document:
            return bytes(document.Root.DSS.OCSPs[0].read_bytes())

    first = answers(now)
    assert answers(now + EVIDENCE_USED_FOR) == first
    later = now + EVIDENCE_USED_FOR + timedelta(seconds=2)
    assert answers(later) != first
    services.pki.register.revoke(
        "seal-ca",
        credentials.certificate.serial_number,
        reason=RevocationReason.CESSATION_OF_OPERATION,
        now=later,
    )
    with pytest.raises(SealingFailed):
        answers(later + EVIDENCE_USED_FOR + timedelta(seconds=2))


_TAIL = 4000


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(place=st.integers(1, _TAIL), byte=st.integers(0, 255))
def test_no_altered_tail_is_read_differently(place: int, byte: int) -> None:
    """A page whose cross-reference table or trailer was altered is refused, or its parts are where they were."""
    page = PAGES[0]
    whole = read_house_page(page.pdf, page=1)
    changed = bytearray(page.pdf)
    changed[-place] = byte
    try:
        found = read_house_page(bytes(changed), page=1)
    except LayoutUnknown:
        return
    assert (found.catalog, found.page, found.tree, found.document) == (
        whole.catalog,
        whole.page,
        whole.tree,
        whole.document,
    )


def test_text_in_the_page_is_not_taken_for_its_structure() -> None:
    """A twin that quotes objects, a table and a trailer changes nothing: places come from the table alone."""
    hostile = "\\n6 0 obj\\n<</Type/StructTreeRoot>>\\nendobj\\nstart xref\\ntrailer\\n<</Size 3/Root 1 0 R>>\\n%%EOF"
    pdf = documents.rendered(f"\n// {hostile}\n") + b"\n"
    assert read_house_page(pdf, page=1).tree_number == 6
