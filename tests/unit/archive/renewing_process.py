"""A process that renews an archive at a moved time and kills itself with SIGKILL at a named point.

Arguments: state directory, registry directory, time, point (`put`, `record`, `pushed`), `before` or `after`, and
at which call.
"""

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import archive_rooms

from hsm_sim.softhsm import configure


class _Dying:
    """Passes everything on; at one call of one method it kills the process, before or after the call."""

    def __init__(self, inner: Any, method: str, *, after: bool, at: int) -> None:
        self._inner, self._method, self._after, self._left = inner, method, after, at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._deadly(found) if name == self._method else found

    def _deadly(self, found: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                os.kill(os.getpid(), signal.SIGKILL)
            result = found(*arguments, **named)
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call


def main() -> None:
    state, directory, now, point, when, at = sys.argv[1:]
    configure(Path(state))
    archive = archive_rooms.open_archive(Path(state), Path(directory)).archive
    place, method = {
        "put": ("objects", "put"),
        "record": ("book", "record_next"),
        "pushed": ("leaves", "push"),
    }[point]
    dying = _Dying(getattr(archive, place), method, after=when == "after", at=int(at))
    replace(archive, **{place: dying}).renew(now=datetime.fromisoformat(now))


if __name__ == "__main__":
    main()
