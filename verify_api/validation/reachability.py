"""Which objects a revision cannot have changed, neither themselves nor anything below them.

A revision names every object that it defines or frees. An object from which none of those can be reached is the
same in both states, and need not be compared. This only saves time; what is not proved untouched is compared.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic

from verify_api.validation.graph import Mark, follow, mark

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

_MAX_OBJECTS = 2_000_000


class Reachability:
    """Remembers what each object refers to, from one state to the next; states are visited in order."""

    def __init__(self) -> None:
        self._links: dict[Mark, tuple[Mark, ...]] = {}

    def untouched(self, old: PdfFileReader, new: PdfFileReader) -> frozenset[Mark]:
        """Return the objects below which nothing differs between a state and the next.

        Args:
            old: The earlier state, whose bytes are a prefix of the later one's.
            new: The later state.
        """
        changed = _named_after(old, new)
        if changed is None:
            self._links.clear()
            return frozenset()
        self._links = {place: links for place, links in self._links.items() if place[0] not in changed}
        parents: dict[Mark, list[Mark]] = defaultdict(list)
        visited: set[Mark] = set()
        touched: list[Mark] = []
        stack = list(references_in(new.trailer.flatten()))
        while stack and len(visited) < _MAX_OBJECTS:
            place = stack.pop()
            if place in visited:
                continue
            visited.add(place)
            if place[0] in changed:
                touched.append(place)
            for child in self._links_of(new, place):
                parents[child].append(place)
                stack.append(child)
        if stack:
            return frozenset()
        reached = set(touched)
        while touched:
            for parent in parents[touched.pop()]:
                if parent not in reached:
                    reached.add(parent)
                    touched.append(parent)
        return frozenset(visited - reached)

    def _links_of(self, reader: PdfFileReader, place: Mark) -> tuple[Mark, ...]:
        if place not in self._links:
            self._links[place] = tuple(references_in(follow(generic.Reference(*place, reader))))
        return self._links[place]


def _named_after(old: PdfFileReader, new: PdfFileReader) -> set[int] | None:
    """Return the numbers of all objects that later sections name; None when the shortcut does not apply."""
    count, total = old.total_revisions, new.total_revisions
    if total < count or old.encrypted:
        return None
    changed: set[int] = set()
    for index in range(total):
        info = new.xrefs.get_xref_container_info(index)
        table = new.xrefs.get_xref_data(index)
        if index < count:
            if old.xrefs.get_xref_container_info(index).start_location != info.start_location:
                return None
            continue
        changed |= {number for number, _ in table.explicit_refs_in_revision}
        if table.hybrid is not None:
            changed |= {number for number, _ in table.hybrid.xref_data.explicit_refs_in_revision}
        changed |= {info.stream_ref.idnum} if info.stream_ref is not None else set()
    earlier = {n for i in range(count) for n in new.xrefs.get_xref_data(i).obj_streams_used}
    return None if changed & earlier else changed


def references_in(value: Any) -> set[Mark]:
    """Return the place of every object that a value refers to directly."""
    found: set[Mark] = set()
    stack = [value]
    while stack:
        node = stack.pop()
        place = mark(node)
        if place is not None:
            found.add(place)
        elif isinstance(node, generic.DictionaryObject):
            stack.extend(node.raw_get(key) for key in node)
        elif isinstance(node, generic.ArrayObject):
            stack.extend(node.raw_get(i) for i in range(len(node)))
    return found
