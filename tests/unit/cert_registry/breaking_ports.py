"""Breaks an issuing room at one call of one port: before the call lands, or after."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from registry_rooms import food_order, open_rooms

from cert_registry.issuance import IssuingRoom, issue

# Every call of `issue` that writes or signs, in its order: port, method, which call of it.
CALLS = (
    ("intents", "reserve", 1),
    ("intents", "store", 1),
    ("press", "print_intent", 1),
    ("objects", "put", 1),
    ("objects", "put", 2),
    ("intents", "record_rendered", 1),
    ("intents", "record_seal_use", 1),
    ("seals", "seal", 1),
    ("release", "check", 1),
    ("objects", "put", 3),
    ("intents", "record_sealed", 1),
    ("registration", "register", 1),
    ("log", "sequence", 1),
    ("registration", "make_effective", 1),
    ("registration", "deliver", 1),
)


class PowerCut(BaseException):
    """Nothing in the service may catch this, as nothing catches a power cut."""


def cut() -> None:
    raise PowerCut


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _Breaking:
    def __init__(self, port: Any, method: str, count: int, *, after: bool, blow: Callable[[], None]) -> None:
        self._port, self._method, self._left = port, method, count
        self._after, self._blow = after, blow

    def __getattr__(self, name: str) -> Any:
        target = getattr(self._port, name)
        if name != self._method:
            return target

        def call(*args: Any, **kwargs: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                self._blow()
            result = target(*args, **kwargs)
            if self._left == 0 and self._after:
                self._blow()
            return result

        return call


def broken(
    room: IssuingRoom, port: str, method: str, count: int, *, after: bool, blow: Callable[[], None] = cut
) -> IssuingRoom:
    wrapped = _Breaking(getattr(room, port), method, count, after=after, blow=blow)
    return replace(room, **{port: wrapped})


def main() -> None:
    """`breaking_ports.py STATE DIRECTORY CASE PORT METHOD COUNT AFTER`: issue, and die by SIGKILL there."""
    state, directory, case, port, method, count, after = sys.argv[1:]
    rooms = open_rooms(Path(state), Path(directory))
    room = broken(rooms.issuing, port, method, int(count), after=after == "after", blow=kill)
    issue(food_order(rooms, case), room=room, now=datetime.now(UTC))


if __name__ == "__main__":
    main()
