"""Sentences made in Python: Chinese texts everywhere, that a page can still tell in another language.

A sentence without values is a plain constant: the catalogue's message id is the text itself. One with values is made by
`said`; it is a `str` like any other (errors, JSON, comparison), and remembers its template and values beside.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Self


class Sentence(str):
    """A sentence with values.

    Attributes:
        template: The message id, with `%(name)s` for each value.
        values: Texts, whole numbers, civil days, tuples of texts, or sentences themselves.
    """

    __slots__ = ("template", "values")

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, values: Mapping[str, object]) -> Self:
        """Make the Chinese text; the sentence remembers what it is made of."""
        sentence = super().__new__(
            cls, template % {name: in_chinese(value) for name, value in values.items()}
        )
        sentence.template = template
        sentence.values = dict(values)
        return sentence

    def __str__(self) -> str:
        """The sentence itself, so that `str(error)` of an exception keeps what it remembers."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Template and values also pass between processes."""
        return Sentence, (self.template, self.values)


def said(template: str, /, **values: object) -> Sentence:
    """Return a sentence with values; the template stands in the catalogues.

    Args:
        template: Chinese, with `%(name)s` for each value.
        values: Texts, whole numbers, civil days, or sentences.
    """
    return Sentence(template, values)


def in_chinese(value: object) -> str:
    """Return a value as a Chinese sentence prints it."""
    if isinstance(value, date):
        return f"{value.year}年{value.month}月{value.day}日"
    if isinstance(value, tuple):
        return "、".join(str(one) for one in value)
    return str(value)
