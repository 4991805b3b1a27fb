"""Which entry is where: a look-up file beside the tiles, made from them and never believed over them.

It may be deleted at any time; the next look-up makes it anew from the entry bundles.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from cert_registry.tlog.errors import LogUnavailable, TlogError
from cert_registry.tlog.leaf import LeafEntry
from cert_registry.tlog.tiles import TILE_WIDTH, TileReader

SCHEMA = "CREATE TABLE IF NOT EXISTS leaf (entry BLOB PRIMARY KEY, place INTEGER NOT NULL) WITHOUT ROWID"
LOOKUP_CHUNK = 500


class IndexStale(TlogError):
    """The index and the tree differ; it is made anew. Never leaves `Log`."""

    code = "tlog-index-stale"


class LeafIndex:
    """Places of entries, caught up from the tiles. Writing needs the log's lock."""

    def __init__(self, path: Path) -> None:
        """Use the SQLite file ``path``."""
        self._path = path
        self._mutex = threading.Lock()
        self._open: tuple[int, sqlite3.Connection] | None = None

    def size(self) -> int:
        """Number of entries that the file knows; 0 when there is none."""
        try:
            with self._mutex:
                return _covered(self._connection())
        except sqlite3.Error:
            return 0

    def catch_up(self, reader: TileReader) -> None:
        """Know exactly the entries of the tree behind ``reader``.

        Raises:
            LogUnavailable: neither the old file nor a new one can be written.
            TreeDamaged: an entry bundle is broken.
        """
        try:
            self._catch_up(reader)
        except sqlite3.Error:
            self._delete()
            try:
                self._catch_up(reader)
            except sqlite3.Error as error:
                raise LogUnavailable("cannot write the index of entries") from error

    def rebuild(self, reader: TileReader) -> None:
        """Forget everything and read the tree again.

        Raises:
            LogUnavailable: the file cannot be written.
            TreeDamaged: an entry bundle is broken.
        """
        self._delete()
        self.catch_up(reader)

    def places(self, entries: Sequence[LeafEntry], reader: TileReader) -> dict[LeafEntry, int]:
        """Places of those entries that the tree holds, each looked up in its bundle.

        Raises:
            IndexStale: the file tells of a place where the tree holds something else.
            LogUnavailable: the file or a bundle cannot be read.
        """
        try:
            found = self._find(entries)
        except sqlite3.Error as error:
            raise LogUnavailable("cannot read the index of entries") from error
        for entry, place in found.items():
            number, inner = divmod(place, TILE_WIDTH)
            if place >= reader.size or reader.entries(number)[inner] != entry:
                raise IndexStale("the index of entries is older than the tree")
        return found

    def _find(self, entries: Sequence[LeafEntry]) -> dict[LeafEntry, int]:
        found: dict[LeafEntry, int] = {}
        with self._mutex:
            connection = self._connection()
            for start in range(0, len(entries), LOOKUP_CHUNK):
                chunk = entries[start : start + LOOKUP_CHUNK]
                marks = ",".join("?" * len(chunk))
                query = f"SELECT entry, place FROM leaf WHERE entry IN ({marks})"  # noqa: S608 - only marks
                found.update((LeafEntry(entry), place) for entry, place in connection.execute(query, chunk))
        return found

    def _catch_up(self, reader: TileReader) -> None:
        with self._mutex:
            connection = self._connection()
            covered = _covered(connection)
            if covered == reader.size:
                return
            with connection:
                if covered > reader.size:
                    connection.execute("DELETE FROM leaf")
                    covered = 0
                connection.executemany("INSERT OR IGNORE INTO leaf VALUES (?, ?)", _rows(reader, covered))
                connection.execute(f"PRAGMA user_version = {reader.size}")

    def _connection(self) -> sqlite3.Connection:
        """The one connection of this process, opened after a fork anew; the mutex is held."""
        if self._open is None or self._open[0] != os.getpid():
            connection = sqlite3.connect(self._path, timeout=30, check_same_thread=False)
            self._open = (os.getpid(), connection)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(
                "PRAGMA synchronous = NORMAL"
            )  # a power cut may cost the latest rows, never order
            connection.execute(SCHEMA)
        return self._open[1]

    def _delete(self) -> None:
        with self._mutex:
            if self._open is not None:
                if self._open[0] == os.getpid():
                    self._open[1].close()
                self._open = None
            for suffix in ("", "-journal", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


def _covered(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _rows(reader: TileReader, covered: int) -> Iterable[tuple[LeafEntry, int]]:
    for number in range(covered // TILE_WIDTH, -(-reader.size // TILE_WIDTH)):
        for place, entry in enumerate(reader.entries(number), start=number * TILE_WIDTH):
            if place >= covered:
                yield entry, place
