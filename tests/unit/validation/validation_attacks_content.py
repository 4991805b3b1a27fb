"""Changes after signing in every corner of a document that is seen, read or run: each is an attack of its own.

References: Mainka et al., "Shadow Attacks"; Rohlmann et al., "Breaking the Specification"; Müller et al.,
"Processing Dangerous Paths". All are applied as clean incremental updates, so that only their content gives them away.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pikepdf
from pyhanko.pdf_utils import generic
from pyhanko.sign import fields
from validation_attacks import EVIL, _certified, annotation, page_of, update
from validation_files import TEXT, plain_pdf, sign
from validation_pki import NOW, Pki

name = generic.pdf_name
text = generic.pdf_string
P = fields.MDPPerm


def numbers(*values: float) -> generic.ArrayObject:
    return generic.ArrayObject([generic.NumberObject(v) for v in values])


def dictionary(**entries: Any) -> generic.DictionaryObject:
    return generic.DictionaryObject({name("/" + key): value for key, value in entries.items()})


def script() -> generic.DictionaryObject:
    return dictionary(S=name("/JavaScript"), JS=text("app.alert(1)"))


def catalogue(key: str, make: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    def build(data: bytes) -> bytes:
        def change(work: Any) -> None:
            work.root[name(key)] = make(work)
            work.update_root()

        return update(data, change)

    return build


def on_page(key: str, make: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    def build(data: bytes) -> bytes:
        def change(work: Any) -> None:
            page = page_of(work)
            page[name(key)] = make(work)
            work.update_container(page)

        return update(data, change)

    return build


def on_form(key: str, make: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    def build(data: bytes) -> bytes:
        def change(work: Any) -> None:
            form = work.root["/AcroForm"]
            form[name(key)] = make(work)
            work.update_container(form)

        return update(data, change)

    return build


def stream(work: Any, content: bytes, **entries: Any) -> Any:
    return work.add_object(
        generic.StreamObject({name("/" + k): v for k, v in entries.items()}, stream_data=content)
    )


def embedded(work: Any) -> Any:
    file = stream(work, b"evil", Type=name("/EmbeddedFile"))
    spec = dictionary(Type=name("/Filespec"), F=text("evil.txt"), EF=dictionary(F=file))
    return dictionary(EmbeddedFiles=dictionary(Names=generic.ArrayObject([text("evil.txt"), spec])))


def outlines(work: Any) -> Any:
    item = dictionary(Title=text("Certificate No. 43"), A=script())
    place = work.add_object(item)
    return work.add_object(
        dictionary(Type=name("/Outlines"), First=place, Last=place, Count=generic.NumberObject(1))
    )


def _layers(pdf: Any) -> None:
    """The signed page has two layers, one of them off by default."""
    layers = [
        pdf.make_indirect(pikepdf.Dictionary(Type=pikepdf.Name.OCG, Name=pikepdf.String(title)))
        for title in ("shown", "hidden")
    ]
    pdf.Root.OCProperties = pikepdf.Dictionary(
        OCGs=layers, D=pikepdf.Dictionary(Order=layers, ON=[layers[0]], OFF=[layers[1]])
    )
    page = pdf.pages[0]
    page.Resources.Properties = pikepdf.Dictionary(L0=layers[0], L1=layers[1])
    page.Contents = pdf.make_stream(b"/OC /L0 BDC " + TEXT + b" EMC /OC /L1 BDC " + EVIL + b" EMC")


def layer_switched(pki: Pki) -> bytes:
    def change(work: Any) -> None:
        settings = work.root["/OCProperties"]["/D"]
        settings[name("/ON")], settings[name("/OFF")] = settings.raw_get("/OFF"), settings.raw_get("/ON")
        work.update_root()

    return update(sign(plain_pdf(extra=_layers), pki), change)


def _check_box(pdf: Any) -> None:
    def look(content: bytes) -> Any:
        return pdf.make_stream(
            content, Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Form, BBox=[0, 0, 300, 60]
        )

    box = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Stamp,
            Rect=[72, 600, 372, 660],
            F=4,
            AS=pikepdf.Name.Off,
            AP=pikepdf.Dictionary(N=pikepdf.Dictionary(Off=look(b"q Q"), On=look(EVIL))),
        )
    )
    pdf.pages[0].Annots = pdf.make_indirect(pikepdf.Array([box]))


def look_switched(pki: Pki) -> bytes:
    """An annotation's state is switched, so that its other look shows."""

    def change(work: Any) -> None:
        note = page_of(work)["/Annots"][0]
        note[name("/AS")] = name("/On")
        work.update_container(note)

    return update(sign(plain_pdf(extra=_check_box), pki), change)


def note_removed(pki: Pki) -> bytes:
    def change(work: Any) -> None:
        page = page_of(work)
        page[name("/Annots")] = generic.ArrayObject(
            [page["/Annots"].raw_get(i) for i in range(1, len(page["/Annots"]))]
        )
        work.update_container(page)

    return update(sign(plain_pdf(extra=_check_box), pki), change)


def note_unhidden(pki: Pki) -> bytes:
    """A hidden annotation of the signed document is made visible."""

    def hidden(pdf: Any) -> None:
        _check_box(pdf)
        pdf.pages[0].Annots[0].F = 2

    def change(work: Any) -> None:
        note = page_of(work)["/Annots"][0]
        note[name("/F")] = generic.NumberObject(4)
        work.update_container(note)

    return update(sign(plain_pdf(extra=hidden), pki), change)


def store_with_stowaway(pki: Pki) -> bytes:
    """The document security store brings a stream that is no certificate."""

    def change(work: Any) -> None:
        work.root[name("/DSS")] = dictionary(
            Type=name("/DSS"), Certs=generic.ArrayObject([stream(work, EVIL)])
        )
        work.update_root()

    return update(sign(plain_pdf(), pki), change)


def store_with_page(pki: Pki) -> bytes:
    def change(work: Any) -> None:
        work.root[name("/DSS")] = dictionary(Type=name("/DSS"), Page=dictionary(Type=name("/Page")))
        work.update_root()

    return update(sign(plain_pdf(), pki, stamped_at=NOW, lt=True), change)


def reused_number(pki: Pki) -> bytes:
    """The page's content object is written anew as a stream of the security store."""

    def change(work: Any) -> None:
        place = page_of(work).raw_get("/Contents")
        content = place.get_object()
        content._data, content._encoded_data = EVIL, None
        work.mark_update(place)
        work.root[name("/DSS")] = dictionary(Type=name("/DSS"), Certs=generic.ArrayObject([place]))
        work.update_root()

    return update(sign(plain_pdf(), pki), change)


def catalogue_of_parent(data: bytes) -> bytes:
    """MediaBox moves to the tree's root, where pages without one of their own inherit it."""

    def change(work: Any) -> None:
        tree = work.root["/Pages"]
        tree[name("/Rotate")] = generic.NumberObject(180)
        work.update_container(tree)

    return update(data, change)


def pages_swapped(pki: Pki) -> bytes:
    def change(work: Any) -> None:
        tree = work.root["/Pages"]
        kids = tree["/Kids"]
        tree[name("/Kids")] = generic.ArrayObject([kids.raw_get(1), kids.raw_get(0)])
        work.update_container(tree)

    def numbered(pdf: Any) -> None:
        pdf.pages[1].Contents = pdf.make_stream(EVIL)

    return update(sign(plain_pdf(pages=2, extra=numbered), pki), change)


def encrypted_afterwards(pki: Pki) -> bytes:
    """The file is written anew with encryption around the signed parts."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(sign(plain_pdf(), pki))) as pdf:
        pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="", R=6))
    return out.getvalue()


def _over_text(pdf: Any) -> None:
    pdf.Root.AcroForm.Fields[0].Rect = [60, 690, 500, 730]


def opaque_fill(data: bytes, *, background: bytes = b"1 1 1 rg 0 0 440 40 re f ") -> bytes:
    """Fill the text field, painting a ground under the text."""

    def change(work: Any) -> None:
        field = work.root["/AcroForm"]["/Fields"][0]
        field[name("/V")] = text("pay 999")
        look = stream(
            work,
            background + b"/Tx BMC q BT 0 g /F1 24 Tf 2 8 Td (pay 999) Tj ET Q EMC",
            Type=name("/XObject"),
            Subtype=name("/Form"),
            BBox=numbers(0, 0, 440, 40),
        )
        field[name("/AP")] = dictionary(N=look)
        work.update_container(field)

    return update(data, change)


def large_tick(pki: Pki) -> bytes:
    """A check box as large as the text, whose other state covers it."""

    def prepared(pdf: Any) -> None:
        _check_box(pdf)
        box = pdf.pages[0].Annots[0]
        box.Subtype, box.FT, box.T = pikepdf.Name.Widget, pikepdf.Name.Btn, pikepdf.String("agree")
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=[box])

    def change(work: Any) -> None:
        box = work.root["/AcroForm"]["/Fields"][0]
        box[name("/V")] = box[name("/AS")] = name("/On")
        work.update_container(box)

    return update(sign(plain_pdf(extra=prepared), pki), change)


def _masked(place: str) -> Callable[[Pki], bytes]:
    """The signed file lists the page's content among its fields or annotations, where rules are milder."""

    def prepared(pdf: Any) -> None:
        page = pdf.pages[0]
        if place == "field":
            pdf.Root.AcroForm.Fields.append(page.obj.Contents)
        elif place == "page":
            pdf.Root.AcroForm.Fields.append(page.obj)
        else:
            page.Annots.append(page.obj.Contents)

    def change(work: Any) -> None:
        reference = page_of(work).raw_get("/Contents")
        content = reference.get_object()
        content._data = TEXT.replace(b"No. 42: VALID", b"No. 43: WRONG")
        content._encoded_data = None
        work.mark_update(reference)

    return lambda pki: update(sign(plain_pdf(form=True, extra=prepared), pki), change)


def _signed(change: Callable[[bytes], bytes], **options: Any) -> Callable[[Pki], bytes]:
    return lambda pki: change(sign(plain_pdf(**options), pki))


_CATALOGUE: dict[str, Callable[[Any], Any]] = {
    "/OpenAction": lambda _: script(),
    "/AA": lambda _: dictionary(WC=script()),
    "/Names": embedded,
    "/Outlines": outlines,
    "/PageLabels": lambda _: dictionary(
        Nums=generic.ArrayObject([generic.NumberObject(0), dictionary(P=text("43-"))])
    ),
    "/ViewerPreferences": lambda _: dictionary(DisplayDocTitle=generic.BooleanObject(True)),
    "/PageMode": lambda _: name("/FullScreen"),
    "/Dests": lambda _: dictionary(),
    "/OCProperties": lambda _: dictionary(OCGs=generic.ArrayObject(), D=dictionary()),
    "/URI": lambda _: dictionary(Base=text("http://example.invalid/")),
    "/Collection": lambda _: dictionary(Type=name("/Collection")),
    "/AF": lambda work: generic.ArrayObject([embedded(work)]),
    "/Lang": lambda _: text("tlh"),
    "/Threads": lambda _: generic.ArrayObject([dictionary(Type=name("/Thread"))]),
    "/Unknown": lambda _: text("anything"),
    "/Pages": lambda work: work.add_object(
        dictionary(Type=name("/Pages"), Kids=generic.ArrayObject(), Count=generic.NumberObject(0))
    ),
}
_PAGE: dict[str, Callable[[Any], Any]] = {
    "/Rotate": lambda _: generic.NumberObject(180),
    "/MediaBox": lambda _: numbers(0, 0, 100, 100),
    "/CropBox": lambda _: numbers(0, 0, 595, 400),
    "/UserUnit": lambda _: generic.NumberObject(2),
    "/AA": lambda _: dictionary(O=script()),
    "/Contents": lambda work: stream(work, EVIL),
    "/Resources": lambda _: dictionary(),
    "/Group": lambda _: dictionary(S=name("/Transparency")),
    "/Trans": lambda _: dictionary(S=name("/Wipe")),
    "/VP": lambda _: generic.ArrayObject(),
    "/StructParents": lambda _: text("not a number"),
}
_FORM: dict[str, Callable[[Any], Any]] = {
    "/XFA": lambda work: stream(work, b"<xdp/>"),
    "/NeedAppearances": lambda _: generic.BooleanObject(True),
    "/CO": lambda _: generic.ArrayObject(),
    "/DR": lambda _: dictionary(Font=dictionary(F1=dictionary(BaseFont=name("/ZapfDingbats")))),
    "/DA": lambda _: text("/F1 99 Tf 1 0 0 rg"),
}
_ANNOTATIONS = [
    "Text", "Link", "FreeText", "Line", "Square", "Circle", "Polygon", "PolyLine", "Highlight", "Underline",
    "Squiggly", "StrikeOut", "Stamp", "Caret", "Ink", "Popup", "FileAttachment", "Sound", "Movie", "Widget",
    "Screen", "PrinterMark", "TrapNet", "Watermark", "3D", "Redact", "RichMedia", "Projection",
]  # fmt: skip

CONTENT_ATTACKS: dict[str, Callable[[Pki], bytes]] = {
    **{
        f"catalogue{key.lower()}".replace("/", "-"): _signed(catalogue(key, v))
        for key, v in _CATALOGUE.items()
    },
    **{f"page{key.lower()}".replace("/", "-"): _signed(on_page(key, v)) for key, v in _PAGE.items()},
    **{
        f"form{key.lower()}".replace("/", "-"): _signed(on_form(key, v), form=True)
        for key, v in _FORM.items()
    },
    **{
        f"annotation-p{int(level.value)}-{kind.lower()}": _certified(level, annotation("/" + kind))
        for kind in _ANNOTATIONS
        for level in (P.ANNOTATE, P.FILL_FORMS)
    },
    "shadow-opaque-fill": _signed(opaque_fill, form=True, extra=_over_text),
    "shadow-large-tick": large_tick,
    "sneaky-large-signature": lambda p: sign(sign(plain_pdf(), p), p, field="Extra", box=(0, 0, 595, 842)),
    "masked-as-field": _masked("field"),
    "masked-as-annotation": _masked("annotation"),
    "masked-page-as-field": _masked("page"),
    "layer-switched": layer_switched,
    "look-switched": look_switched,
    "note-removed": note_removed,
    "note-unhidden": note_unhidden,
    "store-with-stowaway": store_with_stowaway,
    "store-with-page": store_with_page,
    "store-reuses-number": reused_number,
    "inherited-rotation": _signed(catalogue_of_parent),
    "pages-swapped": pages_swapped,
    "encrypted-afterwards": encrypted_afterwards,
}
