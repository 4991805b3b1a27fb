"""Renders a checked face as PDF/A-3a and PDF/UA-1 with its data twin attached.

The same input gives the same bytes: the document's date is the issuing date, and nothing reads a clock. Face
and imprint reach the template as JSON strings, so that no text of theirs is ever read as markup.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cert_registry.catalog.drawing import guilloche_svg, qr_svg
from cert_registry.catalog.errors import GlyphMissing, RenderingFailed
from cert_registry.catalog.glyphs import first_missing_character
from cert_registry.catalog.typesetting import typeset
from cert_registry.check_code import CheckCode, print_check_code
from cert_registry.civil_date import print_civil_date
from cert_registry.issuance_forms import SealPlace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from cert_registry.catalog.certificate_type import CertificateType
    from cert_registry.catalog.face_schema import CheckedFace
    from cert_registry.catalog.typesetting import Mark

STANDARDS: tuple[Literal["a-3a", "ua-1"], ...] = ("a-3a", "ua-1")
TWIN_NAME = "ecert.json"
DEMO_MARK = "样例"

_BORDER_COLOUR = "#5b8f8a"
_FRAME = Path(__file__).parent / "frame.typ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Imprint:
    """What stands on a face beside the face fields.

    Args:
        identifier: GB/T 36904.
        check_code: 查验码, without separators.
        qr_text: As `qr.qr_text` makes it.
        issuer_name: 发证机关.
        issuer_code: Its credit code; in the file's description.
        issued_on: Civil date.
        version: From 1.
        twin: Canonical bytes of `ecert.json`.
        mark: A word across the page, for example 样例; None on real certificates.
    """

    identifier: str
    check_code: CheckCode
    qr_text: str
    issuer_name: str
    issuer_code: str
    issued_on: date
    version: int
    twin: bytes
    mark: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedEcert:
    """A face as a file, not yet sealed.

    Args:
        pdf: PDF/A-3a and PDF/UA-1; ends with a line end, so that revisions can follow.
        seal_place: Where the seal belongs.
        pages: How many.
    """

    pdf: bytes
    seal_place: SealPlace
    pages: int


def render(certificate_type: CertificateType, face: CheckedFace, imprint: Imprint) -> RenderedEcert:
    """The file of an ecert, before its seal.

    Args:
        certificate_type: Whose template is used.
        face: Checked against that type.
        imprint: What stands beside the face.

    Raises:
        GlyphMissing: Names the first character that no font has, and its field.
        RenderingFailed: The template does not compile, or does not say where the seal goes.
        FontsMissing: A font family is not installed.

    Source: design section 4; ISO 19005-3 level A; ISO 14289-1.
    """
    _require_glyphs(certificate_type, face, imprint)
    done = typeset(
        _frame() + certificate_type.template,
        root=certificate_type.directory,
        inputs={
            "face": json.dumps(_printed(certificate_type, face), ensure_ascii=False),
            "imprint": json.dumps(_imprint_inputs(certificate_type, imprint), ensure_ascii=False),
            "twin": imprint.twin.decode(),
        },
        standards=STANDARDS,
        label="seal-place",
    )
    if len(done.marks) != 1:
        raise RenderingFailed(f"模板 {certificate_type.slug} 应恰好给出一处印章位置。")
    seal_place, pages = _seal_place(done.marks[0])
    return RenderedEcert(pdf=done.output.rstrip(b"\n") + b"\n", seal_place=seal_place, pages=pages)


def _require_glyphs(certificate_type: CertificateType, face: CheckedFace, imprint: Imprint) -> None:
    texts = [(leaf.path, leaf.printed) for leaf in certificate_type.face.walk(face.values)]
    texts += [
        ("imprint/issuer_name", imprint.issuer_name),
        ("imprint/type_name", certificate_type.name),
        ("imprint/mark", imprint.mark or ""),
    ]
    for path, text in texts:
        missing = first_missing_character(text)
        if missing is not None:
            raise GlyphMissing(path, missing)


def _printed(certificate_type: CertificateType, face: CheckedFace) -> dict[str, Any]:
    """The face as a person reads it, in the shape of the data."""
    printed: dict[str, Any] = {}
    for leaf in certificate_type.face.walk(face.values):
        keys = leaf.path.split("/")
        if len(keys) == 1:
            printed[keys[0]] = leaf.printed
        elif len(keys) == 2:
            printed.setdefault(keys[0], []).append(leaf.printed)
        else:
            entries = printed.setdefault(keys[0], [])
            if len(entries) <= int(keys[1]):
                entries.append({})
            entries[int(keys[1])][keys[2]] = leaf.printed
    return printed


def _imprint_inputs(certificate_type: CertificateType, imprint: Imprint) -> Mapping[str, Any]:
    issued = imprint.issued_on
    return {
        "type_name": certificate_type.name,
        "document_title": certificate_type.name + (f"（{imprint.mark}）" if imprint.mark else ""),
        "document_description": f"{certificate_type.name} {imprint.identifier}",
        "identifier": imprint.identifier,
        "identifier_lines": _identifier_lines(imprint.identifier),
        "check_code": print_check_code(imprint.check_code),
        "issuer_name": imprint.issuer_name,
        "issued_on": print_civil_date(issued),
        "year": issued.year,
        "month": issued.month,
        "day": issued.day,
        "version": imprint.version,
        "mark": imprint.mark,
        "qr_svg": qr_svg(_qr_segments(imprint.qr_text)),
        "guilloche": {
            "colour": _BORDER_COLOUR,  # the template puts its own in its place
            "portrait": guilloche_svg(210, 297, _BORDER_COLOUR),
            "landscape": guilloche_svg(297, 210, _BORDER_COLOUR),
        },
        "seal_width": certificate_type.seal_rule.width_mm,
        "seal_height": certificate_type.seal_rule.height_mm,
    }


def _qr_segments(text: str) -> tuple[tuple[str, str], ...]:
    """The QR text by modes: all alphanumeric but the `#` before the fragment."""
    address, sharp, fragment = text.partition("#")
    if not sharp:
        return ((text, "byte"),)
    return (address, "alphanumeric"), (sharp, "byte"), (fragment, "alphanumeric")


def _identifier_lines(identifier: str) -> list[str]:
    """The identifier over three lines, broken after dots."""
    parts = identifier.split(".")
    if len(parts) != 10:
        return [identifier]
    return [
        ".".join(parts[:5]) + ".",
        parts[5] + ".",
        parts[6] + ".",
        ".".join(parts[7:]),
    ]


def _seal_place(mark: Mark) -> tuple[SealPlace, int]:
    at = mark.values
    top = at["page-height"] - at["y"]
    place = SealPlace(
        page=int(at["page"]) - 1,
        left=at["x"],
        bottom=top - at["height"],
        right=at["x"] + at["width"],
        top=top,
    )
    return place, int(at["pages"])


@functools.cache
def _frame() -> str:
    return _FRAME.read_text(encoding="utf-8") + "\n"
