"""Reading the few PDF objects that a seal writes anew, strictly; what is not of the plain form is not read.

Only bytes of our own press and our own sealer come here. A value is one of: a dictionary, a tuple (array), a `Ref`, a
`bytes` (string), a `str` (name with its slash, `true`, `false`), a `Decimal` or an `int`. A key that stands twice, an escape in a
string or a name, a comment, a generation other than 0: `NotThisForm`.

Source: ISO 32000-1 clauses 7.3 (objects), 7.5.4 and 7.5.5 (cross-reference table, trailer).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import NoReturn, TypeAlias

from cert_registry.signing.errors import ContentDiffers
from cert_registry.signing.release_form import NotThisForm

#: Whatever stands in an object of the plain form.
Value: TypeAlias = "Mapping[str, Value] | tuple[Value, ...] | Ref | bytes | str | Decimal | int"

_TOKEN = re.compile(
    rb"[ \n]*(?:<<|>>|[\[\]]|/[A-Za-z0-9_.+-]*|\([^()\\\r\n]*\)|<[0-9A-Fa-f]*>|[1-9]\d{0,6} 0 R(?![A-Za-z0-9])"
    rb"|[+-]?\d{1,10}(?:\.\d{1,8})?(?![\d.])|true|false)"
)
_ENDS = {b"]", b">>"}
_MAX_DEPTH = 16
_OBJECTS_KEPT = 512
_ENTRY_BYTES = 20
_ENTRY = re.compile(rb"(\d{10}) 00000 n\r\n")
_SECTION = re.compile(rb"(0|[1-9]\d{0,6}) ([1-9]\d{0,6})\n")
_START = re.compile(rb"startxref\n([1-9]\d{0,9})\n%%EOF\n")
_START_BYTES = 40  # more than the longest end of a file
_FREE = b"0000000000 65535 f\r\n"
_STREAM = re.compile(rb"<</Length (0|[1-9]\d{0,8})>>\nstream\n")
_STREAM_END = b"\nendstream"


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to an object by its number, of generation 0."""

    number: int


def read_value_once(body: bytes) -> Value:
    """Read one value that takes all of `body`.

    Raises:
        NotThisForm: It is not of the plain form.
    """
    tokens = _TOKEN.findall(body)
    if sum(map(len, tokens)) != len(body.rstrip(b"\n")):
        raise NotThisForm
    rest = iter([token.lstrip(b" \n") for token in tokens])
    value = _value(_next(rest), rest, 0)
    if next(rest, None) is not None:
        raise NotThisForm
    return value


#: The same, remembered: most objects of a document stand in the next one too.
read_value = functools.lru_cache(maxsize=_OBJECTS_KEPT)(read_value_once)


def read_dictionary(body: bytes) -> Mapping[str, Value]:
    """Read a value that must be a dictionary; raises as `read_value`."""
    return as_dictionary(read_value(body))


def as_dictionary(value: Value | None) -> Mapping[str, Value]:
    """Return the value, which must be a dictionary; raises as `read_value`."""
    return value if isinstance(value, MappingProxyType) else _not_this()


def as_array(value: Value | None) -> tuple[Value, ...]:
    """Return the value, which must be an array; raises as `read_value`."""
    return value if isinstance(value, tuple) else _not_this()


def as_reference(value: Value | None) -> Ref:
    """Return the value, which must be a reference; raises as `read_value`."""
    return value if isinstance(value, Ref) else _not_this()


def _next(tokens: Iterator[bytes]) -> bytes:
    token = next(tokens, None)
    return _not_this() if token is None else token


def _value(token: bytes, rest: Iterator[bytes], depth: int) -> Value:
    if depth > _MAX_DEPTH or token in _ENDS:
        raise NotThisForm
    if token == b"<<":
        entries: dict[str, Value] = {}
        while (key := _next(rest)) != b">>":
            name = key.decode("ascii")
            if not name.startswith("/") or name in entries:
                raise NotThisForm
            entries[name] = _value(_next(rest), rest, depth + 1)
        return MappingProxyType(entries)
    if token == b"[":
        items: list[Value] = []
        while (item := _next(rest)) != b"]":
            items.append(_value(item, rest, depth + 1))
        return tuple(items)
    return _scalar(token)


def _scalar(token: bytes) -> Value:
    first = token[:1]
    if first == b"/":
        return token.decode("ascii")
    if first == b"(":
        return token[1:-1]
    if first == b"<":
        return bytes.fromhex(token[1:-1].decode("ascii")) if len(token) % 2 == 0 else _not_this()
    if token.endswith(b"R"):
        return Ref(int(token[:-4]))
    if token in {b"true", b"false"}:
        return token.decode("ascii")
    return Decimal(token.decode("ascii")) if b"." in token else int(token)


def _not_this() -> NoReturn:
    raise NotThisForm


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One cross-reference section and its trailer.

    Args:
        start: Where it begins.
        places: Where each object that it names begins.
        trailer: The trailer's dictionary.
    """

    start: int
    places: Mapping[int, int]
    trailer: Mapping[str, Value]


def read_section(file: bytes, end: int) -> Section:
    """Read the last section of the revision that ends at `end`; it must reach exactly to there.

    Raises:
        NotThisForm: It is not a table of the plain form.
    """
    tail_at = file.rfind(b"startxref\n", max(0, end - _START_BYTES), end)
    tail = _START.fullmatch(file, tail_at, end) if tail_at >= 0 else None
    if tail is None:
        raise NotThisForm
    start = int(tail[1])
    trailer_at = file.find(b"trailer\n", start, tail_at)
    if not file.startswith(b"xref\n", start) or trailer_at < 0:
        raise NotThisForm
    places: dict[int, int] = {}
    at = start + len(b"xref\n")
    while at < trailer_at:
        head = _SECTION.match(file, at, trailer_at) or _not_this()
        number, count = int(head[1]), int(head[2])
        at, stop = head.end(), head.end() + _ENTRY_BYTES * int(head[2])
        if stop > trailer_at:
            raise NotThisForm
        if number == 0:
            if not file.startswith(_FREE, at):
                raise NotThisForm
            number, count, at = 1, count - 1, at + _ENTRY_BYTES
        starts = _ENTRY.findall(file, at, stop)
        if len(starts) != count or not places.keys().isdisjoint(range(number, number + count)):
            raise NotThisForm  # so many entries of 20 bytes fill the place without a gap
        places.update(zip(range(number, number + count), map(int, starts), strict=True))
        at = stop
    return Section(
        start=start, places=places, trailer=read_dictionary(file[trailer_at + len(b"trailer\n") : tail_at])
    )


def object_body(file: bytes, number: int, start: int, stop: int | None = None) -> bytes:
    """Return what stands between `N 0 obj` and `endobj`.

    Args:
        file: The file.
        number: The object's number.
        start: Where it begins.
        stop: Where it must end; without it, the first `endobj` on a line of its own ends it.

    Raises:
        NotThisForm: There is no such object there.
    """
    head, foot = b"%d 0 obj\n" % number, b"\nendobj\n"
    if not file.startswith(head, start):
        raise NotThisForm
    begin = start + len(head)
    end = file.find(foot, begin) if stop is None else stop - len(foot)
    if end < begin or file[end : end + len(foot)] != foot:
        raise NotThisForm
    return file[begin:end]


class Revision:
    """The objects of one revision, which must fill it without a gap, and of which each is asked for once.

    Raises:
        NotThisForm: On making one: it is not filled by its objects.
    """

    def __init__(self, file: bytes, begin: int, end: int) -> None:
        self.section = read_section(file, end)
        self._file = file
        ordered = sorted((start, number) for number, start in self.section.places.items())
        if not ordered or ordered[0][0] != begin:
            raise NotThisForm
        stops = [*(start for start, _ in ordered[1:]), self.section.start]
        self._spans = {number: (start, stop) for (start, number), stop in zip(ordered, stops, strict=True)}
        self._left = set(self._spans)

    def body(self, reference: Ref) -> bytes:
        """Return what a reference points to.

        Raises:
            ContentDiffers: It is not of this revision, or was asked for before.
            NotThisForm: It is not of the plain form.
        """
        if reference.number not in self._left:
            raise ContentDiffers("The seal points to an object that is not its own.")
        self._left.remove(reference.number)
        return object_body(self._file, reference.number, *self._spans[reference.number])

    def value(self, reference: Value | None) -> Value:
        """Return the value that a reference points to; raises as `body`."""
        return read_value(self.body(as_reference(reference)))

    def dictionary(self, reference: Value | None) -> Mapping[str, Value]:
        """Return the dictionary that a reference points to; raises as `body`."""
        return as_dictionary(self.value(reference))

    def dictionary_around(self, reference: Value | None, hole: tuple[int, int]) -> Mapping[str, Value]:
        """Return a dictionary that must stand around those bytes of the file; raises as `body`."""
        number = as_reference(reference)
        body = self.body(number)
        start, stop = self._spans[number.number]
        if not start < hole[0] < hole[1] < stop:
            raise ContentDiffers("The hole in the ByteRange is not that of its signature.")
        return as_dictionary(read_value_once(body))

    def stream(self, reference: Value | None) -> bytes:
        """Return the data of a stream without filter; raises as `body`."""
        body = self.body(as_reference(reference))
        head = _STREAM.match(body)
        if head is None or head.end() + int(head[1]) + len(_STREAM_END) != len(body):
            raise ContentDiffers("A value of the evidence is not stored plainly.")
        if not body.endswith(_STREAM_END):
            raise ContentDiffers("A value of the evidence is not stored plainly.")
        return body[head.end() : -len(_STREAM_END)]

    def rest(self) -> tuple[int, bytes, tuple[int, ...]]:
        """Return the lowest number, the bytes and where in them each object starts, of all not yet asked for.

        Raises:
            ContentDiffers: There is none, or they do not stand together in the order of their numbers.
        """
        left = sorted(self._left)
        self._left.clear()
        spans = [self._spans[number] for number in left]
        gaps = any(one[1] != other[0] for one, other in pairwise(spans))
        if not left or left[-1] - left[0] + 1 != len(left) or gaps:
            raise ContentDiffers("The seal's picture does not stand together.")
        begin = spans[0][0]
        return left[0], self._file[begin : spans[-1][1]], tuple(start - begin for start, _ in spans)

    def check_all_used(self) -> None:
        """Check that every object was asked for.

        Raises:
            ContentDiffers: One was not.
        """
        if self._left:
            raise ContentDiffers("The file holds an object that nothing of the seal needs.")
