"""Writing DER: tag, length, contents. Only our own values are written; nothing is read here.

Source: X.690 clauses 8.1 and 10.1.
"""

from datetime import datetime

SEQUENCE, SET, INTEGER, OCTET_STRING, GENERALIZED_TIME = 0x30, 0x31, 0x02, 0x04, 0x18


def tlv(tag: int, *contents: bytes) -> bytes:
    """Return one value: a tag of one octet, the shortest length, the contents joined."""
    body = b"".join(contents)
    length = len(body)
    if length < 0x80:
        return bytes((tag, length)) + body
    encoded = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(encoded))) + encoded + body


def integer(value: int) -> bytes:
    """Return an INTEGER; `value` is not negative."""
    return tlv(INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def generalized_time(moment: datetime) -> bytes:
    """Return a GeneralizedTime in whole seconds; `moment` is aware and UTC."""
    return tlv(GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())
