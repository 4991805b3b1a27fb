"""What changed between two states of a document, each change with the class it belongs to.

The whole object graph is compared; only places named here are allowed to differ. A difference that is not
named is NOT_UNDERSTOOD or FORBIDDEN, never overlooked.

Source: ISO 32000-2 12.8.2.2 (DocMDP), 12.8.2.4 (FieldMDP); attack classes: docs/verify-report.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic

from verify_api.validation.appearances import (
    PICTURES,
    covers_something,
    has_background,
    is_large,
    is_large_button,
    looks_of,
    may_cover,
    paints,
)
from verify_api.validation.fields import page_marks, pages
from verify_api.validation.form_nodes import (
    FormNode,
    flags_of,
    form_nodes,
    is_filled_signature,
    is_shown,
    is_text,
    is_true,
    items_of,
    labelled,
    may_be_widget,
    says,
)
from verify_api.validation.graph import Comparison, Mark, empty_dictionary, mark, raw_of, resolved
from verify_api.validation.security_store import is_plain_store
from verify_api.validation.xmp import lasting_statements

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader


class ChangeClass(Enum):
    """What a change is, before any signature's rules are applied to it."""

    VALIDATION = "validation data, document time stamp, dates in metadata"
    FORM = "a field was filled in or signed"
    FORM_DOUBTFUL = "a form change that may hide or replace what was visible"
    ANNOTATION = "a comment was added"
    UNKNOWN = "a change that has no rule"
    FORBIDDEN = "content was changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change."""

    kind: ChangeClass
    place: str  # English, for the log and tests
    field: str | None = None  # full name of the form field that changed


_CATALOG_APART = {
    "/AcroForm",
    "/DSS",
    "/Extensions",
    "/Version",
    "/Metadata",
    "/Perms",
    "/Pages",
    "/StructTreeRoot",
}
_FILL_KEYS = {"/V", "/AS", "/I", "/AP", "/RV", "/M", "/Ff"}
_SIGN_KEYS = {"/V", "/AP", "/M", "/F", "/MK", "/Ff", "/Lock", "/DA", "/Q"}
_NEW_SIGNATURE_KEYS = {
    "/Type", "/Subtype", "/FT", "/T", "/V", "/Rect", "/P", "/F", "/AP", "/Ff", "/Lock", "/SV", "/DA", "/DR",
    "/MK", "/Parent", "/Kids", "/TU", "/TM", "/StructParent", "/BS", "/Border", "/Q", "/NM", "/M", "/H", "/C",
    "/Contents", "/DV", "/Lang",
}  # fmt: skip
_DATES_ONLY_INFO = {"/ModDate", "/Producer", "/CreationDate", "/Creator"}
_READ_ONLY = 1


def changes_between(
    old: PdfFileReader, new: PdfFileReader, untouched: frozenset[Mark] = frozenset()
) -> list[Change]:
    """Return every change from one state of a document to a later one."""
    return _Difference(old, new, untouched).run()


class _Difference:
    def __init__(self, old: PdfFileReader, new: PdfFileReader, untouched: frozenset[Mark]) -> None:
        self.old, self.new = old, new
        self.old_fields, self.new_fields = form_nodes(old), form_nodes(new)
        self.old_pages, self.new_pages = pages(old), pages(new)
        fields = [*self.old_fields.items(), *self.new_fields.items()]
        boundary = {place for place, one in fields if may_be_widget(one.node)}
        for page in [*self.old_pages, *self.new_pages]:
            listed = items_of(raw_of(page, "/Annots"))
            boundary |= {m for raw in listed if (m := mark(raw)) and may_be_widget(resolved(raw))}
        roots = tuple(mark(raw_of(reader.trailer.flatten(), "/Root")) for reader in (old, new))
        # Pages are entered from the tree of pages only: whatever else refers to one must refer to the same one.
        self.tree = Comparison(frozenset(boundary), untouched, (roots[0], roots[1]))
        boundary |= page_marks(old) | page_marks(new)
        self.compare = Comparison(frozenset(boundary), untouched, (roots[0], roots[1]))
        self.changes: list[Change] = []

    def run(self) -> list[Change]:
        """Walk strictly judged parts first, so that what they share with the form is judged strictly."""
        self._trailer()
        self._catalog()
        self._form()
        self._fields()
        self._annotations()
        return self.changes

    def _add(self, kind: ChangeClass, place: str, field: str | None = None) -> None:
        self.changes.append(Change(kind=kind, place=place, field=field))

    def _changed_keys(self, a: Any, b: Any) -> set[str]:
        if isinstance(a, generic.StreamObject) or isinstance(b, generic.StreamObject):
            return set() if self.compare.equal(a, b) else {"stream"}
        keys = set(a.keys()) | set(b.keys())
        return {str(key) for key in keys if not self.compare.equal(raw_of(a, key), raw_of(b, key))}

    # -- trailer and catalogue ------------------------------------------------------------------------

    def _trailer(self) -> None:
        a, b = self.old.trailer.flatten(), self.new.trailer.flatten()
        if not self.compare.equal(raw_of(a, "/Encrypt"), raw_of(b, "/Encrypt")):
            self._add(ChangeClass.FORBIDDEN, "trailer /Encrypt")
        info_a, info_b = resolved(raw_of(a, "/Info")), resolved(raw_of(b, "/Info"))
        if isinstance(info_a, generic.DictionaryObject) and isinstance(info_b, generic.DictionaryObject):
            changed = {
                key for key in self._changed_keys(info_a, info_b) if says(info_a, key) or says(info_b, key)
            }
            if changed - _DATES_ONLY_INFO:
                self._add(ChangeClass.UNKNOWN, "document information")
            elif changed:
                self._add(ChangeClass.VALIDATION, "document information dates")
        elif (info_a is None) != (info_b is None) and set(info_b or ()) - _DATES_ONLY_INFO:
            self._add(ChangeClass.UNKNOWN, "document information")

    def _catalog(self) -> None:
        a, b = self.old.root, self.new.root
        # The page tree first: it is the strictest place, and what it shares is judged there.
        for path in self.tree.differences(raw_of(a, "/Pages"), raw_of(b, "/Pages")):
            self._page_tree(path)
        for key in sorted(set(a.keys()) | set(b.keys())):
            if key in _CATALOG_APART:
                continue
            for path in self.compare.differences(raw_of(a, key), raw_of(b, key)):
                self._add(ChangeClass.FORBIDDEN, "catalogue " + key + "".join(path))
        for key in ("/Extensions", "/Version"):
            if not self.compare.equal(raw_of(a, key), raw_of(b, key)):
                self._add(ChangeClass.VALIDATION, "catalogue " + key)
        tree_a, tree_b = raw_of(a, "/StructTreeRoot"), raw_of(b, "/StructTreeRoot")
        if not self.compare.equal(tree_a, tree_b):
            grown = tree_a is not None and self.compare.grown(tree_a, tree_b)
            self._add(ChangeClass.FORM if grown else ChangeClass.UNKNOWN, "structure tree")
        self._metadata(resolved(raw_of(a, "/Metadata")), resolved(raw_of(b, "/Metadata")))
        self._permissions(resolved(raw_of(a, "/Perms")), resolved(raw_of(b, "/Perms")))
        self._security_store(raw_of(a, "/DSS"), raw_of(b, "/DSS"))

    def _page_tree(self, path: tuple[str, ...]) -> None:
        if path[-1:] in {("/LastModified",), ("/Tabs",)}:
            self._add(ChangeClass.VALIDATION, "page " + path[-1])
        elif path == ("/ITXT",) and is_text(raw_of(resolved(raw_of(self.new.root, "/Pages")), "/ITXT")):
            self._add(ChangeClass.VALIDATION, "name of a program")  # iText leaves its version here
        elif path[-1:] == ("/StructParents",) and self._only_new_struct_parents():
            self._add(ChangeClass.FORM, "page /StructParents")
        else:
            self._add(ChangeClass.FORBIDDEN, "pages " + "".join(path))

    def _only_new_struct_parents(self) -> bool:
        """Tell whether pages got a place in the structure tree and none lost or changed its own."""
        pairs = [
            (resolved(raw_of(before, "/StructParents")), resolved(raw_of(after, "/StructParents")))
            for before, after in zip(self.old_pages, self.new_pages, strict=False)
        ]
        return all(
            before in {None, after} and isinstance(after, (int, type(None))) for before, after in pairs
        )

    def _metadata(self, a: Any, b: Any) -> None:
        if self.compare.equal(a, b):
            return
        said = [
            lasting_statements(node.data if isinstance(node, generic.StreamObject) else b"")
            for node in (a, b)
        ]
        same = said[0] == said[1] and said[0] is not None
        self._add(ChangeClass.VALIDATION if same else ChangeClass.UNKNOWN, "metadata stream")

    def _permissions(self, a: Any, b: Any) -> None:
        if self.compare.equal(a, b):
            return
        if isinstance(a, generic.DictionaryObject):
            gone = {key for key in a if not self.compare.equal(raw_of(a, key), raw_of(b, key))}
            if gone:
                self._add(ChangeClass.FORBIDDEN, "permissions")
                return
        self._add(ChangeClass.FORM, "permissions")

    def _security_store(self, a: Any, b: Any) -> None:
        if self.compare.equal(a, b):
            return
        store = resolved(b)
        if not isinstance(store, generic.DictionaryObject):
            self._add(ChangeClass.UNKNOWN, "document security store removed")
        elif not is_plain_store(store):
            self._add(ChangeClass.UNKNOWN, "document security store holds something else")
        else:
            self._add(ChangeClass.VALIDATION, "document security store")

    # -- the form -------------------------------------------------------------------------------------

    def _form(self) -> None:
        a, b = resolved(raw_of(self.old.root, "/AcroForm")), resolved(raw_of(self.new.root, "/AcroForm"))
        if not isinstance(b, generic.DictionaryObject):
            if a is not None:
                self._add(ChangeClass.FORBIDDEN, "form removed")
            return
        a = a if isinstance(a, generic.DictionaryObject) else empty_dictionary()
        for key in sorted((set(a.keys()) | set(b.keys())) - {"/Fields"}):
            old, new = raw_of(a, key), raw_of(b, key)
            if self.compare.equal(old, new) or key == "/SigFlags":
                continue
            if key == "/DR" and self._only_adds(
                resolved(old), resolved(new), 0, free=self._unused_pictures()
            ):
                self._add(ChangeClass.FORM, "form resources added")
            elif key in {"/DA", "/Q"} and resolved(old) is None:
                self._add(ChangeClass.FORM, "form defaults")
            elif key == "/NeedAppearances" and not is_true(resolved(new)):
                self._add(ChangeClass.FORM, "form " + key)
            else:
                self._add(ChangeClass.UNKNOWN, "form " + key)

    def _only_adds(self, a: Any, b: Any, depth: int, *, free: frozenset[str] = frozenset()) -> bool:
        """Tell whether resources were only added; kinds that are `free` may also be replaced."""
        if a is None:
            return True
        if (
            depth > 2
            or not isinstance(a, generic.DictionaryObject)
            or not isinstance(b, generic.DictionaryObject)
        ):
            return self.compare.equal(a, b)
        return all(
            key in free
            or self.compare.equal(raw_of(a, key), raw_of(b, key))
            or self._only_adds(resolved(raw_of(a, key)), resolved(raw_of(b, key)), depth + 1)
            for key in a
        )

    def _unused_pictures(self) -> frozenset[str]:
        """Return the kinds of default resources that no appearance can lean on.

        Signing programs (iText and its kin) store each signature's look there anew.
        """
        for one in self.old_fields.values():
            for look in looks_of(one.node):
                if resolved(raw_of(look, "/Resources")) is None and PICTURES.search(look.data):
                    return frozenset()
        return frozenset({"/XObject"})

    def _fields(self) -> None:
        for place, before in self.old_fields.items():
            after = self.new_fields.get(place)
            if after is None:
                self._add(ChangeClass.FORBIDDEN, "field removed", before.name)
            else:
                self._field(before, after)
        for place, added in self.new_fields.items():
            if place not in self.old_fields:
                self._new_field(added)

    def _field(self, before: FormNode, after: FormNode) -> None:
        a, b = before.node, after.node
        changed = self._changed_keys(a, b) - {"/Kids"}
        if not changed:
            return
        if before.name != after.name or before.kind != after.kind:
            self._add(ChangeClass.FORBIDDEN, "field renamed", before.name)
        elif before.kind == "/Sig":
            self._signature_field(before, b, changed)
        elif changed - _FILL_KEYS:
            self._add(ChangeClass.FORBIDDEN, "field " + " ".join(sorted(changed - _FILL_KEYS)), before.name)
        elif "/Ff" in changed and flags_of(a) | _READ_ONLY != flags_of(b):
            self._add(ChangeClass.FORBIDDEN, "field flags", before.name)
        else:
            self._filled(before, a, b, changed)

    def _signature_field(self, before: FormNode, b: Any, changed: set[str]) -> None:
        parent = self.old_fields.get(before.parent) if before.parent else None
        old_value = resolved(raw_of(before.node, "/V")) or (
            resolved(raw_of(parent.node, "/V")) if parent else None
        )
        if is_filled_signature(old_value):
            self._add(ChangeClass.FORBIDDEN, "signature changed or removed", before.name)
        elif changed - _SIGN_KEYS or "/V" not in changed:
            self._add(ChangeClass.FORBIDDEN, "empty signature field changed", before.name)
        elif "/F" in changed and not is_shown(b):
            self._add(ChangeClass.FORM_DOUBTFUL, "signature field hidden", before.name)
        else:
            kind = ChangeClass.FORM_DOUBTFUL if is_large(b) else _signing_class(resolved(raw_of(b, "/V")))
            self._add(kind, "signature field signed", before.name)

    def _filled(self, before: FormNode, a: Any, b: Any, changed: set[str]) -> None:
        """A field that was empty and painted nothing may be filled; anything else may replace what was seen."""
        if before.kind == "/Btn":
            plain = changed <= {"/V", "/AS", "/M", "/Ff"} and not is_large_button(b)
            kind = ChangeClass.FORM if plain else ChangeClass.FORM_DOUBTFUL
        else:
            owner = self.old_fields.get(before.parent) if before.parent else None
            value = resolved(raw_of(a, "/V")) or (resolved(raw_of(owner.node, "/V")) if owner else None)
            empty = value is None or (isinstance(value, (str, bytes)) and not value.strip())
            appearance_only = "/AP" in changed and "/V" not in changed and not self._owner_filled(before)
            blank = "/AP" not in changed or not paints(resolved(raw_of(a, "/AP")))
            background = has_background(a) or before.kind == "/Ch"  # lists mark what is chosen
            plain = not appearance_only and not may_cover(b, background=background)
            kind = ChangeClass.FORM if empty and blank and plain else ChangeClass.FORM_DOUBTFUL
            if changed <= {"/Ff", "/M"}:
                kind = ChangeClass.FORM
        self._add(kind, "field filled", before.name)

    def _owner_filled(self, node: FormNode) -> bool:
        if node.parent is None or node.parent not in self.new_fields or node.parent not in self.old_fields:
            return False
        a, b = self.old_fields[node.parent].node, self.new_fields[node.parent].node
        return not self.compare.equal(raw_of(a, "/V"), raw_of(b, "/V"))

    def _new_field(self, added: FormNode) -> None:
        node = added.node
        if added.kind != "/Sig" or (added.parent is not None and added.parent in self.old_fields):
            self._add(ChangeClass.FORBIDDEN, "field added", added.name)
            return
        if set(node.keys()) - _NEW_SIGNATURE_KEYS:
            self._add(ChangeClass.UNKNOWN, "new signature field has unusual entries", added.name)
        value = resolved(raw_of(node, "/V"))
        owner = self.new_fields.get(added.parent) if added.parent else None
        if value is None and owner is not None and owner.kind == "/Sig":
            value = resolved(raw_of(owner.node, "/V"))  # the widget of a field that is an object of its own
        visible = covers_something(node) and resolved(raw_of(node, "/AP")) is not None
        if isinstance(value, generic.DictionaryObject):
            kind = _signing_class(value)
            if visible and (kind is ChangeClass.VALIDATION or is_large(node)):
                kind = ChangeClass.FORM_DOUBTFUL
            self._add(kind, "new visible signature" if visible else "new signature", added.name)
        else:
            kind = ChangeClass.FORM_DOUBTFUL if visible else ChangeClass.FORM
            self._add(kind, "new empty signature field", added.name)

    # -- annotations ----------------------------------------------------------------------------------

    def _annotations(self) -> None:
        for before, after in zip(self.old_pages, self.new_pages, strict=False):
            old, new = labelled(raw_of(before, "/Annots")), labelled(raw_of(after, "/Annots"))
            for label, raw in old.items():
                if label not in new:
                    self._add(ChangeClass.FORBIDDEN, "annotation removed")
                elif label not in self.old_fields:
                    self._annotation(resolved(raw), resolved(new[label]))
            if [label for label in new if label in old] != list(old):
                self._add(ChangeClass.UNKNOWN, "annotations in another order")
            for label, raw in new.items():
                if label not in old and not (label in self.new_fields and label not in self.old_fields):
                    self._new_annotation(resolved(raw), label)

    def _annotation(self, a: Any, b: Any) -> None:
        if not isinstance(a, generic.DictionaryObject) or not isinstance(b, generic.DictionaryObject):
            if not self.compare.equal(a, b):
                self._add(ChangeClass.FORBIDDEN, "annotation replaced")
            return
        if self._changed_keys(a, b):
            self._add(ChangeClass.FORBIDDEN, "annotation changed")

    def _new_annotation(self, node: Any, label: Any) -> None:
        subtype = node.get("/Subtype") if isinstance(node, generic.DictionaryObject) else None
        field = self.old_fields.get(label)
        signed = self.new_fields[label].node if label in self.new_fields else None
        if field is not None and field.kind == "/Sig" and is_filled_signature(resolved(raw_of(signed, "/V"))):
            # A prepared field, signed in this step, of which no page had shown the widget yet.
            visible = covers_something(node)
            kind = ChangeClass.FORM_DOUBTFUL if visible else ChangeClass.FORM
            self._add(kind, "signature field put on a page", field.name)
        elif field is not None or subtype in {None, "/Widget"}:
            self._add(ChangeClass.FORBIDDEN, "widget added")
        else:
            self._add(ChangeClass.ANNOTATION, f"annotation added {subtype}")


def _signing_class(value: Any) -> ChangeClass:
    if not is_filled_signature(value):
        return ChangeClass.FORM_DOUBTFUL
    stamp = value.get("/SubFilter") == "/ETSI.RFC3161"
    return ChangeClass.VALIDATION if stamp else ChangeClass.FORM
