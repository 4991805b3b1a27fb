"""The only door to Typst: a source, its data and a folder go in, a PDF and places of labels come out.

Every call has its own compiler, so calls from several threads do not meet; fonts are found once and shared,
and Typst keeps what it has laid out in a cache of the process. Nothing is fetched: packages have an empty
cache, and sources that import one are refused when they are loaded.
"""

from __future__ import annotations

import functools
import json
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import typst

from cert_registry.catalog.errors import FontsMissing, RenderingFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FAMILIES = ("Noto Serif CJK SC", "HanaMinA", "HanaMinB")
"""In this order: a character is set in the first family that has it."""

A4_SHORT_PT, A4_LONG_PT = 595.2756, 841.8898
_LENGTH = re.compile(r"(-?[0-9]+(?:\.[0-9]+)?)pt")
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class FontFile:
    """One style of a family.

    Args:
        family: One of `FAMILIES`.
        path: Its file.
        index: Within a collection.
    """

    family: str
    path: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a template says with `#metadata((…)) <label>`.

    Args:
        values: The metadata; lengths are points.
    """

    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typeset:
    """A compiled document.

    Args:
        output: PDF or PNG bytes, or SVG text in UTF-8.
        marks: The marks with the label asked for.
    """

    output: bytes
    marks: tuple[Mark, ...]


def typeset(
    source: str,
    *,
    root: Path,
    inputs: Mapping[str, str],
    output: Literal["pdf", "svg", "png"] = "pdf",
    standards: tuple[Literal["a-3a", "ua-1"], ...] = (),
    label: str | None = None,
    tagged: bool = True,
) -> Typeset:
    """Compile a Typst source.

    Args:
        source: Trusted: our own frame and a template of the catalogue.
        root: The only folder that the source can read.
        inputs: Untrusted data, as strings; they are never parsed as Typst.
        output: `pdf`, `svg` or `png` (two pixels a point).
        standards: PDF standards to hold.
        label: Marks to find.
        tagged: Whether a PDF says what its parts are; the PDF/A levels need it.

    Raises:
        RenderingFailed: The source does not compile with this data.
        FontsMissing: A font family is not installed.
    """
    encoded = source.encode()
    compiler = typst.Compiler(
        encoded,
        root=str(root),
        font_paths=installed_fonts(),
        ignore_system_fonts=True,
        sys_inputs=dict(inputs),
        package_path=str(root),
        package_cache_path=str(root),
    )
    try:
        # A query first: Typst keeps the layout, and a query after a compile forgets a source in memory.
        found = json.loads(compiler.query(f"<{label}>", field="value")) if label else []
        compiled = compiler.compile(
            encoded, format=output, pdf_standards=list(standards), timestamp=0, pdf_tags=tagged
        )
    except typst.TypstError as error:
        raise RenderingFailed(f"模板未能排版：{error.message}") from error
    except RuntimeError as error:
        raise RenderingFailed("模板未能排版。") from error
    if not isinstance(compiled, bytes):
        raise RenderingFailed("模板排出了多个文件。")
    return Typeset(output=compiled, marks=tuple(Mark(values=_in_points(values)) for values in found))


def installed_fonts() -> typst.Fonts:
    """The machine's fonts, looked up once.

    Raises:
        FontsMissing: A family of `FAMILIES` is not installed.
    """
    with _LOCK:
        return _installed_fonts()


def font_files() -> tuple[FontFile, ...]:
    """The files of `FAMILIES`, every style."""
    return tuple(
        FontFile(family=font.family, path=font.path, index=font.index)
        for font in installed_fonts().fonts()
        if font.family in FAMILIES and font.path is not None
    )


@functools.cache
def _installed_fonts() -> typst.Fonts:
    fonts = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False)
    missing = [family for family in FAMILIES if family not in fonts.families()]
    if missing:
        raise FontsMissing(f"缺少字体 {'、'.join(missing)}；请安装 fonts-noto-cjk 和 fonts-hanazono。")
    return fonts


def _in_points(values: Mapping[str, Any]) -> dict[str, Any]:
    points: dict[str, Any] = {}
    for key, value in values.items():
        match = _LENGTH.fullmatch(value) if isinstance(value, str) else None
        points[key] = float(match[1]) if match else value
    return points
