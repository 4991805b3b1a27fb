"""The e-seal (SESeal) of each active seal: made once for what the seal says, then kept as it was made.

When a seal's certificate, name, picture or validity changes, another e-seal is made; earlier ones stay on disk.

Source: GM/T 0031-2025; GB/T 38540-2020.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING

from cryptography import x509

from cert_registry.civil_date import CHINA
from cert_registry.eseal.errors import EsealUnavailable
from cert_registry.eseal.making import Signer, Stamp, make_seal
from cert_registry.eseal.types import EsealVersion, PictureFormat, SealContent, SealPicture
from cert_registry.seals.types import SealKind, SealState
from cert_registry.signing.durable_files import write_durably

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cert_registry.seals.ports import SealBook
    from cert_registry.seals.types import Seal

#: Vid: who made the seal-making system.
_VENDOR = "LONGZHENG"
_LEGAL_PERSON, _NATURAL_PERSON = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class EsealOffice:
    """Makes and keeps e-seals.

    Attributes:
        book: The seals.
        maker: Returns key and certificate of the seal-making system.
        stamp: Returns a function that stamps a maker's signature at a moment; version 5 alone is stamped.
        version: Of the structure.
        directory: Where they are kept.
        picture: The seal's picture: format and bytes.
        publish_lists: Keeps the revocation lists fresh that a verifier of e-seals asks for.
        further_holders: Certificates (DER) of the seal beside its first, by its key's label.
    """

    book: SealBook
    maker: Callable[[], Signer]
    stamp: Callable[[Signer, datetime], Stamp]
    version: EsealVersion
    directory: Path
    picture: Callable[[Seal], SealPicture]
    further_holders: Callable[[str], tuple[bytes, ...]]
    publish_lists: Callable[[datetime], None]

    def eseal(self, seal_id: str, *, now: datetime) -> bytes:
        """Return the SESeal (DER) of an active seal.

        Args:
            seal_id: The seal's id.
            now: Aware UTC time; the time of making when it is made now.

        Raises:
            UnknownSeal: There is no such seal.
            EsealUnavailable: The seal is not in use.
            TokenUnavailable: The maker's key, or the time stamp, cannot be had.
        """
        seal = self.book.find(seal_id)
        if seal.state is not SealState.ACTIVE or seal.certificate is None:
            raise EsealUnavailable("印章不在用，没有电子印章数据。")
        content, maker = self._content(seal, seal.certificate, now=now), self.maker()
        file = self.directory / f"{seal.seal_id}-{self._mark(content, maker)}.esl"
        self.publish_lists(now)
        if file.is_file():
            return file.read_bytes()
        stamp = self.stamp(maker, now) if self.version is EsealVersion.V5 else None
        made = make_seal(content, maker=maker, version=self.version, stamp=stamp)
        self.directory.mkdir(parents=True, exist_ok=True)
        write_durably(file, made)
        return made

    def make_missing(self, *, now: datetime) -> int:
        """Make the e-seal of every active seal that has none; returns how many are active.

        Raises as `eseal`.
        """
        active = [one for one in self.book.listed() if one.state is SealState.ACTIVE]
        for seal in active:
            self.eseal(seal.seal_id, now=now)
        return len(active)

    def _content(self, seal: Seal, certificate: bytes, *, now: datetime) -> SealContent:
        ends = x509.load_der_x509_certificate(certificate).not_valid_after_utc
        if seal.valid_to is not None:  # the last day included
            last = datetime.combine(seal.valid_to + timedelta(days=1), time(), CHINA)
            ends = min(ends, last.astimezone(UTC) - timedelta(seconds=1))
        return SealContent(
            seal_id=seal.filing_number or seal.seal_id,
            vendor_id=_VENDOR,
            kind=_NATURAL_PERSON if seal.kind is SealKind.REPRESENTATIVE else _LEGAL_PERSON,
            name=seal.name,
            created_at=now.replace(microsecond=0),
            valid_from=datetime.combine(seal.valid_from, time(), CHINA).astimezone(UTC),
            valid_until=ends,
            picture=self.picture(seal),
            holders=(certificate, *self.further_holders(seal.key_label)),
        )

    def _mark(self, content: SealContent, maker: Signer) -> str:
        """Name what an e-seal says, but for when it was made."""
        timeless = replace(content, created_at=content.valid_from)
        said = repr((self.version, maker.certificate, timeless))
        return hashlib.sha256(said.encode()).hexdigest()[:24]


def picture_of(content: bytes | str, *, width_mm: float, height_mm: float) -> SealPicture:
    """Return a seal's picture for its e-seal: PNG as it is, or SVG."""
    data = content.encode() if isinstance(content, str) else content
    is_png = data.startswith(b"\x89PNG")
    return SealPicture(
        format=PictureFormat.PNG if is_png else PictureFormat.SVG,
        data=data,
        width_mm=max(1, round(width_mm)),
        height_mm=max(1, round(height_mm)),
    )
