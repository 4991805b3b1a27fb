"""Errors as the log may hold them: no message and no value, which could be somebody's."""

from __future__ import annotations

from pathlib import Path
from traceback import walk_tb


def told(error: BaseException) -> str:
    """An error for the log: types, stable codes and frames, causes last; never a message, which may hold values."""
    words: list[str] = []
    seen: set[int] = set()
    present: BaseException | None = error
    while present is not None and id(present) not in seen:
        seen.add(id(present))
        code = getattr(type(present), "code", "")  # of the class: an instance's may be anything
        frames = " < ".join(
            f"{Path(frame.f_code.co_filename).name}:{line} in {frame.f_code.co_name}"
            for frame, line in reversed(list(walk_tb(present.__traceback__)))
        )
        name = f"{type(present).__module__}.{type(present).__qualname__}"
        words.append(f"{name} [{code if isinstance(code, str) else ''}] {frames}".rstrip())
        present = present.__cause__ or (None if present.__suppress_context__ else present.__context__)
    return "; because of ".join(words)
