"""What people type into one line or several: nothing that steers a terminal, a log or the direction of text."""

from __future__ import annotations

import unicodedata
from typing import Final

_REFUSED: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
CONTROL_SENTENCE: Final = "不能含有换行或控制字符。"
CONTROL_SENTENCE_LINES: Final = "不能含有控制字符。"


def has_control(text: str, *, lines: bool = False) -> bool:
    """Whether a text holds control, format or surrogate characters; with `lines`, a newline is none.

    Source: Unicode general categories Cc, Cf, Cs, and the separators of lines and paragraphs.
    """
    return any(
        unicodedata.category(character) in _REFUSED and not (lines and character == "\n")
        for character in text
    )


def with_plain_newlines(text: str) -> str:
    """The text with the line ends of forms (CR LF) as LF, without surrounding space."""
    return text.replace("\r\n", "\n").strip()
