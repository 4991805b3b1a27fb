"""Sessions with one token: logged in once, used again, looked at when they were idle for long, closed when lost.

The PKCS#11 login state belongs to the process, so one session logs in and lives on, and the others are opened
without a PIN. Every session that is opened here is kept, in use, or closed: a network HSM has few of them. Only
after the library was loaded anew or the process was forked are sessions dropped without being closed, since their
handles have become void and may already be another's.

Source: PKCS#11 v2.40 sections 5.6 (sessions) and 6.7.4 (login state).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any

import pkcs11
from pkcs11 import ObjectClass

from cert_registry.signing.errors import PinRefused, SigningError, TokenUnavailable
from cert_registry.signing.pkcs11_module import Module

#: A session that was idle for longer is asked whether it still stands: network HSMs and firewalls end idle ones.
IDLE_CHECK_S = 30.0


class PooledSession:
    """A session and the keys found through it; `session` is python-pkcs11's."""

    __slots__ = ("keys", "last_used", "session")

    def __init__(self, session: Any) -> None:
        self.session = session
        self.keys: dict[tuple[str, ObjectClass], Any] = {}
        self.last_used = monotonic()

    def close(self) -> None:
        """Close it; that it is gone already does not matter."""
        with suppress(pkcs11.PKCS11Error):
            self.session.close()


class SessionPool:
    """The sessions of one process with one token; thread-safe. How many are out at once is for the caller to bound.

    Args:
        module: The library.
        token_label: The token's label.
        pin_file: File with the user PIN on its first line.
        idle_check_s: After how long an idle session is looked at before it is used.
    """

    def __init__(
        self, module: Module, token_label: str, pin_file: Path, *, idle_check_s: float = IDLE_CHECK_S
    ) -> None:
        self._module = module
        self._token_label = token_label
        self._pin_file = pin_file
        self._idle_check_s = idle_check_s
        self._lock = Lock()
        self._idle: list[PooledSession] = []
        self._login: PooledSession | None = None
        self._opened_in: tuple[int, int] | None = None  # process and the library's generation

    @contextmanager
    def session(self, generation: int, *, read_write: bool) -> Iterator[PooledSession]:
        """Lend a session; the caller holds the library in use at this generation.

        A session whose use failed is closed, because nobody knows in what state it is; that the caller refused
        something by itself says nothing against the session.

        Raises:
            TokenUnavailable: The PIN cannot be read.
            PinRefused: The PIN was refused before.
        """
        one = self._borrow(generation, read_write=read_write)
        healthy = False
        try:
            yield one
            healthy = True
        except SigningError:
            healthy = True  # the token did its part
            raise
        finally:
            self._give_back(one, generation, keep=healthy and not read_write)

    def forget(self) -> None:
        """Close every session that is not in use, and the login: the next use begins anew."""
        with self._lock:
            gone = [*self._idle, self._login]
            opened_in, self._opened_in = self._opened_in, None
            self._idle, self._login = [], None
        with suppress(TokenUnavailable), self._module.in_use() as generation:
            if opened_in == (os.getpid(), generation):
                for one in gone:
                    if one is not None:
                        one.close()

    def sessions(self) -> tuple[PooledSession, ...]:
        """Return the idle sessions and the one that logged in."""
        with self._lock:
            return (*self._idle, *([] if self._login is None else [self._login]))

    def _borrow(self, generation: int, *, read_write: bool) -> PooledSession:
        while (idle := self._take_idle(generation)) is not None:
            if read_write or not self._still_stands(idle):
                idle.close()
                continue
            return idle
        with self._lock:
            slot_token = self._module.find_token(self._token_label)
            if self._login is None:
                self._login = self._log_in(slot_token)
        return PooledSession(slot_token.open(rw=read_write))

    def _take_idle(self, generation: int) -> PooledSession | None:
        with self._lock:
            if self._opened_in != (os.getpid(), generation):
                self._idle, self._login = [], None  # void: dropped, never closed
                self._opened_in = (os.getpid(), generation)
            return self._idle.pop() if self._idle else None

    def _still_stands(self, one: PooledSession) -> bool:
        if monotonic() - one.last_used <= self._idle_check_s:
            return True
        return self._module.is_logged_in(one.session.handle)

    def _give_back(self, one: PooledSession, generation: int, *, keep: bool) -> None:
        one.last_used = monotonic()
        if keep:
            with self._lock:
                if self._opened_in == (os.getpid(), generation):
                    self._idle.append(one)
                    return
        one.close()

    def _log_in(self, slot_token: Any) -> PooledSession:
        """Open the session that logs in; a PIN that was refused is tried again only after its file changed."""
        place = (self._token_label, str(self._pin_file))
        pin, state = self._read_pin(), self._pin_file_state()
        if self._module.refused_pins.get(place) == state:
            raise PinRefused(
                f"The token {self._token_label!r} refused the PIN in {self._pin_file} before, so it is not tried"
                " again: correct the file, or touch it once the token is unlocked."
            )
        # Not `open(user_pin=…)`: when the token refuses that login, the session that it opened stays open.
        opened = PooledSession(slot_token.open())
        try:
            self._module.log_in(opened.session.handle, pin)
        except pkcs11.UserAlreadyLoggedIn:
            return opened  # another Token of this process logged in
        except (
            pkcs11.PinIncorrect,
            pkcs11.PinLocked,
            pkcs11.PinExpired,
            pkcs11.PinInvalid,
            pkcs11.PinLenRange,
        ):
            self._module.refused_pins[place] = state
            opened.close()
            raise
        except pkcs11.PKCS11Error:
            opened.close()
            raise
        return opened

    def _pin_file_state(self) -> tuple[int, ...]:
        try:
            seen = self._pin_file.stat()
        except OSError:
            return ()
        return (seen.st_ino, seen.st_size, seen.st_mtime_ns)

    def _read_pin(self) -> str:
        try:
            return self._pin_file.read_text(encoding="utf-8").split("\n", 1)[0]
        except OSError as error:
            raise TokenUnavailable(
                f"The PIN file {self._pin_file} cannot be read: {error.strerror}."
            ) from error
