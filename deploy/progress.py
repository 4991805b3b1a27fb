"""One line a step on standard error, with the seconds since the start."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_START = time.monotonic()


def say(sentence: str) -> None:
    """Prints a line of progress to standard error."""
    print(f"[{time.monotonic() - _START:6.1f} s] {sentence}", file=sys.stderr, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Says that a step begins, and when it took over two seconds how long."""
    say(f"{title} …")
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    if took > 2:
        say(f"{title}: done in {took:.0f} s")
