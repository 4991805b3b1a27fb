"""Opens a PDF and gathers what its signatures need: fields, revocation data, earlier states.

pyHanko's reader raises builtin errors of many kinds on hostile files; every call into it is fenced here.
"""

from __future__ import annotations

import io
import logging
import re
from typing import TYPE_CHECKING, Any

from asn1crypto import core
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.crypt import AuthStatus
from pyhanko.pdf_utils.reader import PdfFileReader

from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.graph import follow, raw_of, resolved
from verify_api.validation.lexer import scan_value, skip_space

if TYPE_CHECKING:
    from verify_api.validation.chains import Evidence
    from verify_api.validation.signed_data import SignedContent

logging.getLogger("pyhanko").setLevel(logging.CRITICAL)
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL)

_MAX_VALUES = 512
_MAX_VALUE_BYTES = 8 * 1024 * 1024


class Unreadable(MalformedSyntax):
    """A PDF cannot be opened."""

    code = "pdf-unreadable"


class LockedByPassword(Unreadable):
    """A PDF is encrypted and the empty password does not open it."""

    code = "pdf-encrypted"


def _read_hex_string(stream: Any) -> Any:
    """Read a hex string at once where it is nothing but digits; pyHanko reads each one by itself.

    A signature's value is tens of thousands of digits. Whatever is written otherwise is left to pyHanko.
    """
    if isinstance(stream, io.BytesIO):
        with stream.getbuffer() as view:
            found = _HEX_STRING.match(view, stream.tell())
            digits, end = (found.group(1), found.end()) if found is not None else (b"", -1)
            del found  # it holds on to the buffer
        if end >= 0 and len(digits) % 2 == 0:
            stream.seek(end)
            return generic.pdf_string(bytes.fromhex(digits.decode("ascii")))
    return _READ_EACH_DIGIT(stream)


_HEX_STRING = re.compile(rb"<([0-9A-Fa-f]*)>")
_READ_EACH_DIGIT = generic.read_hex_string_from_stream
generic.read_hex_string_from_stream = _read_hex_string


class CarefulReader(PdfFileReader):
    """pyHanko's reader, reading object streams as every other program does, and their tables only once.

    pyHanko looks for the number and takes the first; others go by the index that the cross-reference gives. Where
    the two would differ, the object is not read at all.
    """

    def __init__(self, data: bytes) -> None:
        self._tables: dict[int, tuple[bytes, int, list[int]]] = {}
        super().__init__(io.BytesIO(data), strict=False)

    def names_keys_twice(self, stmnum: int) -> bool:
        """Tell whether a dictionary in an object stream names a key twice.

        Raises:
            MalformedSyntax: The stream or an object in it cannot be read.
        """
        content, first, numbers = self._table(stmnum)
        return any(scan_value(content, first + offset).duplicate_keys for offset in numbers[1::2])

    def _table(self, stmnum: int) -> tuple[bytes, int, list[int]]:
        if stmnum not in self._tables:
            self._tables[stmnum] = self._read_table(stmnum)
        return self._tables[stmnum]

    def _get_object_from_stream(self, idnum: int, stmnum: int, idx: int) -> Any:
        content, first, numbers = self._table(stmnum)
        named = numbers[::2]
        if not 0 <= idx < len(named) or named[idx] != idnum or named.count(idnum) != 1:
            raise MalformedSyntax("an object stream's table and the cross-reference disagree")
        stream = io.BytesIO(content)
        stream.seek(first + numbers[2 * idx + 1])
        return generic.read_object(stream, generic.Reference(idnum, 0, self))

    def _read_table(self, stmnum: int) -> tuple[bytes, int, list[int]]:
        """Return an object stream's content, where its objects begin, and its table of numbers and offsets."""
        stream = follow(generic.Reference(stmnum, 0, self))
        if not isinstance(stream, generic.StreamObject) or resolved(raw_of(stream, "/Type")) != "/ObjStm":
            raise MalformedSyntax("an object stream is none")
        content, first = stream.data, resolved(raw_of(stream, "/First"))
        count = resolved(raw_of(stream, "/N"))
        if not isinstance(first, int) or not isinstance(count, int) or not 0 <= first <= len(content):
            raise MalformedSyntax("an object stream's table is cut short")
        words = content[:first].split()
        if len(words) < 2 * count or not all(
            word.isdigit() and len(word) < 11 for word in words[: 2 * count]
        ):
            raise MalformedSyntax("an object stream's table is cut short")
        return content, int(first), [int(word) for word in words[: 2 * count]]


def open_reader(data: bytes) -> CarefulReader:
    """Open a PDF for reading, leniently; what leniency could hide is checked elsewhere.

    Raises:
        LockedByPassword: A password is needed.
        Unreadable: The structure is broken.
    """
    try:
        reader = CarefulReader(data)
        locked = reader.encrypted and reader.decrypt("").status == AuthStatus.FAILED
        has_catalogue = locked or isinstance(reader.root, generic.DictionaryObject)
    except MemoryError:
        raise
    except Exception as error:
        if "SecurityHandler" in str(error):
            raise LockedByPassword("a key is needed") from error
        raise Unreadable("the file's structure is broken") from error
    if locked:
        raise LockedByPassword("a password is needed")
    if not has_catalogue:
        raise Unreadable("no catalogue")
    return reader


def object_offset(reader: PdfFileReader, reference: generic.Reference | None) -> int | None:
    """Return where an object stands in the file, None when it is direct or in an object stream."""
    if reference is None:
        return None
    place = reader.xrefs[generic.Reference(reference.idnum, reference.generation, reader)]
    return place if isinstance(place, int) else None


def ambiguous_dictionaries(data: bytes, reader: PdfFileReader) -> bool:
    """Tell whether catalogue, form or a trailer names a key twice, which programs read differently."""
    places: list[int] = []
    for raw in (
        reader.trailer.raw_get("/Root"),
        raw_of(reader.root, "/AcroForm"),
        raw_of(reader.root, "/Pages"),
    ):
        if isinstance(raw, generic.IndirectObject):
            offset = object_offset(reader, raw.reference)
            head = data.find(b"obj", offset, offset + 40) if offset is not None else -1
            if head > 0:
                places.append(head + 3)
    for index in range(reader.total_revisions):
        start = reader.xrefs.get_xref_container_info(index).start_location
        trailer = data.find(b"trailer", start)
        if data[skip_space(data, start) :][:4] == b"xref" and trailer > 0:
            places.append(trailer + 7)
    try:
        return any(scan_value(data, place).duplicate_keys for place in places)
    except MalformedSyntax:
        return True


def collect_store(reader: PdfFileReader, evidence: Evidence) -> bool:
    """Add what the document security store holds to the evidence; tell whether it has revocation data.

    Source: ISO 32000-2 12.8.4.3.
    """
    store = resolved(raw_of(reader.root, "/DSS"))
    if not isinstance(store, generic.DictionaryObject):
        return False
    before = len(evidence.crls) + len(evidence.ocsps)
    holders = [store]
    related = resolved(raw_of(store, "/VRI"))
    if isinstance(related, generic.DictionaryObject):
        holders += [v for v in map(resolved, related.values()) if isinstance(v, generic.DictionaryObject)][
            :_MAX_VALUES
        ]
    for holder in holders:
        for keys, add in (
            (("/Certs", "/Cert"), evidence.add_certificate),
            (("/CRLs", "/CRL"), evidence.add_crl),
            (("/OCSPs", "/OCSP"), evidence.add_ocsp),
        ):
            for key in keys:
                for value in _streams(holder, key, evidence):
                    add(value)
    return len(evidence.crls) + len(evidence.ocsps) > before


def _streams(holder: generic.DictionaryObject, key: str, evidence: Evidence) -> list[bytes]:
    values: list[bytes] = []
    array = resolved(raw_of(holder, key))
    if not isinstance(array, generic.ArrayObject):
        return values
    for index in range(min(len(array), _MAX_VALUES)):
        try:
            stream = resolved(array.raw_get(index))
            content = stream.data if isinstance(stream, generic.StreamObject) else b""
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - filters raise many kinds; a value that cannot be read is counted
            content = b""
        if content and len(content) <= _MAX_VALUE_BYTES:
            values.append(content)
        else:
            evidence.unreadable += 1
    return values


def collect_archived_revocation(content: SignedContent, evidence: Evidence) -> bool:
    """Add the revocation data that Adobe's signed attribute carries; tell whether there was any."""
    attributes: Any = content.signer_info["signed_attrs"]
    found = False
    if isinstance(attributes, core.Void):
        return found
    for attribute in attributes:
        if attribute["type"].native != "adobe_revocation_info_archival":
            continue
        try:
            for value in attribute["values"]:
                for entry in value["ocsp"] or ():
                    evidence.add_ocsp(entry.dump())
                    found = True
                for entry in value["crl"] or ():
                    evidence.add_crl(entry.dump())
                    found = True
        except Exception:  # noqa: BLE001 - asn1crypto's builtin errors; the attribute is counted as unreadable
            evidence.unreadable += 1
    return found
