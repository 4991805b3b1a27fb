"""Which bytes a signature covers, and whether the bytes it leaves out are exactly its own value.

Source: ISO 32000-2 12.8.1; the published ByteRange attacks are listed in docs/verify-report.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.lexer import Scan, scan_value, skip_space

if TYPE_CHECKING:
    from collections.abc import Callable

_HEX_DIGITS = re.compile(rb"[0-9A-Fa-f]*")
_OBJECT_HEAD = re.compile(rb"([0-9]{1,10})[\x00\t\n\x0c\r ]+([0-9]{1,5})[\x00\t\n\x0c\r ]+obj")
_REFERENCE = re.compile(rb"([0-9]{1,10})[\x00\t\n\x0c\r ]+([0-9]{1,5})[\x00\t\n\x0c\r ]+R")
_END_OF_FILE = re.compile(rb"%%EOF[\x00\t\n\x0c\r ]*\Z")
_RANGE_TEXT = re.compile(
    rb"/ByteRange[\x00\t\n\x0c\r ]*\[[\x00\t\n\x0c\r ]*([0-9]{1,15})[\x00\t\n\x0c\r ]+([0-9]{1,15})"
    rb"[\x00\t\n\x0c\r ]+([0-9]{1,15})[\x00\t\n\x0c\r ]+([0-9]{1,15})"
)
_USAGE_RIGHT = re.compile(rb"/TransformMethod[\x00\t\n\x0c\r ]*/UR3?(?![A-Za-z0-9])")
_DICTIONARY_BYTES = 65_536  # how far before its value a signature dictionary begins at most
_MAX_HEADS = 8
_MAX_TRACES = 1000  # far more signatures than any file has
_CMS_TEXT = re.compile(
    rb"<30(?:8[0-9A-Fa-f]{1,9}|[0-9A-Fa-f]{2})06092[aA]864886[fF]70[dD]010702[0-9A-Fa-f]{64}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """The part of the file that a signature leaves out: its value as a hex string with both brackets."""

    start: int  # position of <
    end: int  # position after >
    covered_end: int  # position after the last covered byte
    raw: bytes  # the decoded string, padding included
    mixed_case: bool  # hex digits of both cases
    lower_case: bool  # some hex digit is a small letter


class TooManyTraces(MalformedSyntax):
    """There are more places that look like signatures than a file of signatures has."""

    code = "too-many-traces"


class ByteRangeRefused(MalformedSyntax):
    """The ByteRange does not cover all but the signature's own value; the message is a Chinese clause."""

    code = "byte-range"


class ByteRangeUnusual(ByteRangeRefused):
    """The ByteRange is written as no rule knows, which proves nothing yet."""

    code = "byte-range-unusual"


def check_byte_range(data: bytes, byte_range: object) -> Hole:
    """Check that a ByteRange is [0, a, b, c] and that bytes a to b are one hex string.

    Raises:
        ByteRangeRefused: Numbers out of order, beyond the end, not four, or the hole holds something else.
    """
    length, second, covered_end = _bounds(data, byte_range)
    matched = _HEX_DIGITS.match(data, length + 1)
    # Looked at before anything is copied: many ranges may name one large hole.
    if matched is None or matched.end() != second - 1 or (second - length) % 2 or second - length == 2:
        raise ByteRangeRefused("签名范围的空档里有签名值以外的内容")
    digits = data[length + 1 : second - 1]
    return Hole(
        start=length,
        end=second,
        covered_end=covered_end,
        raw=bytes.fromhex(digits.decode("ascii")),
        mixed_case=digits.lower() != digits and digits.upper() != digits,
        lower_case=digits.upper() != digits,
    )


def _bounds(data: bytes, byte_range: object) -> tuple[int, int, int]:
    """Return where the hole begins and ends and where the covered bytes end."""
    if not isinstance(byte_range, list) or len(byte_range) != 4:
        raise ByteRangeRefused("签名范围不是四个数")
    if any(not isinstance(number, int) or isinstance(number, bool) for number in byte_range):
        raise ByteRangeRefused("签名范围不是整数")
    first, length, second, rest = (int(number) for number in byte_range)
    if first != 0 or length <= 0 or rest <= 0 or second <= length or second + rest > len(data):
        raise ByteRangeRefused("签名范围有缺口、重叠或越界")
    if data[length - 1 : length] == b"<" and data[second : second + 1] == b">":
        raise ByteRangeUnusual("签名范围把签名值的尖括号也算在内")
    if data[length : length + 1] != b"<" or data[second - 1 : second] != b">":
        raise ByteRangeRefused("签名范围的空档不是签名值")
    return length, second, second + rest


def check_hole_is_contents(
    data: bytes,
    hole: Hole,
    object_offset: object,
    *,
    within: str | None = None,
    offset_of: Callable[[int, int], int | None] = lambda _number, _generation: None,
) -> None:
    """Check that the hole is the /Contents value of the signature dictionary that stands at an offset.

    Args:
        data: The file.
        hole: What the signature leaves out.
        object_offset: Where the object stands that is, or holds, the dictionary.
        within: The key under which that object holds the dictionary; None when it is the object itself.
        offset_of: Where an object stands, for a /Contents that is a reference.

    Raises:
        ByteRangeRefused: The dictionary is elsewhere, in an object stream, or names a key twice.
    """
    at = _body_of(data, object_offset)
    if at is None or at > hole.start:
        raise ByteRangeRefused("签名字典不在签名值所在的位置")
    scan = _scan_dictionary(data, at)
    if within is not None:
        inner = scan.entries.get(within)
        if inner is None or scan.duplicate_keys:
            raise ByteRangeRefused("签名字典不在签名值所在的位置")
        scan = _scan_dictionary(data, inner.value_start)
    contents = scan.entries.get("/Contents")
    if scan.duplicate_keys:
        raise ByteRangeRefused("签名字典中同一键出现两次")
    if contents is None:
        raise ByteRangeRefused("签名范围的空档不是本签名的签名值")
    start, end = contents.value_start, contents.value_end
    reference = _REFERENCE.fullmatch(data, start, end)
    if reference is not None:
        body = _body_of(data, offset_of(int(reference.group(1)), int(reference.group(2))))
        start = skip_space(data, body) if body is not None else -1
        end = hole.end if start == hole.start else -1
    if (start, end) != (hole.start, hole.end):
        raise ByteRangeRefused("签名范围的空档不是本签名的签名值")


def _body_of(data: bytes, object_offset: object) -> int | None:
    if not isinstance(object_offset, int) or not 0 <= object_offset < len(data):
        return None
    head = _OBJECT_HEAD.match(data, skip_space(data, object_offset))
    return head.end() if head else None


def _scan_dictionary(data: bytes, at: int) -> Scan:
    try:
        return scan_value(data, at)
    except MalformedSyntax as error:
        raise ByteRangeRefused("签名字典残缺") from error


def ends_a_revision(data: bytes, end: int) -> bool:
    """Tell whether a revision of the file ends exactly here (%%EOF and at most white space)."""
    return _END_OF_FILE.search(data, max(0, end - 64), end) is not None


def traces_of_signatures(data: bytes) -> list[tuple[int, int | None]]:
    """Find the places where bytes look like a signature's, whether a field leads to them or not.

    A trace is a ByteRange whose hole is a hex string, or a hex string that begins a CMS SignedData.

    Returns:
        For each: start of the hole, and the end of what its ByteRange covers when it has one.

    Raises:
        TooManyTraces: There are absurdly many.
    """
    found: dict[int, int | None] = {}
    digits_end: dict[int, int] = {}  # the digits after each < are read once, however many ranges name it
    for match in _RANGE_TEXT.finditer(data):
        try:
            start, end, covered_end = _bounds(data, [int(group) for group in match.groups()])
        except MalformedSyntax:
            continue
        if start not in digits_end:
            digits = _HEX_DIGITS.match(data, start + 1)
            digits_end[start] = digits.end() if digits else start
        if digits_end[start] == end - 1 and (end - start) % 2 == 0 and end - start > 2:
            found[start] = covered_end
            _refuse_too_many(found)
    for match in _CMS_TEXT.finditer(data):
        found.setdefault(match.start(), None)
        _refuse_too_many(found)
    return sorted(found.items())


def _refuse_too_many(found: dict[int, int | None]) -> None:
    if len(found) > _MAX_TRACES:
        raise TooManyTraces("more places look like signatures than are looked at")


def is_usage_right(data: bytes, hole_start: int) -> bool:
    """Tell whether the value at a place is a usage right of a form's publisher, which signs no document.

    Adobe's programs let a reader save or comment where a dictionary with /TransformMethod /UR3 (or /UR) says so.

    Source: ISO 32000-1 12.8.2.3.
    """
    heads = list(_OBJECT_HEAD.finditer(data, max(0, hole_start - _DICTIONARY_BYTES), hole_start))
    for head in reversed(heads[-_MAX_HEADS:]):
        try:
            scan = scan_value(data, head.end())
        except MalformedSyntax:
            continue
        while (inner := _entry_around(scan, hole_start)) is not None:
            scan = scan_value(data, inner)
        contents, reference = scan.entries.get("/Contents"), scan.entries.get("/Reference")
        if contents is None or reference is None or contents.value_start != hole_start or scan.duplicate_keys:
            continue
        return _USAGE_RIGHT.search(data, reference.value_start, reference.value_end) is not None
    return False


def _entry_around(scan: Scan, place: int) -> int | None:
    """Return where an entry's value begins that surrounds a place."""
    for entry in scan.entries.values():
        if entry.value_start < place < entry.value_end:
            return entry.value_start
    return None
