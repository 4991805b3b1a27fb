"""Tables for staff: what an address asks of a table, one page of it, and the addresses that lead on from there.

A desk declares a `Listing` once (columns, filters, path), reads `asked = listing.asked(request.args)`, fetches a `Slice`
(`assemble` from a store, `slice_of` from rows in memory) and hands `listing.view(asked, found)` to the macros of
`templates/listing.html`. `export.py` writes the same columns as CSV.

An address holds filters, sort and place, all of them checked against the declaration; none may be personal data: what a person
is searched by goes by POST and is kept in the session (`searches.py`). A page begins after a row, not at a number, so that
rows which come or go meanwhile neither repeat nor hide others, and the millionth row costs what the first does.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Generic, TypeVar
from urllib.parse import urlencode

R = TypeVar("R")

PAGE_ROWS: Final = 25
_LONGEST_PLACE: Final = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Column(Generic[R]):
    """One column.

    Attributes:
        key: Name in the address when the table is sorted by it.
        text: The cell as it is exported; the page may show more.
        sortable: Whether the heading sorts.
        fixed: Whether the cell stays on one line.
    """

    key: str
    title: str
    text: Callable[[R], str]
    sortable: bool = False
    fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One filter: a choice, or a civil day (YYYY-MM-DD) where there are no choices.

    Attributes:
        choices: Values in the address with their titles.
    """

    name: str
    title: str
    choices: tuple[tuple[str, str], ...] = ()

    def accepted(self, unverified_value: str) -> str:
        """The value, or empty when it is none that the filter has."""
        if self.choices:
            return unverified_value if any(unverified_value == value for value, _ in self.choices) else ""
        try:
            return (
                unverified_value
                if date.fromisoformat(unverified_value).isoformat() == unverified_value
                else ""
            )
        except ValueError:
            return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A row's place in the order: the value it is sorted by, and its key, which makes the order total."""

    value: str
    key: str

    def token(self) -> str:
        """The place as it stands in an address."""
        packed = json.dumps([self.value, self.key], ensure_ascii=True, separators=(",", ":"))
        return base64.urlsafe_b64encode(packed.encode()).rstrip(b"=").decode()

    @classmethod
    def from_token(cls, unverified_token: str) -> Place | None:
        """The place behind a token; None when it is none of ours."""
        if not unverified_token or len(unverified_token) > _LONGEST_PLACE:
            return None
        padded = unverified_token + "=" * (-len(unverified_token) % 4)
        try:
            parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        except (binascii.Error, ValueError, RecursionError):
            return None
        if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(one, str) for one in parts):
            return None
        place = cls(value=parts[0], key=parts[1])
        return place if place.token() == unverified_token else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an address asks of a table.

    Attributes:
        filters: Every filter of the table with its value, empty where it is not used.
        place: Where the page begins; None: at the top.
        backward: Whether the page ends before `place` instead of beginning after it.
        found: Random name of a search that the session keeps; empty where none is asked for.
    """

    sort: str
    descending: bool
    filters: Mapping[str, str]
    place: Place | None = None
    backward: bool = False
    found: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice(Generic[R]):
    """One page of rows.

    Attributes:
        first: Place of the first row, None on an empty page; `last` likewise.
        count: Rows that the filters leave, counted no further than `more_than_count` tells.
        more_than_count: Whether there are more than `count`.
    """

    rows: tuple[R, ...]
    first: Place | None
    last: Place | None
    has_before: bool
    has_after: bool
    count: int
    more_than_count: bool = False


def assemble(
    fetched: Sequence[R],
    asked: Asked,
    *,
    place_of: Callable[[R], Place],
    count: int,
    more_than_count: bool = False,
    size: int = PAGE_ROWS,
) -> Slice[R]:
    """Return a page from what a store fetched.

    Args:
        fetched: At most `size` + 1 rows from `asked.place` on, in the direction of reading.
        asked: What was asked.
        place_of: Place of a row.
        count: How many rows the filters leave.
        more_than_count: Whether there are more than that.
        size: Rows of a page.
    """
    rows, more = tuple(fetched[:size]), len(fetched) > size
    if asked.backward:
        rows = rows[::-1]
    return Slice(
        rows=rows,
        first=place_of(rows[0]) if rows else None,
        last=place_of(rows[-1]) if rows else None,
        has_before=more if asked.backward else asked.place is not None,
        has_after=True if asked.backward else more,
        count=count,
        more_than_count=more_than_count,
    )


def slice_of(
    rows: Sequence[R],
    asked: Asked,
    *,
    place_of: Callable[[R], Place],
    size: int = PAGE_ROWS,
) -> Slice[R]:
    """Return a page of rows that are in memory; `place_of` takes the value of the column `asked.sort`.

    Values are compared as texts: write days and times in ISO form, numbers with leading zeros.
    """
    ordered = sorted(rows, key=lambda row: _order(place_of(row)), reverse=asked.descending)
    if asked.backward:
        ordered.reverse()
    if asked.place is not None:
        start, falling = _order(asked.place), asked.descending != asked.backward
        ordered = [
            row
            for row in ordered
            if (_order(place_of(row)) < start if falling else _order(place_of(row)) > start)
        ]
    return assemble(ordered[: size + 1], asked, place_of=place_of, count=len(rows), size=size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A column's heading on a page.

    Attributes:
        aria_sort: `ascending` or `descending` where the table is sorted by it, `none` where it could be, else empty.
        url: Where the heading leads; empty when it does not sort.
    """

    key: str
    title: str
    fixed: bool
    aria_sort: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TableView(Generic[R]):
    """What the macros of `listing.html` draw.

    Attributes:
        sorts: Value, title, whether falling, whether chosen; for the choice that also works where headings are hidden.
        narrowed: Whether any filter or search is in use; `days_used` whether one of days is.
    """

    name: str
    path: str
    asked: Asked
    found: Slice[R]
    headings: tuple[Heading, ...]
    filters: tuple[Filter, ...]
    sorts: tuple[tuple[str, str, bool, bool], ...]
    narrowed: bool
    days_used: bool
    previous_url: str
    next_url: str
    top_url: str
    export_url: str


class Listing(Generic[R]):
    """One table of the desk.

    Args:
        path: Its address.
        name: What it is called, for those who listen.
        columns: In order.
        filters: In order.
        sort: Key of the column that it is sorted by when the address does not say.
        descending: Whether that is falling.
    """

    def __init__(
        self,
        *,
        path: str,
        name: str,
        columns: Sequence[Column[R]],
        filters: Sequence[Filter] = (),
        sort: str,
        descending: bool = True,
    ) -> None:
        self.path = path
        self.name = name
        self.columns = tuple(columns)
        self.filters = tuple(filters)
        self._sort = sort
        self._descending = descending

    def asked(self, unverified_arguments: Mapping[str, str]) -> Asked:
        """What an address asks; what the table does not have is left aside, as if it were not there."""
        sort, descending = self._sort, self._descending
        wanted = unverified_arguments.get("sort", "")
        if any(column.sortable and column.key == wanted.removeprefix("-") for column in self.columns):
            sort, descending = wanted.removeprefix("-"), wanted.startswith("-")
        before = Place.from_token(unverified_arguments.get("before", ""))
        found = unverified_arguments.get("found", "")
        return Asked(
            sort=sort,
            descending=descending,
            filters={
                one.name: one.accepted(unverified_arguments.get(one.name, "").strip()) for one in self.filters
            },
            place=before or Place.from_token(unverified_arguments.get("after", "")),
            backward=before is not None,
            found=found if found.isascii() and found.isalnum() and len(found) <= 32 else "",
        )

    def view(self, asked: Asked, found: Slice[R]) -> TableView[R]:
        """What a page shows of a slice."""
        return TableView(
            name=self.name,
            path=self.path,
            asked=asked,
            found=found,
            headings=tuple(self._heading(column, asked) for column in self.columns),
            filters=self.filters,
            sorts=tuple(
                (
                    _signed(column.key, descending=falling),
                    column.title,
                    falling,
                    (column.key, falling) == (asked.sort, asked.descending),
                )
                for column in self.columns
                if column.sortable
                for falling in (True, False)
            ),
            narrowed=bool(asked.found) or any(asked.filters.values()),
            days_used=any(asked.filters[one.name] for one in self.filters if not one.choices),
            previous_url=self._place_url(asked, "before", found.first) if found.has_before else "",
            next_url=self._place_url(asked, "after", found.last) if found.has_after else "",
            top_url=self.url(asked),
            export_url=self.url(asked, format="csv"),
        )

    def url(self, asked: Asked, **more: str) -> str:
        """The address of the same filters, sort and search, at the top."""
        query: dict[str, Any] = {name: value for name, value in asked.filters.items() if value}
        if (asked.sort, asked.descending) != (self._sort, self._descending):
            query["sort"] = _signed(asked.sort, descending=asked.descending)
        if asked.found:
            query["found"] = asked.found
        query.update(more)
        return f"{self.path}?{urlencode(query)}" if query else self.path

    def _place_url(self, asked: Asked, direction: str, place: Place | None) -> str:
        return self.url(asked, **{direction: place.token()}) if place is not None else self.url(asked)

    def _heading(self, column: Column[R], asked: Asked) -> Heading:
        chosen = column.key == asked.sort
        falling = not asked.descending if chosen else self._descending
        order = ("descending" if asked.descending else "ascending") if chosen else "none"
        return Heading(
            key=column.key,
            title=column.title,
            fixed=column.fixed,
            aria_sort=order if column.sortable else "",
            url=self.url(asked, sort=_signed(column.key, descending=falling)) if column.sortable else "",
        )


def _order(place: Place) -> tuple[str, str]:
    return place.value, place.key


def _signed(key: str, *, descending: bool) -> str:
    return f"-{key}" if descending else key
