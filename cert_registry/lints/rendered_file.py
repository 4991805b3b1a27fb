"""A rendered file as the file lints see it: text in its order, sizes, fonts, attachments.

The text is read from the content streams through each font's ToUnicode table, without the program that made
the file, so that what a person sees is found by another path than the one that set it.
"""

from __future__ import annotations

import io
import math
import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pikepdf

from cert_registry.catalog.errors import RenderingFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cert_registry.catalog.certificate_type import CertificateType
    from cert_registry.catalog.face_schema import CheckedFace

_BFCHAR = re.compile(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>")
_SPACE = re.compile(r"\s+")
_DEEPEST_FORM = 8

Matrix = tuple[float, float, float, float, float, float]
_IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """An embedded file."""

    name: str
    relationship: str
    mime_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FontUse:
    """A font that a page uses."""

    name: str
    embedded: bool
    to_unicode: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRun:
    """Characters shown by one operator.

    Args:
        characters: As a reader would copy them.
        size_points: Height of the font on the page.
        artifact: Decoration or a page's foot, not part of what the document says.
    """

    characters: str
    size_points: float
    artifact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedFile:
    """An open file with what it should hold.

    Args:
        certificate_type: Its type.
        face: What was rendered.
        pdf: The open file.
        runs: Text of each page, in the order of its content.
        twin: What must be attached.
        check_code: What must stand on the face, without separators.
    """

    certificate_type: CertificateType
    face: CheckedFace
    pdf: pikepdf.Pdf
    runs: tuple[tuple[TextRun, ...], ...]
    twin: bytes
    check_code: str

    def text(self) -> str:
        """All characters of all pages but artifacts, without space: a value may flow over pages."""
        shown = (run.characters for page in self.runs for run in page if not run.artifact)
        return without_space("".join(shown))

    def smallest_text_points(self) -> tuple[float, ...]:
        """Of each page, the size of its smallest text."""
        return tuple(min((run.size_points for run in page), default=math.inf) for page in self.runs)

    def attachments(self) -> tuple[Attachment, ...]:
        """Every embedded file."""
        return tuple(
            Attachment(
                name=str(spec.filename),
                relationship=str(spec.obj.get("/AFRelationship", "")),
                mime_type=str(spec.get_file().mime_type),
                content=spec.get_file().read_bytes(),
            )
            for spec in self.pdf.attachments.values()
        )

    def fonts(self) -> tuple[FontUse, ...]:
        """Every font of every page."""
        found: dict[str, FontUse] = {}
        for page in self.pdf.pages:
            resources: Any = page.obj.get("/Resources", {})
            fonts: Any = resources.get("/Font", {})
            for name, font in fonts.items():
                inner: Any = font.get("/DescendantFonts", [font])[0]
                descriptor: Any = inner.get("/FontDescriptor", {})
                key = str(font.get("/BaseFont", name))
                found[key] = FontUse(
                    name=key,
                    embedded=any(file in descriptor for file in ("/FontFile", "/FontFile2", "/FontFile3")),
                    to_unicode="/ToUnicode" in font,
                )
        return tuple(found.values())


def without_space(text: str) -> str:
    """A text without any white space: line ends on a page are not part of a value."""
    return _SPACE.sub("", text)


@contextmanager
def open_rendered_file(
    certificate_type: CertificateType, face: CheckedFace, *, pdf: bytes, twin: bytes, check_code: str
) -> Iterator[RenderedFile]:
    """A file opened for the file lints.

    Raises:
        RenderingFailed: It is no PDF.
    """
    try:
        opened = pikepdf.open(io.BytesIO(pdf))
    except pikepdf.PdfError as error:
        raise RenderingFailed("文件不是PDF。") from error
    with opened:
        yield RenderedFile(
            certificate_type=certificate_type,
            face=face,
            pdf=opened,
            runs=tuple(
                tuple(_runs(page.obj, _IDENTITY, 0, pdf=opened, artifact=False)) for page in opened.pages
            ),
            twin=twin,
            check_code=check_code,
        )


#: What is looked at.
_OPERATORS = "q Q cm BT Tm Tf Tj TJ BMC BDC EMC Do"
_PAIR = rb"[-.0-9]++ [-.0-9]++ "
#: A string, which stays as it is, or a run of path operators: nine tenths of a page are ornaments and the QR code.
_STRING_OR_PATHS = re.compile(
    rb"\((?:[^()\\]++|\\.)*+\)|<[0-9A-Fa-f\s]*+>"
    rb"|[ \n](?:" + _PAIR + rb"(?:[ml]|" + _PAIR + _PAIR + rb"c)[ \n])++",
    re.DOTALL,
)


@dataclass(slots=True, kw_only=True)
class _TextState:
    """Graphics and text state while a content stream is read."""

    transform: Matrix
    stack: list[Matrix]
    artifacts: list[bool]
    text: Matrix = _IDENTITY
    font: dict[bytes, str] | None = None
    size: float = 0.0


def _without_paths(content: Any, pdf: pikepdf.Pdf) -> pikepdf.Stream:
    """A content stream without most of its paths, which show no text and take most of the time to read."""
    streams = content.get("/Contents", content)
    parts = [streams] if isinstance(streams, pikepdf.Stream) else list(streams)
    whole = b"\n".join(part.read_bytes() for part in parts)
    return pikepdf.Stream(
        pdf, _STRING_OR_PATHS.sub(lambda found: found[0] if found[0][:1] in b"(<" else b"\n", whole)
    )


def _runs(
    content: Any, transform: Matrix, depth: int, *, pdf: pikepdf.Pdf, artifact: bool
) -> Iterator[TextRun]:
    resources = content.get("/Resources", {})
    fonts: dict[str, dict[bytes, str]] = {
        name: _to_unicode(font) for name, font in resources.get("/Font", {}).items()
    }
    state = _TextState(transform=transform, stack=[], artifacts=[artifact])
    for instruction in pikepdf.parse_content_stream(_without_paths(content, pdf), operators=_OPERATORS):
        operands, operator = instruction.operands, str(instruction.operator)
        if operator in {"BMC", "BDC"}:
            state.artifacts.append(str(operands[0]) == "/Artifact")
        elif operator == "EMC":
            state.artifacts.pop()
        elif operator == "Do":
            form = resources.get("/XObject", {}).get(str(operands[0]))
            if form is not None and form.get("/Subtype") == "/Form" and depth < _DEEPEST_FORM:
                inner = _matrix(form.get("/Matrix", _IDENTITY))
                decoration = any(state.artifacts)
                yield from _runs(
                    form, _times(inner, state.transform), depth + 1, pdf=pdf, artifact=decoration
                )
        elif operator in {"Tj", "TJ"}:
            yield _run(state, operands[0], artifact=any(state.artifacts))
        else:
            _step(state, operator, operands, fonts)


def _step(state: _TextState, operator: str, operands: Any, fonts: dict[str, dict[bytes, str]]) -> None:
    match operator:
        case "q":
            state.stack.append(state.transform)
        case "Q":
            state.transform = state.stack.pop()
        case "cm":
            state.transform = _times(_matrix(operands), state.transform)
        case "BT":
            state.text = _IDENTITY
        case "Tm":
            state.text = _matrix(operands)
        case "Tf":
            state.font = fonts.get(str(operands[0]), {})
            state.size = float(operands[1])


def _run(state: _TextState, shown: Any, *, artifact: bool) -> TextRun:
    strings = (
        [shown]
        if isinstance(shown, pikepdf.String)
        else [part for part in shown if isinstance(part, pikepdf.String)]
    )
    glyphs = b"".join(bytes(string) for string in strings)
    table = state.font or {}
    characters = "".join(table.get(glyphs[at : at + 2], "\ufffd") for at in range(0, len(glyphs), 2))
    whole = _times(state.text, state.transform)
    size = state.size * math.hypot(whole[2], whole[3])
    return TextRun(characters=characters, size_points=size, artifact=artifact)


def _to_unicode(font: Any) -> dict[bytes, str]:
    """Glyph codes of two bytes to text. Source: ISO 32000-1 9.10.3; Typst writes bfchar entries only."""
    if "/ToUnicode" not in font:
        return {}
    return {
        bytes.fromhex(code.decode()): bytes.fromhex(text.decode()).decode("utf-16-be")
        for code, text in _BFCHAR.findall(font["/ToUnicode"].read_bytes())
        if len(code) == 4
    }


def _matrix(numbers: Any) -> Matrix:
    a, b, c, d, e, f = (float(number) for number in numbers)
    return a, b, c, d, e, f


def _times(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return (a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m)
