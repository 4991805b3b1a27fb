"""The picture of a seal, checked before anybody decides about it: format, size in millimetres, transparency, nothing active.

An SVG is read with an allow-list: shapes and groups, no text (its fonts would be somebody else's), no style sheets,
scripts, links, images or foreign content. A PNG holds an alpha channel, says its resolution, and ends where it ends.
Both must be see-through outside their strokes, so that what the seal covers stays readable.

Source: W3C SVG 2 section 5 (structure); PNG (ISO/IEC 15948) sections 5.3, 11.2, 11.3.5.3.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zlib
from typing import TYPE_CHECKING, Final

from lxml import etree
from PIL import Image, UnidentifiedImageError

from cert_registry.catalog.errors import CatalogError
from cert_registry.catalog.seal_image import raster_of
from cert_registry.seals.errors import ImageRefused
from cert_registry.seals.types import SealPicture

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGEST_BYTES: Final = 512 * 1024
SMALLEST_MM, LARGEST_MM = 20.0, 60.0
_LONGEST_SIDE_PX: Final = 3000
_LEAST_DPI: Final = 300
_LEAST_CLEAR: Final = 0.25  # of the area, see-through
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_CHUNKS: Final = frozenset(
    {b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"pHYs", b"gAMA", b"sRGB", b"cHRM", b"sBIT"}
)
_SVG: Final = "{http://www.w3.org/2000/svg}"
_ELEMENTS: Final = frozenset(
    {"svg", "g", "path", "circle", "ellipse", "rect", "line", "polyline", "polygon", "title", "desc", "defs"}
)
_ATTRIBUTES: Final = frozenset(
    {
        *("width", "height", "viewBox", "version", "id", "transform", "d", "points", "opacity"),
        *("x", "y", "rx", "ry", "r", "cx", "cy", "x1", "y1", "x2", "y2", "preserveAspectRatio"),
        *("fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity"),
        # No dashes: a tiny one costs hours of drawing.
        *("stroke-linecap", "stroke-linejoin", "stroke-miterlimit"),
    }
)
_MOST_ELEMENTS: Final = 5000
_DEEPEST: Final = 32
_LENGTH: Final = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,6})?)(mm|cm|pt)")
_UNITS_MM: Final = {"mm": 1.0, "cm": 10.0, "pt": 25.4 / 72}


def check_picture(content: bytes) -> SealPicture:
    """The picture, once it passed every check.

    Args:
        content: The file as uploaded.

    Raises:
        ImageRefused: With one sentence that says what is wrong.
    """
    if len(content) > LARGEST_BYTES:
        raise _refused(f"文件过大，不能超过 {LARGEST_BYTES // 1024} KB。")
    if content.startswith(_PNG):
        width_mm, height_mm = _check_png(content)
        media_type, raster = "image/png", content
    elif b"<svg" in content[:4096]:
        width_mm, height_mm = _check_svg(content)
        _require_size(width_mm, height_mm)  # before it is drawn: a drawing too large ends the process
        media_type, raster = "image/svg+xml", _rendered(content)
    else:
        raise _refused("只接受 SVG 或 PNG 文件。")
    _require_size(width_mm, height_mm)
    _require_see_through(raster)
    return SealPicture(
        content=content,
        media_type=media_type,
        sha256=hashlib.sha256(content).hexdigest(),
        width_mm=round(width_mm, 2),
        height_mm=round(height_mm, 2),
    )


# ── PNG ──


def _check_png(content: bytes) -> tuple[float, float]:
    """Width and height in millimetres; the chunks are whole, known, and nothing follows the last."""
    width = height = resolution = 0
    ended = False
    for kind, data in _chunks(content):
        if ended or kind not in _CHUNKS:
            raise _refused("PNG 含有多余的数据块，请重新导出为不带附加信息的 PNG。")
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", data[:10])
            if not (0 < width <= _LONGEST_SIDE_PX and 0 < height <= _LONGEST_SIDE_PX):
                raise _refused(f"边长不能超过 {_LONGEST_SIDE_PX} 像素。")
            if (depth, colour) != (8, 6):  # 8 bits a channel, RGB with alpha
                raise _refused("PNG 须为带透明通道的 RGBA，每通道 8 位。")
        elif kind == b"pHYs":
            across, down, unit = struct.unpack(">IIB", data[:9])
            resolution = across if across == down and unit == 1 else 0  # pixels a metre
        ended = kind == b"IEND"
    if not ended or not width:
        raise _refused("PNG 文件不完整。")
    if resolution * 0.0254 < _LEAST_DPI - 1:
        raise _refused(f"PNG 须写明分辨率，且不低于 {_LEAST_DPI} dpi。")
    return width / resolution * 1000, height / resolution * 1000


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Chunks of a PNG: length (4), kind (4), data, CRC-32 of kind and data (4)."""
    at = len(_PNG)
    while at < len(content):
        if at + 12 > len(content):
            raise _refused("PNG 文件不完整。")
        (length,) = struct.unpack_from(">I", content, at)
        kind, data = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        checksum = content[at + 8 + length : at + 12 + length]
        if len(checksum) != 4 or zlib.crc32(kind + data) != int.from_bytes(checksum):
            raise _refused("PNG 文件不完整。")
        yield kind, data
        at += 12 + length


# ── SVG ──


def _check_svg(content: bytes) -> tuple[float, float]:
    """Width and height in millimetres; nothing but shapes."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise _refused("SVG 不是合格的 XML 文件。") from error
    if root.getroottree().docinfo.doctype or root.tag != f"{_SVG}svg":
        raise _refused("SVG 不能带有文档类型声明，根元素须为 svg。")
    for number, node in enumerate(root.iter()):
        if number >= _MOST_ELEMENTS or len(list(node.iterancestors())) > _DEEPEST:
            raise _refused("SVG 过于复杂。")
        _check_node(node)
    sizes = [_LENGTH.fullmatch(root.get(name, "")) for name in ("width", "height")]
    if not all(sizes) or root.get("viewBox") is None:
        raise _refused("SVG 须以毫米（mm）写明宽和高，并有 viewBox。")
    width, height = (float(size[1]) * _UNITS_MM[size[2]] for size in sizes if size)
    return width, height


def _check_node(node: etree._Element) -> None:
    if not isinstance(node.tag, str):
        if isinstance(node, etree._Comment):  # noqa: SLF001 - lxml's own name of the class
            return
        raise _refused("SVG 不能含有处理指令或实体。")
    name = node.tag.removeprefix(_SVG)
    if not node.tag.startswith(_SVG) or name not in _ELEMENTS:
        raise _refused("SVG 只能由图形组成，不能含有文字、图片、脚本、样式、链接或其他元素。")
    for attribute, value in node.attrib.items():
        if attribute not in _ATTRIBUTES:
            raise _refused("SVG 含有不允许的属性，请导出为纯路径、不带样式和链接的 SVG。")
        if any(mark in value for mark in ("url(", "&", "<", "javascript:", "data:")):
            raise _refused("SVG 的属性不能引用其他内容。")


def _rendered(content: bytes) -> bytes:
    try:
        return raster_of(content.decode())
    except (CatalogError, UnicodeDecodeError) as error:
        raise _refused("SVG 不能绘制。") from error


# ── both ──


def _require_size(*sizes_mm: float) -> None:
    for size in sizes_mm:
        if not SMALLEST_MM <= size <= LARGEST_MM:
            raise _refused(f"宽、高应在 {SMALLEST_MM:g} 至 {LARGEST_MM:g} 毫米之间，现为 {size:.1f} 毫米。")


def _require_see_through(png: bytes) -> None:
    """The corners are clear, a part of the area is, and something is drawn."""
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as picture:
            alpha = picture.convert("RGBA").getchannel("A")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _refused("图像不能解码。") from error
    width, height = alpha.size
    corners = ((0, 0), (width - 1, 0), (0, height - 1), (width - 1, height - 1))
    counts = alpha.histogram()
    clear = sum(counts[:16]) / (width * height)
    if any(alpha.getpixel(corner) > 16 for corner in corners) or clear < _LEAST_CLEAR:  # type: ignore[operator] # one channel: numbers
        raise _refused("背景须透明：印章盖在文字上，文字仍须看得清。")
    if clear > 0.995:
        raise _refused("图像是空白的。")


def _refused(sentence: str) -> ImageRefused:
    return ImageRefused("印模未通过检查。", findings=[("picture", sentence)])
