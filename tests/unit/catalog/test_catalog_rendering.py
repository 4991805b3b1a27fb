"""Rendering: same bytes, exact seal place, no markup from data, a readable QR code."""

import io
import os
import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
import zxingcpp
from PIL import Image

from cert_registry.catalog.errors import GlyphMissing, RenderingFailed
from cert_registry.catalog.rendering import render
from cert_registry.catalog.typesetting import typeset
from cert_registry.qr import verify_qr
from tests.unit.catalog.specimens import KEY, KID, SAMPLES, SLUGS, Specimen, specimen

pytestmark = pytest.mark.thorough


def rendered(made: Specimen) -> bytes:
    return render(made.certificate_type, made.face, made.imprint).pdf


def page_image(pdf: bytes, page: int, tmp_path: Path, *, dots_per_inch: int) -> Image.Image:
    (tmp_path / "ecert.pdf").write_bytes(pdf)
    pages = ["-f", str(page), "-l", str(page)]
    subprocess.run(
        ["pdftoppm", "-r", str(dots_per_inch), *pages, "-png", "-singlefile", "ecert.pdf", "page"],
        check=True,
        cwd=tmp_path,
    )
    return Image.open(tmp_path / "page.png")


@pytest.mark.parametrize("slug", SLUGS)
def test_same_input_same_bytes_and_the_end_is_a_line_end(slug: str) -> None:
    made = specimen(slug)
    first = rendered(made)
    rendered(specimen(slug, "longest"))
    assert first == rendered(made)
    assert first.endswith(b"%%EOF\n")


def test_bytes_are_the_same_in_another_process() -> None:
    program = (
        "import hashlib;from tests.unit.catalog.specimens import specimen;"
        "from cert_registry.catalog.rendering import render;m=specimen('business-licence');"
        "print(hashlib.sha256(render(m.certificate_type,m.face,replace(m.imprint,qr_text='X')).pdf).hexdigest())"
    )

    def run(seed: str) -> bytes:
        return subprocess.run(
            [sys.executable, "-c", "from dataclasses import replace;" + program],
            check=True,
            capture_output=True,
            env=os.environ | {"PYTHONHASHSEED": seed, "TZ": f"UTC{seed}"},
        ).stdout

    assert run("1") == run("2")


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_the_seal_place_lies_on_the_last_page_inside_the_border(slug: str, sample: str) -> None:
    made = specimen(slug, sample)
    done = render(made.certificate_type, made.face, made.imprint)
    place = done.seal_place
    with pikepdf.open(io.BytesIO(done.pdf)) as pdf:
        assert len(pdf.pages) == done.pages
        assert place.page == done.pages - 1
        _, _, width, height = (float(edge) for edge in pdf.pages[place.page].mediabox)
    assert 20 < place.left < place.right < width - 20
    assert 20 < place.bottom < place.top < height - 20
    millimetre = 72 / 25.4
    assert place.right - place.left == pytest.approx(42 * millimetre, abs=0.01)
    assert place.top - place.bottom == pytest.approx(42 * millimetre, abs=0.01)


def test_the_seal_place_is_exactly_where_the_template_puts_it(tmp_path: Path) -> None:
    # A template that paints the place: its corners on the page must be those that come out.
    made = specimen("business-licence")
    painted = made.certificate_type.template + (
        "\n#context { let at = query(<seal-place>).first().value; "
        "place(top + left, dx: at.x - 24mm, dy: at.y - 22mm, rect(width: at.width, height: at.height, "
        'fill: rgb("#ff00ff"))) }\n'
    )
    done = render(replace(made.certificate_type, template=painted), made.face, made.imprint)
    image = page_image(done.pdf, done.seal_place.page + 1, tmp_path, dots_per_inch=72).convert("RGB")
    pixels = [
        (x, y)
        for x in range(image.width)
        for y in range(image.height)
        if image.getpixel((x, y)) == (255, 0, 255)
    ]
    place = done.seal_place
    columns, rows = [x for x, _ in pixels], [image.height - y for _, y in pixels]
    seen = (min(columns), max(columns) + 1, min(rows) - 1, max(rows))
    assert seen == pytest.approx((place.left, place.right, place.bottom, place.top), abs=1.5)


def test_a_character_without_glyph_is_named_with_its_field() -> None:
    made = specimen("real-estate-title")
    holders = [{**made.face.values["holders"][0], "name": "王\U00030000"}]
    with pytest.raises(GlyphMissing) as missing:
        rendered(specimen("real-estate-title", holders=holders))
    assert (missing.value.field, missing.value.character) == ("holders/0/name", "\U00030000")
    with pytest.raises(GlyphMissing, match="issuer_name"):
        rendered(replace(made, imprint=replace(made.imprint, issuer_name="甲\U00030000")))


@pytest.mark.parametrize(
    "hostile",
    [
        '#panic("x")',
        "#pagebreak()",
        '#read("/etc/passwd")',
        '#include "type.yaml"',
        "$ sum_(i=1)^n $ *bold* _it_ `raw` <label> @ref",
        "= heading",
        '"); #set text(size: 1pt); ("',
        '\\u{41} \\" \\n // comment /* c */',
        "</script><svg onload=x>",
        '{"a": 1}',
    ],
)
def test_data_is_never_read_as_markup(hostile: str, tmp_path: Path) -> None:
    made = specimen("food-business-licence", operator_name=hostile)
    (tmp_path / "ecert.pdf").write_bytes(rendered(made))
    text = subprocess.run(
        ["pdftotext", "-layout", str(tmp_path / "ecert.pdf"), "-"], check=True, capture_output=True, text=True
    ).stdout
    assert "".join(hostile.split())[:10] in "".join(text.split())


def test_a_template_reads_nothing_outside_its_folder() -> None:
    made = specimen("business-licence")
    for path in ("../no-criminal-record/type.yaml", "/../../frame.typ", "/etc/passwd"):
        nosy = replace(made.certificate_type, template=f'#read("{path}")')
        with pytest.raises(RenderingFailed):
            render(nosy, made.face, made.imprint)


def test_a_template_without_a_seal_place_is_refused() -> None:
    made = specimen("business-licence")
    with pytest.raises(RenderingFailed, match="印章"):
        render(replace(made.certificate_type, template="#show: certificate\n甲"), made.face, made.imprint)


@pytest.mark.parametrize("slug", SLUGS)
def test_the_qr_code_reads_back_from_the_page(slug: str, tmp_path: Path) -> None:
    made = specimen(slug)
    done = render(made.certificate_type, made.face, made.imprint)
    image = page_image(done.pdf, done.pages, tmp_path, dots_per_inch=200)
    # Only QR codes: the border's lines now and then look like one of the line codes.
    (code,) = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    assert code.text == made.imprint.qr_text
    verified = verify_qr(code.text, {KID: KEY.public_key()}, now=datetime(2026, 11, 23, tzinfo=UTC))
    assert verified.claims.identifier == made.imprint.identifier


def test_threads_do_not_mix_their_faces() -> None:
    made = [specimen(slug, sample) for slug in SLUGS for sample in ("shortest", "strangest")]
    alone = [rendered(one) for one in made]
    shuffled = list(range(len(made))) * 3
    random.Random(5).shuffle(shuffled)  # noqa: S311 (only an order)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda index: rendered(made[index]), shuffled))
    assert [alone[index] for index in shuffled] == together


def test_a_face_that_is_not_in_demo_mode_has_no_mark(tmp_path: Path) -> None:
    made = specimen("business-licence")
    (tmp_path / "ecert.pdf").write_bytes(rendered(replace(made, imprint=replace(made.imprint, mark=None))))
    text = subprocess.run(
        ["pdftotext", str(tmp_path / "ecert.pdf"), "-"], check=True, capture_output=True, text=True
    ).stdout
    assert "样例" not in text


def test_a_source_that_does_not_compile_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(RenderingFailed):
        typeset("#nothing", root=tmp_path, inputs={})
    with pytest.raises(RenderingFailed):
        typeset('#import "@preview/cetz:0.3.4": *', root=tmp_path, inputs={})
