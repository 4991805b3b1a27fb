"""Accounts for every byte that was added after a signed revision.

What an incremental update may consist of is objects at the places where its own cross-reference section says,
that section, its trailer and the end marker. Anything else is read differently by different programs.

Source: ISO 32000-2 7.5.6; incremental saving attacks and their variants (docs/verify-report.md).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyhanko.pdf_utils import generic

from verify_api.validation.document import CarefulReader
from verify_api.validation.errors import MalformedSyntax
from verify_api.validation.graph import Mark, follow
from verify_api.validation.lexer import Scan, plain_name, scan_value, skip_space
from verify_api.validation.reachability import references_in

if TYPE_CHECKING:
    from pyhanko.pdf_utils.reader import PdfFileReader

_WHITE = rb"[\x00\t\n\x0c\r ]"
_OBJECT_HEAD = re.compile(rb"([0-9]{1,10})" + _WHITE + rb"+([0-9]{1,5})" + _WHITE + rb"+obj\b")
_TABLE = re.compile(
    rb"xref"
    + _WHITE
    + rb"+(?:[0-9]+ [0-9]+"
    + _WHITE
    + rb"+(?:[0-9]{10} [0-9]{5} [nf]"
    + _WHITE
    + rb"{1,4})*)+trailer"
)
_START = re.compile(rb"startxref" + _WHITE + rb"+([0-9]+)" + _WHITE + rb"+%%EOF")
_STREAM = re.compile(rb"stream(?:\r\n|\n|\r)")
_COMMENT = re.compile(rb"%[^\r\n]{0,128}(?=[\r\n]|\Z)")
_STRUCTURE = frozenset({"/XRef", "/ObjStm", "/Catalog", "/Pages", "/Page", "/Sig", "/DocTimeStamp"})
_MAX_WALKED = 200_000
_LENGTH = re.compile(rb"([0-9]{1,10})(?:" + _WHITE + rb"+([0-9]{1,5})" + _WHITE + rb"+R)?")


def unaccounted_bytes(data: bytes, start: int, reader: PdfFileReader) -> str | None:
    """Say what stands after `start` that is no part of an incremental update.

    Args:
        data: The file.
        start: Where the earlier state ends.
        reader: Reader of the whole file.

    Returns:
        None when every byte has its place, else a short English description.
    """
    try:
        return _Walk(data, start, reader).run()
    except MalformedSyntax as error:
        return str(error)


def points_back(start: int, reader: PdfFileReader) -> bool:
    """Tell whether a cross-reference section that stands after `start` names an object that stands before it."""
    for index in range(reader.total_revisions):
        if reader.xrefs.get_xref_container_info(index).start_location < start:
            continue
        table = reader.xrefs.get_xref_data(index)
        entries = [*table.standard_xrefs.values()]
        entries += table.hybrid.xref_data.standard_xrefs.values() if table.hybrid is not None else []
        if any(offset < start for _, offset in entries):
            return True
    return False


def referenced_numbers(reader: PdfFileReader) -> frozenset[int]:
    """Return the number of every object that a cross-reference names as used, or that anything refers to.

    Raises:
        MalformedSyntax: There are absurdly many.
    """
    found: set[int] = set()
    for index in range(reader.total_revisions):
        table = reader.xrefs.get_xref_data(index)
        found |= {number for number, _ in table.explicit_refs_in_revision}
        if table.hybrid is not None:
            found |= {number for number, _ in table.hybrid.xref_data.explicit_refs_in_revision}
    seen: set[Mark] = set()
    stack = list(references_in(reader.trailer.flatten()))
    while stack:
        place = stack.pop()
        if place in seen:
            continue
        if len(seen) > _MAX_WALKED:
            raise MalformedSyntax("the document has too many objects")
        seen.add(place)
        stack.extend(references_in(follow(generic.Reference(*place, reader))))
    return frozenset(found | {number for number, _ in seen})


def section_starts(data: bytes, reader: PdfFileReader) -> list[int]:
    """Return where the cross-reference sections stand, oldest first."""
    return [_section_start(data, reader, index) for index in range(reader.total_revisions)]


def _section_start(data: bytes, reader: PdfFileReader, index: int) -> int:
    # pyHanko notes a table's place after the word xref, and a corrected place when the pointer was wrong.
    info = reader.xrefs.get_xref_container_info(index)
    declared = skip_space(data, info.declared_startxref)
    return declared if declared <= info.start_location <= declared + 6 else info.start_location


class _Walk:
    def __init__(self, data: bytes, start: int, reader: PdfFileReader) -> None:
        self.data, self.at, self.reader = data, start, reader
        self.offsets: set[int] = set()
        self.sections: set[int] = set()
        self.streams: set[int] = set()  # object streams that the updates use
        for index in range(reader.total_revisions):
            info = reader.xrefs.get_xref_container_info(index)
            table = reader.xrefs.get_xref_data(index)
            if info.start_location < start:
                continue
            self.sections.add(_section_start(data, reader, index))
            self.streams |= set(table.obj_streams_used)
            if table.hybrid is not None:
                self.streams |= set(table.hybrid.xref_data.obj_streams_used)
            self.offsets |= {skip_space(data, offset) for _, offset in table.standard_xrefs.values()}
            if table.hybrid is not None:
                self.sections.add(table.hybrid.meta_info.start_location)
                self.offsets |= {
                    skip_space(data, o) for _, o in table.hybrid.xref_data.standard_xrefs.values()
                }
        self.pending = {offset for offset in self.offsets if offset >= start}
        self.referenced: frozenset[int] | None = None  # gathered when the first orphan shows up
        self.earlier = {offset for offset in self.offsets if offset < start}

    def run(self) -> str | None:
        """Walk to the end of the file."""
        if self.earlier:
            return "an update's cross-reference points back into the signed part"
        if not self.sections:
            return "bytes after the end of the file"
        ended = False
        while True:
            self._space()
            if self.at >= len(self.data):
                break
            ended = self._item()
        if not ended:
            return "the update does not end with %%EOF"
        if self.pending:
            return "an object is not where the cross-reference says"
        if isinstance(self.reader, CarefulReader) and any(map(self.reader.names_keys_twice, self.streams)):
            return "a dictionary in an object stream names a key twice"
        return None

    def _space(self) -> None:
        data = self.data
        while self.at < len(data):
            byte = data[self.at]
            if byte in b"\x00\t\n\x0c\r ":
                self.at += 1
                continue
            comment = _COMMENT.match(data, self.at) if byte == 0x25 else None
            if comment is None:
                return
            self.at = comment.end()

    def _item(self) -> bool:
        """Consume one item; True when it is the end marker."""
        data, at = self.data, self.at
        if match := _START.match(data, at):
            if skip_space(data, int(match.group(1))) not in self.sections:
                raise MalformedSyntax("startxref points elsewhere")
            self.at = match.end()
            return True
        if match := _TABLE.match(data, at):
            if at not in self.sections:
                raise MalformedSyntax("a cross-reference table that is not used")
            scan = scan_value(data, match.end())
            self._no_duplicates(scan)
            self.at = scan.end
            return False
        match = _OBJECT_HEAD.match(data, at)
        if match is None:
            raise MalformedSyntax("bytes that belong to no object")
        if at not in self.offsets and at not in self.sections:
            self._orphan(int(match.group(1)), match.end())
        self.pending.discard(at)
        self._object(match.end())
        return False

    def _orphan(self, number: int, at: int) -> None:
        """Accept an object that nothing names and nothing refers to: programs leave such behind.

        One whose number is in use, or that a repairing reader could take for structure, is read differently.
        """
        if self.referenced is None:
            self.referenced = referenced_numbers(self.reader)
        kind = scan_value(self.data, at).entries.get("/Type")
        name = plain_name(self.data[kind.value_start : kind.value_end]) if kind else ""
        if number in self.referenced or name in _STRUCTURE:
            raise MalformedSyntax("an object that no cross-reference names")

    def _object(self, at: int) -> None:
        data = self.data
        scan = scan_value(data, at)
        self._no_duplicates(scan)
        at = skip_space(data, scan.end)
        if stream := _STREAM.match(data, at):
            at = stream.end() + self._length(scan)
            at = skip_space(data, at)
            if data[at : at + 9] != b"endstream":
                raise MalformedSyntax("a stream's length is wrong")
            at = skip_space(data, at + 9)
        if data[at : at + 6] != b"endobj":
            raise MalformedSyntax("an object does not end")
        self.at = at + 6

    def _length(self, scan: Scan) -> int:
        entry = scan.entries.get("/Length")
        match = _LENGTH.fullmatch(self.data, entry.value_start, entry.value_end) if entry else None
        if match is None:
            raise MalformedSyntax("a stream has no length")
        if match.group(2) is None:
            return int(match.group(1))
        reference = generic.Reference(int(match.group(1)), int(match.group(2)), self.reader)
        value = follow(reference)
        if not isinstance(value, int) or value < 0:
            raise MalformedSyntax("a stream has no length")
        return int(value)

    @staticmethod
    def _no_duplicates(scan: Scan) -> None:
        if scan.duplicate_keys:
            raise MalformedSyntax("a dictionary names a key twice")
