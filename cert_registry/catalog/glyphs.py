"""Which characters the faces' fonts have."""

from __future__ import annotations

import functools

from fontTools.ttLib import TTFont

from cert_registry.catalog.typesetting import FAMILIES, font_files


def first_missing_character(text: str) -> str | None:
    """The first character that no family has, or None. Line ends are not set.

    Raises:
        FontsMissing: A font family is not installed.
    """
    covered = _coverage()
    return next(
        (character for character in text if character != "\n" and ord(character) not in covered), None
    )


@functools.cache
def _coverage() -> frozenset[int]:
    return frozenset().union(*(_code_points(family) for family in FAMILIES))


def _code_points(family: str) -> frozenset[int]:
    """Code points that every style of a family has: a bold title must not lack what the text has."""
    styles = [_of_style(font.path, font.index) for font in font_files() if font.family == family]
    return frozenset.intersection(*styles)


def _of_style(path: str, index: int) -> frozenset[int]:
    with TTFont(path, fontNumber=index, lazy=True) as font:
        return frozenset(font.getBestCmap())
