"""Every failure of a network HSM, played against the real `Token` by the failing module over a real SoftHSM."""

import os
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from asn1crypto import core, tsp
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sample_documents import appearance, content, rendered

from cert_registry.signing.credentials import load_credentials
from cert_registry.signing.errors import (
    CiphertextRefused,
    KeyNotFound,
    PinRefused,
    TokenUnavailable,
    WrongSignature,
)
from cert_registry.signing.keyring import DataCipher
from cert_registry.signing.pki.services import open_pki
from cert_registry.signing.release import check_before_release
from cert_registry.signing.sealing import PadesLevel, SealedPdf, Sealer
from cert_registry.signing.settings import Settings
from cert_registry.signing.token import Token
from hsm_sim.failing import FailingToken
from tests.fixtures_failing_token import failing as failing  # noqa: PLC0414 - a fixture to hand on
from tests.fixtures_failing_token import failing_module as failing_module  # noqa: PLC0414 - likewise
from tests.fixtures_failing_token import failing_settings as failing_settings  # noqa: PLC0414 - likewise

pytestmark = pytest.mark.thorough

DATA = b"what is signed"


@pytest.fixture
def token(failing_module: Path, ceremony_state: Path) -> Token:
    """A `Token` of its own for each test: what one test broke is not another's concern."""
    return Token(failing_module, "lz-seals", ceremony_state / "secrets" / "pin-lz-seals")


def _signs(token: Token) -> bool:
    signature = token.sign_ecdsa_p256("seal-city-market", DATA)
    key = token.public_key("seal-city-market")
    assert isinstance(key, ec.EllipticCurvePublicKey)
    try:
        key.verify(signature, DATA, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def test_without_rules_the_module_is_the_token(token: Token, failing: FailingToken) -> None:
    assert _signs(token)
    assert failing.calls("C_Sign") == [0, 0]  # the first asks for the length
    with pytest.raises(KeyNotFound):
        token.sign_ecdsa_p256("seal-nobody", DATA)


@pytest.mark.parametrize(
    "answer", ["SESSION_HANDLE_INVALID", "DEVICE_REMOVED", "DEVICE_ERROR", "GENERAL_ERROR", "SESSION_CLOSED"]
)
@pytest.mark.parametrize("function", ["C_SignInit", "C_Sign", "C_FindObjectsInit", "C_GetAttributeValue"])
def test_a_failure_that_passes_is_survived(
    token: Token, failing: FailingToken, function: str, answer: str
) -> None:
    assert _signs(token)
    failing.fail(function, answer, times=1)
    assert _signs(token)


@pytest.mark.parametrize("answer", ["DEVICE_ERROR", "FUNCTION_FAILED", "USER_NOT_LOGGED_IN", "DEVICE_MEMORY"])
def test_a_failure_that_lasts_is_told_and_ends_when_it_ends(
    token: Token, failing: FailingToken, answer: str
) -> None:
    failing.fail("C_Sign", answer)
    with pytest.raises(TokenUnavailable):
        token.sign_ecdsa_p256("seal-city-market", DATA)
    failing.heal()
    assert _signs(token)


def test_dropped_sessions_are_opened_again_with_one_login(token: Token, failing: FailingToken) -> None:
    assert _signs(token)
    failing.drop_sessions()
    assert _signs(token)
    assert _signs(token)
    after = failing.calls("C_Login")[1:]
    assert after == [0]


def test_a_removed_token_is_told_and_comes_back(token: Token, failing: FailingToken) -> None:
    assert _signs(token)
    failing.remove()
    with pytest.raises(TokenUnavailable):
        token.sign_ecdsa_p256("seal-city-market", DATA)
    with pytest.raises(TokenUnavailable):
        token.probe()
    failing.heal()
    assert _signs(token)


@pytest.mark.parametrize("answer", ["PIN_INCORRECT", "PIN_LOCKED", "PIN_EXPIRED"])
def test_a_refused_pin_is_tried_once_until_its_file_changes(
    failing_module: Path, ceremony_state: Path, failing: FailingToken, tmp_path: Path, answer: str
) -> None:
    """A PIN that is tried again and again locks the token, and then nothing is sealed any more."""
    pin_file = tmp_path / "pin"
    shutil.copy(ceremony_state / "secrets" / "pin-lz-seals", pin_file)
    failing.fail("C_Login", answer)
    for _ in range(5):  # a batch goes on asking; another `Token` of the process is no second chance either
        with pytest.raises(PinRefused):
            Token(failing_module, "lz-seals", pin_file).sign_ecdsa_p256("seal-city-market", DATA)
    assert len(failing.calls("C_Login")) == 1
    failing.heal()
    with pytest.raises(PinRefused):
        Token(failing_module, "lz-seals", pin_file).probe()
    os.utime(pin_file, ns=(1, 1))  # an operator unlocked the token and says so
    assert _signs(Token(failing_module, "lz-seals", pin_file))


def test_latency_is_waited_for_and_a_hang_is_not(
    failing_module: Path, ceremony_state: Path, failing: FailingToken
) -> None:
    pin_file = ceremony_state / "secrets" / "pin-lz-seals"
    patient = Token(failing_module, "lz-seals", pin_file)
    failing.delay("C_Sign", 150)
    assert _signs(patient)
    failing.heal()
    hasty = Token(failing_module, "lz-seals", pin_file, answer_within_s=1.5)
    assert _signs(hasty)
    failing.hang("C_Sign")
    for _ in range(3):
        with pytest.raises(TokenUnavailable, match="did not answer within"):
            hasty.sign_ecdsa_p256("seal-city-market", DATA)
    failing.heal()
    assert _signs(hasty)


def test_when_as_many_calls_hang_as_there_may_be_further_ones_are_refused(
    failing_module: Path, ceremony_state: Path, failing: FailingToken
) -> None:
    token = Token(
        failing_module, "lz-seals", ceremony_state / "secrets" / "pin-lz-seals", answer_within_s=1.0
    )
    assert _signs(token)
    failing.hang("C_Sign")

    def refused(_: int) -> str:
        with pytest.raises(TokenUnavailable) as refusal:
            token.sign_ecdsa_p256("seal-city-market", DATA)
        return str(refusal.value)

    with ThreadPoolExecutor(24) as pool:
        sentences = list(pool.map(refused, range(24)))
    assert any("is busy" in sentence for sentence in sentences)
    failing.heal()
    assert _signs(token)


@pytest.mark.parametrize(
    ("purpose", "key_label", "sign"),
    [
        ("seals", "seal-city-market", Token.sign_ecdsa_p256),
        ("pki", "tsa", Token.sign_ecdsa_p256),
        ("receipts", "receipt", Token.sign_es256),
        ("receipts", "qr", Token.sign_es256),
        ("log", "log", Token.sign_ed25519),
    ],
)
def test_a_wrong_signature_never_leaves(
    failing_settings: Settings,
    failing: FailingToken,
    purpose: str,
    key_label: str,
    sign: Callable[[Token, str, bytes], bytes],
) -> None:
    token = failing_settings.open_token(purpose)
    right = sign(token, key_label, DATA)
    failing.spoil("C_Sign")
    with pytest.raises(WrongSignature):
        sign(token, key_label, DATA)
    failing.heal()
    failing.spoil("C_Sign", times=2)  # one signature: the first call asks for its length
    assert len(sign(token, key_label, DATA)) in range(len(right) - 2, len(right) + 3)


def test_a_wrong_hmac_is_never_kept(failing_settings: Settings, failing: FailingToken) -> None:
    keys = failing_settings.open_token("keys")
    right = keys.mac("holder-mac", DATA)
    failing.spoil("C_Sign")
    with pytest.raises(WrongSignature):
        keys.mac("holder-mac", DATA)
    failing.heal()
    failing.spoil("C_Sign", times=2)  # one value: the first call may ask for its length
    assert keys.mac("holder-mac", DATA) == right


@pytest.mark.parametrize("function", ["C_Encrypt", "C_Decrypt"])
def test_no_data_is_encrypted_under_a_key_that_does_not_open(
    failing_settings: Settings, failing: FailingToken, function: str
) -> None:
    cipher = DataCipher(failing_settings.open_token("keys"), "key-encryption")
    failing.spoil(function)
    with pytest.raises(WrongSignature):
        cipher.encrypt(b"a face", b"row")
    failing.heal()
    assert cipher.decrypt(cipher.encrypt(b"a face", b"row"), b"row") == b"a face"


def test_a_spoilt_data_key_is_refused(
    failing_module: Path, ceremony_state: Path, failing: FailingToken
) -> None:
    keys = Token(failing_module, "lz-keys", ceremony_state / "secrets" / "pin-lz-keys")
    wrapped = keys.encrypt("key-encryption", b"a data key", b"purpose")
    assert keys.decrypt("key-encryption", wrapped, b"purpose") == b"a data key"
    failing.spoil("C_Encrypt", times=2)  # one call asks for the length
    spoilt = keys.encrypt("key-encryption", b"a data key", b"purpose")
    failing.heal()
    with pytest.raises(CiphertextRefused):
        keys.decrypt("key-encryption", spoilt, b"purpose")


@pytest.mark.filterwarnings(
    # python-pkcs11 ends a search also when its session has gone, and tells of it where nobody can catch it
    "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_restarts_among_many_threads_lose_no_signature(token: Token, failing: FailingToken) -> None:
    assert _signs(token)

    def restart() -> None:
        for _ in range(4):
            time.sleep(0.2)
            failing.drop_sessions()

    restarting = threading.Thread(target=restart)
    restarting.start()
    with ThreadPoolExecutor(4) as pool:
        signed = 0
        while restarting.is_alive() or signed < 40:
            assert all(pool.map(lambda _: _signs(token), range(8)))
            signed += 8
    restarting.join()


def test_sealing_stamping_and_answering_refuse_and_go_on(
    failing_settings: Settings, failing: FailingToken
) -> None:
    services = open_pki(failing_settings)
    now = datetime.now(UTC)
    credentials = load_credentials(
        failing_settings.open_token("seals"), services.pki, "seal-city-market", now=now
    )
    sealer = Sealer(pki=services.pki, tsa=services.tsa, ocsp=services.ocsp, crls=services.crls)

    def seal() -> SealedPdf:
        return sealer.seal(
            rendered(), credentials=credentials, appearance=appearance(), level=PadesLevel.B_LT, now=now
        )

    for failure in ("fail C_Sign", "fail C_SignInit", "wrong"):
        if failure == "wrong":
            failing.spoil("C_Sign")
        else:
            failing.fail(failure.removeprefix("fail "), "DEVICE_ERROR")
        with pytest.raises(TokenUnavailable):
            seal()
        request = tsp.TimeStampReq(
            {
                "version": "v1",
                "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": bytes(32)},
            }
        )
        answer = services.tsa.respond(request.dump(), now=now)
        status = tsp.PKIStatusInfo.load(core.Sequence.load(answer)[0].dump())
        assert status["status"].native == "rejection"
        failing.heal()
    failing.drop_sessions()  # in the middle of a batch
    sealed = seal()
    check_before_release(
        sealed.pdf,
        expected_digest=sealed.sha256,
        certificate=credentials.certificate,
        anchors=services.pki.anchors(),
        now=now,
        content=content(PadesLevel.B_LT),
    )
