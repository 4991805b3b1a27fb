"""The log itself: sequencing entries into tiles under signed checkpoints.

The order of writes is the design. `Log.append` holds one lock, and:

1. opens the published checkpoint, checks its signature, and refuses to go on below the newest one known;
2. recomputes the root from the tiles: what was published is really there;
3. drops the entries that the tree holds already;
4. writes the entry bundles and hash tiles of the larger tree, each durably, lowest level first;
5. reads the new root back from the tiles, signs it, checks the signature;
6. replaces the file ``checkpoint``: from here on the entries are in the log, before they are not;
7. remembers the checkpoint, catches the index up, deletes partial tiles that became full.

A crash anywhere leaves the published tree whole, since steps 4 and 5 touch no tile that it needs. Recovery is the
next `append` with the same entries: steps 1 to 3 find what landed, step 4 writes the rest anew.

Source: C2SP tlog-tiles, tlog-checkpoint.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from cert_registry.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from cert_registry.tlog.durable import DurableFiles, FileWriter, exclusive_lock
from cert_registry.tlog.errors import EntryUnknown, LogRolledBack, LogUnavailable, TreeDamaged
from cert_registry.tlog.index import IndexStale, LeafIndex
from cert_registry.tlog.leaf import ENTRY_BYTES, LeafEntry
from cert_registry.tlog.merkle import (
    EMPTY_ROOT,
    Hash,
    consistency_path,
    fold,
    hash_leaf,
    inclusion_path,
    subtree_hash,
)
from cert_registry.tlog.note import NoteSigner, NoteVerifier
from cert_registry.tlog.proof import TlogProof
from cert_registry.tlog.tiles import TILE_HEIGHT, TILE_WIDTH, TileReader, encode_bundle, tile_path

CHECKPOINT = "checkpoint"
VKEY = "vkey"
STATE = ".state"


class Log:
    """One transparency log in one directory. Threads and processes may share the directory."""

    def __init__(
        self,
        directory: Path,
        origin: str,
        signer: NoteSigner,
        *,
        files: FileWriter | None = None,
        newest_path: Path | None = None,
    ) -> None:
        """Open the log; nothing is read or written yet.

        Args:
            directory: public files; private state lies in its ``.state``.
            origin: first line of every checkpoint.
            signer: signs checkpoints; its key is checked against what is on disk.
            files: how files are put in place; the file system by default.
            newest_path: where the newest checkpoint is remembered. Put it where a restore of ``directory`` does
                not reach, and a restored log cannot answer with less than it had.
        """
        self._directory = directory
        self._origin = origin
        self._signer = signer
        self._verifier = NoteVerifier.from_vkey(signer.vkey)
        self._files: FileWriter = files or DurableFiles()
        self._newest_path = newest_path or directory / STATE / "newest"
        self._index = LeafIndex(directory / STATE / "index.db")
        self._last_opened: Checkpoint | None = None
        self._continued: tuple[Checkpoint, Checkpoint | None] | None = None

    @property
    def origin(self) -> str:
        """The log's name."""
        return self._origin

    @property
    def vkey(self) -> str:
        """The key that checks this log's checkpoints."""
        return self._verifier.vkey

    def append(self, entries: Sequence[LeafEntry]) -> Checkpoint:
        """Put those entries into the log that are not yet in it; the checkpoint returned covers them all.

        Args:
            entries: 32 bytes each; order is kept, repeated ones are taken once.

        Raises:
            LogRolledBack: the directory stands below a checkpoint that was given out.
            TreeDamaged: the tiles do not lead to the published root.
            LogUnavailable: files or the signer failed; the same call may be made again.
            NoteNotSigned: the published checkpoint, or the one just signed, is not signed by this log's key.
            MalformedNote: the published checkpoint is not one of this log.
        """
        if any(len(entry) != ENTRY_BYTES for entry in entries):
            raise EntryUnknown(f"an entry is {ENTRY_BYTES} bytes")
        with exclusive_lock(self._directory / STATE / "lock"):
            # (1): the published checkpoint, not below the newest known
            present = self._open_present()
            size, root = (present.size, present.root) if present else (0, EMPTY_ROOT)
            # (2): its tiles are there
            reader = TileReader(self._directory, size)
            _check_tree(reader, size, root)
            # (3): only what the tree does not hold
            known = self._places(entries, reader)
            new = [entry for entry in dict.fromkeys(entries) if entry not in known]
            if present and not new:
                self._remember(present)
                return present
            # (4): tiles first
            if present is None:
                self._files.write(self._directory / VKEY, f"{self.vkey}\n".encode())
            self._write_tiles(reader, new)
            # (5): the root as it lies on disk
            grown = TileReader(self._directory, size + len(new))
            signed = sign_checkpoint(
                self._origin, grown.size, subtree_hash(grown, 0, grown.size), self._signer
            )
            open_checkpoint(signed.note, origin=self._origin, verifier=self._verifier)
            # (6): published
            self._files.write(self._directory / CHECKPOINT, signed.note)
            # (7): what can be made again
            self._remember(signed)
            self._index.catch_up(grown)
            self._delete_partial_tiles(size, grown.size)
            return signed

    def sequence(self, entries: Sequence[LeafEntry]) -> tuple[int, ...]:
        """`append`, then the place of each entry in the order given.

        Raises:
            LogRolledBack, TreeDamaged, LogUnavailable, NoteNotSigned, MalformedNote: as `append`.
        """
        reader = TileReader(self._directory, self.append(entries).size)
        try:
            places = self._index.places(entries, reader)
        except IndexStale as error:
            raise LogUnavailable("the index of entries changed underneath; try again") from error
        return tuple(_one_place(places, entry) for entry in entries)

    def newest(self) -> Checkpoint:
        """The published checkpoint; a log without one publishes that of the empty tree.

        Raises:
            LogRolledBack, NoteNotSigned, MalformedNote, LogUnavailable: as `append`.
        """
        return self._open_present() or self.append(())

    def checkpoint(self) -> bytes:
        """The published checkpoint as a signed note.

        Raises:
            LogRolledBack, NoteNotSigned, MalformedNote, LogUnavailable: as `append`.
        """
        return self.newest().note

    def index_of(self, entry: LeafEntry) -> int:
        """Place of an entry in the published tree.

        Raises:
            EntryUnknown: it is not in the log.
            LogUnavailable, TreeDamaged, LogRolledBack: as `append`.
        """
        reader = self._published_reader()
        if self._index.size() >= reader.size:
            try:
                return _one_place(self._index.places([entry], reader), entry)
            except IndexStale:
                pass  # made anew below, where the lock is held
        with exclusive_lock(self._directory / STATE / "lock"):
            return _one_place(self._places([entry], self._published_reader()), entry)

    def inclusion_proof(self, index: int, size: int) -> tuple[bytes, ...]:
        """Proof that entry ``index`` is in the tree of ``size`` entries, lowest hash first.

        Raises:
            EntryUnknown: not 0 ≤ ``index`` < ``size`` ≤ the published size.
            LogUnavailable, TreeDamaged, LogRolledBack: as `append`.
        """
        reader = self._published_reader()
        if not 0 <= index < size <= reader.size:
            raise EntryUnknown(f"no such entry and tree; the log holds {reader.size} entries")
        return inclusion_path(reader, index, size)

    def consistency_proof(self, old: int, new: int) -> tuple[bytes, ...]:
        """Proof that the tree of ``new`` entries begins with the tree of ``old`` entries.

        Raises:
            EntryUnknown: not 0 ≤ ``old`` ≤ ``new`` ≤ the published size.
            LogUnavailable, TreeDamaged, LogRolledBack: as `append`.
        """
        reader = self._published_reader()
        if not 0 <= old <= new <= reader.size:
            raise EntryUnknown(f"no such pair of trees; the log holds {reader.size} entries")
        return consistency_path(reader, old, new)

    def proof_of(self, entry: LeafEntry) -> TlogProof:
        """Inclusion proof of an entry under the newest checkpoint, ready to be written as text.

        Raises:
            EntryUnknown: it is not in the log.
            LogUnavailable, TreeDamaged, LogRolledBack: as `append`.
        """
        place = self.index_of(entry)
        published = self.newest()
        path = inclusion_path(TileReader(self._directory, published.size), place, published.size)
        return TlogProof(index=place, path=path, checkpoint_note=published.note)

    def _published_reader(self) -> TileReader:
        return TileReader(self._directory, self.newest().size)

    def _open_present(self) -> Checkpoint | None:
        # The remembered one is read first: it is written last, so that it can never be ahead of the published one.
        known = self._open_file(self._newest_path)
        present = self._open_file(self._directory / CHECKPOINT)
        if known is None or known == present or (known, present) == self._continued:
            return present
        present_size = present.size if present else 0
        if present_size < known.size:
            raise LogRolledBack(
                f"the log holds {present_size} entries, but a checkpoint over {known.size} was given out",
                present_size=present_size,
                known_size=known.size,
            )
        _check_tree(TileReader(self._directory, present_size), known.size, known.root)
        self._continued = (known, present)
        return present

    def _open_file(self, path: Path) -> Checkpoint | None:
        try:
            note = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LogUnavailable(f"cannot read {path.name}: {error.strerror}") from error
        opened = self._last_opened
        if opened is None or opened.note != note:
            opened = open_checkpoint(note, origin=self._origin, verifier=self._verifier)
            self._last_opened = opened
        return opened

    def _places(self, entries: Sequence[LeafEntry], reader: TileReader) -> dict[LeafEntry, int]:
        """Places of those entries that the tree holds; the lock is held."""
        self._index.catch_up(reader)
        try:
            return self._index.places(entries, reader)
        except IndexStale:
            self._index.rebuild(reader)
            return self._index.places(entries, reader)

    def _write_tiles(self, reader: TileReader, new: list[LeafEntry]) -> None:
        if not new:
            return
        first, inner = divmod(reader.size, TILE_WIDTH)
        rows = (reader.entries(first) if inner else []) + new
        for offset in range(0, len(rows), TILE_WIDTH):
            bundle = rows[offset : offset + TILE_WIDTH]
            path = tile_path("entries", first + offset // TILE_WIDTH, len(bundle))
            self._files.write(self._directory / path, encode_bundle(bundle))
        level, hashes = 0, [hash_leaf(entry) for entry in new]
        while hashes:
            hashes = self._write_level(reader, level, hashes)
            level += 1

    def _write_level(self, reader: TileReader, level: int, hashes: list[Hash]) -> list[Hash]:
        """Write one level's tiles with these new hashes; answers the new hashes of the level above."""
        first, inner = divmod(reader.size >> (TILE_HEIGHT * level), TILE_WIDTH)
        rows = (list(reader.hashes(level, first)) if inner else []) + hashes
        above: list[Hash] = []
        for offset in range(0, len(rows), TILE_WIDTH):
            tile = rows[offset : offset + TILE_WIDTH]
            path = tile_path(level, first + offset // TILE_WIDTH, len(tile))
            self._files.write(self._directory / path, b"".join(tile))
            if len(tile) == TILE_WIDTH:
                above.append(fold(tile))
        return above

    def _remember(self, checkpoint: Checkpoint) -> None:
        if self._open_file(self._newest_path) != checkpoint:
            self._files.write(self._newest_path, checkpoint.note)

    def _delete_partial_tiles(self, old: int, new: int) -> None:
        """Delete what a full tile replaces; a reader that misses a partial tile takes the full one."""
        for level in range(6):
            before, after = (size >> (TILE_HEIGHT * level) >> TILE_HEIGHT for size in (old, new))
            for number in range(before, after):
                for kind in (level, "entries") if level == 0 else (level,):
                    shutil.rmtree(self._directory / f"{tile_path(kind, number)}.p", ignore_errors=True)


def _check_tree(reader: TileReader, size: int, root: Hash) -> None:
    if subtree_hash(reader, 0, size) != root:
        raise TreeDamaged(f"the tiles do not lead to the root that was signed over {size} entries")


def _one_place(places: dict[LeafEntry, int], entry: LeafEntry) -> int:
    if entry not in places:
        raise EntryUnknown("the entry is not in the log")
    return places[entry]
