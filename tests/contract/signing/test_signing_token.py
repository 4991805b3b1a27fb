"""The token over SoftHSM: the same suite runs on any module named by LONGZHENG_PKCS11_MODULE."""

import os
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from cert_registry.signing.errors import (
    CiphertextRefused,
    KeyExists,
    KeyMisuse,
    KeyNotFound,
    PinRefused,
    TokenUnavailable,
)
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.signing.settings import Settings
from cert_registry.signing.token import Token


@pytest.fixture(scope="session")
def token(signing_settings: Settings) -> Token:
    return signing_settings.open_token("keys")


@pytest.fixture(scope="session")
def keys(token: Token) -> dict[KeyAlgorithm, str]:
    in_token = [algorithm for algorithm in KeyAlgorithm if algorithm is not KeyAlgorithm.SM2]
    labels = {algorithm: f"test-{algorithm.value}" for algorithm in in_token}
    for algorithm, label in labels.items():
        token.generate(label, algorithm)
    return labels


def test_a_kind_of_key_that_the_token_has_not_is_refused(token: Token) -> None:
    with pytest.raises(KeyMisuse):
        token.generate("test-sm2", KeyAlgorithm.SM2)
    assert not token.has_key("test-sm2")


def test_no_key_ever_leaves_the_token(token: Token, keys: dict[KeyAlgorithm, str]) -> None:
    assert not any(token.is_extractable(label) for label in keys.values())
    assert not token.is_extractable("holder-mac")
    assert not token.is_extractable("key-encryption")


def test_p256_signatures_verify_in_der_and_in_raw_form(token: Token, keys: dict[KeyAlgorithm, str]) -> None:
    label = keys[KeyAlgorithm.ECDSA_P256]
    public_key = token.public_key(label)
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    public_key.verify(token.sign_ecdsa_p256(label, b"data"), b"data", ec.ECDSA(hashes.SHA256()))
    assert len(token.sign_es256(label, b"data")) == 64


def test_p256_signatures_have_the_lower_s(token: Token, keys: dict[KeyAlgorithm, str]) -> None:
    """With both values allowed anyone could turn a signature into another that verifies as well."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    label = keys[KeyAlgorithm.ECDSA_P256]
    for number in range(24):
        raw = token.sign_es256(label, b"data %d" % number)
        assert 0 < int.from_bytes(raw[32:]) <= order // 2


def test_ed25519_and_rsa_signatures_verify(token: Token, keys: dict[KeyAlgorithm, str]) -> None:
    edwards = token.public_key(keys[KeyAlgorithm.ED25519])
    assert isinstance(edwards, ed25519.Ed25519PublicKey)
    edwards.verify(token.sign_ed25519(keys[KeyAlgorithm.ED25519], b"data"), b"data")
    rsa_key = token.public_key(keys[KeyAlgorithm.RSA_3072])
    assert isinstance(rsa_key, rsa.RSAPublicKey)
    assert rsa_key.key_size == 3072
    signature = token.sign_rsa_sha256(keys[KeyAlgorithm.RSA_3072], b"data")
    rsa_key.verify(signature, b"data", padding.PKCS1v15(), hashes.SHA256())


def test_a_signing_key_signs_according_to_its_kind(token: Token, keys: dict[KeyAlgorithm, str]) -> None:
    for algorithm in (KeyAlgorithm.ECDSA_P256, KeyAlgorithm.ED25519, KeyAlgorithm.RSA_3072):
        key = token.signing_key(keys[algorithm])
        assert key.algorithm is algorithm
        assert key.sign(b"data")


def test_the_mac_depends_on_key_and_data(token: Token) -> None:
    first = token.mac("holder-mac", b"one")
    assert len(first) == 32
    assert token.mac("holder-mac", b"one") == first != token.mac("holder-mac", b"two")


def test_ciphertexts_open_only_unaltered_and_in_their_place(token: Token) -> None:
    sealed = token.encrypt("key-encryption", b"secret", b"place")
    assert token.decrypt("key-encryption", sealed, b"place") == b"secret"
    for damaged, place in ((sealed[:-1] + b"\0", b"place"), (sealed, b"other"), (sealed[:20], b"place")):
        if damaged == sealed and place == b"place":
            continue
        with pytest.raises(CiphertextRefused):
            token.decrypt("key-encryption", damaged, place)
    token.probe()


def test_a_missing_key_is_named(token: Token) -> None:
    with pytest.raises(KeyNotFound, match="nobody") as caught:
        token.mac("nobody", b"")
    assert caught.value.key_label == "nobody"


def test_a_key_of_another_kind_is_refused(token: Token, keys: dict[KeyAlgorithm, str]) -> None:
    with pytest.raises(KeyMisuse):
        token.sign_ed25519(keys[KeyAlgorithm.ECDSA_P256], b"")
    with pytest.raises(KeyMisuse):
        token.sign_ecdsa_p256(keys[KeyAlgorithm.RSA_3072], b"")


def test_keys_are_never_overwritten(token: Token, keys: dict[KeyAlgorithm, str]) -> None:
    with pytest.raises(KeyExists):
        token.generate(keys[KeyAlgorithm.AES_256], KeyAlgorithm.AES_256)


def test_many_threads_sign_at_once(token: Token, keys: dict[KeyAlgorithm, str]) -> None:
    label = keys[KeyAlgorithm.ECDSA_P256]
    public_key = token.public_key(label)
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for number in range(60):
                data = str(number).encode()
                public_key.verify(token.sign_ecdsa_p256(label, data), data, ec.ECDSA(hashes.SHA256()))
        except BaseException as error:  # noqa: BLE001 - carried to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_sessions_come_back_after_the_module_was_reset(token: Token) -> None:
    before = token.mac("holder-mac", b"x")
    token._module.reload()
    assert token.mac("holder-mac", b"x") == before


def test_sessions_come_back_after_they_were_closed_behind_our_back(token: Token) -> None:
    before = token.mac("holder-mac", b"x")
    for pooled in token._pool.sessions():
        pooled.session.close()
    assert token.mac("holder-mac", b"x") == before


def test_a_forked_child_can_sign(token: Token) -> None:
    expected = token.mac("holder-mac", b"x")
    child = os.fork()
    if child == 0:
        os._exit(0 if token.mac("holder-mac", b"x") == expected else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert token.mac("holder-mac", b"x") == expected


def test_a_missing_token_module_or_pin_file_is_said_so(signing_settings: Settings) -> None:
    place = signing_settings.tokens["log"]
    with pytest.raises(TokenUnavailable, match="no-such-token"):
        Token(signing_settings.module_path, "no-such-token", place.pin_file).probe()
    with pytest.raises(TokenUnavailable, match="module_path"):
        Token("/nowhere/libnone.so", place.label, place.pin_file).probe()


def test_pin_faults_are_told_apart(signing_settings: Settings, tmp_path: Path) -> None:
    place = signing_settings.tokens["log"]
    module_path = signing_settings.module_path
    Token(module_path, place.label, place.pin_file)._module.reload()  # nobody is logged in
    with pytest.raises(TokenUnavailable, match="cannot be read"):
        Token(module_path, place.label, tmp_path / "none").probe()
    wrong = tmp_path / "pin"
    wrong.write_text("000000\n")
    with pytest.raises(PinRefused):
        Token(module_path, place.label, wrong).probe()
    Token(module_path, place.label, place.pin_file).probe()
