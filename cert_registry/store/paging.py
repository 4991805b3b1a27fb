"""Keyset paging: a page begins after a row's values, so the millionth row costs what the first does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, tuple_

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement, Select


def from_place(
    chosen: Select[Any],
    columns: Sequence[ColumnElement[Any]],
    place: Sequence[object] | None,
    *,
    falling: bool,
) -> Select[Any]:
    """Return the select in the order of the columns, from a place on.

    Args:
        chosen: What is read.
        columns: The order; the last one makes it total.
        place: The row's values in these columns that the page begins after; None: at the top.
        falling: Whether the order is falling.
    """
    ordered = chosen.order_by(*(one.desc() if falling else one.asc() for one in columns))
    if place is None:
        return ordered
    values = (bindparam(None, value, type_=one.type) for one, value in zip(columns, place, strict=True))
    row, start = tuple_(*columns), tuple_(*values)
    return ordered.where(row < start if falling else row > start)
