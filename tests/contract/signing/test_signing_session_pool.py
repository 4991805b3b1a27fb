"""The pool of sessions: bounded, checked, opened again, and never leaking, counted at the token itself."""

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from cert_registry.signing.bounded_calls import BoundedCalls
from cert_registry.signing.errors import (
    CiphertextRefused,
    KeyMisuse,
    KeyNotFound,
    PinRefused,
    SigningError,
    TokenBusy,
    TokenUnavailable,
)
from cert_registry.signing.pkcs11_module import _SessionInfo
from cert_registry.signing.settings import Settings
from cert_registry.signing.token import PoolLimits, Token

# python-pkcs11's search complains from its finaliser when the session was closed under it; the error itself is raised.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

_HANDLES = 60_000  # SoftHSM counts its handles up


def open_sessions(token: Token) -> int:
    """How many sessions the library holds open, asked by C_GetSessionInfo for every handle it can have given."""
    info = _SessionInfo()
    ask = token._module._native.C_GetSessionInfo
    with token._module.in_use():
        return sum(ask(ctypes.c_ulong(handle), ctypes.byref(info)) == 0 for handle in range(1, _HANDLES))


def token_of(settings: Settings, purpose: str, **limits: float) -> Token:
    place = settings.tokens[purpose]
    given = PoolLimits(**limits) if limits else PoolLimits()  # type: ignore[arg-type]
    return Token(settings.module_path, place.label, place.pin_file, limits=given)


@pytest.fixture
def token(signing_settings: Settings) -> Token:
    fresh = token_of(signing_settings, "keys", sessions=4)
    fresh.probe()
    fresh._module.reload()  # nobody's sessions are open
    fresh.probe()
    return fresh


def in_threads(work: Callable[[int], None], count: int) -> list[BaseException]:
    failures: list[BaseException] = []

    def guarded(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - carried to the main thread
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


def test_thousands_of_uses_leave_no_session_behind(token: Token) -> None:
    def use(_number: int) -> None:
        for _ in range(250):
            token.mac("holder-mac", b"x")
            for fault, error in (
                (lambda: token.mac("nobody", b""), KeyNotFound),
                (lambda: token.sign_ed25519("holder-mac", b""), (KeyMisuse, KeyNotFound)),
                (lambda: token.decrypt("key-encryption", bytes(40), b""), CiphertextRefused),
            ):
                with pytest.raises(error):
                    fault()

    assert in_threads(use, 8) == []
    assert open_sessions(token) <= 4 + 1  # the pool's and the one that logged in


def test_sessions_are_not_leaked_when_they_were_lost_or_others_logged_in(
    token: Token, signing_settings: Settings, tmp_path: Path
) -> None:
    for _ in range(20):
        for pooled in token._pool.sessions():
            pooled.session.close()
        token.mac("holder-mac", b"x")  # opened again
        token._pool.forget()
        token.mac("holder-mac", b"x")
    others = [token_of(signing_settings, "keys") for _ in range(10)]
    for other in others:
        other.probe()  # the PIN is refused with "already logged in": its session must serve, not leak
    assert open_sessions(token) <= 2 + 2 * len(others)
    token._module.reload()
    wrong = tmp_path / "pin"
    place = signing_settings.tokens["keys"]
    for number in range(5):
        wrong.write_text(f"00000{number}\n")
        with pytest.raises(PinRefused):
            Token(signing_settings.module_path, place.label, wrong).probe()
    assert open_sessions(token) == 0


def test_a_session_that_was_idle_for_long_is_looked_at_before_it_is_used(signing_settings: Settings) -> None:
    watched = token_of(signing_settings, "keys", idle_check_s=0.0)
    expected = watched.mac("holder-mac", b"x")
    (idle, *_) = watched._pool.sessions()
    idle.session.close()  # as a firewall does
    lost: list[str] = []
    forget = watched._pool.forget
    watched._pool.forget = lambda: (lost.append("lost"), forget())  # type: ignore[method-assign]
    assert watched.mac("holder-mac", b"x") == expected
    assert lost == []  # found by looking, not by a failed signature


def test_a_restarted_token_serves_a_whole_crowd_again(token: Token) -> None:
    expected = token.mac("holder-mac", b"x")
    restarted = threading.Event()

    def use(number: int) -> None:
        for step in range(60):
            assert token.mac("holder-mac", b"x") == expected
            if number == 0 and step == 20:
                token._module.reload()
                restarted.set()

    assert in_threads(use, 6) == []
    assert restarted.is_set()
    assert open_sessions(token) <= 4 + 1


def test_forked_workers_each_open_their_own(token: Token) -> None:
    expected = token.mac("holder-mac", b"x")
    before = open_sessions(token)
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            status = 1
            try:  # whatever happens, the child must not go on with the tests
                right = all(token.mac("holder-mac", b"x") == expected for _ in range(50))
                status = 0 if right and open_sessions(token) <= 4 + 1 else 1
            finally:
                os._exit(status)
        children.append(child)
    assert all(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 for child in children)
    assert token.mac("holder-mac", b"x") == expected
    assert open_sessions(token) == before


def test_a_full_queue_is_refused_at_once() -> None:
    calls = BoundedCalls("The token", limit_s=30.0, threads=1, waiting=1)
    entered, release = threading.Event(), threading.Event()

    def hold() -> str:
        entered.set()
        assert release.wait(30)
        return "done"

    answers: list[str] = []
    first = threading.Thread(target=lambda: answers.append(calls.run(hold)))
    first.start()
    assert entered.wait(30)
    second = threading.Thread(target=lambda: answers.append(calls.run(lambda: "second")))
    second.start()
    while calls._waiting == 0:
        pass
    with pytest.raises(TokenBusy, match="busy") as refused:
        calls.run(lambda: "third")
    assert isinstance(refused.value, TokenUnavailable)
    assert refused.value.code == "token-busy"
    release.set()
    first.join()
    second.join()
    assert sorted(answers) == ["done", "second"]


def test_refused_crowds_do_not_use_up_the_pool(signing_settings: Settings) -> None:
    small = token_of(signing_settings, "keys", sessions=1, waiting=1)
    outcomes: list[str] = []

    def use(_number: int) -> None:
        for _ in range(40):
            try:
                small.mac("holder-mac", b"x")
                outcomes.append("answered")
            except TokenBusy:
                outcomes.append("busy")

    failures = in_threads(use, 8)
    assert failures == []
    assert len(outcomes) == 8 * 40
    assert "answered" in outcomes
    assert small.mac("holder-mac", b"x")


def test_all_refusals_are_errors_of_the_package() -> None:
    assert issubclass(TokenBusy, SigningError)
