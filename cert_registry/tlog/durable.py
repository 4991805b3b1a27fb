"""Writing files so that they are whole or absent after a power cut."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from cert_registry.tlog.errors import LogUnavailable


class FileWriter(Protocol):
    """Puts one file in place; when it returns, the file survives a power cut."""

    def write(self, path: Path, content: bytes) -> None:
        """Replace or create ``path``; readers see the old file or the new one, never a part."""


class DurableFiles:
    """The file system: temporary file, fsync, rename, fsync of the directory."""

    def write(self, path: Path, content: bytes) -> None:
        """Replace or create ``path``.

        Raises:
            LogUnavailable: the disk is full, gone or not writable.
        """
        temporary = path.with_name(f".{path.name}.new")  # one writer: the log's lock is held
        try:
            _make_directories(path.parent)
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync_directory(path.parent)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise LogUnavailable(f"cannot write {path.name}: {error.strerror}") from error


def _make_directories(directory: Path) -> None:
    if directory.is_dir():
        return
    _make_directories(directory.parent)
    directory.mkdir(exist_ok=True)
    _sync_directory(directory.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def exclusive_lock(path: Path) -> Iterator[None]:
    """Hold the lock file ``path`` against other processes and other threads.

    Raises:
        LogUnavailable: the lock file cannot be opened.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise LogUnavailable(f"cannot open the lock {path.name}: {error.strerror}") from error
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
