"""How fast one address may ask on the public page; counts live in memory, one process."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from idp.identity.sentence import said
from verify_api.errors import TooManyQuestions


@dataclass(slots=True, kw_only=True)
class AddressThrottle:
    """A sliding window per address.

    Attributes:
        questions: Questions in one window.
        window: Length of the window.
        addresses: Addresses remembered; the least recently seen is forgotten first.
    """

    questions: int = 30
    window: timedelta = timedelta(minutes=1)
    addresses: int = 10_000
    _asked: OrderedDict[str, deque[datetime]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, address: str, *, now: datetime) -> None:
        """Count one question.

        Raises:
            TooManyQuestions: The window is full; the seconds to wait stand in it.
        """
        with self._lock:
            asked = self._asked.setdefault(address, deque())
            self._asked.move_to_end(address)
            while len(self._asked) > self.addresses:
                self._asked.popitem(last=False)
            while asked and asked[0] <= now - self.window:
                asked.popleft()
            if len(asked) >= self.questions:
                wait_s = max(1, int((asked[0] + self.window - now).total_seconds()) + 1)
                raise TooManyQuestions(
                    said("查询太频繁，请 %(wait_s)s 秒后再试。", wait_s=wait_s), retry_after_s=wait_s
                )
            asked.append(now)
