"""What the sealer could do wrong to a document, planted one by one in files that are truly signed; each is found."""

import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pikepdf
import planted_faults as planted
import pytest
import sample_documents as documents
from pikepdf import Array, Dictionary, Name, String
from planted_faults import Parts

from cert_registry.signing.credentials import SealCredentials, load_credentials
from cert_registry.signing.errors import ContentDiffers
from cert_registry.signing.fast_sealing import FastSealer
from cert_registry.signing.pki.services import PkiServices
from cert_registry.signing.release import check_before_release
from cert_registry.signing.release_content import SealedContent
from cert_registry.signing.release_evidence import StoredEvidence, check_evidence
from cert_registry.signing.sealing import PadesLevel, Sealer
from cert_registry.signing.settings import Settings

PAGE = documents.rendered() + b"\n"  # as the press ends it
_FORM = b"/Subtype /Form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    sealer: Sealer
    fast: FastSealer
    credentials: SealCredentials
    other: SealCredentials
    services: PkiServices

    def check(self, pdf: bytes, content: SealedContent, *, archived: bool = False) -> None:
        check_before_release(
            pdf,
            expected_digest=documents.sha256(pdf),
            certificate=self.credentials.certificate,
            anchors=self.services.pki.anchors(),
            now=datetime.now(UTC),
            content=content,
            archived=archived,
        )

    def sealed(self, sealer: Sealer | FastSealer, page: bytes = PAGE, **changed: object) -> bytes:
        given: dict[str, object] = {
            "credentials": self.credentials,
            "appearance": documents.appearance(),
            "level": PadesLevel.B_LT,
            "now": datetime.now(UTC),
        }
        return sealer.seal(page, **given | changed).pdf  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def desk(signing_settings: Settings, services: PkiServices, sealer: Sealer) -> Desk:
    token, now = signing_settings.open_token("seals"), datetime.now(UTC)
    police, market = (
        load_credentials(token, services.pki, name, now=now)
        for name in ("seal-city-police", "seal-city-market")
    )
    return Desk(
        sealer=sealer,
        fast=FastSealer(sealer, services.tsa),
        credentials=police,
        other=market,
        services=services,
    )


@pytest.fixture(scope="module")
def good(desk: Desk) -> bytes:
    return desk.sealed(desk.fast)


EXPECTED = documents.content(PadesLevel.B_LT, page=PAGE)


def _planted(desk: Desk, good: bytes, fault: Callable[[Parts], None]) -> bytes:
    parts = planted.taken_apart(good, PAGE)
    fault(parts)
    return planted.put_together(
        parts, credentials=desk.credentials, tsa=desk.services.tsa, now=datetime.now(UTC)
    )


def test_without_a_fault_the_same_way_of_writing_passes(desk: Desk, good: bytes) -> None:
    desk.check(good, EXPECTED)
    desk.check(_planted(desk, good, lambda _: None), EXPECTED)


_CATALOG, _TREE, _DOCUMENT = b"/Type/Catalog", b"/Type/StructTreeRoot", b"/S/Document"
_WIDGET, _ELEMENT, _SIGNATURE, _STORE = b"/Subtype/Widget", b"/S/Form", b"/Type/Sig/", b"/Certs["


def _with(marker: bytes, old: bytes, new: bytes) -> Callable[[Parts], None]:
    return lambda parts: parts.change(marker, old, new)


def _more(marker: bytes, entries: bytes) -> Callable[[Parts], None]:
    """Add entries at the end of a dictionary."""

    def fault(parts: Parts) -> None:
        number = parts.find(marker)
        parts.bodies[number] = parts.bodies[number][:-2] + entries + b">>"

    return fault


def _redrawn(parts: Parts) -> None:
    number = parts.find(_FORM)
    head, data = parts.bodies[number].split(b"stream\n", 1)
    drawn = zlib.decompress(data.removesuffix(b"\nendstream")) + b"\n0 0 m"
    stored = zlib.compress(drawn)
    head = head[: head.index(b"/Length ")] + b"/Length %d>>\n" % len(stored)
    parts.bodies[number] = head + b"stream\n" + stored + b"\nendstream"


def _one_more_object(parts: Parts) -> None:
    number = max(parts.bodies) + 1
    parts.bodies[number] = b"<</Hidden true>>"
    parts.trailer = parts.trailer.replace(b"/Size %d" % number, b"/Size %d" % (number + 1))


def _object_of_the_page_again(parts: Parts) -> None:
    """Write the first object that the seal has no business with anew: here the page tree."""
    parts.bodies[1] = b"<</Type/Pages/Count 0/Kids[]>>"


def _value_dropped(parts: Parts) -> None:
    number = parts.find(_STORE)
    body = parts.bodies[number]
    start = body.index(b"/Certs[") + len(b"/Certs[")
    parts.bodies[number] = body[:start] + body[body.index(b" R ", start) + 3 :]


def _store_left_out(parts: Parts) -> None:
    number = parts.find(_STORE)
    parts.change(_CATALOG, b"/DSS %d 0 R" % number, b"")


def _all_values_twice(parts: Parts) -> None:
    number = parts.find(_STORE)
    body = parts.bodies[number]
    lists = body[body.index(b"/CRLs[") + len(b"/CRLs[") : body.rindex(b"]")]
    parts.bodies[number] = body.replace(b"/CRLs[", b"/CRLs[" + lists)


def _old_trailer(old: bytes, new: bytes) -> Callable[[Parts], None]:
    def fault(parts: Parts) -> None:
        assert old in parts.trailer
        parts.trailer = parts.trailer.replace(old, new, 1)

    return fault


FAULTS: dict[str, Callable[[Parts], None]] = {
    "catalogue: open action": _more(_CATALOG, b"/OpenAction<</S/JavaScript/JS(app.alert)>>"),
    "catalogue: additional actions": _more(_CATALOG, b"/AA<</WC<</S/JavaScript/JS(x)>>>>"),
    "catalogue: optional content": _more(_CATALOG, b"/OCProperties<</OCGs[]/D<<>>>>"),
    "catalogue: page mode": _more(_CATALOG, b"/PageMode/UseAttachments"),
    "catalogue: language": _with(_CATALOG, b"/Lang(zh", b"/Lang(en"),
    "catalogue: names": _with(_CATALOG, b"(ecert.json)", b"(other.json)"),
    "catalogue: associated files": _with(_CATALOG, b"/AF[", b"/AG["),
    "catalogue: metadata": _with(_CATALOG, b"/Metadata ", b"/Mxtadata "),
    "catalogue: version": _with(_CATALOG, b"/Version/2.0", b""),
    "catalogue: extension": _with(_CATALOG, b"ExtensionLevel 32002", b"ExtensionLevel 32001"),
    "catalogue: permissions": _with(_CATALOG, b"/Perms<</DocMDP ", b"/Perms<</UR3 "),
    "catalogue: no permissions": _with(_CATALOG, b"/Perms<<", b"/Prems<<"),
    "catalogue: a key twice": _more(_CATALOG, b"/Lang(zh)"),
    "page: media box": _with(b"/Type/Page/", b"/MediaBox[0 0", b"/MediaBox[0 1"),
    "page: crop box": _more(b"/Type/Page/", b"/CropBox[0 0 9 9]"),
    "page: rotation": _more(b"/Type/Page/", b"/Rotate 90"),
    "page: resources": _with(b"/Type/Page/", b"/Resources ", b"/Xesources "),
    "page: contents": _with(b"/Type/Page/", b"/Contents ", b"/Xontents "),
    "page: order": _with(b"/Type/Page/", b"/Tabs/S", b"/Tabs/R"),
    "page: actions": _more(b"/Type/Page/", b"/AA<</O<</S/JavaScript/JS(x)>>>>"),
    "form: appearances": _more(b"/SigFlags 3", b"/NeedAppearances true"),
    "form: flags": _with(b"/SigFlags 3", b"/SigFlags 3", b"/SigFlags 1"),
    "form: a script": _more(b"/SigFlags 3", b"/XFA(x)"),
    "structure: roles": _with(_TREE, b"/RoleMap<<", b"/RoleMap<</X/P"),
    "structure: parent tree": _with(_TREE, b"/Nums[0 ", b"/Nums[7 "),
    "structure: next key": _with(_TREE, b"/ParentTreeNextKey ", b"/ParentTreeNextKey 1"),
    "structure: kids": _with(_DOCUMENT, b" 0 R]", b" 0 R 1 0 R]"),
    "structure: title": _more(_DOCUMENT, b"/T(other)"),
    "field: flags": _with(_WIDGET, b"/F 132", b"/F 134"),
    "field: place": _with(_WIDGET, b"/Rect[380 ", b"/Rect[381 "),
    "field: name": _with(_WIDGET, b"/T(seal)", b"/T(sael)"),
    "field: words": _with(_WIDGET, b"/TU<FEFF", b"/TU<FEFF0041"),
    "field: action": _more(_WIDGET, b"/A<</S/URI/URI(http://x)>>"),
    "field: another look": _with(_WIDGET, b"/AP<</N ", b"/AP<</D "),
    "field: structure": _with(_WIDGET, b"/StructParent ", b"/StructParent 1"),
    "element: words": _with(_ELEMENT, b"/Alt<FEFF", b"/Alt<FEFF0041"),
    "element: kind": _with(_ELEMENT, b"/S/Form", b"/S/Form/ActualText(x)"),
    "picture: drawing": _redrawn,
    "picture: box": _with(_FORM, b"/BBox [", b"/BBox [ 1"),
    "picture: matrix": _with(_FORM, b"/Subtype /Form", b"/Subtype /Form/Matrix[2 0 0 2 0 0]"),
    "picture: optional content": _with(_FORM, b"/Subtype /Form", b"/Subtype /Form/OC<<>>"),
    "signature: permissions": _with(_SIGNATURE, b"/P 1", b"/P 2"),
    "signature: reason": _with(_SIGNATURE, b"/Type/Sig/", b"/Type/Sig/Reason(x)/"),
    "signature: time": _with(_SIGNATURE, b"/M(D:20", b"/M(D:19"),
    "signature: filter": _with(_SIGNATURE, b"ETSI.CAdES.detached", b"adbe.pkcs7.detached"),
    "evidence: a certificate less": _value_dropped,
    "evidence: not in the catalogue": _store_left_out,
    "evidence: lists twice": _all_values_twice,
    "evidence: other parts": _more(_STORE, b"/VRI<<>>"),
    "file: an object more": _one_more_object,
    "file: an object of the page again": _object_of_the_page_again,
    "trailer: catalogue": _old_trailer(b"/Root ", b"/Root 1"),
    "trailer: information": _old_trailer(b"/Info ", b"/Info 1"),
    "trailer: encryption": _old_trailer(b"/Prev", b"/Encrypt<<>>/Prev"),
    "trailer: identifier": _old_trailer(b"/ID[(", b"/ID[(A"),
    "trailer: before": _old_trailer(b"/Prev ", b"/Prev 1"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(desk: Desk, good: bytes, name: str) -> None:
    faulty = _planted(desk, good, FAULTS[name])
    with pytest.raises(ContentDiffers):
        desk.check(faulty, EXPECTED)


def test_a_table_that_points_elsewhere_is_found(desk: Desk, good: bytes) -> None:
    for marker in (_CATALOG, _WIDGET, _STORE, _FORM):

        def fault(parts: Parts, marker: bytes = marker) -> None:
            parts.moved[parts.find(marker)] = 1

        with pytest.raises(ContentDiffers):
            desk.check(_planted(desk, good, fault), EXPECTED)


def _altered(change: Callable[[pikepdf.Pdf], None]) -> bytes:
    """The page as a sealer would leave it that changes it on the way."""
    with pikepdf.open(io.BytesIO(PAGE)) as document:
        change(document)
        out = io.BytesIO()
        document.save(out, fix_metadata_version=False)
        return out.getvalue()


def _first_font(document: pikepdf.Pdf) -> pikepdf.Object:
    fonts = document.pages[0].Resources.Font
    descriptor = fonts[next(iter(fonts.keys()))].DescendantFonts[0].FontDescriptor
    return descriptor.get(Name.FontFile2, descriptor.get(Name.FontFile3))


def _flip(stream: pikepdf.Object) -> None:
    data = bytearray(stream.read_bytes())
    data[len(data) // 2] ^= 1
    stream.write(bytes(data))


def _attachment(document: pikepdf.Pdf) -> pikepdf.Object:
    return document.Root.Names.EmbeddedFiles.Names[1]


def _flip_attachment(document: pikepdf.Pdf) -> None:
    spec = _attachment(document)
    spec.EF[next(iter(spec.EF.keys()))].write(b"{}")


def _second_page(document: pikepdf.Pdf) -> None:
    document.add_blank_page()


def _link(document: pikepdf.Pdf) -> None:
    document.pages[0].Annots = Array(
        [Dictionary(Type=Name.Annot, Subtype=Name.Link, Rect=Array([0, 0, 9, 9]))]
    )


def _put(where: Callable[[pikepdf.Pdf], pikepdf.Object], key: str, value: object) -> Callable[..., None]:
    def change(document: pikepdf.Pdf) -> None:
        where(document)[key] = value

    return change


ALTERATIONS: dict[str, Callable[[pikepdf.Pdf], None]] = {
    "drawing": lambda document: _flip(document.pages[0].Contents),
    "font": lambda document: _flip(_first_font(document)),
    "colour profile": lambda document: _flip(document.Root.OutputIntents[0].DestOutputProfile),
    "metadata": lambda document: _flip(document.Root.Metadata),
    "attachment": _flip_attachment,
    "attachment's relation": _put(_attachment, "/AFRelationship", Name.Source),
    "media box": _put(lambda d: d.pages[0].obj, "/MediaBox", Array([0, 0, 595, 900])),
    "crop box": _put(lambda d: d.pages[0].obj, "/CropBox", Array([0, 0, 500, 800])),
    "rotation": _put(lambda d: d.pages[0].obj, "/Rotate", 90),
    "user unit": _put(lambda d: d.pages[0].obj, "/UserUnit", 2),
    "resources": _put(lambda d: d.pages[0].Resources, "/XObject", Dictionary()),
    "link": _link,
    "number of pages": _second_page,
    "open action": _put(lambda d: d.Root, "/OpenAction", Dictionary(S=Name.JavaScript, JS=String("x"))),
    "actions": _put(lambda d: d.Root, "/AA", Dictionary()),
    "optional content": _put(lambda d: d.Root, "/OCProperties", Dictionary(OCGs=Array([]))),
    "language": _put(lambda d: d.Root, "/Lang", String("en")),
    "scripts": _put(lambda d: d.Root.Names, "/JavaScript", Dictionary(Names=Array([]))),
    "title": _put(lambda d: d.trailer.Info, "/Title", String("x")),
    "role": _put(lambda d: d.Root.StructTreeRoot, "/RoleMap", Dictionary(X=Name.P)),
    "tag": _put(lambda d: d.Root.StructTreeRoot.K[0].K[0], "/S", Name.Figure),
    "tag's words": _put(lambda d: d.Root.StructTreeRoot.K[0].K[0], "/ActualText", String("x")),
}


def test_an_unaltered_page_passes_by_the_other_path_too(desk: Desk) -> None:
    for page in (PAGE, _altered(lambda _: None)):
        desk.check(desk.sealed(desk.sealer, page), EXPECTED)


@pytest.mark.parametrize("name", ALTERATIONS)
def test_an_alteration_of_the_page_is_found(desk: Desk, name: str) -> None:
    altered = _altered(ALTERATIONS[name])
    with pytest.raises(ContentDiffers):
        desk.check(desk.sealed(desk.sealer, altered), EXPECTED)


@pytest.mark.parametrize("path", ["fast", "reference"])
def test_a_seal_that_looks_otherwise_is_found(desk: Desk, path: str) -> None:
    sealer = desk.fast if path == "fast" else desk.sealer
    right = documents.appearance()
    for wrong in (
        replace(right, image_pdf=documents.seal_picture("☆")),
        replace(right, place=replace(right.place, left=379.5)),
        replace(right, place=replace(right.place, width=120)),
        replace(right, alternative_text="另一枚印章"),
    ):
        with pytest.raises(ContentDiffers):
            desk.check(desk.sealed(sealer, appearance=wrong), EXPECTED)
    desk.check(desk.sealed(sealer, appearance=right), EXPECTED)


@pytest.mark.parametrize("path", ["fast", "reference"])
def test_another_level_than_asked_for_is_found(desk: Desk, path: str) -> None:
    sealer = desk.fast if path == "fast" else desk.sealer
    low = desk.sealed(sealer, level=PadesLevel.B_T)
    desk.check(low, replace(EXPECTED, with_evidence=False))
    with pytest.raises(ContentDiffers):
        desk.check(low, EXPECTED)
    with pytest.raises(ContentDiffers):
        desk.check(desk.sealed(sealer), replace(EXPECTED, with_evidence=False))


def test_evidence_that_does_not_speak_of_now_is_found(desk: Desk, good: bytes) -> None:
    with pikepdf.open(io.BytesIO(good)) as document:
        store = document.Root.DSS
        evidence = StoredEvidence(
            certificates=tuple(bytes(one.read_bytes()) for one in store.Certs),
            answers=tuple(bytes(one.read_bytes()) for one in store.OCSPs),
            lists=tuple(bytes(one.read_bytes()) for one in store.CRLs),
        )
    anchors, now = desk.services.pki.anchors(), datetime.now(UTC)
    certificate = desk.credentials.certificate
    check_evidence(evidence, certificate=certificate, anchors=anchors, now=now)
    for moment in (now + timedelta(days=2), now - timedelta(hours=1)):
        with pytest.raises(ContentDiffers):
            check_evidence(evidence, certificate=certificate, anchors=anchors, now=moment)
    with pytest.raises(ContentDiffers):
        check_evidence(evidence, certificate=desk.other.certificate, anchors=anchors, now=now)
    with pytest.raises(ContentDiffers):
        check_evidence(evidence, certificate=certificate, anchors=[certificate], now=now)


def test_evidence_about_another_seal_is_found(desk: Desk, good: bytes) -> None:
    answer = desk.services.ocsp.answer_for(desk.other.certificate, now=datetime.now(UTC))

    def fault(parts: Parts) -> None:
        store = parts.bodies[parts.find(_STORE)]
        number = int(store[store.index(b"/OCSPs[") + len(b"/OCSPs[") :].split(b" ")[0])
        parts.bodies[number] = b"<</Length %d>>\nstream\n" % len(answer) + answer + b"\nendstream"

    with pytest.raises(ContentDiffers):
        desk.check(_planted(desk, good, fault), EXPECTED)


@pytest.mark.parametrize("path", ["fast", "reference"])
def test_the_archive_stamp_adds_what_it_must_and_nothing_else(desk: Desk, path: str) -> None:
    sealer = desk.fast if path == "fast" else desk.sealer
    sealed = desk.sealed(sealer, level=PadesLevel.B_LTA)
    desk.check(sealed, EXPECTED, archived=True)
