"""The one door to the system's OpenSSL 3 for SM2, by ctypes: `cryptography` has no SM2.

Every object of libcrypto lives inside one call, so nothing is shared between threads and nothing leaks. Keys go
in and out as DER. Signatures are DER `SEQUENCE {r, s}` over SM3(Z || data), Z made from the signer's identity.

Source: GB/T 32918.2-2016 (signature), GB/T 35276-2017 (encoding and default identity); OpenSSL 3 manual pages
EVP_DigestSign(3), EVP_PKEY_CTX_set1_id(3), EVP_SIGNATURE-SM2(7).
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from cert_registry.sm2.errors import KeyRefused, LibraryUnavailable

#: The identity that everyone signs with unless two parties agree otherwise (GB/T 35276-2017 clause 10).
DEFAULT_IDENTITY = b"1234567812345678"
#: A pair of integers of at most 33 bytes, each with a header of two, in a sequence with one of two.
LONGEST_SIGNATURE_BYTES = 72

_LIBRARY = "libcrypto.so.3"
_POINTER = ctypes.c_void_p
_SIZE = ctypes.c_size_t
#: name: result, arguments
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "EVP_MD_CTX_new": (_POINTER, ()),
    "EVP_MD_CTX_free": (None, (_POINTER,)),
    "EVP_PKEY_free": (None, (_POINTER,)),
    "EVP_PKEY_is_a": (ctypes.c_int, (_POINTER, ctypes.c_char_p)),
    "EVP_DigestSignInit_ex": (ctypes.c_int, (_POINTER,) * 2 + (ctypes.c_char_p,) + (_POINTER,) * 4),
    "EVP_DigestVerifyInit_ex": (ctypes.c_int, (_POINTER,) * 2 + (ctypes.c_char_p,) + (_POINTER,) * 4),
    "EVP_PKEY_CTX_set1_id": (ctypes.c_int, (_POINTER, ctypes.c_char_p, ctypes.c_int)),
    "EVP_DigestSign": (ctypes.c_int, (_POINTER, _POINTER, _POINTER, ctypes.c_char_p, _SIZE)),
    "EVP_DigestVerify": (ctypes.c_int, (_POINTER, ctypes.c_char_p, _SIZE, ctypes.c_char_p, _SIZE)),
    "EVP_PKEY_CTX_new_from_name": (_POINTER, (_POINTER, ctypes.c_char_p, ctypes.c_char_p)),
    "EVP_PKEY_CTX_free": (None, (_POINTER,)),
    "EVP_PKEY_keygen_init": (ctypes.c_int, (_POINTER,)),
    "EVP_PKEY_generate": (ctypes.c_int, (_POINTER, _POINTER)),
    "d2i_PUBKEY": (_POINTER, (_POINTER, _POINTER, ctypes.c_long)),
    "i2d_PUBKEY": (ctypes.c_int, (_POINTER, _POINTER)),
    "d2i_AutoPrivateKey": (_POINTER, (_POINTER, _POINTER, ctypes.c_long)),
    "EVP_PKEY2PKCS8": (_POINTER, (_POINTER,)),
    "i2d_PKCS8_PRIV_KEY_INFO": (ctypes.c_int, (_POINTER, _POINTER)),
    "PKCS8_PRIV_KEY_INFO_free": (None, (_POINTER,)),
    "ERR_clear_error": (None, ()),
}


@cache
def _library() -> Any:
    try:
        library = ctypes.CDLL(_LIBRARY)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise LibraryUnavailable(
            f"SM2 needs OpenSSL 3 ({_LIBRARY}), which is not on this machine: {error}."
        ) from error
    return library


def verify(public_key_der: bytes, signature: bytes, data: bytes, *, identity: bytes) -> bool:
    """Tell whether a signature verifies under a SubjectPublicKeyInfo (DER).

    Raises:
        KeyRefused: It is not an SM2 public key.
        LibraryUnavailable: OpenSSL is not there or cannot do SM2.
    """
    library = _library()
    with _public_key(public_key_der) as key, _context(key, "EVP_DigestVerifyInit_ex", identity) as context:
        verified = library.EVP_DigestVerify(context, signature, len(signature), data, len(data)) == 1
        library.ERR_clear_error()
        return bool(verified)


def sign(private_key_der: bytes, data: bytes, *, identity: bytes) -> bytes:
    """Return the signature of `data` under a PKCS#8 private key (DER).

    Raises:
        KeyRefused: It is not an SM2 private key.
        LibraryUnavailable: OpenSSL is not there or cannot do SM2.
    """
    library = _library()
    with _private_key(private_key_der) as key, _context(key, "EVP_DigestSignInit_ex", identity) as context:
        room = ctypes.create_string_buffer(LONGEST_SIGNATURE_BYTES)
        length = _SIZE(LONGEST_SIGNATURE_BYTES)
        if library.EVP_DigestSign(context, room, ctypes.byref(length), data, len(data)) != 1:
            library.ERR_clear_error()
            raise LibraryUnavailable("OpenSSL could not make an SM2 signature.")
        return room.raw[: length.value]


def generate() -> bytes:
    """Return a new private key as PKCS#8 (DER), made by OpenSSL's own random numbers.

    Raises:
        LibraryUnavailable: OpenSSL is not there or cannot do SM2.
    """
    library = _library()
    context = library.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
    key = _POINTER()
    try:
        made = (
            bool(context)
            and library.EVP_PKEY_keygen_init(context) == 1
            and library.EVP_PKEY_generate(context, ctypes.byref(key)) == 1
        )
        if not made:
            library.ERR_clear_error()
            raise LibraryUnavailable("OpenSSL could not make an SM2 key.")
        pkcs8 = library.EVP_PKEY2PKCS8(key)
        try:
            return _encoded(library.i2d_PKCS8_PRIV_KEY_INFO, pkcs8)
        finally:
            library.PKCS8_PRIV_KEY_INFO_free(pkcs8)
    finally:
        library.EVP_PKEY_free(key)
        library.EVP_PKEY_CTX_free(context)


def public_half(private_key_der: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo (DER) of a PKCS#8 private key; raises as `sign`."""
    with _private_key(private_key_der) as key:
        return _encoded(_library().i2d_PUBKEY, key)


@contextmanager
def _public_key(der: bytes) -> Iterator[Any]:
    with _key(_library().d2i_PUBKEY, der) as key:
        yield key


@contextmanager
def _private_key(der: bytes) -> Iterator[Any]:
    with _key(_library().d2i_AutoPrivateKey, der) as key:
        yield key


@contextmanager
def _key(read: Any, der: bytes) -> Iterator[Any]:
    library = _library()
    place = ctypes.create_string_buffer(der, len(der))
    at = _POINTER(ctypes.addressof(place))
    key = read(None, ctypes.byref(at), len(der))
    try:
        if not key or not library.EVP_PKEY_is_a(key, b"SM2"):
            raise KeyRefused("The key is not an SM2 key.")
        yield key
    finally:
        library.ERR_clear_error()
        library.EVP_PKEY_free(key)


@contextmanager
def _context(key: Any, initialise: str, identity: bytes) -> Iterator[Any]:
    library = _library()
    context = library.EVP_MD_CTX_new()
    try:
        inner = _POINTER()
        ready = getattr(library, initialise)(context, ctypes.byref(inner), b"SM3", None, None, key, None) == 1
        if not ready or library.EVP_PKEY_CTX_set1_id(inner, identity, len(identity)) != 1:
            library.ERR_clear_error()
            raise LibraryUnavailable("OpenSSL on this machine cannot do SM2 with SM3.")
        yield context
    finally:
        library.EVP_MD_CTX_free(context)


def _encoded(write: Any, value: Any) -> bytes:
    length = write(value, None)
    if length <= 0:
        raise LibraryUnavailable("OpenSSL could not encode an SM2 key.")
    place = ctypes.create_string_buffer(length)
    at = _POINTER(ctypes.addressof(place))
    write(value, ctypes.byref(at))
    return place.raw
