"""Keyed hashes that stand for what must not be stored in clear, each kind in its own domain."""

import hashlib
from datetime import datetime
from typing import Final

from idp.identity.holder import Mac

DAY_S: Final = 86_400


class Marks:
    """Marks under the holder key; the same value gives the same mark, and another kind another one."""

    def __init__(self, mac: Mac) -> None:
        self._mac = mac

    def of(self, kind: str, *values: str) -> str:
        """The mark of one or several values, hexadecimal.

        The message is ``longzheng idp v1 ‖ 00 ‖ kind ‖ (00 ‖ value)*`` in UTF-8; no value holds a zero.
        """
        parts = ("longzheng idp v1", kind, *values)
        return self._mac("\0".join(parts).encode("utf-8")).hex()


def mark_of_random(secret: str) -> str:
    """The mark of a random value of 256 bits, which needs no key."""
    return hashlib.sha256(secret.encode("ascii", "replace")).hexdigest()


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970."""
    return int(moment.timestamp())
