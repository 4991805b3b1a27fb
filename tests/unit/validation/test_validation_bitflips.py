"""Of single-bit changes in a file sealed under our own anchors, none stays TOTAL-PASSED."""

from __future__ import annotations

import random
import re

import pytest
from pyhanko.sign.fields import MDPPerm
from validation_files import plain_pdf, sign
from validation_pki import NOW, Pki

from verify_api.validation import TrustAnchors, Verdict, validate_pdf

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module", params=["lt", "lta"])
def sealed(request: pytest.FixtureRequest, pki: Pki) -> bytes:
    options = {"lt": True} if request.param == "lt" else {"lta": True}
    data = sign(plain_pdf(), pki, stamped_at=NOW, certify=MDPPerm.NO_CHANGES, **options)
    last = re.findall(rb"/ByteRange\s*\[0 \d+ (\d+) (\d+)", data)[-1]
    return data[: int(last[0]) + int(last[1])]  # a document time stamp of ours stands last, nothing after it


def holes(data: bytes) -> list[tuple[int, int]]:
    found = re.findall(rb"/ByteRange\s*\[0 (\d+) (\d+)", data)
    return [(int(a), int(b)) for a, b in found]


def passes(data: bytes, own: TrustAnchors) -> bool:
    return validate_pdf(data, trust=own, at=None, now=NOW).verdict is Verdict.PASSED


def flipped(data: bytes, position: int, bit: int) -> bytes:
    changed = bytearray(data)
    changed[position] ^= 1 << bit
    return bytes(changed)


def nibble(data: bytes, position: int, bit: int) -> bytes:
    """Flip a bit of the value that a hex digit stands for, keeping its case."""
    changed = bytearray(data)
    digit = chr(data[position])
    made = f"{int(digit, 16) ^ (1 << bit):x}"
    changed[position] = ord(made.upper() if digit.isupper() else made)
    return bytes(changed)


def test_sample_of_bits_in_the_signature_value(sealed: bytes, own: TrustAnchors) -> None:
    assert passes(sealed, own)
    pick = random.Random(20261122)  # noqa: S311 - a repeatable sample, no secret
    places = [i for a, b in holes(sealed) for i in range(a + 1, b - 1)]
    length = next(i for i in places if sealed[i : i + 200] == b"0" * 200) + 20
    dense = [i for i in places if i < length]
    for _ in range(120):
        position, bit = pick.choice(dense), pick.randrange(4)
        assert not passes(nibble(sealed, position, bit), own), (position, bit)
    for _ in range(40):
        position, bit = pick.choice(places), pick.randrange(8)
        assert not passes(flipped(sealed, position, bit), own), (position, bit)


def test_sample_of_bits_anywhere(sealed: bytes, own: TrustAnchors) -> None:
    pick = random.Random(7)  # noqa: S311 - a repeatable sample, no secret
    for _ in range(60):
        position, bit = pick.randrange(len(sealed)), pick.randrange(8)
        assert not passes(flipped(sealed, position, bit), own), (position, bit)


@pytest.mark.long
def test_every_bit_of_the_signature_value(sealed: bytes, own: TrustAnchors) -> None:
    for start, end in holes(sealed):
        for position in range(start, end):
            for bit in range(8):
                assert not passes(flipped(sealed, position, bit), own), (position, bit)


def test_retagged_time_stamp_attribute_does_not_vanish(
    pki: Pki, own: TrustAnchors, trust: TrustAnchors
) -> None:
    """One bit turns the unsigned attributes' tag [1] into [5]; a lenient parser then passes over them."""
    data = sign(plain_pdf(), pki, stamped_at=NOW, lt=True)
    start, end = holes(data)[0]
    digits = data[start + 1 : end - 1]
    raw = bytes.fromhex(digits.decode())
    oid = bytes.fromhex("060b2a864886f70d010910020e")  # id-aa-timeStampToken
    at = raw.index(oid) - 8  # tag and length of [1], tag and length of the attribute
    assert raw[at] == 0xA1
    changed = raw[:at] + b"\xa5" + raw[at + 1 :]
    made = data[: start + 1] + changed.hex().encode() + data[end - 1 :]
    for anchors in (own, trust):
        assert validate_pdf(made, trust=anchors, at=None, now=NOW).verdict is not Verdict.PASSED
