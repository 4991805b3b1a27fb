"""Just enough PDF syntax to say where an object begins and ends, and which keys a dictionary names twice.

Used beside pyHanko's parser, never instead of it: it does not build objects. Every walk ends: depth and
position are bounded.

Source: ISO 32000-2, 7.2 and 7.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from verify_api.validation.errors import MalformedSyntax

_MAX_DEPTH = 100
_SPACE = re.compile(rb"(?:[\x00\t\n\x0c\r ]+|%[^\r\n]*)*")
_NAME = re.compile(rb"/[^\x00\t\n\x0c\r ()<>\[\]{}/%]*")
_HEX = re.compile(rb"<[0-9A-Fa-f\x00\t\n\x0c\r ]*>")
_REFERENCE = re.compile(rb"[0-9]{1,10}[\x00\t\n\x0c\r ]+[0-9]{1,5}[\x00\t\n\x0c\r ]+R(?![A-Za-z0-9])")
_WORD = re.compile(rb"[^\x00\t\n\x0c\r ()<>\[\]{}/%]+")
_STRING_STEP = re.compile(rb"[^()\\]*")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")


@dataclass(slots=True, kw_only=True)
class Entry:
    """One entry of a dictionary: where its value stands."""

    value_start: int
    value_end: int


@dataclass(slots=True, kw_only=True)
class Scan:
    """What a walk over one object found."""

    end: int = 0
    duplicate_keys: list[str] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)  # of the outermost dictionary


def skip_space(data: bytes, position: int) -> int:
    """Return the position after white space and comments."""
    match = _SPACE.match(data, position)
    return match.end() if match else position


def scan_value(data: bytes, position: int) -> Scan:
    """Walk one object of any type that starts at or after a position.

    Raises:
        MalformedSyntax: The bytes are not one complete object.
    """
    scan = Scan()
    scan.end = _value(data, skip_space(data, position), scan, 0)
    return scan


def _value(data: bytes, at: int, scan: Scan, depth: int) -> int:
    if depth > _MAX_DEPTH:
        raise MalformedSyntax("nesting is too deep")
    head = data[at : at + 2]
    if head == b"<<":
        return _dictionary(data, at + 2, scan, depth)
    first = head[:1]
    if first == b"[":
        at = skip_space(data, at + 1)
        while data[at : at + 1] != b"]":
            at = skip_space(data, _value(data, at, scan, depth + 1))
        return at + 1
    if first == b"(":
        return _string(data, at + 1)
    pattern = _HEX if first == b"<" else _NAME if first == b"/" else None
    match = pattern.match(data, at) if pattern else _REFERENCE.match(data, at) or _WORD.match(data, at)
    if match is None:
        raise MalformedSyntax(f"no object at {at}")
    return match.end()


def _dictionary(data: bytes, at: int, scan: Scan, depth: int) -> int:
    seen: set[str] = set()
    at = skip_space(data, at)
    while data[at : at + 2] != b">>":
        match = _NAME.match(data, at)
        if match is None:
            raise MalformedSyntax(f"a dictionary's key is no name at {at}")
        key = plain_name(match.group())
        if key in seen:
            scan.duplicate_keys.append(key)
        seen.add(key)
        start = skip_space(data, match.end())
        end = _value(data, start, scan, depth + 1)
        if depth == 0:
            scan.entries[key] = Entry(value_start=start, value_end=end)
        at = skip_space(data, end)
    return at + 2


def _string(data: bytes, at: int) -> int:
    depth = 1
    while depth:
        match = _STRING_STEP.match(data, at)
        at = match.end() if match else at
        mark = data[at : at + 1]
        if not mark:
            raise MalformedSyntax("a string does not end")
        if mark == b"\\":
            at += 2
            continue
        depth += 1 if mark == b"(" else -1
        at += 1
    return at


def plain_name(raw: bytes) -> str:
    """Return a name with its #xx escapes resolved, as Latin-1 text with the leading slash."""
    return _ESCAPE.sub(lambda m: bytes([int(m.group(1), 16)]), raw).decode("latin-1")
