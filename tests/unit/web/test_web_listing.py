"""Staff tables: stable pages, addresses that hold nothing but what the table declares, headings that say their order."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask, render_template_string
from hypothesis import given
from hypothesis import strategies as st
from test_web_language import ROOT

from cert_registry.web.listing import Asked, Column, Filter, Listing, Place, Slice, slice_of
from idp.web.language import install_language

Row = tuple[str, str, str]  # key, day, name
LISTING: Listing[Row] = Listing(
    path="/officer/things",
    name="物品",
    columns=(
        Column(key="day", title="日期", text=lambda row: row[1], sortable=True, fixed=True),
        Column(key="name", title="名称", text=lambda row: row[2]),
    ),
    filters=(
        Filter(name="kind", title="种类", choices=(("a", "甲"), ("b", "乙"))),
        Filter(name="since", title="自"),
    ),
    sort="day",
)


def place_of(row: Row) -> Place:
    return Place(value=row[1], key=row[0])


def follow(url: str) -> Asked:
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return LISTING.asked(query)


def page(rows: list[Row], asked: Asked, size: int) -> Slice[Row]:
    return slice_of(rows, asked, place_of=place_of, size=size)


rows_strategy = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4),
    st.sampled_from(["2026-01-01", "2026-01-02", "2026-01-03"]),
    max_size=30,
).map(lambda found: [(key, day, "名") for key, day in found.items()])


@given(rows=rows_strategy, size=st.integers(1, 7), rising=st.booleans())
def test_every_row_is_met_once_forward_and_the_same_backward(
    rows: list[Row], size: int, *, rising: bool
) -> None:
    asked = LISTING.asked({"sort": "day"} if rising else {})
    forward, shown = [], page(rows, asked, size)
    forward.append(shown.rows)
    while url := LISTING.view(asked, shown).next_url:
        asked = follow(url)
        shown = page(rows, asked, size)
        forward.append(shown.rows)
    met = [row for one in forward for row in one]
    assert met == sorted(rows, key=lambda row: (row[1], row[0]), reverse=not rising)
    backward = [shown.rows]
    while url := LISTING.view(asked, shown).previous_url:
        asked = follow(url)
        shown = page(rows, asked, size)
        backward.insert(0, shown.rows)
    assert [row for one in backward for row in one] == met


def test_rows_that_come_and_go_meanwhile_neither_repeat_nor_hide_others() -> None:
    rows = [(f"k{number:02}", f"2026-01-{number:02}", "名") for number in range(1, 11)]
    asked = LISTING.asked({})
    first = page(rows, asked, 3)
    changed = [("k99", "2026-02-01", "新"), *(row for row in rows if row != first.rows[-1])]
    second = page(changed, follow(LISTING.view(asked, first).next_url), 3)
    assert [row[0] for row in first.rows] == ["k10", "k09", "k08"]
    assert [row[0] for row in second.rows] == ["k07", "k06", "k05"]


@given(
    st.dictionaries(
        st.sampled_from(["sort", "kind", "since", "after", "before", "found", "x"]), st.text(max_size=40)
    )
)
def test_whatever_an_address_holds_only_what_is_declared_is_repeated(arguments: dict[str, str]) -> None:
    asked = LISTING.asked(arguments)
    query = parse_qs(urlsplit(LISTING.url(asked)).query)
    assert set(query) <= {"sort", "kind", "since", "found"}
    assert query.get("sort", ["-day"])[0] in {"day", "-day"}
    assert query.get("kind", ["a"])[0] in {"a", "b"}
    assert LISTING.asked({name: values[0] for name, values in query.items()}).filters == asked.filters


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_place_survives_its_token(value: str, key: str) -> None:
    place = Place(value=value, key=key)
    found = Place.from_token(place.token())
    assert found in {place, None}
    assert found == place or len(place.token()) > 600


@pytest.mark.parametrize(
    "token", ["", "!", "e30", "W10", "WyJhIl0", "WzEsMl0", "WyJhIiwgImIiXQ", "A" * 601, "WyJhIiwiYiJd="]
)
def test_a_token_that_is_none_of_ours_is_the_top(token: str) -> None:
    assert LISTING.asked({"after": token}).place is None


@pytest.fixture
def application() -> Flask:
    app = Flask("test", template_folder=str(ROOT / "templates"))
    install_language(app)
    return app


def test_the_macros_draw_order_filters_and_ways_on(application: Flask) -> None:
    rows = [(f"k{number:02}", "2026-01-01", f"<{number}>") for number in range(30)]
    asked = LISTING.asked({"kind": "b", "after": Place(value="2026-01-01", key="k29").token()})
    source = (
        '{% import "listing.html" as listing with context %}{{ listing.filters(view) }}{{ listing.count(view) }}'
        "{% call(row, key) listing.table(view) %}{{ row[2] if key == 'name' else row[1] }}{% endcall %}"
        "{{ listing.pager(view) }}{{ listing.export(view) }}"
    )
    with application.test_request_context():
        shown = render_template_string(source, view=LISTING.view(asked, page(rows, asked, 25)))
    assert (
        '<th scope="col" aria-sort="descending"><a href="/officer/things?kind=b&amp;sort=day">日期' in shown
    )
    assert '<td data-label="名称">&lt;28&gt;</td>' in shown
    assert '<option value="b" selected>乙</option>' in shown
    assert "共 30 条。" in shown
    assert 'href="/officer/things?kind=b&amp;format=csv"' in shown
    assert shown.count("<tr>") == 26
    assert 'rel="prev"' in shown
    assert 'rel="next"' in shown
