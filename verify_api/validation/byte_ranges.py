"""Which bytes a signature covers, and whether the bytes it leaves out are exactly its own value.

Source: ISO 32000-2 12.8.1; the published ByteRange attacks are listed in docs/verify-report.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.lexer import scan_value, skip_space

_HEX_DIGITS = re.compile(rb"[0-9A-Fa-f]*")
_OBJECT_HEAD = re.compile(rb"([0-9]{1,10})[\x00\t\n\x0c\r ]+([0-9]{1,5})[\x00\t\n\x0c\r ]+obj")
_END_OF_FILE = re.compile(rb"%%EOF[\x00\t\n\x0c\r ]*\Z")
_RANGE_TEXT = re.compile(
    rb"/ByteRange[\x00\t\n\x0c\r ]*\[[\x00\t\n\x0c\r ]*([0-9]{1,15})[\x00\t\n\x0c\r ]+([0-9]{1,15})"
    rb"[\x00\t\n\x0c\r ]+([0-9]{1,15})[\x00\t\n\x0c\r ]+([0-9]{1,15})"
)
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
    if data[length : length + 1] != b"<" or data[second - 1 : second] != b">":
        raise ByteRangeRefused("签名范围的空档不是签名值")
    return length, second, second + rest


def check_hole_is_contents(data: bytes, hole: Hole, object_offset: object) -> None:
    """Check that the hole is the /Contents value of the signature dictionary that stands at an offset.

    Raises:
        ByteRangeRefused: The dictionary is elsewhere, in an object stream, or names a key twice.
    """
    if not isinstance(object_offset, int) or not 0 <= object_offset < hole.start:
        raise ByteRangeRefused("签名字典不在签名值所在的位置")
    at = skip_space(data, object_offset)
    head = _OBJECT_HEAD.match(data, at)
    if head is None:
        raise ByteRangeRefused("签名字典不在签名值所在的位置")
    try:
        scan = scan_value(data, head.end())
    except MalformedSyntax as error:
        raise ByteRangeRefused("签名字典残缺") from error
    contents = scan.entries.get("/Contents")
    if scan.duplicate_keys:
        raise ByteRangeRefused("签名字典中同一键出现两次")
    if contents is None or (contents.value_start, contents.value_end) != (hole.start, hole.end):
        raise ByteRangeRefused("签名范围的空档不是本签名的签名值")


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
