"""What a widget's look draws, and whether it could hide what lies under it.

A field that is filled after signing shows text inside its own frame. The shadow attacks use the same means to paint
over what was signed: a field as large as the page, a picture, a filled background that the signed form never had.

Source: ISO 32000-2 12.7.4.3 (variable text), 12.5.5 (appearance streams); Mainka et al., "Shadow Attacks".
"""

from __future__ import annotations

import re
from typing import Any

from pyhanko.pdf_utils import generic

from verify_api.validation.form_nodes import items_of
from verify_api.validation.graph import raw_of, resolved

PICTURES = re.compile(rb"/\S+\s+(?:Do|sh)\b|\bBI\b")
_PAINTS = re.compile(rb"(?:\)|>|\])\s*(?:Tj|TJ|'|\")|/\S+\s+(?:Do|sh)\b|\bBI\b")
_STRINGS = re.compile(rb"\((?:\\.|[^\\()])*\)|<[0-9A-Fa-f\s]*>", re.DOTALL)
_AREA_FILLED = re.compile(rb"(?<![^\s\])>])(?:f\*?|F|B\*?|b\*?)(?![^\s\[(</%])")
_LARGE_AREA = 125_000  # square points: a quarter of an A4 page
_LARGE_BUTTON = 10_000  # square points: 35 mm by 35 mm


def looks_of(node: Any) -> list[Any]:
    """Return the streams that draw a widget."""
    appearance = resolved(raw_of(node, "/AP"))
    found: list[Any] = []
    for key in appearance if isinstance(appearance, generic.DictionaryObject) else ():
        state = resolved(raw_of(appearance, key))
        states = [state]
        if isinstance(state, generic.DictionaryObject) and not isinstance(state, generic.StreamObject):
            states = [resolved(raw_of(state, one)) for one in state]
        found += [one for one in states if isinstance(one, generic.StreamObject)]
    return found


def covers_something(node: Any) -> bool:
    """Tell whether a widget has an area."""
    numbers = [resolved(item) for item in items_of(raw_of(node, "/Rect"))]
    if len(numbers) != 4 or not all(isinstance(n, (int, float)) or hasattr(n, "__float__") for n in numbers):
        return False
    x1, y1, x2, y2 = (float(n) for n in numbers)
    return x1 != x2 and y1 != y2


def paints(appearance: Any) -> bool:
    """Tell whether an appearance draws text or pictures."""
    if not isinstance(appearance, generic.DictionaryObject):
        return False
    normal = resolved(raw_of(appearance, "/N"))
    if normal is None:
        return False
    return not isinstance(normal, generic.StreamObject) or _PAINTS.search(normal.data) is not None


def may_cover(node: Any, *, background: bool) -> bool:
    """Tell whether a filled text field could hide content.

    Args:
        node: The widget as filled.
        background: Whether the signed form gave the field a background of its own.
    """
    if is_large(node):
        return True
    normal = resolved(raw_of(resolved(raw_of(node, "/AP")), "/N"))
    if not isinstance(normal, generic.StreamObject):
        return False
    content = normal.data
    if PICTURES.search(content) is not None:
        return True
    return not background and _AREA_FILLED.search(_STRINGS.sub(b"()", content)) is not None


def is_large(node: Any) -> bool:
    """Tell whether a widget takes up so much of a page that it may cover what matters."""
    return _area(node) > _LARGE_AREA


def is_large_button(node: Any) -> bool:
    """Tell whether a check box or radio button is larger than any that people tick."""
    return _area(node) > _LARGE_BUTTON


def has_background(node: Any) -> bool:
    """Tell whether a widget's characteristics name a background colour."""
    return bool(items_of(raw_of(resolved(raw_of(node, "/MK")), "/BG")))


def _area(node: Any) -> float:
    numbers = [resolved(item) for item in items_of(raw_of(node, "/Rect"))]
    if len(numbers) != 4 or not all(hasattr(n, "__float__") for n in numbers):
        return 0.0
    left, bottom, right, top = (float(n) for n in numbers)
    return abs((right - left) * (top - bottom))
