"""What one signature field holds and whether its ByteRange is in order; no cryptography yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyhanko.pdf_utils import generic

from verify_api.validation.bare_signature import SUBFILTER, BareSignature, read_bare
from verify_api.validation.byte_ranges import (
    ByteRangeRefused,
    ByteRangeUnusual,
    Hole,
    check_byte_range,
    check_hole_is_contents,
    ends_a_revision,
)
from verify_api.validation.document import object_offset
from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.graph import raw_of, resolved
from verify_api.validation.signed_data import SignatureUnusual, SignedContent, take_apart
from verify_api.validation.verdicts import Coverage

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

    from verify_api.validation.fields import SignatureField

STAMP_SUBFILTER = "/ETSI.RFC3161"


@dataclass(slots=True, kw_only=True)
class Examined:
    """One signature taken from the file. `refused` is a Chinese clause when its form is wrong."""

    field: SignatureField
    subfilter: str
    hole: Hole | None = None
    content: SignedContent | None = None
    bare: BareSignature | None = None
    refused: str | None = None
    unclear: bool = False  # what was refused is not understood, and proves no alteration
    placeholder: bool = False  # an unfinished signature: no value yet
    coverage: Coverage = Coverage.PARTIAL
    offset: int | None = None

    @property
    def is_stamp(self) -> bool:
        """A document time stamp, whatever its /Type says."""
        return self.subfilter == STAMP_SUBFILTER

    def within(self, covered_end: int) -> bool:
        """Tell whether the dictionary stands in the first bytes of the file up to `covered_end`."""
        return self.offset is not None and self.offset < covered_end

    def signed_parts(self, data: bytes) -> tuple[memoryview, memoryview]:
        """Return the covered bytes."""
        hole = self.hole
        if hole is None:
            raise MalformedSyntax("nothing is covered")
        view = memoryview(data)
        return view[: hole.start], view[hole.end : hole.covered_end]


def examine(data: bytes, reader: PdfFileReader, field: SignatureField) -> Examined:
    """Examine one field; whatever is wrong with it is recorded."""
    value = field.value
    one = Examined(field=field, subfilter=str(resolved(raw_of(value, "/SubFilter")) or ""))
    one.offset = _offset(reader, field)
    if field.broken:
        one.refused = "签名字典残缺"
        return one
    contents = raw_of(value, "/Contents")
    unfinished = contents is None or not _string_bytes(contents).strip(b"\0")
    byte_range = resolved(raw_of(value, "/ByteRange"))
    if unfinished and (byte_range is None or not _any_number(byte_range)):
        one.placeholder = True
        return one
    try:
        _take_hole(data, reader, one, byte_range)
    except MalformedSyntax as error:
        one.refused = str(error) if _is_chinese(str(error)) else "签名字典残缺"
        one.unclear = isinstance(error, (ByteRangeUnusual, SignatureUnusual, _Unfinished))
    return one


class _Unfinished(MalformedSyntax):
    """Everything is prepared, only the value is missing: what signing in two steps leaves in between."""

    code = "signature-unfinished"


def _take_hole(data: bytes, reader: PdfFileReader, one: Examined, byte_range: Any) -> None:
    numbers = [int(n) if isinstance(n, int) else n for n in map(resolved, byte_range or [])]
    hole = one.hole = check_byte_range(data, numbers)
    check_hole_is_contents(
        data,
        hole,
        one.offset,
        within=None if one.field.value_reference is not None else "/V",
        offset_of=lambda number, generation: object_offset(
            reader, generic.Reference(number, generation, reader)
        ),
    )
    if hole.covered_end == len(data):
        one.coverage = Coverage.WHOLE_FILE
    elif ends_a_revision(data, hole.covered_end):
        one.coverage = Coverage.REVISION
    else:
        raise ByteRangeRefused("签名没有覆盖一个完整的版本")
    if not hole.raw.strip(b"\0"):
        raise _Unfinished("签名值是空的")
    if one.subfilter == SUBFILTER:
        one.bare = read_bare(hole.raw, one.field.value)
        if one.bare is None:
            raise SignatureUnusual("签名值或证书残缺，无法解析")
        return
    one.content = take_apart(hole.raw)


def claimed_in_dictionary(value: generic.DictionaryObject) -> datetime | None:
    """Return the time that /M claims, None when absent or malformed."""
    raw = resolved(raw_of(value, "/M"))
    if raw is None:
        return None
    try:
        moment = generic.parse_pdf_date(str(raw), strict=False)
    except Exception:  # noqa: BLE001 - a malformed claim is no claim
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _offset(reader: PdfFileReader, field: SignatureField) -> int | None:
    try:
        return object_offset(reader, field.value_reference or field.holder_reference)
    except Exception:  # noqa: BLE001 - KeyError and the reader's own kinds: the object has no place
        return None


def _string_bytes(raw: Any) -> bytes:
    if isinstance(raw, generic.DecryptedObjectProxy):
        raw = raw.raw_object
    raw = resolved(raw)
    if isinstance(raw, (generic.TextStringObject, generic.ByteStringObject)):
        return bytes(raw.original_bytes)
    return b"?"


def _any_number(byte_range: Any) -> bool:
    return not isinstance(byte_range, list) or any(resolved(n) not in {0, None} for n in byte_range)


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)
