"""Signed files written by hand in every legal way that programs were seen to write, or may write."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping

from validation_files import TEXT
from validation_pki import Pki

_FIRST, _SECOND, _LAST = b"1111111111", b"2222222222", b"3333333333"
_RANGE = b"[0 1111111111 2222222222 3333333333]"
_HEX = b"<" + b"0" * 12_000 + b">"
_DICTIONARY = (
    b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /adbe.pkcs7.detached /ByteRange RANGE /Contents HEX >>"
)


def written(
    pki: Pki,
    *,
    dictionary: bytes = _DICTIONARY,
    field_value: bytes = b"5 0 R",
    more: Mapping[int, bytes] | None = None,
    eol: bytes = b"\n",
    head: bytes = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    tail: bytes = b"",
    form: bytes = b"<< /Fields [4 0 R] /SigFlags 3 >>",
) -> bytes:
    """Write a file with one signature, whose dictionary and surroundings are as given, and sign it."""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R /AcroForm " + form + b" >>",
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Annots [4 0 R] /Contents 6 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        4: b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Seal1) /Rect [0 0 0 0] /F 132 /P 3 0 R /V "
        + field_value
        + b" >>",
        5: dictionary,
        6: b"<< /Length %d >>\nstream\n%s\nendstream" % (len(TEXT), TEXT),
        **(more or {}),
    }
    out, places = bytearray(head), {}
    for number, body in objects.items():
        places[number] = len(out)
        text = body.replace(b"RANGE", _RANGE).replace(b"HEX", _HEX)
        out += b"%d 0 obj" % number + eol + text.replace(b"\n", eol) + eol + b"endobj" + eol
    start = len(out)
    end = eol if len(eol) == 2 else b" " + eol
    out += b"xref" + eol + b"0 %d" % (max(objects) + 1) + eol + b"0000000000 65535 f" + end
    for number in range(1, max(objects) + 1):
        out += b"%010d 00000 n" % places[number] + end
    out += b"trailer" + eol + b"<< /Size %d /Root 1 0 R >>" % (max(objects) + 1) + eol
    out += b"startxref" + eol + b"%d" % start + eol + b"%%EOF" + tail
    return _signed(bytes(out), pki)


def _signed(data: bytes, pki: Pki) -> bytes:
    begin = data.index(_HEX)
    after = begin + len(_HEX)
    for mark, number in ((_FIRST, begin), (_SECOND, after), (_LAST, len(data) - after)):
        data = data.replace(mark, b"%010d" % number, 1)
    digest = hashlib.sha256(data[:begin] + data[after:]).digest()
    value = asyncio.run(pki.pyhanko_signer().async_sign(digest, "sha256")).dump().hex().encode()
    return data[: begin + 1] + value.ljust(len(_HEX) - 2, b"0") + data[after - 1 :]


def _with(**options: object) -> Callable[[Pki], bytes]:
    return lambda pki: written(pki, **options)  # type: ignore[arg-type]


_DIRECT = _DICTIONARY.replace(b" /Type /Sig", b"")
SYNTAX: dict[str, Callable[[Pki], bytes]] = {
    "plain": _with(),
    "carriage-returns": _with(eol=b"\r", head=b"%PDF-1.7\r%\xe2\xe3\xcf\xd3\r"),
    "both-ends": _with(eol=b"\r\n"),
    "end-of-line-at-end": _with(tail=b"\r\n"),
    "no-type": _with(dictionary=_DIRECT),
    "compact": _with(
        dictionary=_DICTIONARY.replace(b" /", b"/").replace(b"<< ", b"<<").replace(b" >>", b">>")
    ),
    "comments": _with(
        dictionary=_DICTIONARY.replace(b"/ByteRange RANGE", b"% a comment ] >>\n/ByteRange % another\n RANGE")
    ),
    "hex-names": _with(
        dictionary=_DICTIONARY.replace(b"/ByteRange", b"/By#74eRange").replace(b"/Contents", b"/Cont#65nts")
    ),
    "value-first": _with(
        dictionary=b"<< /Contents HEX /ByteRange RANGE /SubFilter /adbe.pkcs7.detached"
        b" /Filter /Adobe.PPKLite /Type /Sig >>"
    ),
    "indirect-range": _with(dictionary=_DICTIONARY.replace(b"RANGE", b"7 0 R"), more={7: b"RANGE"}),
    "indirect-numbers": _with(
        dictionary=_DICTIONARY.replace(b"RANGE", b"[7 0 R 1111111111 2222222222 3333333333]"), more={7: b"0"}
    ),
    "indirect-value": _with(dictionary=_DICTIONARY.replace(b"HEX", b"7 0 R"), more={7: b"HEX"}),
    "direct-dictionary": _with(field_value=_DICTIONARY, dictionary=b"null"),
    "odd-entries": _with(
        dictionary=_DICTIONARY.replace(
            b" /ByteRange",
            b" /Name (\\(nested\\) (brackets) \\\\) /M (D:20261122120000+08'00') /R [1 [2 [3]]] /ByteRange",
        )
    ),
    "prepared-field-beside": _with(
        form=b"<< /Fields [4 0 R 7 0 R] /SigFlags 3 >>",
        more={7: b"<< /FT /Sig /T (Later) /Type /Annot /Subtype /Widget /Rect [0 0 0 0] >>"},
    ),
    "odd-field-beside": _with(
        form=b"<< /Fields [4 0 R 7 0 R null 99 0 R (text)] /SigFlags 3 >>",
        more={7: b"<< /T 12 /FT /Sig /V (no) >>"},
    ),
    "nested-fields": _with(
        form=b"<< /Fields [7 0 R] /SigFlags 3 >>", more={7: b"<< /T (group) /Kids [4 0 R] >>"}
    ),
}
