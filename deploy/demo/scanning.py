"""Scans the QR code of a printed page, as a clerk's scanner does."""

from __future__ import annotations

import io
import subprocess

import zxingcpp
from PIL import Image

from deploy.errors import PartUnhealthy


def qr_text_of(pdf: bytes) -> str:
    """Text of the first QR code on the last page.

    Raises:
        PartUnhealthy: The page cannot be drawn, or shows no QR code.
    """
    drawn = subprocess.run(
        ["pdftoppm", "-png", "-r", "200", "-"], input=pdf, capture_output=True, check=False, timeout=60
    )
    if drawn.returncode != 0 or not drawn.stdout:
        raise PartUnhealthy("pdftoppm could not draw the certificate: install poppler-utils.")
    starts = _png_starts(drawn.stdout)
    for begin, end in reversed(list(zip(starts, [*starts[1:], len(drawn.stdout)], strict=True))):
        for code in zxingcpp.read_barcodes(
            Image.open(io.BytesIO(drawn.stdout[begin:end])).convert("L"),
            formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
        ):
            if "LZ1:" in code.text:
                return str(code.text)
    raise PartUnhealthy("The certificate shows no QR code of this service.")


def _png_starts(stream: bytes) -> list[int]:
    """Where each page's PNG begins: pdftoppm writes them one behind the other."""
    starts, place = [], stream.find(b"\x89PNG\r\n\x1a\n")
    while place >= 0:
        starts.append(place)
        place = stream.find(b"\x89PNG\r\n\x1a\n", place + 8)
    return starts
