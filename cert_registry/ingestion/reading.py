"""Reading a CSV file as a stream: digest and encoding first, then record by record with line numbers."""

import codecs
import csv
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cert_registry.ingestion.errors import FileNotReadable
from cert_registry.ingestion.types import Reason

BLOCK_BYTES = 1 << 20
MAX_LINE_CHARACTERS = 65_536
MAX_LINES_A_RECORD = 20
"""A cell may hold line breaks; an unclosed quote must not swallow the rest of the file."""
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyedFile:
    """A file that was read through once.

    Attributes:
        digest: SHA-256 in lower-case hex.
        encoding: ``utf-8-sig`` (which also reads UTF-8 without mark) or ``gb18030``.
        has_mark: whether it begins with a byte order mark.
    """

    path: Path
    digest: str
    encoding: str
    has_mark: bool

    @property
    def encoding_name(self) -> str:
        """The encoding as reports name it."""
        if self.encoding == "gb18030":
            return "GB18030"
        return "UTF-8-BOM" if self.has_mark else "UTF-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row as it came.

    Attributes:
        line_number: where it begins; the first line of the file is 1.
        cells: None when the row cannot be taken apart.
        fault: why not.
    """

    line_number: int
    cells: tuple[str, ...] | None
    fault: Reason | None = None


def survey(path: Path) -> SurveyedFile:
    """Read the whole file once, in blocks: its digest, and the encoding in which all of it is text.

    Raises:
        FileNotReadable: it cannot be read, or is text neither in UTF-8 nor in GB18030.
    """
    digest = hashlib.sha256()
    decoders = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8", "gb18030")}
    start = b""
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                start = start or block[:4]
                digest.update(block)
                _feed(decoders, block, final=False)
        _feed(decoders, b"", final=True)
    except OSError as error:
        raise FileNotReadable(f"无法读取 {path.name}：{error.strerror}。") from error
    if start.startswith(UTF_16) or not decoders:
        raise FileNotReadable(f"{path.name} 不是 UTF-8 或 GB18030 编码的文本。")
    encoding = "utf-8-sig" if "utf-8" in decoders else "gb18030"
    return SurveyedFile(
        path=path, digest=digest.hexdigest(), encoding=encoding, has_mark=start.startswith(codecs.BOM_UTF8)
    )


def records(surveyed: SurveyedFile) -> Iterator[Record]:
    """Every row that is not blank, the header included, one at a time.

    Raises:
        FileNotReadable: the file cannot be read any more.
    """
    try:
        with surveyed.path.open(encoding=surveyed.encoding, newline="") as file:
            yield from _records(file)
    except (OSError, UnicodeDecodeError) as error:
        raise FileNotReadable(f"{surveyed.path.name} 在读取时变了。") from error


def _feed(decoders: dict[str, codecs.IncrementalDecoder], block: bytes, *, final: bool) -> None:
    for name in list(decoders):
        try:
            decoders[name].decode(block, final)
        except UnicodeDecodeError:
            del decoders[name]


def _records(file: IO[str]) -> Iterator[Record]:
    lines = enumerate(_lines(file), start=1)
    waiting: list[tuple[int, str]] = []
    while True:
        if not waiting:
            following = next(lines, None)
            if following is None:
                return
            waiting.append(following)
        number, line = waiting.pop(0)
        if len(line) > MAX_LINE_CHARACTERS:
            yield Record(line_number=number, cells=None, fault=Reason.ROW_TOO_LONG)
            continue
        text, taken = _joined(line, lines, waiting)
        if not text.strip():
            continue
        cells = _split(text)
        if cells is None:  # the lines that were joined in vain are rows of their own
            yield Record(line_number=number, cells=None, fault=Reason.MALFORMED_ROW)
            continue
        del waiting[:taken]
        yield Record(line_number=number, cells=cells)


def _joined(line: str, lines: Iterator[tuple[int, str]], waiting: list[tuple[int, str]]) -> tuple[str, int]:
    """A row's text, with the lines that its quoted line breaks continue on, and how many of those there are."""
    text, taken = line, 0
    while text.count('"') % 2 and taken < MAX_LINES_A_RECORD - 1:
        if taken == len(waiting):
            following = next(lines, None)
            if following is None:
                break
            waiting.append(following)
        text += waiting[taken][1]
        taken += 1
    return text, taken


def _split(text: str) -> tuple[str, ...] | None:
    if text.count('"') % 2 or len(text) > MAX_LINE_CHARACTERS:
        return None
    try:
        rows = list(csv.reader([text.rstrip("\r\n")], strict=True))
    except csv.Error:
        return None
    return tuple(rows[0]) if len(rows) == 1 else None


def _lines(file: IO[str]) -> Iterator[str]:
    """Lines; of one that is too long only the beginning."""
    while line := file.readline(MAX_LINE_CHARACTERS + 1):
        rest = line
        while len(rest) > MAX_LINE_CHARACTERS and not rest.endswith("\n"):
            rest = file.readline(MAX_LINE_CHARACTERS + 1)
        yield line
