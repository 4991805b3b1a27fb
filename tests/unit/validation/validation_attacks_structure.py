"""Files that two programs read differently, and signatures made with what must not sign.

References: Mladenov et al., "1 Trillion Dollar Refund" (universal signature forgery, incremental saving); the rest
is our own: wherever one reader could see another object than the signer saw, no verdict may be TOTAL-PASSED.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pikepdf
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.pdf_utils import generic
from validation_attacks import (
    EVIL,
    content_number,
    evil_content,
    forged,
    hole_of,
    object_text,
    page_number,
    range_in_place,
    raw_update,
    signature_number,
    with_range,
)
from validation_files import plain_pdf, sign
from validation_pki import NOW, Pki

_NULL = generic.NullObject()


def _last_start(data: bytes) -> int:
    return int(data.rsplit(b"startxref", 1)[1].split()[0])


def _content(number: int, body: bytes = EVIL, *, generation: int = 0, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return b"%d %d obj\n<< /Length %d >>\nstream\n%s\nendstream\nendobj" % (number, generation, size, body)


def lying_length(data: bytes) -> bytes:
    """A stream whose /Length ends before a nested endstream that other readers go by."""
    number = content_number(data)
    body = b"q Q\nendstream\nendobj\n%d 0 obj\n<< /Length 9 >>\nstream\n" % number + EVIL
    return raw_update(data, {number: _content(number, body, length=3)})


def other_generation(data: bytes) -> bytes:
    """The page's content is defined again under generation 1."""
    number = content_number(data)
    return raw_update(data, {number: _content(number, generation=1)}).replace(
        b" 00000 n \ntrailer", b" 00001 n \ntrailer"
    )


def freed(data: bytes) -> bytes:
    number = content_number(data)
    made = raw_update(data, {number: _content(number)})
    head, tail = made[: len(data)], made[len(data) :]
    return head + re.sub(rb"(\d{10}) 00000 n \ntrailer", rb"0000000000 00001 f \ntrailer", tail)


def between_objects(data: bytes) -> bytes:
    """The table points into the middle of a stream, where another object begins."""
    number = content_number(data)
    inner = _content(number)
    outer = _content(900, b"%%%% " + inner + b"\n")
    made = raw_update(data, {900: outer})
    at = made.rindex(inner)
    start = made.rindex(b"xref\n", 0, made.rindex(b"startxref"))
    rows = b"xref\n%d 1\n%010d 00000 n \n900 1\n" % (number, at)
    return made[:start] + made[start:].replace(b"xref\n900 1\n", rows, 1)


def table_and_stream(data: bytes) -> bytes:
    """Two cross-references at the end: a table that startxref names, and a stream that a repairing reader finds."""
    number = content_number(data)
    body = data + b"\n"
    at = len(body)
    body += _content(number) + b"\n"
    rows = b"\x01" + at.to_bytes(4, "big") + b"\x00"
    with pikepdf.open(io.BytesIO(data)) as pdf:
        size, root = int(pdf.trailer.Size), pdf.Root.objgen[0]
    start = _last_start(data)
    at_stream = len(body)
    body += (
        b"%d 0 obj\n<< /Type /XRef /Size %d /Root %d 0 R /Prev %d /W [1 4 1] /Index [%d 1] /Length %d >>\n"
        b"stream\n%s\nendstream\nendobj\n" % (size, size + 1, root, start, number, len(rows), rows)
    )
    return body + b"startxref\n%d\n%%%%EOF\nstartxref\n%d\n%%%%EOF\n" % (at_stream, start)


def looping(data: bytes) -> bytes:
    made = raw_update(data, {content_number(data): _content(content_number(data))})
    at = _last_start(made)
    return re.sub(rb"/Prev \d+>>(\nstartxref\n%d\n)" % at, rb"/Prev %d>>\1" % at, made)


def no_end(data: bytes) -> bytes:
    return raw_update(data, {content_number(data): _content(content_number(data))})[: -len(b"%%EOF\n")]


def no_trailer(data: bytes) -> bytes:
    made = raw_update(data, {content_number(data): _content(content_number(data))})
    at = made.rindex(b"trailer")
    return made[:at] + made[made.index(b"startxref", at) :]


def old_trailer_repeated(data: bytes) -> bytes:
    """Objects appended, then a copy of the signed trailer that knows nothing of them (ISA 2)."""
    number = content_number(data)
    at = data.rindex(b"startxref")
    return data + _content(number) + b"\n" + data[at:]


def copied_signature(data: bytes) -> bytes:
    """The signature object is appended once more beside changed content (ISA 4)."""
    number = signature_number(data)
    return raw_update(
        data, {number: object_text(data, number), content_number(data): _content(content_number(data))}
    )


def twice_in_update(data: bytes) -> bytes:
    """One update defines the page's content twice; the table names the first."""
    number = content_number(data)
    same = object_text(data, number)
    made = raw_update(data, {number: same})
    at = made.rindex(b"xref\n", 0, made.rindex(b"startxref"))
    shifted = made[:at] + _content(number) + b"\n" + made[at:]
    return re.sub(
        rb"startxref\n\d+", b"startxref\n%d" % (at + len(_content(number)) + 1), shifted[len(data) :]
    ).join([data, b""])


def hidden_in_comment(data: bytes) -> bytes:
    number = content_number(data)
    made = raw_update(data, {})
    at = made.rindex(b"xref\n", 0, made.rindex(b"startxref"))
    note = b"%" + b"A" * 200 + b"\r" + _content(number).replace(b"\n", b"\r") + b"\r"
    return data + note + made[at:].replace(b"startxref\n%d" % at, b"startxref\n%d" % (at + len(note)))


def twice_named_in_stream(*, evil_first: bool) -> Callable[[bytes], bytes]:
    """A page in an object stream names its content twice; programs take the one or the other."""

    def build(data: bytes) -> bytes:
        with pikepdf.open(io.BytesIO(data)) as pdf:
            size, root = int(pdf.trailer.Size), pdf.Root.objgen[0]
        page, evil, container, table = page_number(data), size, size + 1, size + 2
        text = object_text(data, page)
        inner = text[text.index(b"<<") : text.rindex(b">>") + 2]
        spoilt = b"/Contents %d 0 R " % evil
        first, last = inner.replace(b"/Contents", spoilt + b"/Contents", 1), inner[:-2] + spoilt + b">>"
        inner = first if evil_first else last
        body = data if data.endswith(b"\n") else data + b"\n"
        at_evil = len(body)
        body += _content(evil) + b"\n"
        at_container = len(body)
        head = b"%d 0 " % page
        body += (
            b"%d 0 obj\n<< /Type /ObjStm /N 1 /First %d /Length %d >>\nstream\n%s\nendstream\nendobj\n"
            % (
                container,
                len(head),
                len(head + inner),
                head + inner,
            )
        )
        at_table = len(body)
        rows = b"".join(
            kind + place.to_bytes(4, "big") + b"\0"
            for kind, place in (
                (b"\2", container),
                (b"\1", at_evil),
                (b"\1", at_container),
                (b"\1", at_table),
            )
        )
        return (
            body
            + b"%d 0 obj\n<< /Type /XRef /Size %d /Root %d 0 R /Prev %d /W [1 4 1] /Index [%d 1 %d 3] /Length %d >>\n"
            b"stream\n%s\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n"
            % (table, size + 3, root, _last_start(data), page, size, len(rows), rows, at_table)
        )

    return build


def polyglot(data: bytes) -> bytes:
    return b"GIF89a" + data


def two_headers(data: bytes) -> bytes:
    return b"%PDF-1.4\n%other\n" + data


def second_cms(data: bytes) -> bytes:
    """The value is repeated behind itself inside the padding."""
    a, b, _ = hole_of(data)
    digits = data[a + 1 : b - 1]
    size = 2 * (4 + int(digits[4:8], 16))
    copy = digits[:size] * 2
    return data[: a + 1] + copy.ljust(len(digits), b"0")[: len(digits)] + data[b - 1 :]


def upper_case_digits(data: bytes) -> bytes:
    a, b, _ = hole_of(data)
    half = (a + b) // 2
    return data[: a + 1] + data[a + 1 : a + 400].swapcase() + data[a + 400 : half] + data[half:]


def spaces_in_hole(data: bytes) -> bytes:
    a, b, _ = hole_of(data)
    return (
        data[: b - 3] + b"  " + data[b - 1 :]
        if data[b - 3 : b - 1] == b"00"
        else data[: a + 1] + b" " + data[a + 2 :]
    )


def _by(usage: list) -> Callable[[Pki], bytes]:
    return lambda pki: sign(plain_pdf(), pki, party=pki.signer_of("冒充", extended=usage))


def by_authority(pki: Pki) -> bytes:
    """Signed with a certificate authority's own key, which may sign certificates only."""
    return sign(plain_pdf(), pki, party=pki.ca)


def swapped_values(pki: Pki) -> bytes:
    """Two honest files exchange their signature values."""
    one, other = sign(plain_pdf(), pki), sign(plain_pdf(pages=2), pki)
    a, b, _ = hole_of(one)
    c, d, _ = hole_of(other)
    value = other[c + 1 : d - 1]
    return one[: a + 1] + value.ljust(b - a - 2, b"0")[: b - a - 2] + one[b - 1 :]


def _approval(change: Callable[[bytes], bytes]) -> Callable[[Pki], bytes]:
    return lambda pki: change(sign(plain_pdf(), pki))


_RANGES = {
    "six-numbers": b"[0 %(a)d %(b)d 10 %(b)d %(c)d]",
    "floats": b"[0 %(a)d.0 %(b)d.5 %(c)d]",
    "huge": b"[0 99999999999999999999 %(b)d 1]",
    "negative-first": b"[-1 %(a)d %(b)d %(c)d]",
    "one-short": b"[0 %(a)d %(b)d 10]",
    "hole-early": b"[0 10 %(b)d %(c)d]",
    "empty": b"[]",
    "name": b"/Name",
    "all": b"[0 %(n)d 0 0]",
    "plus-signs": b"[+0 +%(a)d +%(b)d 5]",
}

STRUCTURE_ATTACKS: dict[str, Callable[[Pki], bytes]] = {
    **{f"range-{key}": _approval(range_in_place(pattern)) for key, pattern in _RANGES.items()},
    **{f"range-override-{key}": _approval(with_range(pattern)) for key, pattern in _RANGES.items()},
    "usf-null-type": _approval(forged("/Type", _NULL)),
    "usf-other-subfilter": _approval(forged("/SubFilter", generic.pdf_name("/adbe.x509.rsa_sha1"))),
    "usf-unknown-subfilter": _approval(forged("/SubFilter", generic.pdf_name("/nothing"))),
    "usf-stamp-subfilter": _approval(forged("/SubFilter", generic.pdf_name("/ETSI.RFC3161"))),
    "usf-no-filter": _approval(forged("/Filter", None)),
    "usf-text-contents": _approval(forged("/Contents", generic.pdf_string("no value"))),
    "usf-garbage-contents": _approval(forged("/Contents", generic.ByteStringObject(b"\xde\xad" * 100))),
    "usf-number-range": _approval(forged("/ByteRange", generic.NumberObject(0))),
    "usf-zero-range": _approval(forged("/ByteRange", generic.ArrayObject([generic.NumberObject(0)] * 4))),
    "lying-length": _approval(lying_length),
    "other-generation": _approval(other_generation),
    "freed-content": _approval(freed),
    "points-between": _approval(between_objects),
    "table-and-stream": _approval(table_and_stream),
    "prev-loop": _approval(looping),
    "update-without-end": _approval(no_end),
    "update-without-trailer": _approval(no_trailer),
    "old-trailer-repeated": _approval(old_trailer_repeated),
    "copied-signature": _approval(copied_signature),
    "twice-in-one-update": _approval(twice_in_update),
    "hidden-in-comment": _approval(hidden_in_comment),
    "stream-names-evil-first": _approval(twice_named_in_stream(evil_first=True)),
    "stream-names-evil-last": _approval(twice_named_in_stream(evil_first=False)),
    "polyglot": _approval(polyglot),
    "two-headers": _approval(two_headers),
    "second-cms": _approval(second_cms),
    "half-upper-case": _approval(upper_case_digits),
    "spaces-in-hole": _approval(spaces_in_hole),
    "by-time-stamp-key": _by([ExtendedKeyUsageOID.TIME_STAMPING]),
    "by-responder-key": _by([ExtendedKeyUsageOID.OCSP_SIGNING]),
    "by-server-key": _by([ExtendedKeyUsageOID.SERVER_AUTH]),
    "by-authority": by_authority,
    "swapped-values": swapped_values,
    "page-object-twice": _approval(
        lambda d: raw_update(
            d, {page_number(d): object_text(d, page_number(d)) + b"\n" + object_text(d, page_number(d))}
        )
    ),
    "archived-then-changed": lambda p: evil_content(sign(plain_pdf(), p, stamped_at=NOW, lta=True)),
}
