"""Tells a PDF from an OFD from anything else, by content and never by name."""

from __future__ import annotations

import io
import zipfile
from enum import Enum

_HEADER_WINDOW = 1024  # bytes in which readers look for %PDF- (ISO 32000-2 Annex J)
_MAX_MEMBERS = 20_000


class Container(Enum):
    """What kind of file the bytes are."""

    PDF = "pdf"
    OFD = "ofd"
    OTHER = "other"
    EMPTY = "empty"


def recognise(data: bytes) -> Container:
    """Say what kind of file `data` is."""
    if not data:
        return Container.EMPTY
    if data[:4] == b"PK\x03\x04" and _is_ofd(data):
        return Container.OFD
    if b"%PDF-" in data[:_HEADER_WINDOW]:
        return Container.PDF
    return Container.OTHER


def _is_ofd(data: bytes) -> bool:
    # GB/T 33190: the package's entry is the file OFD.xml in its root.
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            return any(name.lower() == "ofd.xml" for name in package.namelist()[:_MAX_MEMBERS])
    except Exception:  # noqa: BLE001 - zipfile raises many kinds on hostile archives; none of them is an OFD
        return False
