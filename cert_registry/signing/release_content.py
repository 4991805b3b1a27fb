"""What a sealed file must hold beside the rendered page, told once for both ways of looking at it.

Source: ISO 32000-1 clauses 7.12, 12.5.3, 12.7.2 and 12.8; ISO/TS 32002 (elliptic curves); ETSI TS 102 778-4 (ESIC).
"""

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from cert_registry.signing.certificate_keys import public_key_of
from cert_registry.signing.errors import ContentDiffers
from cert_registry.signing.seal_field import SealAppearance, SealPlace

SEAL_FIELD: Final = b"seal"
ARCHIVE_FIELD: Final = b"archive-stamp-1"
PRINT_AND_LOCKED: Final = 132
SIGNATURES_EXIST_APPEND_ONLY: Final = 3
OFF_THE_PAGE: Final = (-9999, -9999, -9999, -9999)
#: A signature dictionary's entries that do not differ from file to file.
SEAL_SIGNATURE: Final[Mapping[str, Any]] = {
    "/Type": "/Sig",
    "/Filter": "/Adobe.PPKLite",
    "/SubFilter": "/ETSI.CAdES.detached",
    "/Reference": (
        {
            "/Type": "/SigRef",
            "/TransformMethod": "/DocMDP",
            "/TransformParams": {"/Type": "/TransformParams", "/V": "/1.2", "/P": 1},
        },
    ),
}
STAMP_SIGNATURE: Final[Mapping[str, Any]] = {
    "/Type": "/DocTimeStamp",
    "/Filter": "/Adobe.PPKLite",
    "/SubFilter": "/ETSI.RFC3161",
}
_ESIC: Final = {"/Type": "/DeveloperExtensions", "/BaseVersion": "/1.7", "/ExtensionLevel": 1}
_ISO_32002: Final = {
    "/Type": "/DeveloperExtensions",
    "/BaseVersion": "/2.0",
    "/ExtensionLevel": 32002,
    "/URL": b"https://www.iso.org/standard/45875.html",
    "/ExtensionRevision": b":2022",
}
_WITH_CURVE: Final[Mapping[str, Any]] = {
    "/Extensions": {"/ESIC": _ESIC, "/ISO_": (_ISO_32002,)},
    "/Version": "/2.0",
}
_WITHOUT_CURVE: Final[Mapping[str, Any]] = {"/Extensions": {"/ESIC": _ESIC}}
_DATE = re.compile(rb"D:(\d{14})(?:Z|\+00'00'?)")
_CLOCKS_MAY_DIFFER = timedelta(minutes=5)
_ROUNDED_PT = 0.001
_SEALS_KEPT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedContent:
    """What a sealed file must hold.

    Args:
        page: The rendered document, unsigned.
        appearance: The seal's picture, place and words.
        with_evidence: Whether evidence must stand in the file (from level B-LT on).
    """

    page: bytes
    appearance: SealAppearance
    with_evidence: bool


@functools.lru_cache(maxsize=_SEALS_KEPT)
def extensions_of(certificate: x509.Certificate) -> Mapping[str, Any]:
    """Return what the catalogue must say about the algorithms in the file."""
    is_on_curve = isinstance(public_key_of(certificate), ec.EllipticCurvePublicKey)  # ISO/TS 32002 has no SM2
    return _WITH_CURVE if is_on_curve else _WITHOUT_CURVE


def words_of(content: SealedContent) -> bytes:
    """Return what the seal shows in words, as a text string."""
    return b"\xfe\xff" + content.appearance.alternative_text.encode("utf-16-be")


def check_date(value: object, now: datetime) -> None:
    """Check the time that the signature dictionary tells.

    Raises:
        ContentDiffers: It is not of now, in UTC.
    """
    said = _DATE.fullmatch(value) if isinstance(value, bytes) else None
    if said is None:
        raise ContentDiffers("The signature does not tell when it was made.")
    try:
        moment = datetime.strptime(said[1].decode("ascii"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise ContentDiffers("The signature does not tell when it was made.") from error
    if abs(moment - now) > _CLOCKS_MAY_DIFFER:
        raise ContentDiffers("The signature tells another time than now.")


def check_place(rectangle: object, media_box: object, place: SealPlace) -> None:
    """Check that the seal stands in its place, on the page.

    Raises:
        ContentDiffers: It does not.
    """
    corners = (place.left, place.bottom, place.left + place.width, place.bottom + place.height)
    found, page = _numbers(rectangle), _numbers(media_box)
    if any(abs(one - other) > _ROUNDED_PT for one, other in zip(found, corners, strict=True)):
        raise ContentDiffers("The seal does not stand in its place.")
    if not (page[0] <= found[0] < found[2] <= page[2] and page[1] <= found[1] < found[3] <= page[3]):
        raise ContentDiffers("The seal does not stand on the page.")


def _numbers(value: object) -> tuple[float, float, float, float]:
    if not isinstance(value, Sequence) or len(value) != 4:
        raise ContentDiffers("A rectangle does not have four corners.")
    if not all(isinstance(one, int | Decimal) for one in value):
        raise ContentDiffers("A rectangle's corner is not a number.")
    left, bottom, right, top = (float(one) for one in value)
    return left, bottom, right, top
