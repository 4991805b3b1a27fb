"""What staff searched for: typed once, kept encrypted, named in addresses by random letters that say nothing.

A search names people, so it never stands in an address, a log or a history. It belongs to one member of staff and ends
with the working day. Like sessions, searches are no record: their table is made anew when it is missing.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, MetaData, String, Table, delete, insert, select

from cert_registry.errors import ObjectMissing
from cert_registry.ports import DataCipher
from cert_registry.store.engine import Database, open_database

LIFE: Final = timedelta(hours=8)
LONGEST_TEXT: Final = 200
LONGEST_FORM: Final = 200_000
_FORM: Final = "\0form\0"  # a kept form begins so; no search does
_METADATA = MetaData()
_SEARCHES = Table(
    "kept_searches",
    _METADATA,
    Column("name", String(32), primary_key=True),
    Column("staff_id", String(64), nullable=False),
    Column("text_sealed", LargeBinary, nullable=False),
    Column("ends_at", Integer, nullable=False),
)


class KeptSearches:
    """Searches of one service.

    Args:
        file: SQLite file, the one of the sessions.
        cipher: Encrypts the texts, each bound to its name and to who typed it.
    """

    def __init__(self, file: Path, *, cipher: DataCipher) -> None:
        self._database: Database = open_database(file)
        self._cipher = cipher
        _METADATA.create_all(self._database.engine)

    def keep(self, text: str, *, staff_id: str, now: datetime) -> str:
        """Keep what was typed; return its name for addresses, empty when nothing was typed."""
        typed = text.replace("\0", "").strip()[:LONGEST_TEXT]  # so that no search begins as a form does
        return self._keep(typed, staff_id=staff_id, now=now) if typed else ""

    def keep_form(self, path: str, fields: Sequence[tuple[str, str]], *, staff_id: str, now: datetime) -> str:
        """Keep a form whose session ran out while it was filled in; empty when it is too large."""
        text = _FORM + json.dumps([path, fields], ensure_ascii=False)
        return self._keep(text, staff_id=staff_id, now=now) if len(text) <= LONGEST_FORM else ""

    def form(
        self, name: str, *, staff_id: str, now: datetime
    ) -> tuple[str, tuple[tuple[str, str], ...]] | None:
        """Where a kept form leads and what stands in it; None when it has ended or is somebody else's."""
        text = self.text(name, staff_id=staff_id, now=now)
        if text is None or not text.startswith(_FORM):
            return None
        path, fields = json.loads(text.removeprefix(_FORM))
        return str(path), tuple((str(key), str(value)) for key, value in fields)

    def _keep(self, typed: str, *, staff_id: str, now: datetime) -> str:
        name = secrets.token_hex(16)
        sealed = self._cipher.encrypt(typed.encode(), associated_data=_binding(name, staff_id))
        with self._database.writing() as connection:
            connection.execute(delete(_SEARCHES).where(_SEARCHES.c.ends_at <= int(now.timestamp())))
            connection.execute(
                insert(_SEARCHES).values(
                    name=name,
                    staff_id=staff_id,
                    text_sealed=sealed,
                    ends_at=int((now + LIFE).timestamp()),
                )
            )
        return name

    def text(self, name: str, *, staff_id: str, now: datetime) -> str | None:
        """What was typed; None when the search has ended or is somebody else's."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(_SEARCHES).where(_SEARCHES.c.name == name, _SEARCHES.c.staff_id == staff_id)
            ).one_or_none()
        if row is None or row.ends_at <= int(now.timestamp()):
            return None
        try:
            return self._cipher.decrypt(row.text_sealed, associated_data=_binding(name, staff_id)).decode()
        except ObjectMissing:
            return None


def _binding(name: str, staff_id: str) -> bytes:
    return b"\0".join((b"longzheng search v1", name.encode(), staff_id.encode()))
