"""Files by digest, encrypted, on disk: `<root>/<aa>/<digest>`, and a row that says they are there.

Order of writes: encrypt, write beside, fsync, rename, fsync the directory, then the row. A crash between
leaves a file without a row, which nothing refers to; the next `put` of that content writes it again. Files that are
put together take each of these steps together: their fsyncs run beside each other, so that the file system can
answer many of them with one commit of its journal, and their rows are one transaction.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from sqlalchemy import select

from cert_registry.errors import ObjectMissing, StoreUnavailable
from cert_registry.store.engine import insert_missing
from cert_registry.store.tables import OBJECTS
from cert_registry.types import FileDigest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from cert_registry.ports import DataCipher
    from cert_registry.store.engine import Database

_SYNCED_AT_ONCE: Final = 16


def file_digest(content: bytes) -> FileDigest:
    """SHA-256 of a file in lower-case hex."""
    return FileDigest(hashlib.sha256(content).hexdigest())


@final
class DiskObjects:
    """The object store on a local directory.

    Args:
        root: Made when missing, mode 0700.
        database: Holds one row an object.
        cipher: Binds each file to its digest.
    """

    def __init__(self, root: Path, *, database: Database, cipher: DataCipher) -> None:
        self._root = root
        self._database = database
        self._cipher = cipher
        root.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, content: bytes, *, media_type: str, now: datetime) -> FileDigest:
        """Keep a file; durable when this returns; the same content twice is one object.

        Raises:
            StoreUnavailable: Disk full or not writable; nothing is kept.
        """
        (digest,) = self.put_all([(content, media_type)], now=now)
        return digest

    def put_all(self, files: Sequence[tuple[bytes, str]], *, now: datetime) -> tuple[FileDigest, ...]:
        """Keep files (content and media type) as `put` does, all of them durable when this returns.

        Returns:
            Their digests in the order given.

        Raises:
            StoreUnavailable: Disk full or not writable; no row of any of them was written.
        """
        digests = tuple(file_digest(content) for content, _ in files)
        by_digest = dict(zip(digests, files, strict=True))
        held = self._held(by_digest)
        missing = {
            digest: file
            for digest, file in by_digest.items()
            if digest not in held or not self._reads_back(digest, file[0])
        }
        if not missing:
            return digests
        try:
            self._write_all(
                {
                    digest: self._cipher.encrypt(content, associated_data=_bound_to(digest))
                    for digest, (content, _) in missing.items()
                }
            )
        except OSError as error:
            raise StoreUnavailable("the object store did not take what it was given") from error
        with self._database.writing() as connection:
            for digest, (content, media_type) in missing.items():
                insert_missing(
                    connection,
                    OBJECTS,
                    digest=digest,
                    size_bytes=len(content),
                    media_type=media_type,
                    stored_at=now,
                )
        return digests

    def get(self, digest: FileDigest) -> bytes:
        """The file's bytes, their digest checked.

        Raises:
            ObjectMissing: Not there, damaged, or no longer that content.
        """
        try:
            sealed = self._path(digest).read_bytes()
        except OSError as error:
            raise ObjectMissing("a stored file cannot be read") from error
        content = self._cipher.decrypt(sealed, associated_data=_bound_to(digest))
        if file_digest(content) != digest:
            raise ObjectMissing("a stored file does not match its digest")
        return content

    def has(self, digest: FileDigest) -> bool:
        """Whether the object was kept (its row is there)."""
        with self._database.reading() as connection:
            return connection.scalar(select(OBJECTS.c.digest).where(OBJECTS.c.digest == digest)) is not None

    def _held(self, digests: Iterable[FileDigest]) -> set[FileDigest]:
        with self._database.reading() as connection:
            return set(
                connection.scalars(select(OBJECTS.c.digest).where(OBJECTS.c.digest.in_(tuple(digests))))
            )

    def _reads_back(self, digest: FileDigest, content: bytes) -> bool:
        try:
            return self.get(digest) == content
        except ObjectMissing:
            return False

    def _path(self, digest: FileDigest) -> Path:
        return self._root / digest[:2] / digest

    def _write_all(self, files: Mapping[FileDigest, bytes]) -> None:
        written: dict[Path, Path] = {}
        try:
            for digest, sealed in files.items():
                path = self._path(digest)
                path.parent.mkdir(mode=0o700, exist_ok=True)
                descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
                written[Path(temporary)] = path
                with os.fdopen(descriptor, "wb") as file:
                    file.write(sealed)
            with ThreadPoolExecutor(_SYNCED_AT_ONCE) as pool:
                list(pool.map(_sync, written))
                for incoming, path in written.items():
                    incoming.replace(path)
                list(pool.map(_sync, {path.parent for path in written.values()} | {self._root}))
        except OSError:
            for incoming in written:
                with suppress(OSError):
                    incoming.unlink(missing_ok=True)
            raise


def _bound_to(digest: FileDigest) -> bytes:
    return b"longzheng object v1\0" + digest.encode()


def _sync(path: Path) -> None:
    """A file's content or a directory's names are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
