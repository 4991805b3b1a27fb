"""Places in the status lists: random, so that neighbours in a list say nothing about each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import func, insert, select, update

from cert_registry.store.engine import insert_missing
from cert_registry.store.tables import STATUS_ENTRIES, STATUS_LISTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from cert_registry.types import EcertIdentifier

LIST_LENGTH: Final = 131_072
"""Entries of one list (2 bits each, 32 KiB before compression)."""
_FULL: Final = LIST_LENGTH * 9 // 10  # beyond this, drawing a free place takes too many tries


def take_status_entry(
    connection: Connection, identifier: EcertIdentifier, random_below: Callable[[int], int]
) -> tuple[int, int]:
    """The place of this identifier, taken now or found: list number and index."""
    held = connection.execute(
        select(STATUS_ENTRIES.c.list_number, STATUS_ENTRIES.c.status_index).where(
            STATUS_ENTRIES.c.identifier == identifier
        )
    ).one_or_none()
    if held is not None:
        return held.list_number, held.status_index
    number = _open_list(connection)
    while True:
        index = random_below(LIST_LENGTH)
        if insert_missing(
            connection, STATUS_ENTRIES, list_number=number, status_index=index, identifier=identifier
        ):
            break
    connection.execute(
        update(STATUS_LISTS).where(STATUS_LISTS.c.list_number == number).values(used=STATUS_LISTS.c.used + 1)
    )
    return number, index


def _open_list(connection: Connection) -> int:
    newest = connection.scalar(select(func.max(STATUS_LISTS.c.list_number)))
    if newest is not None:
        used = connection.scalar(select(STATUS_LISTS.c.used).where(STATUS_LISTS.c.list_number == newest))
        if used is not None and used < _FULL:
            return int(newest)
    number = 1 if newest is None else int(newest) + 1
    connection.execute(insert(STATUS_LISTS).values(list_number=number, used=0))
    return number
