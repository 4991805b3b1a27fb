"""The token's keys as issuing and the stores use them: data cipher, references, check codes, secrets."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, final

from cert_registry.check_code import check_code_mac, new_check_code
from cert_registry.errors import DraftRefused, ObjectMissing, TokenBusyOrGone
from cert_registry.issuance_forms import IntentSecrets
from cert_registry.signing.errors import CiphertextRefused, SigningError
from idp.identity.holder import HolderCodeType, holder_reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from cert_registry.legal_persons.store import LegalPersonStore
    from cert_registry.signing.keyring import DataCipher as TokenCipher
    from cert_registry.signing.token import Token
    from cert_registry.types import EcertIdentifier, Holder
    from idp.identity.holder import HolderReference

HOLDER_KEY: Final = "holder-mac"
ENCRYPTION_KEY: Final = "key-encryption"
_SALT_BYTES: Final = 32


def token_mac(token: Token, key_label: str = HOLDER_KEY) -> Callable[[bytes], bytes]:
    """HMAC-SHA-256 in the token; messages of different uses begin with different domains.

    The function raises `TokenBusyOrGone` when the token does not answer.
    """

    def mac(message: bytes) -> bytes:
        try:
            return token.mac(key_label, message)
        except SigningError as error:
            raise TokenBusyOrGone("密码设备暂时不可用，请稍后再试。") from error

    return mac


@final
class StoreCipher:
    """The data cipher with the registry's errors."""

    def __init__(self, cipher: TokenCipher) -> None:
        self._cipher = cipher

    def encrypt(self, plaintext: bytes, *, associated_data: bytes) -> bytes:
        """Ciphertext that only opens with the same associated data.

        Raises:
            TokenBusyOrGone: A data key was due and the token does not answer.
        """
        try:
            return self._cipher.encrypt(plaintext, associated_data)
        except SigningError as error:
            raise TokenBusyOrGone("密码设备暂时不可用，请稍后再试。") from error

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        """The plaintext.

        Raises:
            ObjectMissing: Damaged, or bound to other associated data.
            TokenBusyOrGone: The token does not answer.
        """
        try:
            return self._cipher.decrypt(ciphertext, associated_data)
        except CiphertextRefused as error:
            raise ObjectMissing("存储的内容已损坏。") from error
        except SigningError as error:
            raise TokenBusyOrGone("密码设备暂时不可用，请稍后再试。") from error


@final
class KeyedHolders:
    """From a holder's number to the reference that the registry keeps."""

    def __init__(self, mac: Callable[[bytes], bytes]) -> None:
        self._mac = mac

    def reference(self, holder: Holder) -> HolderReference:
        """The keyed reference; the number is not kept.

        Raises:
            DraftRefused: The code type is not one that holders have.
        """
        try:
            code_type = HolderCodeType(holder.code_type)
        except ValueError as error:
            raise DraftRefused("持证主体的证件类型不支持。") from error
        return holder_reference(code_type, holder.number, self._mac)


@final
class RandomSecrets:
    """Check codes and salts from the operating system's generator."""

    def __init__(self, mac: Callable[[bytes], bytes]) -> None:
        self._mac = mac

    def draw(self, identifier: EcertIdentifier) -> IntentSecrets:
        """A fresh check code with its MAC, and a fresh salt."""
        code = new_check_code()
        return IntentSecrets(
            check_code=code,
            check_code_mac=check_code_mac(code, identifier=identifier, mac=self._mac),
            salt=secrets.token_bytes(_SALT_BYTES),
        )


@final
class Representatives:
    """For whom a person may act, asked of the legal-person room."""

    def __init__(self, store: LegalPersonStore) -> None:
        self._store = store

    def represented_by(self, person: HolderReference, *, today: date) -> tuple[HolderReference, ...]:
        """Legal persons that this person heads; ended ones too: the head keeps access to what it was granted."""
        del today  # the store keeps the present heads
        found = self._store.represented_by(person, include_ended=True)
        return tuple(legal_person.holder_reference for legal_person in found)
