"""Applying seals and checking what came back; the only place where issuing meets the signing room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, final

from cert_registry.catalog.errors import CatalogError
from cert_registry.errors import SealedFileRejected, SealNotUsable, TokenBusyOrGone
from cert_registry.issuance_forms import SealedFile
from cert_registry.seals.drawing import image_of
from cert_registry.seals.errors import UnknownSeal
from cert_registry.signing.credentials import load_credentials
from cert_registry.signing.errors import (
    AuthorityUnavailable,
    CertificateExpired,
    DocumentRefused,
    KeyMisuse,
    KeyNotFound,
    SigningError,
    TimeStampUnavailable,
    TokenUnavailable,
    UnknownCertificate,
)
from cert_registry.signing.pki.clock import TimeNotAvailable
from cert_registry.signing.pki.licensed import read_licensed
from cert_registry.signing.pki.tsa import StampRefused
from cert_registry.signing.release import check_before_release
from cert_registry.signing.release_content import SealedContent
from cert_registry.signing.seal_field import SealAppearance, SealPlace
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.signing.sealing import PadesLevel

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from cert_registry.catalog.certificate_type import CertificateType
    from cert_registry.catalog.loading import Catalog
    from cert_registry.issuance_forms import RenderedIntent, SealGrant
    from cert_registry.issuance_forms import SealPlace as PlaceOnPage
    from cert_registry.seals.types import SealPicture
    from cert_registry.signing.credentials import SealCredentials
    from cert_registry.signing.fast_sealing import FastSealer
    from cert_registry.signing.pki.directory import PkiDirectory
    from cert_registry.signing.sealing import Sealer
    from cert_registry.signing.sm2_services import Sm2Services
    from cert_registry.signing.token import Token

_LEVELS: Final = {
    "B-B": PadesLevel.B_B,
    "B-T": PadesLevel.B_T,
    "B-LT": PadesLevel.B_LT,
    "B-LTA": PadesLevel.B_LTA,
}
_WITH_EVIDENCE: Final = {PadesLevel.B_LT, PadesLevel.B_LTA}
#: Time stamps or revocation data cannot be had. pyHanko tells a refused stamp by an error of the system.
STAMPS_ARE_AWAY: Final = (
    AuthorityUnavailable,
    StampRefused,
    TimeNotAvailable,
    TimeStampUnavailable,
    TokenUnavailable,
    OSError,
)
_PROFILES: Final = {"p256": KeyAlgorithm.ECDSA_P256, "rsa-3072": KeyAlgorithm.RSA_3072}
_SEAL_IS_WRONG: Final = (CertificateExpired, KeyMisuse, KeyNotFound, UnknownCertificate)


@final
class SealLooks:
    """How a seal looks on a page: its approved picture or its names, in the place that the press has left.

    Args:
        pictures: The approved picture of a seal, by its digest.
        mark: 样例 in a demo, else None.
    """

    def __init__(self, *, pictures: Callable[[str], SealPicture], mark: str | None) -> None:
        self._pictures = pictures
        self._mark = mark

    def of(
        self, grant: SealGrant, rendered: RenderedIntent, certificate_type: CertificateType
    ) -> SealAppearance:
        """The picture, where it goes, and what it shows in words.

        Raises:
            SealNotUsable: The picture cannot be drawn.
        """
        sha256 = grant.picture_sha256
        try:
            image = image_of(
                grant.name,
                grant.department_name,
                picture=None if sha256 is None else self._pictures(sha256),
                width_mm=certificate_type.seal_rule.width_mm,
                height_mm=certificate_type.seal_rule.height_mm,
                mark=self._mark,
            )
        except (CatalogError, UnknownSeal) as error:
            raise SealNotUsable("印章的图样不能绘制，请联系印章管理员。") from error
        return SealAppearance(
            image_pdf=image.pdf,
            place=_place(rendered.seal_place),
            alternative_text=image.alternative_text,
        )


@final
class TokenSealDesk:
    """The seal desk over the token `seals`.

    Args:
        sealer: Makes PAdES seals.
        token: Holds the seals' keys.
        pki: Holds the seals' signing certificates.
        catalog: Level and size of the seal, by type.
        looks: How seals look.
        sm2: Seals of types whose profile is SM2; None where there are no SM2 keys.
    """

    def __init__(
        self,
        *,
        sealer: Sealer | FastSealer,
        token: Token,
        pki: PkiDirectory,
        catalog: Catalog,
        looks: SealLooks,
        sm2: Sm2Services | None = None,
    ) -> None:
        self._sealer = sealer
        self._token = token
        self._pki = pki
        self._catalog = catalog
        self._looks = looks
        self._sm2 = sm2

    def seal(self, rendered: RenderedIntent, grant: SealGrant, page: bytes, *, now: datetime) -> SealedFile:
        """The sealed PDF, not yet checked; at `B-B` where stamps are away and the type lets it be raised later.

        Raises:
            SealNotUsable: The seal's key or signing certificate is missing, ended or revoked.
            SealedFileRejected: The page cannot carry a seal.
            TokenBusyOrGone: Token, time stamp or revocation service did not answer.
        """
        certificate_type = self._catalog.type(rendered.intent.draft.order.type_code)
        appearance = self._looks.of(grant, rendered, certificate_type)
        level = certificate_type.pades_level
        try:
            sealer, credentials = self._suite(certificate_type.signature_profile, grant, now)

            def seal_at(name: str) -> SealedFile:
                made = sealer.seal(
                    page, credentials=credentials, appearance=appearance, level=_LEVELS[name], now=now
                )
                return SealedFile(content=made.pdf, sha256=made.sha256, level=name)

            try:
                return seal_at(level)
            except STAMPS_ARE_AWAY:
                if certificate_type.when_unstamped != "raise-later" or level == "B-B":
                    raise
                return seal_at("B-B")  # the row says so, and the archive raises it when they are back
        except DocumentRefused as error:
            raise SealedFileRejected("排版结果不能加盖印章。") from error
        except _SEAL_IS_WRONG as error:
            raise SealNotUsable("印章的密钥或签名证书不可用，请联系印章管理员。") from error
        except (SigningError, OSError) as error:
            raise TokenBusyOrGone("加盖印章的设备或时间戳暂时不可用，请稍后再试。") from error

    def _suite(
        self, profile: str, grant: SealGrant, now: datetime
    ) -> tuple[Sealer | FastSealer, SealCredentials]:
        """What seals a type of that profile, with the seal's credentials for it."""
        credentials = load_credentials(self._token, self._pki, grant.key_label, now=now)
        if (
            profile == KeyAlgorithm.SM2.value
        ):  # beside its key in the token, which says whether it may be used
            if self._sm2 is None:
                raise SealNotUsable("这一证照类型要用国密印章，而本系统没有配置国密密钥。")
            like = credentials.certificate
            return self._sm2.sealer, self._sm2.credentials(grant.key_label, now=now, like=like)
        if credentials.key.algorithm is not _PROFILES[profile]:
            raise SealNotUsable("印章的密钥不是这一证照类型要用的算法，请联系印章管理员。")
        return self._sealer, credentials


@final
class IndependentRelease:
    """The release check on the signing room's independent path.

    Args:
        pki: Trust anchors, and the signing certificate that each seal must have sealed with.
        catalog: Whether a type's level asks for a time stamp.
        looks: How seals look.
        sm2: The same for types whose profile is SM2.
    """

    def __init__(
        self, *, pki: PkiDirectory, catalog: Catalog, looks: SealLooks, sm2: Sm2Services | None = None
    ) -> None:
        self._pki = pki
        self._catalog = catalog
        self._looks = looks
        self._sm2 = sm2

    def check(
        self, sealed: SealedFile, rendered: RenderedIntent, *, page: bytes, grant: SealGrant, now: datetime
    ) -> None:
        """Evidence that the file is whole, sealed by this seal, and holds the rendered page and nothing else.

        Raises:
            SealedFileRejected: It is not.
        """
        certificate_type = self._catalog.type(rendered.intent.draft.order.type_code)
        may_be_lower = certificate_type.when_unstamped == "raise-later" and sealed.level == "B-B"
        if sealed.level != certificate_type.pades_level and not may_be_lower:
            raise SealedFileRejected("加盖印章的级别低于证照类型的规定，已作废，请重试。")
        level = _LEVELS[sealed.level]
        pki = self._pki
        if certificate_type.signature_profile == KeyAlgorithm.SM2.value and self._sm2 is not None:
            pki = self._sm2.pki
        try:
            licensed = [one for authority in read_licensed(self._pki.path) for one in authority.anchors]
            check_before_release(
                sealed.content,
                expected_digest=sealed.sha256,
                certificate=pki.certificate(grant.key_label),
                anchors=(*pki.anchors(), *licensed),
                now=now,
                content=SealedContent(
                    page=page,
                    appearance=self._looks.of(grant, rendered, certificate_type),
                    with_evidence=level in _WITH_EVIDENCE,
                ),
                stamped=level is not PadesLevel.B_B,
                archived=level is PadesLevel.B_LTA,
            )
        except SigningError as error:
            raise SealedFileRejected("加盖印章后的文件未通过独立检验，已作废，请重试。") from error


def _place(place: PlaceOnPage) -> SealPlace:
    return SealPlace(
        page=place.page + 1,
        left=place.left,
        bottom=place.bottom,
        width=place.right - place.left,
        height=place.top - place.bottom,
    )
