"""Where tiles lie and what is in them.

Source: C2SP tlog-tiles. Height 8: a full tile holds 256 hashes of 32 bytes. Hash ``i`` of level ``L`` covers the
entries from ``i·256^L`` up to, without, ``(i+1)·256^L``. Entry bundles are ``tile/entries/<N>``: for each entry
2 bytes of big-endian length, then the entry.
"""

from functools import lru_cache
from pathlib import Path

from cert_registry.tlog.errors import LogUnavailable, TreeDamaged
from cert_registry.tlog.leaf import ENTRY_BYTES, LeafEntry
from cert_registry.tlog.merkle import Hash, fold

TILE_HEIGHT = 8
TILE_WIDTH = 256
HASH_BYTES = 32
CACHED_TILES = 512


def tile_path(level: int | str, number: int, width: int = TILE_WIDTH) -> str:
    """Path of a tile, relative to the log: ``tile/0/x001/x234/067`` or ``….p/5``.

    Args:
        level: 0 to 5, or ``entries`` for a bundle.
        number: which tile of its level.
        width: hashes in it; below 256 the tile is partial.
    """
    groups = [f"{number % 1000:03d}"]
    while number >= 1000:
        number //= 1000
        groups.append(f"x{number % 1000:03d}")
    path = f"tile/{level}/" + "/".join(reversed(groups))
    return path if width == TILE_WIDTH else f"{path}.p/{width}"


def tile_width(size: int, level: int, number: int) -> int:
    """Hashes that tile ``number`` of ``level`` has under a tree of ``size`` entries (0 to 256)."""
    return max(0, min(TILE_WIDTH, (size >> (TILE_HEIGHT * level)) - number * TILE_WIDTH))


def encode_bundle(entries: list[LeafEntry]) -> bytes:
    """Bundle of entries: length (2 bytes, big-endian) and content of each."""
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(content: bytes, width: int) -> list[LeafEntry]:
    """Entries of a bundle.

    Raises:
        TreeDamaged: another length, or an entry that is not 32 bytes.
    """
    step = 2 + ENTRY_BYTES
    if len(content) != width * step:
        raise TreeDamaged("an entry bundle has the wrong length")
    rows = [content[i : i + step] for i in range(0, len(content), step)]
    if any(row[:2] != ENTRY_BYTES.to_bytes(2, "big") for row in rows):
        raise TreeDamaged("an entry bundle holds an entry that is not 32 bytes")
    return [LeafEntry(row[2:]) for row in rows]


class TileReader:
    """Reads the tree of ``size`` entries from its tiles; a `NodeSource`."""

    def __init__(self, directory: Path, size: int) -> None:
        """Read below ``directory``; nothing at or beyond entry ``size`` is looked at."""
        self.size = size
        self._directory = directory
        self._tile = lru_cache(maxsize=CACHED_TILES)(self._read_tile)

    def hashes(self, level: int, number: int) -> tuple[Hash, ...]:
        """All hashes that a tile has under this tree.

        Raises:
            LogUnavailable: the tile is missing or unreadable.
            TreeDamaged: it has the wrong length.
        """
        return self._tile(level, number)

    def entries(self, number: int) -> list[LeafEntry]:
        """Entries of one bundle under this tree.

        Raises:
            LogUnavailable: the bundle is missing or unreadable.
            TreeDamaged: it has the wrong form.
        """
        width = tile_width(self.size, 0, number)
        return decode_bundle(self._read("entries", number, width, row_bytes=2 + ENTRY_BYTES), width)

    def node(self, height: int, index: int) -> Hash:
        """Hash of a perfect subtree of 2^height entries.

        Raises:
            LogUnavailable: a tile is missing or unreadable.
            TreeDamaged: a tile has the wrong length.
        """
        level, inner = divmod(height, TILE_HEIGHT)
        number, place = divmod(index << inner, TILE_WIDTH)
        return fold(self.hashes(level, number)[place : place + (1 << inner)])

    def _read_tile(self, level: int, number: int) -> tuple[Hash, ...]:
        width = tile_width(self.size, level, number)
        content = self._read(level, number, width, row_bytes=HASH_BYTES)
        if len(content) != width * HASH_BYTES:
            raise TreeDamaged(f"tile {tile_path(level, number, width)} has the wrong length")
        return tuple(Hash(content[i : i + HASH_BYTES]) for i in range(0, len(content), HASH_BYTES))

    def _read(self, level: int | str, number: int, width: int, *, row_bytes: int) -> bytes:
        """A tile of this width; once the full tile is there, its partial forerunners are deleted."""
        path = self._directory / tile_path(level, number, width)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return self._read_full(level, number)[: width * row_bytes]
        except OSError as error:
            raise LogUnavailable(f"cannot read {path.name}: {error.strerror}") from error

    def _read_full(self, level: int | str, number: int) -> bytes:
        path = tile_path(level, number)
        try:
            return (self._directory / path).read_bytes()
        except OSError as error:
            raise LogUnavailable(f"cannot read {path}: {error.strerror}") from error
