"""Exports: whole by RFC 4180, readable by Excel, and nothing in them is calculated."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from cert_registry.web.export import cell, csv_chunks, csv_file
from cert_registry.web.listing import Column

cells = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=500))
def test_a_reader_gets_every_cell_back(rows: list[list[str]]) -> None:
    content = b"".join(csv_chunks(["甲", "乙"], rows))
    assert content.startswith("\ufeff甲,乙\r\n".encode())
    read = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert read[1:] == [[cell(text) for text in row] for row in rows]


@given(cells)
def test_no_cell_begins_a_formula(text: str) -> None:
    shown = cell(text)
    assert shown.lstrip(" '\"")[:1] not in {"=", "+", "-", "@", "＝", "＋", "－", "＠"} or shown.startswith(
        "'"
    )
    assert text in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('=HYPERLINK("http://x")', '\'=HYPERLINK("http://x")'),
        (" +1", "' +1"),
        ("\t=1", "'\t=1"),
        ("-2", "'-2"),
        ("＝1", "'＝1"),
        ("620102199001010017", "620102199001010017\t"),
        ("62010219900101001X", "62010219900101001X"),
        ("甘****", "甘****"),
        ("2026-11-25", "2026-11-25"),
        ("a\0b", "ab"),
    ],
)
def test_cells(text: str, shown: str) -> None:
    assert cell(text) == shown


def test_the_download_has_its_name_and_is_sent_in_pieces() -> None:
    fetched: list[int] = []

    def rows() -> list[int]:
        fetched.append(1)
        return [1, 2]

    columns: tuple[Column[int], ...] = (Column(key="n", title="数", text=str),)
    with Flask("test").test_request_context():
        response = csv_file(
            "things", columns, (n for n in rows()), now=datetime(2026, 11, 25, 17, tzinfo=UTC)
        )
        assert response.headers["Content-Disposition"] == 'attachment; filename="things-2026-11-26.csv"'
        assert response.get_data() == "\ufeff数\r\n1\r\n2\r\n".encode()
    assert response.content_type.startswith("text/csv; charset=utf-8")
