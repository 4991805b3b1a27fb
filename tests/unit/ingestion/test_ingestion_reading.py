"""Files as they come: encodings, line numbers, quotes that never close."""

import codecs
import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cert_registry.ingestion.errors import FileNotReadable, HeaderRefused, MappingMalformed
from cert_registry.ingestion.mapping import load_mapping
from cert_registry.ingestion.reading import MAX_LINE_CHARACTERS, Record, SurveyedFile, records, survey
from cert_registry.ingestion.types import Reason

pytestmark = pytest.mark.thorough

TEXT = "许可证编号,经营者名称\r\nJY1,示例市面馆\r\n"


def read(path: Path) -> list[Record]:
    return list(records(survey(path)))


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "UTF-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "UTF-8-BOM"),
        (TEXT.encode("gb18030"), "GB18030"),
        ("许可证编号,王𠮷\n".encode("gb18030"), "GB18030"),
        (b"licence_number,a\n", "UTF-8"),
        (b"", "UTF-8"),
    ],
)
def test_encodings_are_found_by_reading_all_of_the_file(
    tmp_path: Path, content: bytes, encoding: str
) -> None:
    path = tmp_path / "stock.csv"
    path.write_bytes(content)
    assert survey(path).encoding_name == encoding
    if content:
        first = read(path)[0].cells
        assert first
        assert first[0] in {"许可证编号", "licence_number"}


@pytest.mark.parametrize("content", [TEXT.encode("utf-16"), b"\xff\xff\xff", b"PK\x03\x04\xff\x00\xfe"])
def test_what_is_no_text_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(FileNotReadable):
        survey(tmp_path / "x")


def test_a_missing_file_and_one_that_changes_are_told(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with pytest.raises(FileNotReadable):
        survey(path)
    path.write_bytes(TEXT.encode())
    surveyed = survey(path)
    path.write_bytes(b"a,b\n\xff\xff\n")
    with pytest.raises(FileNotReadable):
        list(records(surveyed))
    path.unlink()
    with pytest.raises(FileNotReadable):
        list(records(surveyed))


def test_a_late_byte_that_is_no_utf_8_turns_the_whole_file_into_gb18030(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"a,b\n" * 400_000 + "甘,肃\n".encode("gb18030"))
    surveyed = survey(path)
    assert surveyed.encoding == "gb18030"
    last = list(records(surveyed))[-1]
    assert (last.line_number, last.cells) == (400_001, ("甘", "肃"))


def test_rows_keep_the_number_of_the_line_where_they_begin(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text('a,b\n\n"two\nlines",2\n  \n3,4\r\n5,"say ""x""",', encoding="utf-8", newline="")
    assert [(each.line_number, each.cells) for each in read(path)] == [
        (1, ("a", "b")),
        (3, ("two\nlines", "2")),
        (6, ("3", "4")),
        (7, ("5", 'say "x"', "")),
    ]


def test_a_quote_that_never_closes_costs_one_row_and_no_more(tmp_path: Path) -> None:
    path = tmp_path / "x"
    rows = ["a,b", '"open,1', *[f"{number},x" for number in range(100)], '7,"also open']
    path.write_text("\n".join(rows), encoding="utf-8")
    found = read(path)
    assert [each.line_number for each in found] == list(range(1, 104))
    assert [each.line_number for each in found if each.fault] == [2, 103]
    assert found[1].fault is Reason.MALFORMED_ROW
    assert found[5].cells == ("3", "x")


def test_a_row_without_end_is_skipped_and_told(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("a,b\n" + "x" * (3 * MAX_LINE_CHARACTERS) + ",1\n2,3\n", encoding="utf-8")
    found = read(path)
    assert [(each.line_number, each.fault) for each in found] == [
        (1, None),
        (2, Reason.ROW_TOO_LONG),
        (3, None),
    ]
    assert found[2].cells == ("2", "3")


CELLS = st.text(
    alphabet=st.characters(codec="utf-8", exclude_characters="\r\x00\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"),
    max_size=20,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(CELLS, min_size=2, max_size=4), min_size=1, max_size=12))
def test_what_a_csv_writer_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    rows = [["h", "h"], *[row for row in rows if "".join(row).strip()]]
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows(rows)
    path = tmp_path_factory.mktemp("rows") / "x"
    path.write_bytes(text.getvalue().encode())
    surveyed = SurveyedFile(path=path, digest="", encoding="utf-8", has_mark=False)
    assert [list(each.cells or ()) for each in records(surveyed)] == rows


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_become_rows_or_a_refusal(tmp_path_factory: pytest.TempPathFactory, noise: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / "x"
    path.write_bytes(noise)
    try:
        found = read(path)
    except FileNotReadable:
        return
    numbers = [each.line_number for each in found]
    assert numbers == sorted(set(numbers))


HEADER = [
    "许可证编号",
    "企业 名称",
    "统一社会信用代码",
    "法定代表人(负责人)",
    "住所",
    "经营场所",
    "主体业态",
    "经营项目",
    "有效期自",
    "有效期至",
    "发证日期",
    "发证机关",
    "发证机关代码",
]


def test_headers_are_compared_without_width_case_and_blanks() -> None:
    bound = load_mapping("food-business-licence").bind(["备注", *HEADER])
    assert bound.places[:2] == (1, 2)
    assert bound.places[8] is None, "签发人 is not required"
    assert bound.ignored == ("备注",)


def test_a_header_that_lacks_or_repeats_a_column_is_refused_by_name() -> None:
    mapping = load_mapping("food-business-licence")
    with pytest.raises(HeaderRefused, match="经营场所、主体业态"):
        mapping.bind([name for name in HEADER if name not in {"经营场所", "主体业态"}])
    with pytest.raises(HeaderRefused, match="住所"):
        mapping.bind([*HEADER, "注册地址"])


GOOD_MAPPING = """
type: t
number_field: n
columns:
  - {field: n, title: N, headers: [n]}
  - {field: d, title: D, headers: [d], kind: date, place: issued-on}
  - {field: i, title: I, headers: [i], place: issuer-name}
  - {field: c, title: C, headers: [c], place: issuer-code}
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("number_field: n", "number_field: x"),
        ("headers: [d]", "headers: [N]"),
        ("place: issuer-name", "place: issuer-code"),
        ("type: t", "type: [t"),
        ("type: t", "kind: t"),
    ],
)
def test_mappings_that_contradict_themselves_are_refused(tmp_path: Path, old: str, new: str) -> None:
    (tmp_path / "t.yaml").write_text(GOOD_MAPPING, encoding="utf-8")
    assert load_mapping("t", tmp_path).type_slug == "t"
    (tmp_path / "t.yaml").write_text(GOOD_MAPPING.replace(old, new), encoding="utf-8")
    with pytest.raises(MappingMalformed):
        load_mapping("t", tmp_path)
    for name in ("none", "../t", "."):
        with pytest.raises(MappingMalformed):
            load_mapping(name, tmp_path)
