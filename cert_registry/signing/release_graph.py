"""The content of a sealed file against the rendered one where the seal was not simply put behind it: object by object.

The reference path rewrites a document before sealing it, so numbers and places differ. Both files are read by pikepdf,
and everything that can be reached from their trailers is compared, but for what a seal adds; that is compared with what it
must be. Slower than release_revision.py, and for every PDF.

Source: ISO 32000-1 clauses 7.7.2, 12.5, 12.7, 12.8 and 14.7.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import pikepdf
from cryptography import x509
from pikepdf import Array, Dictionary, Name, Pdf, Stream

from cert_registry.signing import release_content as told
from cert_registry.signing.errors import ContentDiffers
from cert_registry.signing.release_evidence import StoredEvidence, check_evidence
from cert_registry.signing.release_picture import check_drawing
from cert_registry.signing.release_sameness import Sameness

_OF_A_SEAL = {"/AcroForm", "/DSS", "/Extensions", "/Perms", "/Version"}
_OF_STORAGE = {
    *("/Size", "/Prev", "/ID", "/XRefStm", "/Root"),
    *("/Type", "/W", "/Index", "/Length", "/Filter", "/DecodeParms"),  # of a cross-reference stream
}
_STORE = {"/Certs", "/OCSPs", "/CRLs"}
_MAX_DEPTH = 8


def check_by_objects(
    sealed: bytes,
    content: told.SealedContent,
    *,
    archived: bool,
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> None:
    """Check everything in a sealed file but its signatures.

    Args:
        sealed: The file.
        content: What it must hold.
        archived: Whether a document time stamp must stand in it.
        certificate: The seal's.
        anchors: Trust anchors.
        now: Aware UTC time.

    Raises:
        ContentDiffers: Something is not as it should be.
    """
    try:
        with Pdf.open(io.BytesIO(content.page)) as before, Pdf.open(io.BytesIO(sealed)) as after:
            check = _Check(before, after, content)
            check.everything_else()
            fields = check.form(["seal", "archive-stamp-1"] if archived else ["seal"])
            check.catalogue(fields[0].V, told.extensions_of(certificate))
            check.page(fields)
            check.structure(fields[0])
            check.seal(fields[0], now)
            if archived:
                check.stamp(fields[1])
            check.same.settle()
            check_drawing(fields[0].AP.N, content.appearance.image_pdf)
            evidence = check.evidence()
    except (pikepdf.PdfError, pikepdf.DataDecodingError, AttributeError, TypeError, KeyError) as error:
        raise ContentDiffers("The sealed file cannot be read as a PDF.") from error
    if evidence is not None:
        check_evidence(evidence, certificate=certificate, anchors=anchors, now=now)


class _Check:
    """Two documents side by side; what must simply be the same is collected in `same`."""

    def __init__(self, before: Pdf, after: Pdf, content: told.SealedContent) -> None:
        self._before, self._after, self._content = before, after, content
        self.same = Sameness("content")
        self._pages = (list(before.pages), list(after.pages))
        number = content.appearance.place.page
        if len(self._pages[0]) != len(self._pages[1]) or not 1 <= number <= len(self._pages[0]):
            raise ContentDiffers("The sealed file does not have the pages that were rendered.")
        self._sealed_page = self._pages[1][number - 1].obj

    def everything_else(self) -> None:
        """All that a seal does not touch, pages one by one."""
        if self._after.is_encrypted:
            raise ContentDiffers("The sealed file is encrypted.")
        self.same.demand_entries(self._before.trailer, self._after.trailer, but=_OF_STORAGE)
        self.same.take_for_same(self._before.Root, self._after.Root)
        self.same.demand_entries(self._before.Root, self._after.Root, but={*_OF_A_SEAL, "/StructTreeRoot"})
        for one, other in zip(*self._pages, strict=True):
            self.same.take_for_same(one.obj, other.obj)
            self.same.demand_entries(one.obj, other.obj, but={"/Annots", "/Tabs"})

    def form(self, names: list[str]) -> list[pikepdf.Object]:
        """The form as it was, with those fields more; returns them."""
        old, new = self._before.Root.get(Name.AcroForm, Dictionary()), self._after.Root.AcroForm
        self.same.demand_entries(old, new, but={"/Fields", "/SigFlags"})
        fields, there = list(new.Fields), list(old.get(Name.Fields, []))
        for one, other in zip(there, fields, strict=False):
            self.same.demand(one, other)
        added = fields[len(there) :]
        is_right = [str(field.T) for field in added] == names
        if not is_right or int(new.SigFlags) != told.SIGNATURES_EXIST_APPEND_ONLY:
            raise ContentDiffers("The sealed file does not have the fields of its seal alone.")
        return added

    def catalogue(self, signature: pikepdf.Object, extensions: Any) -> None:
        root, old = self._after.Root, self._before.Root
        if {"/DSS", "/Perms"} & set(old.keys()) or (Name.DSS in root) is not self._content.with_evidence:
            raise ContentDiffers("The sealed file holds evidence, or none, against its level.")
        for name in ("/Extensions", "/Version"):
            if _plain(root.get(name)) != extensions.get(name, _plain(old.get(name))):
                raise ContentDiffers("The sealed file does not name its extensions.")
        permissions = root.Perms
        if set(permissions.keys()) != {"/DocMDP"} or permissions.DocMDP.objgen != signature.objgen:
            raise ContentDiffers("The seal does not certify the file.")

    def page(self, fields: Sequence[pikepdf.Object]) -> None:
        """Annotations as they were, with the widgets more: the seal's on its page, a stamp's wherever it is not seen."""
        left = [field.objgen for field in fields]
        for one, other in zip(*self._pages, strict=True):
            old, new = list(one.obj.get(Name.Annots, [])), list(other.obj.get(Name.Annots, []))
            for each, now in zip(old, new, strict=False):
                self.same.demand(each, now)
            added = [annotation.objgen for annotation in new[len(old) :]]
            if len(new) < len(old) or not set(added) <= set(left) or len(set(added)) != len(added):
                raise ContentDiffers("A page of the sealed file has other annotations than it should.")
            left = [each for each in left if each not in added]
            if (other.obj.objgen == self._sealed_page.objgen) is not (fields[0].objgen in added):
                raise ContentDiffers("The seal is on another page than it should be.")
            order = Name.S if fields[0].objgen in added else one.obj.get(Name.Tabs)
            if other.obj.get(Name.Tabs) != order:
                raise ContentDiffers("A page of the sealed file has another order than it should.")
        if left:
            raise ContentDiffers("A field of the sealed file is on no page.")

    def structure(self, field: pikepdf.Object) -> None:
        """The structure tree as it was, with the seal's element more."""
        old, new = (document.Root.get(Name.StructTreeRoot) for document in (self._before, self._after))
        if old is None or new is None:
            if old is not new or Name.StructParent in field:
                raise ContentDiffers("The sealed file has a structure that was not rendered.")
            return
        self.same.take_for_same(old, new)
        parents = [
            dict(pikepdf.NumberTree(each.ParentTree).items()) if Name.ParentTree in each else {}
            for each in (old, new)
        ]
        key = int(field.StructParent)
        element = parents[1].pop(key, None)
        if element is None or parents[0].keys() != parents[1].keys() or int(new.ParentTreeNextKey) != key + 1:
            raise ContentDiffers("The seal's field is not tied to its structure element.")
        for each, value in parents[0].items():
            self.same.demand(value, parents[1][each])
        self._parents(old, new, element)
        self._element(element, field)

    def _parents(self, old: pikepdf.Object, new: pikepdf.Object, element: pikepdf.Object) -> None:
        above = element.P
        skipped = {"/ParentTree", "/ParentTreeNextKey"}
        if above.objgen == new.objgen:
            self.same.demand_entries(old, new, but={*skipped, "/K"})
            before, after = _kids(old), _kids(new)
        else:
            self.same.demand_entries(old, new, but={*skipped, "/K"})
            documents = _kids(old)[0], _kids(new)[0]
            if documents[1].objgen != above.objgen or documents[1].get(Name.S) != Name.Document:
                raise ContentDiffers("The seal's structure element is not where it should be.")
            self.same.take_for_same(*documents)
            self.same.demand_entries(*documents, but={"/K"})
            for one, other in zip(_kids(old)[1:], _kids(new)[1:], strict=True):
                self.same.demand(one, other)
            before, after = _kids(documents[0]), _kids(documents[1])
        if len(after) != len(before) + 1 or after[-1].objgen != element.objgen:
            raise ContentDiffers("The seal's structure element is not where it should be.")
        for one, other in zip(before, after, strict=False):
            self.same.demand(one, other)

    def _element(self, element: pikepdf.Object, field: pikepdf.Object) -> None:
        page = self._sealed_page.objgen
        kid = element.K
        is_right = (
            set(element.keys()) == {"/Type", "/S", "/P", "/Pg", "/Alt", "/K"}
            and (element.S, element.Type, element.Pg.objgen) == (Name.Form, Name.StructElem, page)
            and str(element.Alt) == self._content.appearance.alternative_text
            and set(kid.keys()) == {"/Type", "/Obj", "/Pg"}
            and (kid.Type, kid.Obj.objgen, kid.Pg.objgen) == (Name.OBJR, field.objgen, page)
        )
        if not is_right:
            raise ContentDiffers("The seal's structure element is not as it should be.")

    def seal(self, field: pikepdf.Object, now: datetime) -> None:
        keys = {"/Type", "/Subtype", "/FT", "/T", "/TU", "/F", "/Rect", "/P", "/AP", "/V"}
        keys |= {"/StructParent"} if Name.StructTreeRoot in self._after.Root else set()
        is_right = (
            set(field.keys()) == keys
            and (field.Type, field.Subtype, field.FT) == (Name.Annot, Name.Widget, Name.Sig)
            and str(field.TU) == self._content.appearance.alternative_text
            and int(field.F) == told.PRINT_AND_LOCKED
            and field.P.objgen == self._sealed_page.objgen
            and set(field.AP.keys()) == {"/N"}
        )
        if not is_right:
            raise ContentDiffers("The seal's field is not as it should be.")
        place, page = self._content.appearance.place, self._pages[1][self._content.appearance.place.page - 1]
        told.check_place(_plain(field.Rect), _plain(page.mediabox), place)
        signature = _signature(field)
        told.check_date(signature.pop("/M", None), now)
        if signature != told.SEAL_SIGNATURE:
            raise ContentDiffers("The signature of the sealed file is not as it should be.")

    def stamp(self, field: pikepdf.Object) -> None:
        is_right = (
            set(field.keys()) <= {"/Type", "/Subtype", "/FT", "/T", "/TU", "/F", "/Rect", "/P", "/V"}
            and (field.Subtype, field.FT) == (Name.Widget, Name.Sig)
            and _plain(field.Rect) == told.OFF_THE_PAGE
            and _signature(field) == told.STAMP_SIGNATURE
        )
        if not is_right:
            raise ContentDiffers("The document time stamp's field is not as it should be.")

    def evidence(self) -> StoredEvidence | None:
        """The values of the document security store, None where there is none."""
        store = self._after.Root.get(Name.DSS)
        if store is None:
            return None
        if not set(store.keys()) <= _STORE:
            raise ContentDiffers("The evidence has other parts than it should.")
        certificates, answers, lists = (
            tuple(bytes(one.read_bytes()) for one in store.get(name, []))
            for name in ("/Certs", "/OCSPs", "/CRLs")
        )
        return StoredEvidence(certificates=certificates, answers=answers, lists=lists)


def _kids(element: pikepdf.Object) -> list[Any]:
    kids = element.get(Name.K)
    if isinstance(kids, Array):
        return list(kids)
    return [] if kids is None else [kids]


def _signature(field: pikepdf.Object) -> dict[str, Any]:
    return {k: v for k, v in _plain(field.V).items() if k not in {"/Contents", "/ByteRange"}}


def _plain(value: Any, depth: int = 0) -> Any:
    """Return a value without pikepdf's types, as release_syntax.py reads it."""
    if depth > _MAX_DEPTH or isinstance(value, Stream):
        raise ContentDiffers("A value of the seal is nested too deeply.")
    if isinstance(value, Dictionary):
        return {key: _plain(one, depth + 1) for key, one in value.items()}
    if isinstance(value, Array):
        return tuple(_plain(one, depth + 1) for one in value)
    if isinstance(value, Name):
        return str(value)
    if isinstance(value, pikepdf.String):
        return bytes(value)
    return value if isinstance(value, int | Decimal | None) else str(value)
