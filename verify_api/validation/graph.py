"""Compares two states of a document object by object, from a common point downwards.

Everything that can be reached is compared, so that a change cannot hide in a place that no rule knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic

from verify_api.validation.errors import MalformedSyntax

if TYPE_CHECKING:
    from collections.abc import Iterator

Mark = tuple[int, int]
_MAX_STEPS = 3_000_000
_TREE_BOOKKEEPING = frozenset({"/Limits", "/ParentTreeNextKey"})


def mark(raw: Any) -> Mark | None:
    """Return object and generation number of a reference, None for a direct object."""
    return (raw.idnum, raw.generation) if isinstance(raw, generic.IndirectObject) else None


def follow(reference: Any) -> Any:
    """Return the object that a reference leads to."""
    return reference.get_object()


def empty_dictionary() -> generic.DictionaryObject:
    """Return a dictionary without entries."""
    make: Any = generic.DictionaryObject
    made: generic.DictionaryObject = make()
    return made


def resolved(raw: Any) -> Any:
    """Follow a reference (and decrypt); None stands for null and for what is absent."""
    hops = 0
    while isinstance(raw, (generic.IndirectObject, generic.DecryptedObjectProxy)):
        raw = follow(raw) if isinstance(raw, generic.IndirectObject) else raw.decrypted
        hops += 1
        if hops > 20:
            raise MalformedSyntax("a reference leads to itself")
    return None if isinstance(raw, generic.NullObject) else raw


def raw_of(node: Any, key: str) -> Any:
    """Return a dictionary's raw entry, None when absent; of an encrypted file decrypted, but for signature values.

    Source: ISO 32000-2 7.6.2: /Contents of a signature dictionary is never encrypted.
    """
    if not isinstance(node, generic.DictionaryObject) or key not in node:
        return None
    if key == "/Contents" and "/ByteRange" in node:
        return node.raw_get(key, decrypt=generic.EncryptedObjAccess.RAW)
    return node.raw_get(key)


class Comparison:
    """Compares subtrees; what was found equal once is not walked again.

    Args:
        boundary: Objects that are not entered, because they are judged by rules of their own; a reference to
            one must stay the same reference.
        untouched: Objects below which nothing differs (`reachability`).
        roots: The two catalogues' places; what refers to the catalogue still does when it got another number.
    """

    def __init__(
        self,
        boundary: frozenset[Mark],
        untouched: frozenset[Mark] = frozenset(),
        roots: tuple[Mark | None, Mark | None] = (None, None),
    ) -> None:
        self._boundary = boundary | {place for place in roots if place}
        self._untouched = untouched
        self._roots = roots
        self._settled: set[tuple[Mark, Mark]] = set()
        self._steps = 0

    def equal(self, old: Any, new: Any) -> bool:
        """Tell whether two subtrees are the same."""
        return next(self.differences(old, new), None) is None

    def grown(self, old: Any, new: Any) -> bool:
        """Tell whether a subtree differs only by list items and entries that were added.

        Leaves of the old tree are all still there, in their order; number and name trees count as lists.
        """
        seen: set[tuple[Mark, Mark]] = set()
        stack = [(old, new)]
        while stack:
            self._steps += 1
            if self._steps > _MAX_STEPS:
                raise MalformedSyntax("the document has too many objects")
            a, b = stack.pop()
            if self.equal(a, b):
                continue
            mark_a, mark_b = mark(a), mark(b)
            if mark_a and mark_b:
                if (mark_a, mark_b) in seen:
                    continue
                seen.add((mark_a, mark_b))
            one, two = resolved(a), resolved(b)
            if isinstance(one, generic.ArrayObject) and isinstance(two, generic.ArrayObject):
                if len(two) < len(one):
                    return False
                stack.extend((one.raw_get(i), two.raw_get(i)) for i in range(len(one)))
            elif _plain_dictionary(one) and _plain_dictionary(two):
                stack.extend(
                    (raw_of(one, key), raw_of(two, key)) for key in one if str(key) not in _TREE_BOOKKEEPING
                )
            elif one is not None:
                return False
        return True

    def differences(self, old: Any, new: Any) -> Iterator[tuple[str, ...]]:
        """Yield the path of every difference below two values (list positions are written #)."""
        seen: set[tuple[Mark, Mark]] = set()
        clean = True
        stack: list[tuple[Any, Any, tuple[str, ...]]] = [(old, new, ())]
        while stack:
            self._steps += 1
            if self._steps > _MAX_STEPS:
                raise MalformedSyntax("the document has too many objects")
            a, b, path = stack.pop()
            mark_a, mark_b = mark(a), mark(b)
            if mark_a in self._boundary or mark_b in self._boundary:
                if mark_a != mark_b and (mark_a, mark_b) != self._roots:
                    clean = False
                    yield path
                continue
            if mark_a and mark_b:
                pair = (mark_a, mark_b)
                if mark_a == mark_b and mark_a in self._untouched:
                    continue
                if pair in seen or pair in self._settled:
                    continue
                seen.add(pair)
            if not _push_children(resolved(a), resolved(b), path, stack):
                clean = False
                yield path
        if clean:
            self._settled |= seen


def _push_children(
    a: Any, b: Any, path: tuple[str, ...], stack: list[tuple[Any, Any, tuple[str, ...]]]
) -> bool:
    """Compare two resolved values themselves and push their children; False when they differ."""
    if a is None or b is None:
        return a is None and b is None
    if isinstance(a, generic.DictionaryObject):
        if not isinstance(b, generic.DictionaryObject):
            return False
        stream = isinstance(a, generic.StreamObject)
        if stream != isinstance(b, generic.StreamObject):
            return False
        if stream and _encoded(a) != _encoded(b):
            return False
        page = a.get("/Type") == "/Page" and b.get("/Type") == "/Page"
        for key in a.keys() | b.keys():
            if page and key == "/Annots":
                continue  # judged by rules of their own
            stack.append((raw_of(a, key), raw_of(b, key), (*path, str(key))))
        return True
    if isinstance(a, generic.ArrayObject):
        if not isinstance(b, generic.ArrayObject) or len(a) != len(b):
            return False
        stack.extend((a.raw_get(i), b.raw_get(i), (*path, "#")) for i in range(len(a)))
        return True
    return _same_scalar(a, b)


def _plain_dictionary(value: Any) -> bool:
    return isinstance(value, generic.DictionaryObject) and not isinstance(value, generic.StreamObject)


def _encoded(stream: Any) -> bytes:
    return bytes(stream.encoded_data)


def _same_scalar(a: Any, b: Any) -> bool:
    if isinstance(a, (generic.TextStringObject, generic.ByteStringObject)):
        return (
            isinstance(b, (generic.TextStringObject, generic.ByteStringObject))
            and a.original_bytes == b.original_bytes
        )
    if isinstance(a, generic.BooleanObject) or isinstance(b, generic.BooleanObject):
        return (
            isinstance(a, generic.BooleanObject)
            and isinstance(b, generic.BooleanObject)
            and a.value == b.value
        )
    if isinstance(a, generic.NameObject) != isinstance(b, generic.NameObject):
        return False
    return bool(a == b)
