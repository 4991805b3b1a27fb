"""Whether bytes are one value in the distinguished encoding (DER), looking at encodings only.

Parsers accept more than DER; a second encoding of the same value is a place to hide a change. Checked: definite
and minimal lengths, low tag numbers, minimal integers, booleans of 00 or FF, sorted sets, nothing left over.

Source: X.690 clauses 8.1, 8.3, 10 and 11.
"""

_MAX_DEPTH = 32
_BOOLEAN, _INTEGER, _ENUMERATED, _SEQUENCE, _SET = 0x01, 0x02, 0x0A, 0x30, 0x31


def check_der(data: bytes) -> None:
    """Check one whole value.

    Raises:
        ValueError: It is not in DER, or bytes follow it.
    """
    if _value(data, 0, len(data), 0) != len(data):
        raise ValueError("bytes follow the value")


def _value(data: bytes, start: int, limit: int, depth: int) -> int:
    """Check the value at `start`; returns where it ends."""
    if depth > _MAX_DEPTH:
        raise ValueError("nested too deeply")
    tag, content, end = _header(data, start, limit)
    if tag & 0x20:  # constructed
        if tag < 0x40 and tag not in {_SEQUENCE, _SET}:
            raise ValueError("a primitive universal type in constructed form")
        elements: list[bytes] = []
        while content < end:
            after = _value(data, content, end, depth + 1)
            elements.append(data[content:after])
            content = after
        if tag == _SET and elements != sorted(elements):
            raise ValueError("an unsorted set")
        return end
    _primitive(tag, data[content:end])
    return end


def _primitive(tag: int, content: bytes) -> None:
    if tag in {_INTEGER, _ENUMERATED}:
        redundant = content[:1] in {b"\x00", b"\xff"} and len(content) > 1
        if not content or (redundant and (content[0] ^ content[1]) < 0x80):
            raise ValueError("an integer that is not minimal")
    elif tag == _BOOLEAN and content not in {b"\x00", b"\xff"}:
        raise ValueError("a boolean that is neither 00 nor FF")
    elif tag in {_SEQUENCE & ~0x20, _SET & ~0x20}:
        raise ValueError("a sequence or set in primitive form")


def _header(data: bytes, start: int, limit: int) -> tuple[int, int, int]:
    """Return tag octet, start of the contents, and their end."""
    if limit - start < 2:
        raise ValueError("cut short")
    tag, first = data[start], data[start + 1]
    if tag & 0x1F == 0x1F:
        raise ValueError("a high tag number")
    content = start + 2
    length = first
    if first >= 0x80:
        count = first & 0x7F
        encoded = data[content : content + count]
        if not 1 <= count <= 4 or len(encoded) != count:
            raise ValueError("an indefinite or oversized length")
        length = int.from_bytes(encoded)
        if length < 0x80 or encoded[0] == 0:
            raise ValueError("a length that is not minimal")
        content += count
    if content + length > limit:
        raise ValueError("cut short")
    return tag, content, content + length
