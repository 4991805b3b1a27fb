"""Envelope encryption: AES-256-GCM under data keys that only the token can unwrap.

Byte layout of a ciphertext::

    version  1 byte    0x01
    key id   4 bytes   big endian, row of `data_keys`
    nonce    12 bytes  random
    body     n bytes   AES-256-GCM
    tag      16 bytes

A data key serves for 90 days, far below the 2**32 encryptions that random nonces allow; older keys only
decrypt. Source: NIST SP 800-38D section 8.3.
"""

from __future__ import annotations

import os
import struct
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final, final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import insert, select

from cert_registry.errors import ObjectMissing
from cert_registry.store.tables import DATA_KEYS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cert_registry.ports import KeyWrap
    from cert_registry.store.engine import Database

_HEADER: Final = struct.Struct(">BI12s")
_VERSION: Final = 1
_SERVES: Final = timedelta(days=90)


@final
class EnvelopeCipher:
    """The data cipher of the registry; thread-safe.

    Args:
        database: Keeps the wrapped keys.
        wrap: The token's key-encryption key.
        clock: Decides only when a fresh data key is due.
    """

    def __init__(self, *, database: Database, wrap: KeyWrap, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._wrap = wrap
        self._clock = clock
        self._lock = threading.Lock()
        self._opened: dict[int, AESGCM] = {}
        self._current: tuple[int, datetime] | None = None

    def encrypt(self, plaintext: bytes, *, associated_data: bytes) -> bytes:
        """Ciphertext that only opens with the same associated data."""
        key_id = self._current_key()
        header = _HEADER.pack(_VERSION, key_id, os.urandom(12))
        body = self._opened[key_id].encrypt(header[5:], plaintext, header[:5] + associated_data)
        return header + body

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        """The plaintext.

        Raises:
            ObjectMissing: Damaged, of an unknown key, or bound to other associated data.
        """
        if len(ciphertext) < _HEADER.size + 16:
            raise ObjectMissing("a stored value is too short to be whole")
        version, key_id, nonce = _HEADER.unpack_from(ciphertext)
        if version != _VERSION:
            raise ObjectMissing("a stored value has an unknown form")
        key = self._key(key_id)
        try:
            return key.decrypt(nonce, ciphertext[_HEADER.size :], ciphertext[:5] + associated_data)
        except InvalidTag as error:
            raise ObjectMissing("a stored value is damaged") from error

    def _current_key(self) -> int:
        now = self._clock()
        with self._lock:
            if self._current is None or now - self._current[1] >= _SERVES:
                self._current = self._newest_key(now)
            return self._current[0]

    def _newest_key(self, now: datetime) -> tuple[int, datetime]:
        with self._database.writing() as connection:
            row = connection.execute(
                select(DATA_KEYS).order_by(DATA_KEYS.c.key_id.desc()).limit(1)
            ).one_or_none()
            if row is not None and now - row.created_at < _SERVES:
                self._opened.setdefault(row.key_id, AESGCM(self._wrap.unwrap(row.wrapped)))
                return row.key_id, row.created_at
            key = AESGCM.generate_key(256)
            key_id = 1 if row is None else row.key_id + 1
            connection.execute(
                insert(DATA_KEYS).values(key_id=key_id, wrapped=self._wrap.wrap(key), created_at=now)
            )
        self._opened[key_id] = AESGCM(key)
        return key_id, now

    def _key(self, key_id: int) -> AESGCM:
        with self._lock:
            if key_id in self._opened:
                return self._opened[key_id]
            with self._database.reading() as connection:
                wrapped = connection.scalar(select(DATA_KEYS.c.wrapped).where(DATA_KEYS.c.key_id == key_id))
            if wrapped is None:
                raise ObjectMissing("a stored value names a data key that is not there")
            self._opened[key_id] = AESGCM(self._wrap.unwrap(wrapped))
            return self._opened[key_id]
