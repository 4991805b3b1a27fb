"""Encryption at rest: data keys that live in memory, wrapped by a key that never leaves the token.

Layout of a ciphertext (version 1):

    version      1 byte    0x01
    label length 1 byte
    label        n bytes   which key-encryption key wrapped the data key
    wrapped key  60 bytes  nonce 12 ‖ AES-256-GCM of the data key 32 ‖ tag 16, made by the token
    nonce        12 bytes
    ciphertext   as long as the plaintext
    tag          16 bytes

Everything before the nonce is authenticated together with the caller's associated data, so that a wrapped key
cannot be moved to another ciphertext. One data key encrypts at most 2**20 messages, far below the 2**32 that
random nonces allow.

Source: NIST SP 800-38D section 8.3.
"""

import os
from collections import OrderedDict
from threading import Lock

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from cert_registry.signing.errors import CiphertextRefused, WrongSignature
from cert_registry.signing.token import Token

_VERSION = 1
_WRAPPED_BYTES = 60
_NONCE_BYTES = 12
_TAG_BYTES = 16
_MESSAGES_PER_KEY = 2**20
_CACHED_KEYS = 256
_WRAP_PURPOSE = b"longzheng data key v1\0"


class DataCipher:
    """Encrypts faces and files at rest.

    Args:
        token: The token with the key-encryption keys.
        key_label: The key-encryption key for new data.
        older_labels: Key-encryption keys that may still be met in stored data.
    """

    def __init__(self, token: Token, key_label: str, *, older_labels: tuple[str, ...] = ()) -> None:
        self._token = token
        self._header = bytes([_VERSION, len(key_label.encode())]) + key_label.encode()
        self._key_label = key_label
        self._labels = {key_label, *older_labels}
        self._lock = Lock()
        self._process = 0
        self._current: tuple[bytes, AESGCM] | None = None
        self._used = 0
        self._opened: OrderedDict[bytes, AESGCM] = OrderedDict()

    def encrypt(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """Encrypt; `associated_data` (say, table and row) must be given again to decrypt.

        Raises:
            TokenUnavailable: A new data key was due and the token does not answer.
        """
        wrapped, cipher = self._current_key()
        head = self._header + wrapped
        nonce = os.urandom(_NONCE_BYTES)
        return head + nonce + cipher.encrypt(nonce, plaintext, head + associated_data)

    def decrypt(self, ciphertext: bytes, associated_data: bytes) -> bytes:
        """Undo `encrypt`.

        Raises:
            CiphertextRefused: Damaged, of another version, under an unknown key, or bound to other data.
            TokenUnavailable: The data key must be unwrapped and the token does not answer.
        """
        if len(ciphertext) < 2 or ciphertext[0] != _VERSION:
            raise CiphertextRefused("The ciphertext is of an unknown version.")
        label_end = 2 + ciphertext[1]
        head_end = label_end + _WRAPPED_BYTES
        if len(ciphertext) < head_end + _NONCE_BYTES + _TAG_BYTES:
            raise CiphertextRefused("The ciphertext is too short.")
        label = ciphertext[2:label_end].decode("utf-8", "replace")
        if label not in self._labels:
            raise CiphertextRefused("The ciphertext names a key-encryption key that is not configured.")
        cipher = self._unwrap(label, ciphertext[:head_end], ciphertext[label_end:head_end])
        nonce_end = head_end + _NONCE_BYTES
        try:
            return cipher.decrypt(
                ciphertext[head_end:nonce_end],
                ciphertext[nonce_end:],
                ciphertext[:head_end] + associated_data,
            )
        except InvalidTag as error:
            raise CiphertextRefused("The ciphertext is damaged or belongs to something else.") from error

    def _current_key(self) -> tuple[bytes, AESGCM]:
        with self._lock:
            # A forked child takes a key of its own: the count of messages per key is per process.
            if self._current is None or self._used >= _MESSAGES_PER_KEY or self._process != os.getpid():
                data_key = AESGCM.generate_key(bit_length=256)
                wrapped = self._wrap(data_key)
                self._current = (wrapped, AESGCM(data_key))
                self._used, self._process = 0, os.getpid()
            self._used += 1
            return self._current

    def _wrap(self, data_key: bytes) -> bytes:
        """Wrap a new data key, once it has been seen to open again: else all under it would be lost."""
        wrapped = self._token.encrypt(self._key_label, data_key, _WRAP_PURPOSE)
        try:
            opened = self._token.decrypt(self._key_label, wrapped, _WRAP_PURPOSE)
        except CiphertextRefused as error:
            raise WrongSignature("The token wrapped a data key that does not open again.") from error
        if opened != data_key:
            raise WrongSignature("The token wrapped a data key that opens as another.")
        return wrapped

    def _unwrap(self, label: str, head: bytes, wrapped: bytes) -> AESGCM:
        with self._lock:
            if head in self._opened:
                self._opened.move_to_end(head)
                return self._opened[head]
        cipher = AESGCM(self._token.decrypt(label, wrapped, _WRAP_PURPOSE))
        with self._lock:
            self._opened[head] = cipher
            while len(self._opened) > _CACHED_KEYS:
                self._opened.popitem(last=False)
        return cipher
