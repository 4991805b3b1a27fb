"""A table as CSV that spreadsheets open as they should.

UTF-8 with a byte order mark (without it Excel reads Chinese as GBK), lines and quotes as in RFC 4180, a heading line. Two
dangers of spreadsheets are met: a cell that would be taken for a formula gets an apostrophe in front, and a long row of digits
a tab behind it, so that it stays text and keeps its last digits (a double holds fifteen).
Source: RFC 4180; OWASP, "CSV Injection".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, TypeVar

from flask import Response, current_app, stream_with_context

from cert_registry.civil_date import civil_date_at
from cert_registry.web.listing import Column

R = TypeVar("R")

MAXIMUM_ROWS: Final = 10_000
"""More than this is refused before the first line: filter first."""
_FORMULA: Final = re.compile(r"[\s'\"]*[=+\-@|%＝＋－＠]|[\t\r\n]")  # full-width signs start formulas too
_LONG_NUMBER: Final = re.compile(r"[0-9]{12,}")
_ROWS_A_CHUNK: Final = 200


def cell(text: str) -> str:
    """Return a cell that no spreadsheet calculates or rounds."""
    whole = text.replace("\0", "")
    if _FORMULA.match(whole):
        return f"'{whole}"
    return f"{whole}\t" if _LONG_NUMBER.fullmatch(whole) else whole


def csv_chunks(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Yield the file in pieces: mark and heading first, then some hundred rows at a time."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    buffer.write("\ufeff")
    writer.writerow([cell(title) for title in titles])
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(text) for text in row])
        if number % _ROWS_A_CHUNK == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def csv_file(name: str, columns: Sequence[Column[R]], rows: Iterable[R], *, now: datetime) -> Response:
    """Return the download, its headings in the language of the page that asked for it.

    Args:
        name: ASCII, what the file is called before the day.
        columns: The table's; their `text` is what is exported.
        rows: Fetched while the file is sent; whoever passes them records first what is recorded.
        now: The day in the file's name.
    """
    lines = (tuple(column.text(row) for column in columns) for row in rows)  # data stay as registered
    told: Callable[[str], str] = current_app.jinja_env.filters.get("said_plain", str)
    chunks = csv_chunks([told(column.title) for column in columns], lines)
    response = Response(stream_with_context(chunks), content_type="text/csv; charset=utf-8; header=present")
    file_name = f"{name}-{civil_date_at(now).isoformat()}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{file_name}"'
    return response
