"""Draws the image of an e-seal from data: a red ring, the name on an arc, star, line and code; vector only.

Letters become outlines, so the image carries no fonts, no marked content and no bitmap, and can stand in any
PDF/A as it is. The national emblem is never drawn: its use is regulated.
"""

from __future__ import annotations

import base64
import functools
import itertools
import json
import math
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from cert_registry.catalog.errors import GlyphMissing, SealNotDrawn
from cert_registry.catalog.glyphs import first_missing_character
from cert_registry.catalog.typesetting import typeset

_SOURCE = Path(__file__).parent / "seal.typ"
_EMPTY_ROOT = Path(__file__).parent / "types"
_BARE = "#set page(width: auto, height: auto, margin: 0pt, fill: none)\n#image(bytes(sys.inputs.svg))"
_PICTURE = """
#let width = float(sys.inputs.width) * 1mm
#let height = float(sys.inputs.height) * 1mm
#set page(width: width, height: height, margin: 0pt, fill: none)
#set text(font: ("Noto Serif CJK SC", "HanaMinA"), fill: rgb(200, 16, 34, 205), weight: "bold", fallback: false)
#place(top + left, image(bytes(sys.inputs.svg), width: width, height: height, fit: "stretch"))
#place(center + horizon, dy: height * 0.3, text(size: height * 0.09, sys.inputs.mark))
"""
_STEPS = 720  # points on the ellipse for equal lengths of arc


class SealShape(Enum):
    """Outline of a seal."""

    ROUND = "round"
    OVAL = "oval"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealDesign:
    """What a seal shows.

    Args:
        name: On the upper arc, for example the department's name; 2 to 40 characters.
        line: Straight below the centre, for example 证照专用章; may be empty.
        code: Small on the lower arc, for example the seal's number; may be empty.
        star: A five-pointed star in the centre.
        shape: Round or oval.
        width_mm: Outer width.
        height_mm: Outer height; the same for a round seal.
        mark: 样例 in a demo, else None.
    """

    name: str
    line: str = ""
    code: str = ""
    star: bool = True
    shape: SealShape = SealShape.ROUND
    width_mm: float = 42.0
    height_mm: float = 42.0
    mark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SealImage:
    """A drawn seal.

    Args:
        pdf: One page exactly as large as the seal, transparent, vector, without fonts.
        svg: The same as SVG, for pages.
        width_mm: Width.
        height_mm: Height.
        alternative_text: Names the seal for those who do not see it.
    """

    pdf: bytes
    svg: str
    width_mm: float
    height_mm: float
    alternative_text: str


@functools.lru_cache(maxsize=256)
def draw_seal(design: SealDesign) -> SealImage:
    """The image of a seal; the same design gives the same bytes.

    Raises:
        SealNotDrawn: The words do not fit, or a round seal is not round.
        GlyphMissing: No font has a character.
    """
    _require_drawable(design)
    drawing = typeset(
        _SOURCE.read_text(encoding="utf-8"),
        root=_EMPTY_ROOT,
        inputs={"seal": json.dumps(_layout(design), ensure_ascii=False)},
        output="svg",
    )
    svg = drawing.output.decode()
    page = typeset(_BARE, root=_EMPTY_ROOT, inputs={"svg": svg}, tagged=False)
    return SealImage(
        pdf=page.output,
        svg=svg,
        width_mm=design.width_mm,
        height_mm=design.height_mm,
        alternative_text=_alternative_text(design),
    )


@functools.lru_cache(maxsize=64)
def draw_picture(
    svg: str, *, width_mm: float, height_mm: float, alternative_text: str, mark: str | None
) -> SealImage:
    """The image of a seal that came as a picture, with the demo's mark across it.

    Args:
        svg: Checked; shapes, or a PNG as `svg_of_png` wraps it.
        width_mm: Real width.
        height_mm: Real height.
        alternative_text: Names the seal.
        mark: 样例 in a demo, else None.

    Raises:
        RenderingFailed: It cannot be drawn.
    """
    drawing = typeset(
        _PICTURE,
        root=_EMPTY_ROOT,
        inputs={"svg": svg, "width": str(width_mm), "height": str(height_mm), "mark": mark or ""},
        output="svg",
    ).output.decode()
    page = typeset(_BARE, root=_EMPTY_ROOT, inputs={"svg": drawing}, tagged=False)
    return SealImage(
        pdf=page.output,
        svg=drawing,
        width_mm=width_mm,
        height_mm=height_mm,
        alternative_text=f"{alternative_text}（{mark}）" if mark else alternative_text,
    )


def svg_of_png(png: bytes, *, width_mm: float, height_mm: float) -> str:
    """A PNG in its real size as an SVG."""
    encoded = base64.b64encode(png).decode()
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_mm}mm" height="{height_mm}mm"'
        f' viewBox="0 0 {width_mm} {height_mm}"><image width="{width_mm}" height="{height_mm}"'
        f' preserveAspectRatio="none" href="data:image/png;base64,{encoded}"/></svg>'
    )


def raster_of(svg: str) -> bytes:
    """An SVG drawn on nothing, as a PNG with alpha.

    Raises:
        RenderingFailed: It cannot be drawn.
    """
    return typeset(_BARE, root=_EMPTY_ROOT, inputs={"svg": svg}, output="png").output


def _require_drawable(design: SealDesign) -> None:
    if not 2 <= len(design.name) <= 40:
        raise SealNotDrawn("印章名称应为2至40个字。")
    if len(design.line) > 12 or len(design.code) > 20 or len(design.mark or "") > 4:
        raise SealNotDrawn("印章的横排文字、编码或标记过长。")
    if not (20 <= design.width_mm <= 60 and 20 <= design.height_mm <= 60):
        raise SealNotDrawn("印章宽、高应在20至60毫米之间。")
    if design.shape is SealShape.ROUND and design.width_mm != design.height_mm:
        raise SealNotDrawn("圆形印章的宽与高应相等。")
    for part, text in (
        ("seal/name", design.name),
        ("seal/line", design.line),
        ("seal/code", design.code),
        ("seal/mark", design.mark or ""),
    ):
        missing = first_missing_character(text)
        if missing is not None:
            raise GlyphMissing(part, missing)


def _alternative_text(design: SealDesign) -> str:
    text = f"电子印章：{design.name}{design.line}"
    if design.code:
        text += f"，编码{design.code}"
    return f"{text}（{design.mark}）" if design.mark else text


def _layout(design: SealDesign) -> dict[str, object]:
    """Where every letter stands: millimetres from the centre, y downwards, angle in degrees."""
    across, down = design.width_mm / 2, design.height_mm / 2
    scale = min(across, down) / 21  # everything is drawn for a seal of 42 mm
    height = 5.2 * scale if len(design.name) <= 16 else 4.4 * scale
    inset = 2.1 * scale + height / 2
    span = min(math.radians(250), math.radians(20) * (len(design.name) - 1))
    name = _on_arc(design.name, across - inset, down - inset, span=span, top=True)
    pitch = _arc_length(across - inset, down - inset, span) / max(len(design.name) - 1, 1)
    code_inset = 3.1 * scale
    code_span = min(math.radians(100), math.radians(6.2) * (len(design.code) - 1))
    code = _on_arc(design.code, across - code_inset, down - code_inset, span=code_span, top=False)
    return {
        "width": design.width_mm,
        "height": design.height_mm,
        "scale": scale,
        "star": design.star,
        "line": design.line,
        "mark": design.mark or "",
        "name": name,
        "name_height": height,
        "name_width": min(height * 0.92, pitch * 0.94),
        "code": code,
        "code_height": 2.2 * scale,
    }


def _on_arc(text: str, across: float, down: float, *, span: float, top: bool) -> list[dict[str, object]]:
    """Letters at equal lengths of arc along an ellipse, centred at its top or bottom."""
    if not text:
        return []
    middle = -math.pi / 2 if top else math.pi / 2
    first, last = (middle - span / 2, middle + span / 2) if top else (middle + span / 2, middle - span / 2)
    angles = _equal_lengths(across, down, first, last, len(text))
    letters = []
    for letter, angle in zip(text, angles, strict=True):
        normal = math.atan2(math.sin(angle) / down, math.cos(angle) / across)
        turn = math.degrees(normal) + (90 if top else -90)
        letters.append(
            {"letter": letter, "x": across * math.cos(angle), "y": down * math.sin(angle), "turn": turn}
        )
    return letters


def _equal_lengths(across: float, down: float, first: float, last: float, count: int) -> list[float]:
    if count == 1:
        return [(first + last) / 2]
    angles = [first + (last - first) * step / _STEPS for step in range(_STEPS + 1)]
    lengths = [0.0]
    for before, after in itertools.pairwise(angles):
        step = math.hypot(
            across * (math.cos(after) - math.cos(before)), down * (math.sin(after) - math.sin(before))
        )
        lengths.append(lengths[-1] + step)
    chosen, index = [], 0
    for letter in range(count):
        wanted = lengths[-1] * letter / (count - 1)
        while index < _STEPS and lengths[index] < wanted:
            index += 1
        chosen.append(angles[index])
    return chosen


def _arc_length(across: float, down: float, span: float) -> float:
    middle = -math.pi / 2
    angles = [middle - span / 2 + span * step / _STEPS for step in range(_STEPS + 1)]
    return sum(
        math.hypot(across * (math.cos(b) - math.cos(a)), down * (math.sin(b) - math.sin(a)))
        for a, b in itertools.pairwise(angles)
    )
