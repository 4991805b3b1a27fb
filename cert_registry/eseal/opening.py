"""Wires the office of e-seals: made by SM2 where there are SM2 keys, else by the P-256 maker in the token."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from asn1crypto import tsp
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.catalog.rendering import DEMO_MARK
from cert_registry.eseal.making import Signer
from cert_registry.eseal.office import EsealOffice, picture_of
from cert_registry.eseal.types import EsealVersion
from cert_registry.seals.drawing import image_of
from cert_registry.signing.errors import TimeStampUnavailable
from cert_registry.signing.pki.directory import SERVICE_CA, TSA_CA
from cert_registry.signing.seal_key import scheme_of
from cert_registry.signing.sm2_services import ESEAL_MAKER

if TYPE_CHECKING:
    from datetime import datetime

    from cert_registry.eseal.making import Stamp
    from cert_registry.eseal.types import SealPicture
    from cert_registry.organisations.repository import ChartReader
    from cert_registry.seals.book import SqlSeals
    from cert_registry.seals.types import Seal
    from cert_registry.settings import Settings
    from cert_registry.signing.document_stamp import TimeStampSource
    from cert_registry.signing.pki.crl import CrlPublisher
    from cert_registry.signing.pki.directory import PkiDirectory
    from cert_registry.signing.sm2_services import Sm2Services
    from cert_registry.signing.token import SigningKey


class KeyRoom(Protocol):
    """Where the maker's key is: the token `pki`, or the SM2 keys."""

    def signing_key(self, key_label: str) -> SigningKey:
        """Return a key; raises `KeyNotFound`, `TokenUnavailable`."""
        ...


def open_eseal_office(
    settings: Settings,
    *,
    seals: SqlSeals,
    charts: ChartReader,
    keys: KeyRoom,
    pki: PkiDirectory,
    stamps: TimeStampSource,
    crls: CrlPublisher,
    sm2: Sm2Services | None,
) -> EsealOffice:
    """Return the office; keys are opened at their first use.

    Args:
        settings: Of the registry.
        seals: The seals.
        charts: The departments' names.
        keys: Has the maker's P-256 key.
        pki: Has its certificate.
        stamps: Time stamps beside it.
        crls: Revocation lists beside it.
        sm2: When there are SM2 keys, e-seals are made and stamped by them.
    """
    if sm2 is not None:
        keys, pki, stamps, crls = sm2.keys, sm2.pki, sm2.stamps, sm2.crls

    def maker() -> Signer:
        certificate = pki.certificate(ESEAL_MAKER).public_bytes(Encoding.DER)
        return Signer(key=keys.signing_key(ESEAL_MAKER), certificate=certificate)

    def stamp(signer: Signer, now: datetime) -> Stamp:
        digest_name = scheme_of(signer.key.algorithm).digest
        return lambda signature: _stamp_over(stamps, signature, digest_name=digest_name, now=now)

    def picture(seal: Seal) -> SealPicture:
        if seal.picture_sha256 is not None:
            given = seals.picture(seal.picture_sha256)
            return picture_of(given.content, width_mm=given.width_mm, height_mm=given.height_mm)
        department = charts.chart().department(seal.department).name
        mark = DEMO_MARK if settings.demo else None
        drawn = image_of(seal.name, department, picture=None, mark=mark)
        return picture_of(drawn.svg, width_mm=drawn.width_mm, height_mm=drawn.height_mm)

    def further_holders(key_label: str) -> tuple[bytes, ...]:
        if sm2 is None or not sm2.pki.has(key_label):
            return ()
        return (sm2.pki.certificate(key_label).public_bytes(Encoding.DER),)

    def publish_lists(now: datetime) -> None:
        for authority in (SERVICE_CA, TSA_CA):
            crls.current(authority, now=now)

    return EsealOffice(
        book=seals,
        maker=maker,
        stamp=stamp,
        version=EsealVersion(settings.eseal_version),
        directory=settings.objects_dir.parent / "eseals",
        picture=picture,
        further_holders=further_holders,
        publish_lists=publish_lists,
    )


def _stamp_over(stamps: TimeStampSource, signature: bytes, *, digest_name: str, now: datetime) -> bytes:
    """Return a time-stamp token (DER) over a signature value."""
    imprint = {
        "hash_algorithm": {"algorithm": digest_name},
        "hashed_message": hashlib.new(digest_name, signature).digest(),
    }
    request = tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, "cert_req": True})
    try:
        response = tsp.TimeStampResp.load(stamps.respond(request.dump(), now=now))
        return bytes(response["time_stamp_token"].dump())
    except ValueError as error:  # a refusal has no token
        raise TimeStampUnavailable("The time stamp for an e-seal was refused.") from error
