"""What a seal may add to a page of our own press: the revision behind it, read anew and compared entry by entry.

The page's bytes stand untouched at the beginning, so nothing that is not written anew behind them can differ. Of what is
written anew every object is one of a short list, each with exactly the entries that are told here; an object more, an entry
more or less, or another value is refused. Shares no code with what wrote it (revision.py).

    catalogue                           as it was, with AcroForm, Extensions, Version, Perms and, with evidence, DSS
    page                                as it was, with Annots: the seal's widget alone
    root of the structure tree          as it was, with the seal's Form element in the parent tree
    Document element                    as it was, with the seal's Form element as its last kid
    Annots, AcroForm, widget, element   new
    picture, evidence                   new: see release_picture.py and release_evidence.py
    signature                           new; its CMS and ByteRange are checked by release.py

Source: ISO 32000-1 clauses 7.5.6, 12.5.6.19, 12.7.4.5, 12.8.1, 12.8.4 and 14.7.4; ISO 32000-2 clause 12.8.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from cryptography import x509

from cert_registry.signing import release_content as told
from cert_registry.signing.errors import ContentDiffers
from cert_registry.signing.release_evidence import StoredEvidence, check_evidence
from cert_registry.signing.release_form import NotThisForm
from cert_registry.signing.release_picture import check_picture_objects
from cert_registry.signing.release_syntax import (
    Ref,
    Revision,
    Section,
    Value,
    as_array,
    as_dictionary,
    as_reference,
    object_body,
    read_dictionary,
    read_section,
)

_UNLIKE_ANOTHER = ("/ByteRange", "/Contents", "/M")
_FILE_ID_BYTES = 16


def check_appended(
    sealed: bytes,
    content: told.SealedContent,
    *,
    ends: Sequence[int],
    holes: Sequence[tuple[int, int]],
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> None:
    """Check that a page is followed by the revision of its seal and, at level B-LTA, that of a stamp.

    Args:
        sealed: The file; it begins with the page.
        content: What it must hold.
        ends: Where each revision with a signature ends.
        holes: Where the Contents of each signature begins and ends.
        certificate: The seal's.
        anchors: Trust anchors.
        now: Aware UTC time.

    Raises:
        ContentDiffers: Something else stands there.
        NotThisForm: A part is not written plainly.
    """
    seal = _SealRevision(sealed, content, end=ends[0])
    seal.check_catalogue(told.extensions_of(certificate))
    seal.check_page()
    seal.check_structure()
    seal.check_signature(holes[0], now)
    evidence = seal.read_evidence() if content.with_evidence else None
    number, objects, starts = seal.added.rest()
    check_picture_objects(
        number, objects, starts, drawing=seal.picture.number, image_pdf=content.appearance.image_pdf
    )
    if len(ends) > 1:
        evidence = _check_stamp(Revision(sealed, ends[0], ends[1]), seal, evidence, holes[1])
    if evidence is not None:
        check_evidence(evidence, certificate=certificate, anchors=anchors, now=now)


class _SealRevision:
    """The seal's revision beside the page; each check goes on where the one before ended."""

    def __init__(self, sealed: bytes, content: told.SealedContent, *, end: int) -> None:
        self._content = content
        self._before = read_section(content.page, len(content.page))
        self.added = Revision(sealed, len(content.page), end)
        self.root = as_reference(self._before.trailer.get("/Root"))
        self._old_root = self._old(self.root)
        self._new_root = self.added.dictionary(self.root)
        number = content.appearance.place.page
        kids = as_array(self._old(as_reference(self._old_root.get("/Pages"))).get("/Kids"))
        if not 1 <= number <= len(kids):
            raise NotThisForm
        self.page = as_reference(kids[number - 1])
        self.form = as_reference(self._new_root.get("/AcroForm"))
        self.annotations = self.widget = self.picture = self.root  # until they are found
        self.store = self._new_root.get("/DSS")
        self.stored: Mapping[str, Value] = {}
        self._signature: Value = 0
        self._key: Value = 0

    def _old(self, reference: Ref) -> Mapping[str, Value]:
        start = self._before.places.get(reference.number)
        if start is None:
            raise NotThisForm
        return read_dictionary(object_body(self._content.page, reference.number, start))

    def check_catalogue(self, extensions: Mapping[str, Any]) -> None:
        more: dict[str, Value] = {
            "/AcroForm": self.form,
            "/Perms": self._new_root.get("/Perms", 0),
            **extensions,
        }
        if self._content.with_evidence:
            more["/DSS"] = as_reference(self.store)
        if more.keys() & self._old_root.keys():
            raise NotThisForm
        _same(self._new_root, {**self._old_root, **more}, "catalogue")

    def check_page(self) -> None:
        """The page, its annotation, the form and its field."""
        old, new = self._old(self.page), self.added.dictionary(self.page)
        if old.get("/Type") != "/Page" or "/Annots" in old:
            raise NotThisForm
        self.annotations = as_reference(new.get("/Annots"))
        _same(new, {**old, "/Annots": self.annotations}, "page")
        fields = as_array(self.added.value(self.annotations))
        if len(fields) != 1:
            raise ContentDiffers("The sealed page must have one annotation.")
        self.widget = as_reference(fields[0])
        form = {"/Fields": (self.widget,), "/SigFlags": told.SIGNATURES_EXIST_APPEND_ONLY}
        _same(self.added.dictionary(self.form), form, "form")
        field = self.added.dictionary(self.widget)
        self.picture = as_reference(as_dictionary(field.get("/AP")).get("/N"))
        self._signature = as_reference(field.get("/V"))
        self._key = field.get("/StructParent", 0)
        expected = {
            "/Type": "/Annot",
            "/Subtype": "/Widget",
            "/FT": "/Sig",
            "/T": told.SEAL_FIELD,
            "/TU": told.words_of(self._content),
            "/F": told.PRINT_AND_LOCKED,
            "/Rect": field.get("/Rect"),
            "/P": self.page,
            "/AP": {"/N": self.picture},
            "/StructParent": self._key,
            "/V": self._signature,
        }
        _same(field, expected, "seal's field")
        told.check_place(field.get("/Rect"), old.get("/MediaBox"), self._content.appearance.place)
        _same(as_dictionary(self._new_root.get("/Perms")), {"/DocMDP": self._signature}, "permissions")

    def check_structure(self) -> None:
        """The structure tree: one Form element more, which the field points to and is pointed to by."""
        tree = as_reference(self._old_root.get("/StructTreeRoot"))
        old_tree, new_tree = self._old(tree), self.added.dictionary(tree)
        kids = as_array(old_tree.get("/K"))
        parents, key = as_dictionary(old_tree.get("/ParentTree")), old_tree.get("/ParentTreeNextKey")
        if len(kids) != 1 or not isinstance(key, int):
            raise NotThisForm
        document = as_reference(kids[0])
        old_document, new_document = self._old(document), self.added.dictionary(document)
        elements = as_array(old_document.get("/K"))
        element = as_reference(as_array(new_document.get("/K"))[-1])
        _same(new_document, {**old_document, "/K": (*elements, element)}, "Document element")
        numbers = (*as_array(parents.get("/Nums")), key, element)
        more = {"/ParentTree": {**parents, "/Nums": numbers}, "/ParentTreeNextKey": key + 1}
        _same(new_tree, {**old_tree, **more}, "structure tree")
        if self._key != key:
            raise ContentDiffers("The seal's field is not tied to its structure element.")
        expected = {
            "/Type": "/StructElem",
            "/S": "/Form",
            "/P": document,
            "/Pg": self.page,
            "/Alt": told.words_of(self._content),
            "/K": {"/Type": "/OBJR", "/Obj": self.widget, "/Pg": self.page},
        }
        _same(self.added.dictionary(element), expected, "seal's structure element")
        _check_section(self._before, self.added.section, {self.root, self.page, tree, document})

    def check_signature(self, hole: tuple[int, int], now: datetime) -> None:
        """The signature dictionary, without what release.py looks at."""
        value = self.added.dictionary_around(self._signature, hole)
        _same(_constant(value), told.SEAL_SIGNATURE, "signature")
        told.check_date(value.get("/M"), now)

    def read_evidence(self) -> StoredEvidence:
        """The document security store and all its values."""
        self.stored = self.added.dictionary(self.store)
        if set(self.stored) != {"/Certs", "/OCSPs", "/CRLs"}:
            raise ContentDiffers("The evidence has other parts than it should.")
        certificates, answers, lists = (
            tuple(self.added.stream(one) for one in as_array(self.stored[name]))
            for name in ("/Certs", "/OCSPs", "/CRLs")
        )
        return StoredEvidence(certificates=certificates, answers=answers, lists=lists)


def _check_stamp(
    last: Revision, seal: _SealRevision, evidence: StoredEvidence | None, hole: tuple[int, int]
) -> StoredEvidence:
    """Check the revision of a document time stamp; returns the evidence with one more answer."""
    if evidence is None:
        raise ContentDiffers("A document time stamp stands over a file without evidence.")
    widgets = as_array(last.value(seal.annotations))
    widget = as_reference(widgets[-1])
    _same(widgets, (seal.widget, widget), "annotations")
    form = {"/Fields": (seal.widget, widget), "/SigFlags": told.SIGNATURES_EXIST_APPEND_ONLY}
    _same(last.dictionary(seal.form), form, "form")
    field = last.dictionary(widget)
    signature = as_reference(field.get("/V"))
    expected = {
        "/Type": "/Annot",
        "/Subtype": "/Widget",
        "/FT": "/Sig",
        "/T": told.ARCHIVE_FIELD,
        "/TU": b"",
        "/F": told.PRINT_AND_LOCKED,
        "/Rect": told.OFF_THE_PAGE,
        "/P": seal.page,
        "/V": signature,
    }
    _same(field, expected, "stamp's field")
    value = last.dictionary_around(signature, hole)
    if "/M" in value:
        raise ContentDiffers("A document time stamp tells a time beside its own.")
    _same(_constant(value), told.STAMP_SIGNATURE, "stamp")
    store = last.dictionary(seal.store)
    answer = as_reference(as_array(store.get("/OCSPs"))[-1])
    grown = {**seal.stored, "/OCSPs": (*as_array(seal.stored["/OCSPs"]), answer)}
    _same(store, grown, "evidence")
    more = last.stream(answer)
    last.check_all_used()
    _check_section(seal.added.section, last.section, {seal.annotations, seal.form, as_reference(seal.store)})
    return StoredEvidence(
        certificates=evidence.certificates, answers=(*evidence.answers, more), lists=evidence.lists
    )


def _constant(signature: Mapping[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in signature.items() if key not in _UNLIKE_ANOTHER}


def _same(found: Value, expected: object, what: str) -> None:
    if found != expected:
        raise ContentDiffers(f"The {what} of the sealed file is not as it should be.")


def _check_section(before: Section, after: Section, again: set[Ref]) -> None:
    """Check the trailer, and that new objects are numbered from the end on and no others are written again."""
    size = before.trailer.get("/Size")
    if not isinstance(size, int):
        raise NotThisForm
    replaced = {reference.number for reference in again}
    numbers = sorted(set(after.places) - replaced)
    if not replaced <= set(after.places) or numbers != list(range(size, size + len(numbers))):
        raise ContentDiffers("The file holds an object that a seal does not write.")
    identifiers = as_array(after.trailer.get("/ID"))
    expected = {
        "/Size": size + len(numbers),
        "/Root": before.trailer.get("/Root"),
        "/Info": before.trailer.get("/Info"),
        "/ID": (as_array(before.trailer.get("/ID"))[0], identifiers[-1]),
        "/Prev": before.start,
    }
    _same(after.trailer, expected, "trailer")
    if not isinstance(identifiers[-1], bytes) or len(identifiers[-1]) != _FILE_ID_BYTES:
        raise ContentDiffers("The sealed file's identifier is not of 16 bytes.")
