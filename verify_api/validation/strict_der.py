"""Says how an ASN.1 encoding departs from DER, without decoding what it means.

A signature covers only part of a CMS; where the rest may be written in several ways, bits can be altered
unnoticed. DER is the one way.

Source: ITU-T X.690, clauses 8 to 11.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.known import remembered

_MAX_DEPTH = 64
_MAX_ELEMENTS = 200_000
_BOOLEAN, _INTEGER, _BIT_STRING, _OCTET_STRING, _NULL, _OID, _SET = 1, 2, 3, 4, 5, 6, 17
_SEQUENCE = 0x30
_SHORTEST_KNOWN, _LONGEST_KNOWN = 256, 8192  # bytes of contents, as of a certificate
_LONGEST_NAMED_BITS = 5  # bytes: KeyUsage and its like; longer bit strings are keys and signatures


class Departure(Enum):
    """One way in which an encoding is BER but not DER."""

    INDEFINITE_LENGTH = "indefinite-length"
    LONG_LENGTH = "long-length"
    CONSTRUCTED_STRING = "constructed-string"
    SET_ORDER = "set-order"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    BITS = "bits"
    NULL = "null"
    TAG = "tag"


# Streaming encoders write these; they carry no choice that an attacker could use to alter content unnoticed.
COMMON_IN_THE_WILD = frozenset(
    {
        Departure.INDEFINITE_LENGTH,
        Departure.LONG_LENGTH,
        Departure.CONSTRUCTED_STRING,
        Departure.SET_ORDER,
    }
)


@dataclass(slots=True)
class _Walk:
    data: bytes
    departures: set[Departure]
    elements: int = 0


def inspect(data: bytes) -> tuple[int, frozenset[Departure]]:
    """Return where the first element of `data` ends, and its departures from DER.

    Raises:
        MalformedSyntax: It is not even BER, or is nested absurdly.
    """
    walk = _Walk(data, set())
    end = _element(walk, 0, len(data), 0)
    return end, frozenset(walk.departures)


def count_elements(contents: bytes) -> int:
    """Return how many elements stand side by side in the contents of a constructed element.

    Raises:
        MalformedSyntax: They do not fill the contents.
    """
    walk = _Walk(contents, set())
    at = count = 0
    while at < len(contents):
        _, start, length = _header(walk, at, len(contents))
        at = start + length if length >= 0 else _element(walk, at, len(contents), 0)
        if at > len(contents):
            raise MalformedSyntax("an element reaches beyond its parent")
        count += 1
    return count


def _header(walk: _Walk, at: int, limit: int) -> tuple[int, int, int]:
    """Return first tag byte, start of contents and length (-1 when indefinite)."""
    data = walk.data
    if at + 2 > limit:
        raise MalformedSyntax("an element is cut short")
    tag = data[at]
    at += 1
    if tag & 0x1F == 0x1F:
        if data[at] == 0x80:
            walk.departures.add(Departure.TAG)
        while at < limit and data[at] & 0x80:
            at += 1
        at += 1
    if at >= limit:
        raise MalformedSyntax("an element is cut short")
    first = data[at]
    at += 1
    if first < 0x80:
        return tag, at, first
    if first == 0x80:
        return tag, at, -1
    count = first & 0x7F
    if count > 8 or at + count > limit:
        raise MalformedSyntax("a length is absurd")
    length = int.from_bytes(data[at : at + count], "big")
    if length < 0x80 or data[at] == 0:
        walk.departures.add(Departure.LONG_LENGTH)
    return tag, at + count, length


def _element(walk: _Walk, at: int, limit: int, depth: int) -> int:
    walk.elements += 1
    if depth > _MAX_DEPTH or walk.elements > _MAX_ELEMENTS:
        raise MalformedSyntax("the encoding is nested too deeply")
    tag, start, length = _header(walk, at, limit)
    constructed = bool(tag & 0x20)
    universal = tag & 0xC0 == 0
    number = tag & 0x1F
    if length < 0:
        if not constructed:
            raise MalformedSyntax("a primitive element has no length")
        walk.departures.add(Departure.INDEFINITE_LENGTH)
        at = start
        while walk.data[at : at + 2] != b"\0\0":
            at = _element(walk, at, limit, depth + 1)
        return at + 2
    end = start + length
    if end > limit:
        raise MalformedSyntax("an element reaches beyond its parent")
    if tag == _SEQUENCE and _SHORTEST_KNOWN < length < _LONGEST_KNOWN and depth < _MAX_DEPTH // 2:
        _like_before(walk, walk.data[start:end])
    elif constructed:
        _children(walk, start, end, depth, is_set=universal and number == _SET)
        if universal and number not in {16, _SET, 8, 11}:
            walk.departures.add(Departure.CONSTRUCTED_STRING)
    elif universal:
        _primitive(walk, number, walk.data[start:end])
    return end


def _like_before(walk: _Walk, contents: bytes) -> None:
    """Take over what was found in the same contents before: certificates are in every value, and in stamps again."""

    def look() -> tuple[frozenset[Departure], int]:
        inner = _Walk(contents, set())
        _children(inner, 0, len(contents), _MAX_DEPTH // 2, is_set=False)
        return frozenset(inner.departures), inner.elements

    departures, elements = remembered("departures", contents, look, size=len(contents))
    walk.departures |= departures
    walk.elements += elements


def _children(walk: _Walk, at: int, end: int, depth: int, *, is_set: bool) -> None:
    previous = b""
    while at < end:
        start = at
        at = _element(walk, at, end, depth + 1)
        if is_set:
            current = walk.data[start:at]
            if current < previous:
                walk.departures.add(Departure.SET_ORDER)
            previous = current


def _primitive(walk: _Walk, number: int, contents: bytes) -> None:
    if number == _BOOLEAN and contents not in {b"\0", b"\xff"}:
        walk.departures.add(Departure.BOOLEAN)
    elif number in {_INTEGER, 10}:
        if not contents or (
            len(contents) > 1
            and (
                (contents[0] == 0 and not contents[1] & 0x80) or (contents[0] == 0xFF and contents[1] & 0x80)
            )
        ):
            walk.departures.add(Departure.INTEGER)
    elif number == _BIT_STRING:
        unused = contents[0] if contents else 8
        named = len(contents) <= _LONGEST_NAMED_BITS
        if unused > 7 or (unused and not named) or (len(contents) > 1 and contents[-1] & ((1 << unused) - 1)):
            walk.departures.add(Departure.BITS)
    elif number == _NULL and contents:
        walk.departures.add(Departure.NULL)
    elif (number == _OID and (not contents or contents[-1] & 0x80)) or number in {_SET, 16}:
        walk.departures.add(Departure.TAG)
