"""Checking a whole log from its public files: every tile against the signed checkpoint.

Needs the directory and the log's key, nothing else; so can anybody who has copied ``/log/``.
"""

from dataclasses import dataclass
from pathlib import Path

from cert_registry.tlog.checkpoint import Checkpoint, open_checkpoint
from cert_registry.tlog.errors import LogRolledBack, LogUnavailable, TreeDamaged
from cert_registry.tlog.merkle import fold, hash_leaf, subtree_hash
from cert_registry.tlog.note import NoteVerifier
from cert_registry.tlog.tiles import TILE_HEIGHT, TILE_WIDTH, TileReader, tile_path


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """Evidence that a log is whole.

    Attributes:
        checkpoint: the one everything was checked against.
        tiles: hash tiles and entry bundles read.
        older: the earlier checkpoint that this tree continues, when one was given.
    """

    checkpoint: Checkpoint
    tiles: int
    older: Checkpoint | None


def audit_log(
    directory: Path, *, origin: str, verifier: NoteVerifier, older_note: bytes | None = None
) -> AuditReport:
    """Read every tile, recompute every hash, and compare with the checkpoint.

    Args:
        directory: public files of the log.
        origin: the log's name.
        verifier: the log's key, from a place other than the directory if it is to prove anything.
        older_note: a checkpoint of an earlier day; the present tree must begin with that one.

    Raises:
        LogUnavailable: a file is missing or unreadable.
        MalformedNote, NoteNotSigned: a checkpoint is not one of this log.
        TreeDamaged: tiles contradict each other, the checkpoint, or the older checkpoint.
        LogRolledBack: the log is smaller than the older checkpoint.
    """
    try:
        note = (directory / "checkpoint").read_bytes()
    except OSError as error:
        raise LogUnavailable(f"cannot read the checkpoint: {error.strerror}") from error
    checkpoint = open_checkpoint(note, origin=origin, verifier=verifier)
    reader = TileReader(directory, checkpoint.size)
    tiles = _check_bundles(reader)
    level = 0
    while reader.size >> (TILE_HEIGHT * level):
        tiles += _check_level(reader, level)
        level += 1
    if subtree_hash(reader, 0, reader.size) != checkpoint.root:
        raise TreeDamaged(f"the tiles do not lead to the root that was signed over {reader.size} entries")
    older = None
    if older_note is not None:
        older = open_checkpoint(older_note, origin=origin, verifier=verifier)
        _check_continues(reader, older)
    return AuditReport(checkpoint=checkpoint, tiles=tiles, older=older)


def _check_bundles(reader: TileReader) -> int:
    count = -(-reader.size // TILE_WIDTH)
    for number in range(count):
        if tuple(hash_leaf(entry) for entry in reader.entries(number)) != reader.hashes(0, number):
            raise TreeDamaged(f"{tile_path('entries', number)} and {tile_path(0, number)} differ")
    return count


def _check_level(reader: TileReader, level: int) -> int:
    """Each full tile folds to its hash one level higher."""
    hashes = reader.size >> (TILE_HEIGHT * level)
    for number in range(hashes // TILE_WIDTH):
        above = reader.hashes(level + 1, number // TILE_WIDTH)[number % TILE_WIDTH]
        if fold(reader.hashes(level, number)) != above:
            raise TreeDamaged(f"{tile_path(level, number)} does not lead to the tile above it")
    return -(-hashes // TILE_WIDTH)


def _check_continues(reader: TileReader, older: Checkpoint) -> None:
    if older.size > reader.size:
        raise LogRolledBack(
            f"the log holds {reader.size} entries, but a checkpoint over {older.size} was given out",
            present_size=reader.size,
            known_size=older.size,
        )
    if subtree_hash(reader, 0, older.size) != older.root:
        raise TreeDamaged(f"the log does not continue the checkpoint over {older.size} entries")
