"""Encryption at rest over the real token."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cert_registry.signing.errors import CiphertextRefused
from cert_registry.signing.keyring import DataCipher
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.signing.settings import Settings

_FEW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="session")
def cipher(signing_settings: Settings) -> DataCipher:
    return DataCipher(signing_settings.open_token("keys"), "key-encryption")


@_FEW
@given(plaintext=st.binary(max_size=200), place=st.binary(max_size=40))
def test_what_goes_in_comes_out(cipher: DataCipher, plaintext: bytes, place: bytes) -> None:
    assert cipher.decrypt(cipher.encrypt(plaintext, place), place) == plaintext


@_FEW
@given(data=st.data())
def test_any_changed_bit_is_refused(cipher: DataCipher, data: st.DataObject) -> None:
    sealed = bytearray(cipher.encrypt(b"face", b"place"))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(CiphertextRefused):
        cipher.decrypt(bytes(sealed), b"place")


@_FEW
@given(st.binary(max_size=120))
def test_no_foreign_bytes_open(cipher: DataCipher, foreign: bytes) -> None:
    with pytest.raises(CiphertextRefused):
        cipher.decrypt(foreign, b"")


def test_a_second_process_opens_what_the_first_wrote(cipher: DataCipher, signing_settings: Settings) -> None:
    sealed = cipher.encrypt(b"face", b"place")
    other = DataCipher(signing_settings.open_token("keys"), "key-encryption")
    assert other.decrypt(sealed, b"place") == b"face"
    assert other.encrypt(b"face", b"place") != sealed
    with pytest.raises(CiphertextRefused):
        other.decrypt(sealed, b"another place")


def test_data_under_an_older_key_stays_readable_only_while_it_is_configured(
    cipher: DataCipher, signing_settings: Settings
) -> None:
    token = signing_settings.open_token("keys")
    token.generate("key-encryption-2", KeyAlgorithm.AES_256)
    sealed = cipher.encrypt(b"face", b"place")
    newer = DataCipher(token, "key-encryption-2", older_labels=("key-encryption",))
    assert newer.decrypt(sealed, b"place") == b"face"
    with pytest.raises(CiphertextRefused):
        DataCipher(token, "key-encryption-2").decrypt(sealed, b"place")
