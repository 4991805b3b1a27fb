"""Finds every signature field of a document, also those that hang on a page only.

pyHanko's own enumeration gives up on the whole file when one field is odd; this one reports the odd field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic

from verify_api.validation.graph import empty_dictionary, raw_of, resolved

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

MAX_SIGNATURES = 100  # one more is reported, so that the caller knows of the limit
_MAX_FIELDS = 20_000
_MAX_PAGES = 20_000
_MAX_DEPTH = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureField:
    """A field of type Sig that has a value."""

    name: str
    dictionary: generic.DictionaryObject
    value: generic.DictionaryObject
    value_reference: generic.Reference | None  # None when the value is a direct object
    holder_reference: generic.Reference | None  # the field itself, when it is an object of its own
    in_form: bool  # False: only a page's annotation leads to it
    broken: bool = False  # the value is there but cannot be read


def signature_fields(reader: PdfFileReader) -> list[SignatureField]:
    """Return the filled signature fields in the order of the form, then those only on pages."""
    found: list[SignatureField] = []
    seen: set[object] = set()
    form = dictionary(raw_of(reader.root, "/AcroForm"))
    if form is not None:
        for raw in raw_items(form, "/Fields"):
            _collect(raw, "", None, found, seen, depth=0, in_form=True)
    for page in pages(reader):
        for raw in raw_items(page, "/Annots"):
            _collect(raw, "", None, found, seen, depth=0, in_form=False)
    return found


def value_marks(reader: PdfFileReader) -> set[object]:
    """Return the numbers of the objects that fields of the form, or of pages, have as values.

    A field that holds its value itself counts as that value.
    """
    marks: set[object] = set()
    seen: set[object] = set()
    form = dictionary(raw_of(reader.root, "/AcroForm"))
    stack = raw_items(form, "/Fields") if form is not None else []
    for page in pages(reader):
        stack += raw_items(page, "/Annots")
    while stack and len(seen) < _MAX_FIELDS:
        raw = stack.pop()
        node = dictionary(raw)
        if node is None or mark_of(raw) in seen:
            continue
        seen.add(mark_of(raw))
        if "/V" in node:
            value = node.raw_get("/V")
            marks.add(mark_of(value if isinstance(value, generic.IndirectObject) else raw))
        stack += raw_items(node, "/Kids")
    return marks


def dictionary(value: Any) -> generic.DictionaryObject | None:
    """Return a value as a dictionary, or None."""
    value = resolved(value)
    return value if isinstance(value, generic.DictionaryObject) else None


def raw_items(owner: generic.DictionaryObject, key: str) -> list[Any]:
    """Return the raw items of an array entry, references unresolved; empty when it is no array."""
    value = resolved(raw_of(owner, key))
    if not isinstance(value, generic.ArrayObject):
        return []
    return [value.raw_get(index) for index in range(min(len(value), _MAX_FIELDS))]


def mark_of(raw: Any) -> object:
    """Return what identifies an object within its file: its number, or the object itself."""
    if isinstance(raw, generic.IndirectObject):
        return (raw.idnum, raw.generation)
    return id(raw)


def pages(reader: Any) -> list[generic.DictionaryObject]:
    """Return the page dictionaries in order; a broken tree yields what can be reached."""
    return [node for _, node in _walk_pages(reader)]


def page_marks(reader: Any) -> set[tuple[int, int]]:
    """Return object and generation number of every page that is an object of its own."""
    return {
        (raw.idnum, raw.generation)
        for raw, _ in _walk_pages(reader)
        if isinstance(raw, generic.IndirectObject)
    }


def _walk_pages(reader: Any) -> list[tuple[Any, generic.DictionaryObject]]:
    result: list[tuple[Any, generic.DictionaryObject]] = []
    seen: set[object] = set()
    stack: list[Any] = [reader.root.raw_get("/Pages")] if "/Pages" in reader.root else []
    while stack and len(result) < _MAX_PAGES:
        raw = stack.pop()
        mark = mark_of(raw)
        node = dictionary(raw)
        if node is None or mark in seen:
            continue
        seen.add(mark)
        if "/Kids" in node:
            stack.extend(reversed(raw_items(node, "/Kids")))
        else:
            result.append((raw, node))
    return result


def _value_of(node: generic.DictionaryObject) -> tuple[generic.DictionaryObject | None, bool]:
    try:
        return dictionary(raw_of(node, "/V")), False
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - pyHanko's parser raises many kinds; a value that cannot be read is reported
        return empty_dictionary(), True


def _collect(
    raw: Any,
    prefix: str,
    inherited: str | None,
    found: list[SignatureField],
    seen: set[object],
    *,
    depth: int,
    in_form: bool,
) -> None:
    if len(found) > MAX_SIGNATURES:
        return
    node = dictionary(raw)
    mark = mark_of(raw)
    if node is None or mark in seen or depth > _MAX_DEPTH or len(seen) > _MAX_FIELDS:
        return
    seen.add(mark)
    kind = resolved(raw_of(node, "/FT")) or inherited
    part = resolved(raw_of(node, "/T"))
    name = f"{prefix}.{part}" if prefix and part is not None else str(part) if part is not None else prefix
    value, broken = _value_of(node)
    if value is not None and (kind == "/Sig" or "/ByteRange" in value):
        raw_value = node.raw_get("/V")
        reference = raw_value.reference if isinstance(raw_value, generic.IndirectObject) else None
        if not any(other.value_reference == reference and reference for other in found):
            found.append(
                SignatureField(
                    name=name,
                    dictionary=node,
                    value=value,
                    value_reference=reference,
                    holder_reference=raw.reference if isinstance(raw, generic.IndirectObject) else None,
                    in_form=in_form,
                    broken=broken,
                )
            )
    if in_form:
        for kid in raw_items(node, "/Kids"):
            _collect(kid, name, kind, found, seen, depth=depth + 1, in_form=True)
