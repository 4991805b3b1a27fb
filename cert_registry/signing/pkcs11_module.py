"""Loading a PKCS#11 library once per process, with locking between threads, and again after a fork.

python-pkcs11 calls `C_Initialize(NULL)`, which promises the library that only one thread calls it, and then
releases the GIL during calls; SoftHSM answers that promise by switching its mutexes off. So the library is
finalised and initialised again with `CKF_OS_LOCKING_OK` (through ctypes, since python-pkcs11 has no way to).
A forked child must initialise again, and does so at its first use.

Source: PKCS#11 v2.40 sections 5.4 (C_Initialize), 6.6.2 (applications and processes).
"""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition, Lock
from typing import Any, ClassVar

import pkcs11

from cert_registry.signing.errors import TokenUnavailable

_CKF_OS_LOCKING_OK = 2
_CKR_OK = 0
_CKR_CRYPTOKI_ALREADY_INITIALIZED = 0x191
_CKU_USER = 1
_C_LOGIN = 18  # place in CK_FUNCTION_LIST, from C_Initialize at 0
_LOGIN_ERRORS = {  # what a login may be answered with; anything else counts as a failed function
    0x05: pkcs11.GeneralError,
    0x30: pkcs11.DeviceError,
    0x32: pkcs11.DeviceRemoved,
    0xA0: pkcs11.PinIncorrect,
    0xA1: pkcs11.PinInvalid,
    0xA2: pkcs11.PinLenRange,
    0xA3: pkcs11.PinExpired,
    0xA4: pkcs11.PinLocked,
    0xB0: pkcs11.SessionClosed,
    0xB3: pkcs11.SessionHandleInvalid,
    0xE0: pkcs11.TokenNotPresent,
    0xE1: pkcs11.TokenNotRecognised,
    0x100: pkcs11.UserAlreadyLoggedIn,
    0x102: pkcs11.UserPinNotInitialized,
}
_CKS_USER = (1, 3)  # read-only and read-write user functions


class _InitializeArguments(ctypes.Structure):
    """CK_C_INITIALIZE_ARGS: four mutex callbacks (none), flags, reserved."""

    _fields_: ClassVar = [
        ("create_mutex", ctypes.c_void_p),
        ("destroy_mutex", ctypes.c_void_p),
        ("lock_mutex", ctypes.c_void_p),
        ("unlock_mutex", ctypes.c_void_p),
        ("flags", ctypes.c_ulong),
        ("reserved", ctypes.c_void_p),
    ]


class _SessionInfo(ctypes.Structure):
    """CK_SESSION_INFO."""

    _fields_: ClassVar = [
        ("slot", ctypes.c_ulong),
        ("state", ctypes.c_ulong),
        ("flags", ctypes.c_ulong),
        ("device_error", ctypes.c_ulong),
    ]


class Module:
    """One PKCS#11 library; `generation` changes whenever all sessions and handles have become void."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._condition = Condition()
        self._users = 0
        self._generation = 0
        self._process: int | None = None
        self._library: Any = None
        self._native: Any = None
        #: By token and PIN file: the state of the file whose PIN was refused, so that it is not tried again.
        self.refused_pins: dict[tuple[str, str], tuple[int, ...]] = {}

    @contextmanager
    def in_use(self) -> Iterator[int]:
        """Hold the library initialised; yields its generation.

        Raises:
            TokenUnavailable: The library cannot be loaded or initialised.
        """
        with self._condition:
            if self._process != os.getpid():
                self._users = 0
                self._initialise()
            self._users += 1
            generation = self._generation
        try:
            yield generation
        finally:
            with self._condition:
                self._users -= 1
                self._condition.notify_all()

    def reload(self, wait_s: float = 10.0) -> None:
        """Finalise and initialise the library, so that it reads its configuration and tokens afresh.

        Raises:
            TokenUnavailable: Other threads stay inside the library for longer than `wait_s`.
        """
        with self._condition:
            if self._process != os.getpid():
                return
            if not self._condition.wait_for(lambda: self._users == 0, wait_s):
                raise TokenUnavailable(f"The PKCS#11 library {self.path} is stuck in another thread.")
            self._initialise()

    def log_in(self, session_handle: int, pin: str) -> None:
        """Log the user in through an open session.

        Raises:
            pkcs11.PKCS11Error: As the library answers.
        """
        encoded = pin.encode()
        login = ctypes.CFUNCTYPE(
            ctypes.c_ulong, ctypes.c_ulong, ctypes.c_ulong, ctypes.c_char_p, ctypes.c_ulong
        )(self._function(_C_LOGIN))
        result = login(session_handle, _CKU_USER, encoded, len(encoded))
        if result != _CKR_OK:
            raise _LOGIN_ERRORS.get(result, pkcs11.FunctionFailed)(f"C_Login answered CKR {result:#x}")

    def _function(self, place: int) -> int:
        """Return the address of a function: libraries need export no name but that of their list."""
        functions = ctypes.POINTER(ctypes.c_void_p)()
        self._native.C_GetFunctionList(ctypes.byref(functions))
        return functions[1 + place] or 0  # the version takes the place of one pointer

    def is_logged_in(self, session_handle: int) -> bool:
        """Tell whether a session is one of a user who is logged in, and not gone."""
        info = _SessionInfo()
        result = self._native.C_GetSessionInfo(ctypes.c_ulong(session_handle), ctypes.byref(info))
        return bool(result == _CKR_OK and info.state in _CKS_USER)

    def find_token(self, label: str) -> Any:
        """Return python-pkcs11's token with that label; raises `pkcs11.NoSuchToken`."""
        return self._library.get_token(token_label=label)

    def initialise_token(self, label: str, *, so_pin: str, user_pin: str) -> bool:
        """Make a token in a free slot, or finish making one; tells whether there was anything to do.

        Raises:
            TokenUnavailable: The library has no free slot or refuses.
        """
        try:
            with self.in_use():
                try:
                    made = self.find_token(label)
                except pkcs11.NoSuchToken:
                    made = self._initialise_free_slot(label, so_pin)
                if pkcs11.TokenFlag.USER_PIN_INITIALIZED in made.flags:
                    return False
                session = made.open(rw=True, so_pin=so_pin)
                session.init_pin(user_pin)
                session.close()
                return True
        except pkcs11.PKCS11Error as error:
            raise TokenUnavailable(
                f"The token {label!r} cannot be initialised ({type(error).__name__})."
            ) from error

    def _initialise_free_slot(self, label: str, so_pin: str) -> Any:
        for slot in self._library.get_slots(token_present=True):
            if pkcs11.TokenFlag.TOKEN_INITIALIZED in slot.get_token().flags:
                continue
            pin = so_pin.encode()
            name = label.encode().ljust(32)  # CK_UTF8CHAR[32], padded with blanks
            result = self._native.C_InitToken(
                ctypes.c_ulong(slot.slot_id), pin, ctypes.c_ulong(len(pin)), name
            )
            if result != _CKR_OK:
                raise TokenUnavailable(f"The token {label!r} cannot be initialised (CKR {result:#x}).")
            return self.find_token(label)
        raise TokenUnavailable(f"The PKCS#11 library {self.path} offers no free slot for {label!r}.")

    def _initialise(self) -> None:
        if self._library is None:
            try:
                self._native = ctypes.CDLL(self.path)
                self._library = pkcs11.lib(self.path)
            except (OSError, pkcs11.PKCS11Error) as error:
                raise TokenUnavailable(
                    f"The PKCS#11 library {self.path} cannot be loaded ({error}): "
                    "check token.module_path and, for SoftHSM, SOFTHSM2_CONF."
                ) from error
        self._native.C_Finalize(None)  # in a forked child there may be nothing to finalise
        arguments = _InitializeArguments(flags=_CKF_OS_LOCKING_OK)
        result = self._native.C_Initialize(ctypes.byref(arguments))
        if result not in {_CKR_OK, _CKR_CRYPTOKI_ALREADY_INITIALIZED}:
            raise TokenUnavailable(
                f"The PKCS#11 library {self.path} cannot be initialised (CKR {result:#x}): "
                "for SoftHSM check that SOFTHSM2_CONF names a readable file."
            )
        self._process = os.getpid()
        self._generation += 1


_modules: dict[str, Module] = {}
_modules_lock = Lock()


def module(path: str) -> Module:
    """Return this process's `Module` for a library path."""
    with _modules_lock:
        return _modules.setdefault(path, Module(path))
