"""Vector drawings as SVG: the QR code and the quiet guilloche border."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import segno
from segno import consts

_QUIET_ZONE = 4  # modules, ISO/IEC 18004
_MASK = 3  # modules with (row + column) mod 3 = 0 are inverted; ISO/IEC 18004

Point = tuple[float, float]


def qr_svg(segments: Sequence[tuple[str, str]]) -> str:
    """A QR code as one filled path, with its quiet zone, one unit a module.

    Args:
        segments: Text and mode (`alphanumeric` or `byte`) in order.
    """
    modes = {"alphanumeric": consts.MODE_ALPHANUMERIC, "byte": consts.MODE_BYTE}
    content: Any = [(text, modes[mode]) for text, mode in segments]  # segno takes segments, its stub does not
    # One mask for all: what is encoded looks random, and weighing the eight masks takes half the time.
    code = segno.make_qr(content, error="m", boost_error=True, mask=_MASK)
    rows = [bytes(row) for row in code.matrix]
    side = len(rows) + 2 * _QUIET_ZONE
    path = "".join(_outline(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" width="{side}" height="{side}">'
        f'<path fill="#000" fill-rule="evenodd" d="{path}"/></svg>'
    )


def _outline(rows: Sequence[bytes]) -> Iterable[str]:
    """The borders between dark and light as closed loops, so that no seam shows between modules."""
    width = len(rows) + 1
    following = _edges(rows, width)
    while following:
        corner, heading = next(iter(following)), 0
        yield "M" + _corner(corner, width)
        while corner in following:
            ends = following[corner]
            turned = ends.pop()
            if not ends:
                del following[corner]
            if heading not in {0, turned - corner}:
                yield "L" + _corner(corner, width)
            corner, heading = turned, turned - corner
        yield "Z"


def _edges(rows: Sequence[bytes], width: int) -> dict[int, list[int]]:
    """From each corner where the border goes on to; every edge has the dark module on its right hand.

    Args:
        rows: Modules, 1 is dark.
        width: Corners in a row; they are numbered row by row.
    """
    size = len(rows)
    light = bytes(size + 2)
    grid = [light, *(b"\0" + row + b"\0" for row in rows), light]
    following: dict[int, list[int]] = {}
    for y, row in enumerate(rows):
        above, below = grid[y], grid[y + 2]
        for x, dark in enumerate(row):
            if dark != 1:
                continue
            corner = y * width + x
            if above[x + 1] != 1:
                following.setdefault(corner, []).append(corner + 1)
            if x + 1 == size or row[x + 1] != 1:
                following.setdefault(corner + 1, []).append(corner + 1 + width)
            if below[x + 1] != 1:
                following.setdefault(corner + 1 + width, []).append(corner + width)
            if x == 0 or row[x - 1] != 1:
                following.setdefault(corner + width, []).append(corner)
    return following


def _corner(corner: int, width: int) -> str:
    return f"{corner % width + _QUIET_ZONE} {corner // width + _QUIET_ZONE}"


@functools.lru_cache(maxsize=32)
def guilloche_svg(width_mm: float, height_mm: float, colour: str) -> str:
    """A border of interwoven waves around a page, vector, quiet enough to read over.

    Args:
        width_mm: Of the page.
        height_mm: Of the page.
        colour: `#rrggbb`.
    """
    inset, depth = 11.0, 2.3  # millimetres from the edge to the middle line; half the band's depth
    across, down = width_mm - 2 * inset, height_mm - 2 * inset
    paths = []
    for strand in range(6):
        phase = strand * math.pi / 3
        for start, along, length in (
            ((inset, inset), (1, 0), across),
            ((width_mm - inset, inset), (0, 1), down),
            ((width_mm - inset, height_mm - inset), (-1, 0), across),
            ((inset, height_mm - inset), (0, -1), down),
        ):
            paths.append(_wave(start, along, length, depth=depth, phase=phase))
    frames = [
        f"M{d} {d}H{width_mm - d:.2f}V{height_mm - d:.2f}H{d}Z"
        for d in (inset - depth - 0.9, inset + depth + 0.9)
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width_mm} {height_mm}" '
        f'width="{width_mm}mm" height="{height_mm}mm" fill="none" stroke="{colour}">'
        f'<path stroke-width="0.09" stroke-opacity="0.75" d="{"".join(paths)}"/>'
        f'<path stroke-width="0.28" stroke-opacity="0.9" d="{"".join(frames)}"/></svg>'
    )


def _wave(start: Point, along: Point, length: float, *, depth: float, phase: float) -> str:
    """One strand: a sine whose depth swells and ebbs, as cubic curves a quarter of a period long."""
    waves = round(length / 6.0)
    quarter = length / (waves * 4)
    frequency = math.tau * waves / length
    swell = math.tau * round(waves / 5) / length

    def at(distance: float) -> Point:
        depth_here = depth * (0.72 + 0.28 * math.cos(swell * distance))
        aside = depth_here * math.sin(frequency * distance + phase)
        return (
            start[0] + along[0] * distance - along[1] * aside,
            start[1] + along[1] * distance + along[0] * aside,
        )

    def towards(distance: float) -> Point:
        step = 1e-4
        before, after = at(distance - step), at(distance + step)
        return (after[0] - before[0]) / (2 * step), (after[1] - before[1]) / (2 * step)

    first = at(0)
    parts = [f"M{first[0]:.2f} {first[1]:.2f}"]
    for index in range(waves * 4):
        here, there = index * quarter, (index + 1) * quarter
        a, b, ta, tb = at(here), at(there), towards(here), towards(there)
        third = quarter / 3
        parts.append(
            f"C{a[0] + ta[0] * third:.2f} {a[1] + ta[1] * third:.2f} "
            f"{b[0] - tb[0] * third:.2f} {b[1] - tb[1] * third:.2f} {b[0]:.2f} {b[1]:.2f}"
        )
    return "".join(parts)
