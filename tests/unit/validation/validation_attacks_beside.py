"""Alterations of what a CMS carries beside its signature, as attacks that are stored as files too."""

from __future__ import annotations

import re
from collections.abc import Callable

from asn1crypto import cms, x509

_STAMP_OID = bytes.fromhex("060b2a864886f70d010910020e")  # id-aa-timeStampToken


def value_of(data: bytes) -> tuple[int, int, bytes]:
    """Return where the signature's value begins and ends, and its CMS without padding."""
    found = re.search(rb"/ByteRange\s*\[0 (\d+) (\d+)", data)
    assert found is not None
    start, end = int(found.group(1)), int(found.group(2))
    raw = bytes.fromhex(data[start + 1 : end - 1].decode())
    return start, end, raw[: len(cms.ContentInfo.load(raw).dump())]


def with_value(data: bytes, raw: bytes) -> bytes:
    """Put another CMS in the place of the first signature's."""
    start, end, _ = value_of(data)
    return data[: start + 1] + raw.hex().encode().ljust(end - start - 2, b"0") + data[end - 1 :]


def changed(raw: bytes, at: int, value: int) -> bytes:
    assert raw[at] != value
    return raw[:at] + bytes([value]) + raw[at + 1 :]


def _in_authority(place: Callable[[x509.Certificate], bytes], offset: int) -> Callable[[bytes], bytes]:
    """Alter a bit of the first embedded authority that is no root, counted from a part of it."""

    def alter(data: bytes) -> bytes:
        _, _, raw = value_of(data)
        embedded = [choice.chosen for choice in cms.ContentInfo.load(raw)["content"]["certificates"]]
        authority = next(one for one in embedded if one.ca and one.issuer != one.subject)
        der = authority.dump()
        at = raw.index(der) + der.index(place(authority)) + offset
        return with_value(data, changed(raw, at, raw[at] ^ 1))

    return alter


def _key_identifier(authority: x509.Certificate) -> bytes:
    return bytes(authority.authority_key_identifier_value["key_identifier"].native)


def _renamed_stamp(data: bytes) -> bytes:
    _, _, raw = value_of(data)
    return with_value(data, changed(raw, raw.index(_STAMP_OID) + 12, 0x0F))


#: Each takes a file with one signature, stamped, whose CA is embedded.
ALTERED: dict[str, Callable[[bytes], bytes]] = {
    "issuer-of-authority": _in_authority(lambda one: one.issuer.dump(), 40),
    "key-identifier-of-authority": _in_authority(_key_identifier, 3),
    "stamp-renamed": _renamed_stamp,
}
