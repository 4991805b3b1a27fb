"""Asking a time server: one SNTP exchange over UDP, with everything a forged answer would get wrong checked.

Source: RFC 4330 sections 4 and 5; RFC 5905 section 7.3 (header); RFC 9109 (random source port).

    octets  0      leap indicator (2 bits), version (3), mode (3)
            1      stratum
            2, 3   poll, precision (log2 s, signed)
            4-7    root delay, 8-11 root dispersion (16.16 s), 12-15 reference identifier
           16-23   reference, 24-31 originate, 32-39 receive, 40-47 transmit time (32.32 s since 1900)
"""

import secrets
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from cert_registry.signing.errors import SigningError

_PACKET = struct.Struct("!BBbbIIIQQQQ")
_NTP_EPOCH_S = 2_208_988_800  # seconds from 1900 to 1970
_ERA_S = 1 << 32
_CLIENT, _SERVER, _VERSION = 3, 4, 4
_UNSYNCHRONISED = 3
_LONGEST_ROOT_DISTANCE_S = 1.5  # RFC 5905: MAXDIST


class PeerUnavailable(SigningError):
    """A time server does not answer, or answers what cannot be believed."""

    code = "time-peer-unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockOffset:
    """How far a peer's clock is ahead of ours, and by how much that may be wrong."""

    ahead: timedelta
    uncertainty: timedelta


class TimePeer(Protocol):
    """Somebody who knows the time."""

    name: str

    def offset(self) -> ClockOffset:
        """Compare the peer's clock with ours.

        Raises:
            PeerUnavailable: No believable answer.
        """
        ...


class SntpPeer:
    """A time server asked by SNTP.

    Args:
        host: Its name or address.
        port: UDP port.
        timeout_s: How long to wait for the answer.
        clock: Our clock, seconds since 1970; injected in tests.
    """

    def __init__(
        self, host: str, port: int = 123, *, timeout_s: float = 1.0, clock: Callable[[], float] = time.time
    ) -> None:
        self.name = f"{host}:{port}"
        self._address = (host, port)
        self._timeout_s = timeout_s
        self._clock = clock

    def offset(self) -> ClockOffset:
        """Ask once.

        Raises:
            PeerUnavailable: No answer, or not one to this question by a synchronised server.
        """
        token = secrets.randbits(64) or 1  # in the place of our time, which is nobody's business
        request = _PACKET.pack(_VERSION << 3 | _CLIENT, 0, 0, 0, 0, 0, 0, 0, 0, 0, token)
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)[0]
            with socket.socket(family, kind, protocol) as connection:
                connection.settimeout(self._timeout_s)
                connection.connect(address)  # answers from elsewhere are not delivered
                sent_at, started = self._clock(), time.monotonic()
                connection.send(request)
                answer = connection.recv(512)
                took_s = time.monotonic() - started
        except OSError as error:
            raise PeerUnavailable(f"The time server {self.name} does not answer.") from error
        return read_answer(answer, token=token, sent_at=sent_at, took_s=took_s, name=self.name)


def read_answer(answer: bytes, *, token: int, sent_at: float, took_s: float, name: str) -> ClockOffset:
    """Compare the times of an answer with ours.

    Args:
        answer: The packet.
        token: Our transmit field.
        sent_at: When we asked, seconds since 1970 by our clock.
        took_s: Seconds until the answer came.
        name: For the sentence of an error.

    Raises:
        PeerUnavailable: It is not a sound answer to this question.
    """
    if len(answer) < _PACKET.size:
        raise PeerUnavailable(f"The time server {name} answered with a short packet.")
    head, stratum, _, _, delay, dispersion, _, reference, originate, receive, transmit = _PACKET.unpack(
        answer[: _PACKET.size]
    )
    leap, version, mode = head >> 6, head >> 3 & 7, head & 7
    if mode != _SERVER or not 1 <= version <= _VERSION or originate != token:
        raise PeerUnavailable(f"The time server {name} did not answer this question.")
    if leap == _UNSYNCHRONISED or not 1 <= stratum <= 15 or 0 in {receive, transmit, reference}:
        raise PeerUnavailable(f"The time server {name} is not synchronised itself, or asks to go away.")
    distance_s = delay / 2**17 + dispersion / 2**16
    if distance_s > _LONGEST_ROOT_DISTANCE_S:
        raise PeerUnavailable(f"The time server {name} is too far from its own source.")
    received_at, replied_at = _seconds(receive, near=sent_at), _seconds(transmit, near=sent_at)
    held_s = replied_at - received_at
    if not -1e-6 <= held_s <= took_s + 1e-3:
        raise PeerUnavailable(f"The time server {name} answered with times that cannot be.")
    arrived_at = sent_at + took_s
    ahead_s = ((received_at - sent_at) + (replied_at - arrived_at)) / 2
    return ClockOffset(
        ahead=timedelta(seconds=ahead_s),
        uncertainty=timedelta(seconds=max(took_s - held_s, 0) / 2 + distance_s),
    )


def _seconds(stamp: int, *, near: float) -> float:
    """Seconds since 1970, in the era of 2^32 seconds that is nearest to our own clock."""
    seconds = stamp / 2**32 - _NTP_EPOCH_S
    return seconds + round((near - seconds) / _ERA_S) * _ERA_S


def moment_of(stamp: int, *, near: datetime) -> datetime:
    """The time that a 64-bit NTP stamp names, in the era nearest to `near`."""
    return datetime.fromtimestamp(_seconds(stamp, near=near.timestamp()), UTC)
