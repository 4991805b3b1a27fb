"""The form's field tree, and small questions about its nodes.

Source: ISO 32000-2 12.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic

from verify_api.validation.graph import Mark, mark, raw_of, resolved

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

_MAX_NODES = 50_000


@dataclass(frozen=True, slots=True)
class FormNode:
    """A node of the form's field tree."""

    node: generic.DictionaryObject
    name: str
    kind: str | None
    parent: Mark | None


def form_nodes(reader: PdfFileReader) -> dict[Any, FormNode]:
    """Return every node of the form's field tree by its place."""
    nodes: dict[Any, FormNode] = {}
    form = resolved(raw_of(reader.root, "/AcroForm"))
    queue: list[tuple[Any, Any, str, str | None, Any]] = [
        (raw, mark(raw) or ("direct", index), "", None, None)
        for index, raw in enumerate(items_of(raw_of(form, "/Fields")))
    ]
    while queue and len(nodes) < _MAX_NODES:
        raw, label, prefix, inherited, parent = queue.pop(0)
        node = resolved(raw)
        if not isinstance(node, generic.DictionaryObject) or label in nodes:
            continue
        part = resolved(raw_of(node, "/T"))
        name = prefix if part is None else f"{prefix}.{part}" if prefix else str(part)
        kind = resolved(raw_of(node, "/FT")) or inherited
        nodes[label] = FormNode(node, name, str(kind) if kind is not None else None, parent)
        for index, kid in enumerate(items_of(raw_of(node, "/Kids"))):
            queue.append((kid, mark(kid) or (label, index), name, kind, label))
    return nodes


def may_be_widget(node: Any) -> bool:
    """Tell whether an object can be a field or an annotation.

    What stands in their lists is judged by milder rules than the rest of a document; streams, pages, fonts and the
    like that a file lists there are judged where strict rules find them as well.
    """
    if not isinstance(node, generic.DictionaryObject) or isinstance(node, generic.StreamObject):
        return False
    kind = resolved(raw_of(node, "/Type"))
    return kind is None or kind == "/Annot"


def items_of(raw: Any) -> list[Any]:
    """Return the raw items of an array; none when it is no array."""
    value = resolved(raw)
    return [value.raw_get(i) for i in range(len(value))] if isinstance(value, generic.ArrayObject) else []


def labelled(raw: Any) -> dict[Any, Any]:
    """Return the items of an array by object number, or by place when they are direct."""
    return {mark(item) or ("direct", index): item for index, item in enumerate(items_of(raw))}


def flags_of(node: Any) -> int:
    """Return a field's flags."""
    value = resolved(raw_of(node, "/Ff"))
    return int(value) if isinstance(value, int) else 0


def is_true(value: Any) -> bool:
    """Tell whether a value is true."""
    return isinstance(value, generic.BooleanObject) and bool(value.value)


def says(node: Any, key: str) -> bool:
    """Tell whether an entry is there and not empty."""
    value = resolved(raw_of(node, key))
    return value is not None and bool(str(value).strip())


def is_text(raw: Any) -> bool:
    """Tell whether an entry is a string."""
    return isinstance(resolved(raw), (generic.TextStringObject, generic.ByteStringObject))


def is_shown(node: Any) -> bool:
    """Tell whether a widget is neither hidden nor kept from view."""
    value = resolved(raw_of(node, "/F"))
    return not (isinstance(value, int) and int(value) & 0b100010)  # hidden, no view


def is_filled_signature(value: Any) -> bool:
    """Tell whether a value is a signature."""
    return isinstance(value, generic.DictionaryObject) and "/ByteRange" in value
