"""Files by digest, encrypted, on disk: `<root>/<aa>/<digest>`, and a row that says they are there.

Order of writes: encrypt, write beside, fsync, rename, fsync the directory, then the row. A crash between
leaves a file without a row, which nothing refers to; the next `put` of that content writes it again.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, final

from sqlalchemy import select

from cert_registry.errors import ObjectMissing, StoreUnavailable
from cert_registry.store.engine import insert_missing
from cert_registry.store.tables import OBJECTS
from cert_registry.types import FileDigest

if TYPE_CHECKING:
    from datetime import datetime

    from cert_registry.ports import DataCipher
    from cert_registry.store.engine import Database


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
        digest = file_digest(content)
        if self._is_whole(digest, content):
            return digest
        sealed = self._cipher.encrypt(content, associated_data=_bound_to(digest))
        try:
            self._write(digest, sealed)
        except OSError as error:
            raise StoreUnavailable("the object store did not take a file") from error
        with self._database.writing() as connection:
            insert_missing(
                connection,
                OBJECTS,
                digest=digest,
                size_bytes=len(content),
                media_type=media_type,
                stored_at=now,
            )
        return digest

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

    def _is_whole(self, digest: FileDigest, content: bytes) -> bool:
        if not self.has(digest):
            return False
        try:
            return self.get(digest) == content
        except ObjectMissing:
            return False

    def _path(self, digest: FileDigest) -> Path:
        return self._root / digest[:2] / digest

    def _write(self, digest: FileDigest, sealed: bytes) -> None:
        path = self._path(digest)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(sealed)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
        for directory in (path.parent, self._root):
            _sync_directory(directory)


def _bound_to(digest: FileDigest) -> bytes:
    return b"longzheng object v1\0" + digest.encode()


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
