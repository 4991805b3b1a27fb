"""Token Status List: every certificate's state in two bits, signed, the same answer for everybody.

A verifier without a connection to the verify API fetches one list and learns nothing but the state of the index
that the certificate names; we learn nothing about whom it checks.

Layout: status of index i stands in byte i*2/8, least significant bits first; the bytes are compressed in zlib
format (RFC 1950) and written in base64url without padding.
Source: draft-ietf-oauth-status-list-21, sections 4.1, 5.1 and 7.1.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import rfc8785

from cert_registry.errors import RequestMalformed
from cert_registry.types import EcertState

BITS: Final = 2
MEDIA_TYPE: Final = "application/statuslist+jwt"
TIME_TO_LIVE: Final = timedelta(minutes=5)
LIFE: Final = timedelta(days=1)
_VALID, _INVALID, _SUSPENDED = 0, 1, 2
VALUES: Final = {
    EcertState.VALID: _VALID,
    EcertState.SUSPENDED: _SUSPENDED,
    EcertState.REVOKED: _INVALID,
    EcertState.CANCELLED: _INVALID,
    EcertState.PENALLY_REVOKED: _INVALID,
    EcertState.TRANSFERRED: _INVALID,
    EcertState.EXPIRED: _VALID,  # the certificate's own last day decides, before the list does
}


def encode_list(entries: Iterable[tuple[int, int]], *, length: int, bits: int = BITS) -> str:
    """Return `lst`: the compressed list in base64url.

    Args:
        entries: Index and status value; what is not named is 0.
        length: Number of entries, a multiple of 8 divided by `bits`.
        bits: 1, 2, 4 or 8.
    """
    packed = bytearray(length * bits // 8)
    for index, value in entries:
        packed[index * bits // 8] |= value << (index * bits % 8)
    return _b64url(zlib.compress(bytes(packed), 9))


def read_status(lst: str, index: int, *, bits: int, maximum_bytes: int = 1 << 20) -> int:
    """Return the status value at an index.

    Raises:
        RequestMalformed: The index lies outside the list, or the list is not of its form.
    """
    try:
        inflater = zlib.decompressobj()
        packed = inflater.decompress(base64.urlsafe_b64decode(lst + "=" * (-len(lst) % 4)), maximum_bytes)
    except (ValueError, zlib.error) as error:
        raise RequestMalformed("状态列表不能读取。") from error
    if not 0 <= index < len(packed) * 8 // bits:
        raise RequestMalformed("状态列表里没有这个位置。")
    return packed[index * bits // 8] >> (index * bits % 8) & (1 << bits) - 1


def sign_list(
    states: Sequence[tuple[int, EcertState]],
    *,
    uri: str,
    length: int,
    x5c: Sequence[bytes],
    sign: Callable[[bytes], bytes],
    now: datetime,
) -> str:
    """Return the status list token (JWT).

    Args:
        states: Stored state by index.
        uri: Address of the list, as the certificates name it.
        length: Number of entries.
        x5c: Chain of the signing key, DER.
        sign: ES256, r ‖ s.
        now: Time of issue.
    """
    header: dict[str, Any] = {
        "alg": "ES256",
        "typ": "statuslist+jwt",
        "x5c": [base64.b64encode(der).decode() for der in x5c],
    }
    entries = [(index, VALUES[state]) for index, state in states if VALUES[state]]
    payload: dict[str, Any] = {
        "sub": uri,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFE).timestamp()),
        "ttl": int(TIME_TO_LIVE.total_seconds()),
        "status_list": {"bits": BITS, "lst": encode_list(entries, length=length)},
    }
    signing_input = f"{_b64url(rfc8785.dumps(header))}.{_b64url(rfc8785.dumps(payload))}"
    return f"{signing_input}.{_b64url(sign(signing_input.encode()))}"


def _b64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()
