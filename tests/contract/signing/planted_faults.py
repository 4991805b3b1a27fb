"""Files as a sealer with a fault would make them: the objects of a seal's revision changed, then truly signed.

A good file of the fast path is taken apart, a change is made to the bodies of its last revision, and the revision is written
again with its table, trailer, ByteRange, signature and time stamp in order. So the one thing wrong is the planted one.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

import sealed_alterations as altered
from asn1crypto import cms

from cert_registry.signing.cms_form import CmsForm
from cert_registry.signing.credentials import SealCredentials
from cert_registry.signing.pki.tsa import TimeStampAuthority

_ENTRY = re.compile(rb"(\d{10}) 00000 n\r\n")
_SECTION = re.compile(rb"(\d+) (\d+)\n")
_HOLE = re.compile(rb"/ByteRange (\[0 \d+ \d+ \d+\] *)")


@dataclass(slots=True)
class Parts:
    """The last revision of a file: bodies by number, the trailer; `moved` shifts what the table says of an object."""

    page: bytes
    bodies: dict[int, bytes]
    trailer: bytes
    moved: dict[int, int] = field(default_factory=dict)

    def find(self, marker: bytes) -> int:
        """The one object whose body has these bytes."""
        (number,) = (number for number, body in self.bodies.items() if marker in body)
        return number

    def change(self, marker: bytes, old: bytes, new: bytes) -> None:
        """Replace bytes, which must be there, in the object with that marker."""
        number = self.find(marker)
        assert old in self.bodies[number], (marker, old)
        self.bodies[number] = self.bodies[number].replace(old, new, 1)


def taken_apart(pdf: bytes, page: bytes) -> Parts:
    """Take the last revision apart."""
    start = int(pdf[pdf.rindex(b"startxref\n") :].split(b"\n")[1])
    trailer_at = pdf.index(b"trailer\n", start)
    places: dict[int, int] = {}
    at = start + len(b"xref\n")
    while at < trailer_at:
        head = _SECTION.match(pdf, at)
        assert head
        at = head.end()
        for number in range(int(head[1]), int(head[1]) + int(head[2])):
            entry = _ENTRY.match(pdf, at)
            if entry:
                places[number] = int(entry[1])
            at += 20
    ordered = sorted((place, number) for number, place in places.items())
    ends = [*(place for place, _ in ordered[1:]), start]
    bodies = {
        number: pdf[place + len(b"%d 0 obj\n" % number) : end - len(b"\nendobj\n")]
        for (place, number), end in zip(ordered, ends, strict=True)
    }
    trailer = pdf[trailer_at : pdf.rindex(b"startxref\n")]
    return Parts(page=page, bodies=bodies, trailer=trailer)


def put_together(
    parts: Parts, *, credentials: SealCredentials, tsa: TimeStampAuthority, now: datetime
) -> bytes:
    """Write the revision again and sign it."""
    content = bytearray(parts.page)
    places: dict[int, int] = {}
    for number, body in parts.bodies.items():
        places[number] = len(content) + parts.moved.get(number, 0)
        content += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    table_at = len(content)
    content += b"xref\n0 1\n0000000000 65535 f\r\n"
    for number in sorted(places):
        content += b"%d 1\n%010d 00000 n\r\n" % (number, places[number])
    content += parts.trailer + b"startxref\n%d\n%%%%EOF\n" % table_at
    found = _HOLE.search(content, len(parts.page))
    assert found
    opening = content.index(b"/Contents <", found.start()) + len(b"/Contents ")
    closing = content.index(b">", opening) + 1
    covered = b"[0 %d %d %d]" % (opening, closing, len(content) - closing)
    content[found.start(1) : found.end(1)] = covered.ljust(len(found[1]))
    return _signed(bytes(content), credentials, tsa, now)


def _signed(pdf: bytes, credentials: SealCredentials, tsa: TimeStampAuthority, now: datetime) -> bytes:
    start, end = altered.hole(pdf)
    info = cms.ContentInfo.load(altered.cms_of(pdf))
    signed = info["content"]["signer_infos"][0]["signed_attrs"]
    (before,) = (one["values"][0].native for one in signed if one["type"].native == "message_digest")
    form = CmsForm.cut_from(info, digest=before)
    attributes = form.signed_attributes(hashlib.sha256(pdf[:start] + pdf[end:]).digest())
    signature = credentials.key.sign(attributes)
    stamp = tsa.stamp_sha256(hashlib.sha256(signature).digest(), now=now)
    return altered.with_cms(pdf, form.filled(attributes, signature, stamp=stamp))
