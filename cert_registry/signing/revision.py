"""The revisions appended to a page of our own press: the seal with its field, picture and evidence, and a stamp.

Layout of the sealing revision, in the order of the bytes (each object `N 0 obj … endobj`):

    the page as rendered                     untouched
    catalogue                                with AcroForm, Perms, Extensions, Version and, with evidence, DSS
    page                                     with Annots
    root of the structure tree, Document     with one more element
    Annots, AcroForm, widget, Form element   new
    picture, evidence                        new, the same bytes for every document with as many objects
    signature dictionary                     its Contents is the hole in the ByteRange
    xref, trailer, startxref, %%EOF

Source: ISO 32000-1 clauses 7.5.6, 12.7.4.5, 12.8.1 and 14.7.4.4; ISO 19005-3 clauses 6.1.4 and 6.1.9.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cert_registry.signing.document_stamp import FIELD_PREFIX
from cert_registry.signing.errors import DocumentRefused
from cert_registry.signing.house_page import HousePage
from cert_registry.signing.numbered_objects import NumberedObjects, stream_body
from cert_registry.signing.seal_field import FIELD_NAME, PRINT_AND_LOCKED, SealPlace

_BYTE_RANGE_WIDTH = 60
_TRAILER_BYTES = 300
_FORM, _WIDGET, _ELEMENT, _FIXED = 1, 2, 3, 4  # places of the new objects after Annots; how many there are


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """What a next revision needs to know of the file before it.

    Args:
        size: One more than the highest object number.
        root, info: Object numbers of catalogue and document information.
        file_id: The permanent identifier, as written.
        cross_reference: Where the last cross-reference section begins.
        evidence: Object number of the first of the evidence.
        page, annotations, form, widget: Object numbers of the sealed page, its Annots, the AcroForm, the seal's field.
    """

    size: int
    root: int
    info: int
    file_id: bytes
    cross_reference: int
    evidence: int
    page: int
    annotations: int
    form: int
    widget: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """A file whose Contents is still empty.

    Args:
        before: All bytes up to the opening `<`.
        after: All bytes from behind the closing `>`.
        contents_bytes: How many bytes of CMS fit in.
        end: What a revision behind it points back to.
    """

    before: bytes
    after: bytes
    contents_bytes: int
    end: "End"

    def digest(self, name: str) -> bytes:
        """Return the digest of everything but the Contents."""
        covered = hashlib.new(name, self.before)
        covered.update(self.after)
        return covered.digest()

    def filled(self, cms_der: bytes) -> bytes:
        """Return the whole file with the CMS in its place, zeros behind it.

        Raises:
            DocumentRefused: The CMS is longer than its place.
        """
        if len(cms_der) > self.contents_bytes:
            raise DocumentRefused("The signature is longer than the place kept for it.")
        digits = cms_der.hex().upper().encode().ljust(2 * self.contents_bytes, b"0")
        return b"".join((self.before, b"<", digits, b">", self.after))


@dataclass(frozen=True, slots=True, kw_only=True)
class SealParts:
    """What of a revision is the same for every document of a seal at a level.

    Args:
        picture: The appearance, its form XObject first.
        evidence: Streams of the DSS and, last, the DSS dictionary; None without evidence.
        alternative_text: As a PDF string.
        extensions: Extensions and Version of the catalogue, as written.
        contents_bytes: How many bytes of CMS the Contents holds.
    """

    picture: NumberedObjects
    evidence: NumberedObjects | None
    alternative_text: bytes
    extensions: bytes
    contents_bytes: int


def text_string(text: str) -> bytes:
    """Return a text string in UTF-16 with its mark, in hexadecimal."""
    return b"<FEFF" + text.encode("utf-16-be").hex().upper().encode() + b">"


def pdf_date(moment: datetime) -> bytes:
    """Return a date in UTC; `moment` is aware and UTC."""
    return moment.strftime("(D:%Y%m%d%H%M%SZ)").encode()


def sealing_revision(
    pdf: bytes, page: HousePage, parts: SealParts, place: SealPlace, *, now: datetime
) -> Hole:
    """Append a seal's revision, all but the CMS.

    Raises:
        DocumentRefused: The place is off the page.
    """
    rectangle = _rectangle(page, place)
    first = page.size
    picture_at = first + _FIXED
    evidence_at = picture_at + len(parts.picture)
    seal_at = evidence_at + (len(parts.evidence) if parts.evidence else 0)
    writer = _Appended(pdf)
    store = b"/DSS %d 0 R" % (seal_at - 1) if parts.evidence else b""
    writer.add(
        page.root,
        page.catalog[:-2],
        b"/AcroForm %d 0 R" % (first + _FORM),
        parts.extensions,
        store,
        b"/Perms<</DocMDP %d 0 R>>>>" % seal_at,
    )
    writer.add(page.page_number, page.page[:-2], b"/Annots %d 0 R>>" % first)
    start, middle = page.tree
    writer.add(
        page.tree_number,
        start,
        b" %d %d 0 R" % (page.next_key, first + _ELEMENT),
        middle,
        b"%d>>" % (page.next_key + 1),
    )
    writer.add(page.document_number, page.document, b" %d 0 R]>>" % (first + _ELEMENT))
    writer.add(first, b"[%d 0 R]" % (first + _WIDGET))
    writer.add(first + _FORM, b"<</Fields[%d 0 R]/SigFlags 3>>" % (first + _WIDGET))
    writer.add(
        first + _WIDGET,
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T(%s)/TU" % FIELD_NAME.encode(),
        parts.alternative_text,
        b"/F %d/Rect[%s]/P %d 0 R" % (PRINT_AND_LOCKED, rectangle, page.page_number),
        b"/AP<</N %d 0 R>>/StructParent %d/V %d 0 R>>" % (picture_at, page.next_key, seal_at),
    )
    writer.add(
        first + _ELEMENT,
        b"<</Type/StructElem/S/Form/P %d 0 R/Pg %d 0 R/Alt" % (page.document_number, page.page_number),
        parts.alternative_text,
        b"/K<</Type/OBJR/Obj %d 0 R/Pg %d 0 R>>>>" % (first + _WIDGET, page.page_number),
    )
    writer.add_numbered(parts.picture, picture_at)
    if parts.evidence:
        writer.add_numbered(parts.evidence, evidence_at)
    entries = (
        b"/Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/M%s" % pdf_date(now),
        b"/Reference[<</Type/SigRef/TransformMethod/DocMDP",
        b"/TransformParams<</Type/TransformParams/V/1.2/P 1>>>>]",
    )
    before = End(
        size=page.size,
        root=page.root,
        info=page.info,
        file_id=page.file_id,
        cross_reference=page.cross_reference,
        evidence=evidence_at,
        page=page.page_number,
        annotations=first,
        form=first + _FORM,
        widget=first + _WIDGET,
    )
    return writer.with_signature(seal_at, entries, before, contents_bytes=parts.contents_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class StampParts:
    """What the revision of a document time stamp adds to the DSS, and how much room its token needs.

    EU DSS counts evidence as that of level LT only where the DSS was extended after the seal, so one more answer
    about the seal stands there, as document_stamp.py does it.

    Args:
        answer: One more OCSP answer, DER.
        store: The DSS dictionary with it; references by place from the first of the evidence on.
        contents_bytes: How many bytes of CMS the Contents holds.
    """

    answer: bytes
    store: tuple[bytes | int, ...]
    contents_bytes: int


def stamping_revision(sealed: bytes, end: End, parts: StampParts) -> Hole:
    """Append the revision of a document time stamp to a file that `sealing_revision` made, all but the token.

    The field is a widget of no size outside the page, as document_stamp.py makes it.
    """
    writer = _Appended(sealed)
    answer, widget, stamp = end.size, end.size + 1, end.size + 2
    widgets = b"[%d 0 R %d 0 R]" % (end.widget, widget)
    writer.add(end.annotations, widgets)
    writer.add(end.form, b"<</Fields%s/SigFlags 3>>" % widgets)
    store = end.size - 2  # the DSS dictionary stands before the signature, which is the last object
    writer.add(
        store, *(one if isinstance(one, bytes) else b"%d 0 R" % (end.evidence + one) for one in parts.store)
    )
    writer.add(answer, *stream_body(parts.answer))
    writer.add(
        widget,
        b"<</Type/Annot/Subtype/Widget/FT/Sig/T(%s1)/TU()/F %d" % (FIELD_PREFIX.encode(), PRINT_AND_LOCKED),
        b"/Rect[-9999 -9999 -9999 -9999]/P %d 0 R/V %d 0 R>>" % (end.page, stamp),
    )
    entries = (b"/Type/DocTimeStamp/Filter/Adobe.PPKLite/SubFilter/ETSI.RFC3161",)
    return writer.with_signature(stamp, entries, end, contents_bytes=parts.contents_bytes)


class _Appended:
    """Objects behind a file, and at last a signature dictionary with the cross-reference section."""

    def __init__(self, pdf: bytes) -> None:
        self._pieces = [pdf]
        self._at = len(pdf)
        self._places: dict[int, int] = {}

    def add(self, number: int, *body: bytes) -> None:
        """Write one object."""
        self._places[number] = self._at
        self._append(b"".join((b"%d 0 obj\n" % number, *body, b"\nendobj\n")))

    def add_numbered(self, objects: NumberedObjects, first: int) -> None:
        """Write prepared objects from a number on."""
        numbered = objects.numbered(first)
        for number, start in enumerate(numbered.starts, first):
            self._places[number] = self._at + start
        self._append(numbered.content)

    def with_signature(
        self, number: int, entries: Iterable[bytes], before: End, *, contents_bytes: int
    ) -> Hole:
        """Write the signature dictionary, its hole and what follows it."""
        self._places[number] = self._at
        size = number + 1
        head = b"%d 0 obj\n<</ByteRange " % number
        rest = b"".join((*entries, b"/Contents "))
        opening = self._at + len(head) + _BYTE_RANGE_WIDTH + len(rest)
        closing = opening + 2 * contents_bytes + 2
        cross_reference = closing + len(b">>\nendobj\n")
        after = b"".join(
            (
                b">>\nendobj\n",
                _cross_reference(self._places),
                b"trailer\n<</Size %d/Root %d 0 R/Info %d 0 R" % (size, before.root, before.info),
                b"/ID[(%s)<%s>]" % (before.file_id, self._file_id()),
                b"/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (before.cross_reference, cross_reference),
            )
        )
        covered = b"[0 %d %d %d]" % (opening, closing, len(after))
        self._append(b"".join((head, covered.ljust(_BYTE_RANGE_WIDTH), rest)))
        end = replace(before, size=size, cross_reference=cross_reference)
        return Hole(before=b"".join(self._pieces), after=after, contents_bytes=contents_bytes, end=end)

    def _append(self, piece: bytes) -> None:
        self._pieces.append(piece)
        self._at += len(piece)

    def _file_id(self) -> bytes:
        """Return the changing identifier: it depends on what the revision says, not on chance."""
        said = hashlib.sha256(self._pieces[0][-_TRAILER_BYTES:])  # holds the page's own changing identifier
        for piece in self._pieces[1:]:
            said.update(piece)
        return said.hexdigest()[:32].upper().encode()


def _cross_reference(places: dict[int, int]) -> bytes:
    lines = [b"xref\n0 1\n0000000000 65535 f\r\n"]
    numbers = sorted(places)
    for run in _runs(numbers):
        lines.append(b"%d %d\n" % (run[0], len(run)))
        lines += [b"%010d 00000 n\r\n" % places[number] for number in run]
    return b"".join(lines)


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for number in numbers:
        if runs and runs[-1][-1] + 1 == number:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _rectangle(page: HousePage, place: SealPlace) -> bytes:
    left, bottom, right, top = page.media_box
    fits_across = left <= place.left and place.left + place.width <= right
    fits_up = bottom <= place.bottom and place.bottom + place.height <= top
    if not (place.width > 0 and place.height > 0 and fits_across and fits_up):
        raise DocumentRefused("The seal's place is not on the page.")
    corners = (place.left, place.bottom, place.left + place.width, place.bottom + place.height)
    return b" ".join(f"{round(corner, 3):.3f}".rstrip("0").rstrip(".").encode() for corner in corners)
