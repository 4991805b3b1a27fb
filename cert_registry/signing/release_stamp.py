"""The check between stamping and keeping, on a path that shares no code with what appended the stamp.

Source: ISO 32000-2 clause 12.8.5 (document time stamp); RFC 3161 section 2.4.2.
"""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from asn1crypto import parser, tsp
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from cert_registry.signing.certificate_keys import digest_of_key
from cert_registry.signing.errors import CoverageBroken, StampBroken
from cert_registry.signing.release_cms import (
    check_chain,
    check_signer,
    find_certificate,
    parse_signed_data,
)

_BYTE_RANGE = re.compile(rb"/ByteRange\s*\[\s*0\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\]")
_HEX = re.compile(rb"<[0-9A-F]*>")
_CLOCKS_MAY_DIFFER = timedelta(minutes=5)


def check_before_keeping(
    stamped: bytes, *, before: bytes, anchors: Sequence[x509.Certificate], now: datetime
) -> datetime:
    """Check a file that was just stamped; returns the stamped time.

    Args:
        stamped: The file with its new stamp.
        before: The file without it.
        anchors: Trust anchors.
        now: Aware UTC time.

    Raises:
        CoverageBroken: The earlier bytes were touched, or the stamp does not cover the whole file.
        StampBroken: The stamp does not hold.
    """
    if not stamped.startswith(before) or len(stamped) == len(before):  # (1) nothing before was touched
        raise CoverageBroken("The stamped file does not begin with the file that was to be stamped.")
    covered, token = _cut(stamped, len(before))  # (2) the stamp stands in the new part and covers all
    try:
        return _check_stamp(token, covered, anchors=anchors, now=now)  # (3) it holds, and is of now
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise StampBroken("A part of the time stamp cannot be read.") from error


def _cut(stamped: bytes, begin: int) -> tuple[tuple[memoryview, memoryview], bytes]:
    """Return what the stamp covers, and the DER in its hole."""
    found = list(_BYTE_RANGE.finditer(stamped, begin))
    if len(found) != 1:
        raise CoverageBroken("The update must hold exactly one ByteRange.")
    before, after, rest = (int(number) for number in found[0].groups())
    if not begin < before < after or after + rest != len(stamped):
        raise CoverageBroken("The time stamp does not cover the whole file.")
    hole = stamped[before:after]
    if not _HEX.fullmatch(hole) or len(hole) % 2 or not stamped[:before].endswith(b"/Contents "):
        raise CoverageBroken("The hole in the ByteRange is not the Contents alone.")
    content = bytes.fromhex(hole[1:-1].decode())
    try:
        length = parser.peek(content)
    except ValueError as error:
        raise StampBroken("The Contents are not DER.") from error
    if any(content[length:]):
        raise CoverageBroken("The padding behind the time stamp is not zero.")
    view = memoryview(stamped)
    return (view[:before], view[after:]), content[:length]


def _check_stamp(
    token: bytes,
    covered: tuple[memoryview, memoryview],
    *,
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> datetime:
    signed = parse_signed_data(token, StampBroken)
    content = bytes(signed["encap_content_info"]["content"])
    info = tsp.TSTInfo.load(content, strict=True)
    imprint = info["message_imprint"]
    signer = signed["signer_infos"][0]
    unit = find_certificate(signed, signer, StampBroken)
    digest_name = digest_of_key(unit)
    digest = hashlib.new(digest_name, covered[0])
    digest.update(covered[1])
    said = (imprint["hash_algorithm"]["algorithm"].native, imprint["hashed_message"].native)
    if said != (digest_name, digest.digest()):
        raise StampBroken("The time stamp is over something else.")
    check_signer(
        signer,
        certificate=unit,
        digest=hashlib.new(digest_name, content).digest(),
        content_type="tst_info",
        broken=StampBroken,
    )
    usage = unit.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise StampBroken("The time stamp's certificate is not one for time stamps alone.")
    if not unit.not_valid_before_utc <= now <= unit.not_valid_after_utc:
        raise StampBroken("The time stamp's certificate is not valid now.")
    check_chain(unit, embedded=signed, anchors=anchors, broken=StampBroken)
    stamped_at: datetime = info["gen_time"].native
    if abs(stamped_at - now) > _CLOCKS_MAY_DIFFER:
        raise StampBroken("The stamped time is far from now.")
    return stamped_at
