"""Seals: vector, without fonts, transparent, exactly as large as asked, named for those who do not see."""

import io
import subprocess
from dataclasses import replace
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from cert_registry.catalog.errors import GlyphMissing, SealNotDrawn
from cert_registry.catalog.seal_image import SealDesign, SealShape, draw_seal

DESIGN = SealDesign(name="示例市市场监督管理局", line="证照专用章", code="9901000000012", mark="样例")
OVAL = replace(DESIGN, shape=SealShape.OVAL, star=False, height_mm=30.0)


@pytest.mark.parametrize("design", [DESIGN, OVAL, replace(DESIGN, star=False, line="", code="", mark=None)])
def test_a_seal_is_one_page_of_outlines(design: SealDesign) -> None:
    seal = draw_seal(design)
    with pikepdf.open(io.BytesIO(seal.pdf)) as pdf:
        (page,) = pdf.pages
        _, _, width, height = (float(edge) for edge in page.mediabox)
        assert width == pytest.approx(design.width_mm * 72 / 25.4, abs=0.02)
        assert height == pytest.approx(design.height_mm * 72 / 25.4, abs=0.02)
        kinds = {str(item.get("/Subtype", item.get("/Type", ""))) for item in _streams(pdf)}
        assert "/Image" not in kinds
        assert not any("/Font" in item.get("/Resources", {}) for item in _streams(pdf))
        assert "/StructTreeRoot" not in pdf.Root
    assert "<svg" in seal.svg
    assert "<text" not in seal.svg


def _streams(pdf: pikepdf.Pdf) -> list[pikepdf.Object]:
    return [item for item in pdf.objects if isinstance(item, pikepdf.Stream)]


def test_a_seal_is_transparent_and_red(tmp_path: Path) -> None:
    (tmp_path / "seal.pdf").write_bytes(draw_seal(DESIGN).pdf)
    subprocess.run(
        ["pdftocairo", "-png", "-transp", "-singlefile", "-r", "150", "seal.pdf", "seal"],
        check=True,
        cwd=tmp_path,
    )
    image = Image.open(tmp_path / "seal.png").convert("RGBA")
    assert image.getpixel((1, 1))[3] == 0
    assert image.getpixel((image.width // 2, image.height // 4 + 8))[3] in range(256)
    inked = [pixel for pixel in image.get_flattened_data() if pixel[3] > 150]
    assert len(inked) > 5000
    assert all(red > 150 and green < 90 and blue < 90 for red, green, blue, _ in inked)


def test_the_alternative_text_names_the_seal() -> None:
    assert draw_seal(DESIGN).alternative_text == (
        "电子印章：示例市市场监督管理局证照专用章，编码9901000000012（样例）"
    )
    assert draw_seal(replace(DESIGN, code="", mark=None)).alternative_text.endswith("证照专用章")


def test_the_same_design_gives_the_same_bytes() -> None:
    first = draw_seal(DESIGN).pdf
    draw_seal.cache_clear()
    assert draw_seal(DESIGN).pdf == first


@pytest.mark.parametrize(
    "change",
    [
        {"name": "局"},
        {"name": "局" * 41},
        {"line": "章" * 13},
        {"code": "9" * 21},
        {"width_mm": 80.0, "height_mm": 80.0},
        {"height_mm": 30.0},
        {"mark": "样例样例样"},
    ],
)
def test_what_does_not_fit_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(SealNotDrawn):
        draw_seal(replace(DESIGN, **change))  # type: ignore[arg-type] # one field at a time


def test_a_missing_glyph_is_named_and_markup_is_text() -> None:
    with pytest.raises(GlyphMissing, match="seal/name"):
        draw_seal(replace(DESIGN, name="示例\U00030000局"))
    assert draw_seal(replace(DESIGN, name='#panic("x")$')).pdf.startswith(b"%PDF")
