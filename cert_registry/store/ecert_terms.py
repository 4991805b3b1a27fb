"""The terms that an ecert is found by, kept beside its row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert

from cert_registry.store.tables import ECERT_TERMS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection


def insert_terms(connection: Connection, identifier: str, terms: Sequence[bytes]) -> None:
    """Keep the terms of a new ecert, inside the transaction that registers it."""
    if terms:
        connection.execute(insert(ECERT_TERMS), [{"term": one, "identifier": identifier} for one in terms])
