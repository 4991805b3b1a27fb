"""A time server over real UDP that tells the time it is told to, and lies on command."""

from __future__ import annotations

import socket
import struct
import threading
import time
from dataclasses import dataclass

_PACKET = struct.Struct("!BBbbIIIQQQQ")
_NTP_EPOCH_S = 2_208_988_800


@dataclass(kw_only=True)
class SntpSimulator:
    """Answers until closed.

    Attributes:
        ahead_s: How far its clock is ahead.
        leap, stratum, mode: What its header says.
        echo: Whether it repeats the client's transmit time.
        cut: How many octets of the answer it sends.
        silent: Whether it says nothing.
        root_dispersion_s: What it says of its own source.
    """

    ahead_s: float = 0.0
    leap: int = 0
    stratum: int = 2
    mode: int = 4
    echo: bool = True
    cut: int = 48
    silent: bool = False
    root_dispersion_s: float = 0.01

    def __post_init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.asked = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                request, client = self._socket.recvfrom(512)
            except OSError:
                return
            self.asked += 1
            if self.silent:
                continue
            transmit = _PACKET.unpack(request[:48])[10]
            at = stamp(time.time() + self.ahead_s)
            head = self.leap << 6 | 4 << 3 | self.mode
            answer = _PACKET.pack(
                head,
                self.stratum,
                6,
                -20,
                0,
                int(self.root_dispersion_s * 65536),
                0x7F7F0101,
                at,
                transmit if self.echo else transmit ^ 1,
                at,
                at,
            )
            self._socket.sendto(answer[: self.cut], client)


def stamp(seconds: float) -> int:
    """A time as 32.32 fixed point since 1900, modulo its era."""
    return int((seconds + _NTP_EPOCH_S) * 2**32) % 2**64
