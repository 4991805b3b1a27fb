"""SM2 keys to develop with, UNFIT FOR PRODUCTION: they sign in this process's memory, not inside a device.

A production installation keeps SM2 keys in a certified device (SKF, SDF or a PKCS#11 module with SM2) and puts an
adapter of that device behind the port `SealKey`. This one exists because SoftHSM cannot hold SM2 keys. A key is
stored encrypted under the token's key-encryption key, one file a key, mode 0600; whoever can use the token `keys`
and read the file has the key. Opening the store writes a warning to the log, `doctor` shows one, and a
configuration in production mode is refused.

Source: GM/T 0003.2-2012; GM/T 0016-2012 (SKF); GM/T 0018-2012 (SDF).
"""

import logging
import re
from pathlib import Path

from cert_registry.signing.durable_files import write_durably
from cert_registry.signing.errors import KeyExists, KeyMisuse, KeyNotFound, TokenUnavailable
from cert_registry.signing.keyring import DataCipher
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.sm2 import libcrypto
from cert_registry.sm2.errors import Sm2Error
from cert_registry.sm2.public_key import Sm2PublicKey

#: What the log and `doctor` say.
WARNING = (
    "SM2 keys are kept in software (development adapter): unfit for production. "
    "Keep them in a certified device behind SealKey instead."
)

_log = logging.getLogger(__name__)
_LABEL = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class UnfitForProductionSm2Key:
    """An SM2 key pair in memory as a `SealKey`. Unfit for production."""

    def __init__(self, key_label: str, private_key: bytes) -> None:
        self.key_label = key_label
        self._private_key = private_key
        self._public_key = Sm2PublicKey.from_der(libcrypto.public_half(private_key))

    @property
    def algorithm(self) -> KeyAlgorithm:
        """SM2."""
        return KeyAlgorithm.SM2

    @property
    def public_key(self) -> Sm2PublicKey:
        """The public half."""
        return self._public_key

    def sign(self, data: bytes) -> bytes:
        """Sign `data` with the default identity: DER over SM3."""
        try:
            return libcrypto.sign(self._private_key, data, identity=libcrypto.DEFAULT_IDENTITY)
        except Sm2Error as error:
            raise TokenUnavailable(f"The software SM2 key {self.key_label!r} cannot sign: {error}") from error


class UnfitForProductionSm2Keys:
    """A directory of encrypted SM2 keys. Unfit for production.

    Args:
        directory: Where they are, one `LABEL.key` each.
        cipher: Encrypts them under the token's key-encryption key.
    """

    def __init__(self, directory: Path, cipher: DataCipher) -> None:
        self._directory = directory
        self._cipher = cipher
        _log.warning(WARNING)

    def has_key(self, key_label: str) -> bool:
        """Tell whether a key of that label exists."""
        return self._file(key_label).is_file()

    def generate(self, key_label: str, algorithm: KeyAlgorithm = KeyAlgorithm.SM2) -> None:
        """Make a key.

        Raises:
            KeyExists: The label is taken.
            KeyMisuse: Another algorithm is asked for, or OpenSSL cannot do SM2.
            TokenUnavailable: The key-encryption key cannot be used.
        """
        if algorithm is not KeyAlgorithm.SM2:
            raise KeyMisuse("This store holds SM2 keys alone.")
        if self.has_key(key_label):
            raise KeyExists(f"There is an SM2 key {key_label!r} already.")
        try:
            private_key = libcrypto.generate()
        except Sm2Error as error:
            raise KeyMisuse(str(error)) from error
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        stored = self._cipher.encrypt(private_key, _purpose(key_label))
        write_durably(self._file(key_label), stored, mode=0o600)

    def signing_key(self, key_label: str) -> UnfitForProductionSm2Key:
        """Return a key, decrypted into memory.

        Raises:
            KeyNotFound: There is none of that label.
            CiphertextRefused: The file is damaged, or another key's.
            TokenUnavailable: The key-encryption key cannot be used.
        """
        try:
            stored = self._file(key_label).read_bytes()
        except OSError as error:
            raise KeyNotFound("sm2", key_label) from error
        private_key = self._cipher.decrypt(stored, _purpose(key_label))
        try:
            return UnfitForProductionSm2Key(key_label, private_key)
        except Sm2Error as error:
            raise KeyMisuse(f"The SM2 key {key_label!r} cannot be used: {error}") from error

    def public_key(self, key_label: str) -> Sm2PublicKey:
        """Return the public half of a key; raises as `signing_key`."""
        return self.signing_key(key_label).public_key

    def _file(self, key_label: str) -> Path:
        if not _LABEL.fullmatch(key_label):
            raise KeyNotFound("sm2", key_label)
        return self._directory / f"{key_label}.key"


def _purpose(key_label: str) -> bytes:
    return b"longzheng sm2 key v1\0" + key_label.encode()
