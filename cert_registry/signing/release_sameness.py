"""Whether two objects of two PDFs are the same through and through, whatever their numbers.

Source: ISO 32000-1 clause 7.3.
"""

from collections.abc import Iterable
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Stream

from cert_registry.signing.errors import ContentDiffers

_STORAGE = {"/Length", "/Filter", "/DecodeParms"}


class Sameness:
    """Collects pairs that must be the same and looks at all that they lead to, each pair of objects once.

    Args:
        what: Says in a refusal of what this is a part.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._waiting: list[tuple[Any, Any]] = []
        self._seen: set[tuple[tuple[int, int], tuple[int, int]]] = set()
        self.met: set[int] = set()

    def take_for_same(self, before: pikepdf.Object, after: pikepdf.Object) -> None:
        """Leave a pair of objects out: whoever calls looks at them."""
        self._seen.add((before.objgen, after.objgen))

    def demand(self, before: Any, after: Any) -> None:
        """Add a pair of values; None is no value."""
        self._waiting.append((before, after))

    def demand_entries(self, before: Any, after: Any, *, but: Iterable[str] = ()) -> None:
        """Add all entries of two dictionaries but some."""
        names = (set(before.keys()) | set(after.keys())) - set(but)
        for name in names:
            self.demand(before.get(name), after.get(name))

    def settle(self) -> None:
        """Look at everything.

        Raises:
            ContentDiffers: Two values are not the same.
        """
        while self._waiting:
            self._look(*self._waiting.pop())

    def _look(self, before: Any, after: Any) -> None:
        if _is_indirect(before) and _is_indirect(after) and not self._is_first_time(before, after):
            return
        if type(before) is not type(after):
            self._differ()
        if isinstance(before, Stream):
            self._look_at_streams(before, after)
        elif isinstance(before, Dictionary):
            if set(before.keys()) != set(after.keys()):
                self._differ()
            self.demand_entries(before, after)
        elif isinstance(before, Array):
            if len(before) != len(after):
                self._differ()
            for one, other in zip(before, after, strict=True):
                self.demand(one, other)
        elif before != after:
            self._differ()

    def _is_first_time(self, before: pikepdf.Object, after: pikepdf.Object) -> bool:
        pair = (before.objgen, after.objgen)
        if pair in self._seen:
            return False
        self._seen.add(pair)
        self.met.add(after.objgen[0])
        return True

    def _look_at_streams(self, before: Stream, after: Stream) -> None:
        self.demand_entries(before.stream_dict, after.stream_dict, but=_STORAGE)
        if _stored(before) != _stored(after) and before.read_bytes() != after.read_bytes():
            self._differ()

    def _differ(self) -> None:
        raise ContentDiffers(f"The {self._what} of the sealed file is not as it should be.")


def _is_indirect(value: Any) -> bool:
    return isinstance(value, pikepdf.Object) and bool(value.is_indirect)


def _stored(stream: Stream) -> tuple[bytes, str]:
    """What is stored, and how; unparsed, so that parameters count too."""
    how = [stream.get(name) for name in ("/Filter", "/DecodeParms")]
    return stream.read_raw_bytes(), repr(
        [one.unparse() if isinstance(one, pikepdf.Object) else one for one in how]
    )
