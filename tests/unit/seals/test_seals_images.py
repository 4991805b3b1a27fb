"""Pictures of seals: honest ones pass, whatever is active, opaque, of the wrong size or broken is refused."""

import io
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from cert_registry.seals import images
from cert_registry.seals.drawing import image_of
from cert_registry.seals.errors import ImageRefused
from cert_registry.seals.images import check_picture

RING = '<circle cx="21" cy="21" r="19" fill="none" stroke="#c81022" stroke-width="1.2"/>'
SVG = f'<svg xmlns="http://www.w3.org/2000/svg" width="42mm" height="42mm" viewBox="0 0 42 42">{RING}</svg>'


def png(
    *,
    side: int = 992,
    dpi: int | None = 600,
    mode: str = "RGBA",
    background: tuple[int, int, int, int] = (0, 0, 0, 0),
    ring: bool = True,
    text: bool = False,
) -> bytes:
    picture = Image.new("RGBA", (side, side), background)
    if ring:
        ImageDraw.Draw(picture).ellipse((9, 9, side - 10, side - 10), outline=(200, 16, 34, 230), width=26)
    information = PngImagePlugin.PngInfo()
    if text:
        information.add_text("Author", "somebody")
    out = io.BytesIO()
    resolution = {} if dpi is None else {"dpi": (dpi, dpi)}
    picture.convert(mode).save(out, "PNG", pnginfo=information, **resolution)
    return out.getvalue()


def refusal(content: bytes) -> str:
    with pytest.raises(ImageRefused) as caught:
        check_picture(content)
    ((field, sentence),) = caught.value.findings
    assert field == "picture"
    return sentence


def test_honest_pictures_pass_and_are_drawn() -> None:
    for content, media_type in ((png(), "image/png"), (SVG.encode(), "image/svg+xml")):
        picture = check_picture(content)
        assert picture.media_type == media_type
        assert abs(picture.width_mm - 42) < 0.1
        drawn = image_of(
            "示例市市场监督管理局证照专用章", "示例市市场监督管理局", picture=picture, mark="样例"
        )
        assert drawn.pdf.startswith(b"%PDF-")
        assert drawn.alternative_text == "电子印章：示例市市场监督管理局证照专用章（样例）"


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("<script>alert(1)</script>", "脚本"),
        ('<image href="http://example.org/x.png"/>', "图片"),
        ('<use href="#a"/>', "链接"),
        ("<style>*{}</style>", "样式"),
        ('<foreignObject><p xmlns="http://www.w3.org/1999/xhtml">x</p></foreignObject>', "其他元素"),
        ("<text>章</text>", "文字"),
        ('<animate attributeName="r" to="1"/>', "其他元素"),
        ('<circle r="1" onclick="alert(1)"/>', "属性"),
        ('<circle r="1" style="fill:red"/>', "属性"),
        ('<path d="M0 0 L40 40" stroke="red" stroke-dasharray="0.0001 0.0001"/>', "属性"),
        ('<circle r="1" fill="url(http://example.org/)"/>', "引用"),
        ('<circle r="1" fill="url(#a)"/>', "引用"),
        ('<circle xmlns:x="http://www.w3.org/1999/xlink" x:href="#a"/>', "属性"),
        ('<circle xmlns="http://example.org/" r="1"/>', "其他元素"),
        ("<?php echo 1 ?>", "处理指令"),
        ("<g>" * 60 + "</g>" * 60, "复杂"),
        ("<g/>" * 6000, "复杂"),
        ('<rect width="42" height="42" fill="#fff"/>', "透明"),
    ],
)
def test_what_an_svg_may_not_hold(inside: str, words: str) -> None:
    assert words in refusal(SVG.replace(RING, RING + inside).encode())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (SVG.replace('width="42mm"', 'width="42"'), "毫米"),
        (SVG.replace('width="42mm"', 'width="142mm"'), "毫米之间"),
        (SVG.replace('width="42mm"', 'width="12mm"'), "毫米之间"),
        (SVG.replace(' viewBox="0 0 42 42"', ""), "viewBox"),
        (SVG.replace(RING, ""), "空白"),
        (SVG.replace("</svg>", ""), "XML"),
        ("<!DOCTYPE svg>" + SVG, "文档类型"),
        ('<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG.replace(RING, "&a;"), "文档类型"),
        (f'<html><svg xmlns="http://www.w3.org/2000/svg">{RING}</svg></html>', "根元素"),
        ("GIF89a", "SVG 或 PNG"),
        ("<svg" + " " * 600_000, "过大"),
    ],
)
def test_svgs_that_are_refused_as_a_whole(content: str, words: str) -> None:
    assert words in refusal(content.encode())


@pytest.mark.parametrize("side", ["142mm", "9999cm"])
def test_an_svg_of_a_wrong_size_is_never_drawn(monkeypatch: pytest.MonkeyPatch, side: str) -> None:
    """At 9999 cm the drawing would ask for a terabyte, and end the process instead of raising."""
    drawn: list[str] = []
    monkeypatch.setattr(images, "raster_of", lambda svg: drawn.append(svg) or png())
    assert "毫米之间" in refusal(SVG.replace('width="42mm"', f'width="{side}"').encode())
    assert not drawn


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (png(mode="RGB"), "透明通道"),
        (png(mode="LA"), "透明通道"),
        (png(dpi=None), "分辨率"),
        (png(dpi=150, side=248), "分辨率"),
        (png(side=3001), "像素"),
        (png(side=300), "毫米之间"),
        (png(background=(255, 255, 255, 255)), "透明"),
        (png(background=(255, 255, 255, 40)), "透明"),
        (png(ring=False), "空白"),
        (png(text=True), "数据块"),
        (png() + b"more", "不完整"),
        (png()[:-30], "不完整"),
        (png()[:40] + b"\0" + png()[41:], "不完整"),
    ],
)
def test_pngs_that_are_refused(content: bytes, words: str) -> None:
    assert words in refusal(content)


def test_a_png_that_would_unpack_to_more_than_it_says_is_refused() -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 992, 992, 8, 6, 0, 0, 0)
    resolution = struct.pack(">IIB", 23622, 23622, 1)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"pHYs", resolution)
    content += chunk(b"IDAT", zlib.compress(b"\xff" * 10)) + chunk(b"IEND", b"")
    assert "解码" in refusal(content)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.integers(0, 255), st.sampled_from([png(), SVG.encode()]))
def test_any_altered_byte_is_refused_or_still_a_picture(place: int, value: int, content: bytes) -> None:
    at = place % len(content)
    altered = content[:at] + bytes([value]) + content[at + 1 :]
    try:
        picture = check_picture(altered)
    except ImageRefused:
        return
    assert 20 <= picture.width_mm <= 60
