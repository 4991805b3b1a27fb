"""E-seals as the rest of the service sees them."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class EsealVersion(Enum):
    """Versions of the structure: GM/T 0031-2014, GB/T 38540-2020, GM/T 0031-2025."""

    V1 = 1
    V4 = 4
    V5 = 5


class PictureFormat(Enum):
    """Formats that the standard names."""

    GIF = "GIF"
    BMP = "BMP"
    JPG = "JPG"
    PNG = "PNG"
    SVG = "SVG"


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPicture:
    """The seal's image.

    Args:
        format: Its format.
        data: Its bytes.
        width_mm: Width in whole millimetres.
        height_mm: Height in whole millimetres.
    """

    format: PictureFormat
    data: bytes
    width_mm: int
    height_mm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateMark:
    """A holder's certificate named by its digest: `name` as written (`SM3`, `SHA256`, or an identifier)."""

    name: str
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """A further field: dotted identifier, whether a reader must know it, its value."""

    identifier: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SealContent:
    """What a seal says.

    Args:
        seal_id: Its number (esID): ASCII.
        vendor_id: Who made the seal-making system (Vid): ASCII.
        kind: Its type number; 1 stands for a legal person's seal, 2 for a natural person's.
        name: Its name.
        holders: The certificates (DER) that may sign with it; or
        marks: digests of them. Exactly one of the two is given.
        created_at: When it was made: aware, whole seconds.
        valid_from: First moment of its validity, likewise.
        valid_until: Last moment.
        picture: Its image.
        extensions: Further fields.
    """

    seal_id: str
    vendor_id: str
    kind: int
    name: str
    created_at: datetime
    valid_from: datetime
    valid_until: datetime
    picture: SealPicture
    holders: tuple[bytes, ...] = ()
    marks: tuple[CertificateMark, ...] = ()
    extensions: tuple[Extension, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedSeal:
    """A seal that was read; nothing in it is verified yet.

    Args:
        version: Version of the structure.
        content: What it says.
        signed_bytes: What the maker's signature must be over.
        maker: The maker's certificate, DER.
        algorithm: Dotted identifier of the signature algorithm.
        signature: The maker's signature.
        time_stamp: A time-stamp token over the signature, or None.
        encoded: The whole seal.
    """

    version: EsealVersion
    content: SealContent
    signed_bytes: bytes
    maker: bytes
    algorithm: str
    signature: bytes
    time_stamp: bytes | None
    encoded: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedSignature:
    """A signature with a seal that was read; nothing in it is verified yet.

    Args:
        version: Version of the structure.
        seal: The seal inside.
        claimed_time: When its maker says that it was made; None in version 1, whose time is a stamp.
        data_hash: Digest of the protected data.
        property_info: What is protected, for example the path of a file inside an OFD document.
        extensions: Further fields.
        signed_bytes: What the signature must be over.
        signer: The signer's certificate, DER.
        algorithm: Dotted identifier of the signature algorithm.
        signature: The signature.
        time_stamp: A time-stamp token over the signature (over the data in version 1), or None.
    """

    version: EsealVersion
    seal: UnverifiedSeal
    claimed_time: datetime | None
    data_hash: bytes
    property_info: str
    extensions: tuple[Extension, ...]
    signed_bytes: bytes
    signer: bytes
    algorithm: str
    signature: bytes
    time_stamp: bytes | None
