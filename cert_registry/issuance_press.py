"""The press: data twin, signed QR and page of an intent; and previews, which can never become ecerts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, final

import rfc8785

from cert_registry.catalog.errors import CatalogError, FaceRefused, GlyphMissing
from cert_registry.catalog.rendering import DEMO_MARK, Imprint, RenderedEcert, render
from cert_registry.catalog.twin import StatusReference, TwinImprint, build_twin
from cert_registry.check_code import CheckCode
from cert_registry.civil_date import civil_date_at, end_of_day
from cert_registry.errors import DraftRefused, TokenBusyOrGone, UnprintableCharacter
from cert_registry.issuance_forms import PrintedPage
from cert_registry.lints.findings import Severity
from cert_registry.lints.running import run_file_lints
from cert_registry.qr import QrClaims, key_id, qr_text, sign_qr
from cert_registry.signing.errors import SigningError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime

    from cert_registry.catalog.certificate_type import CertificateType
    from cert_registry.catalog.face_schema import CheckedFace
    from cert_registry.catalog.loading import Catalog
    from cert_registry.issuance_checking import Departments
    from cert_registry.issuance_forms import CheckedDraft, Intent

PREVIEW_MARK: Final = "预览"
_PREVIEW_IDENTIFIER: Final = "预览（尚未赋码）"
_PREVIEW_CODE: Final = CheckCode("2" * 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class QrSigner:
    """What signs QR codes.

    Attributes:
        signing_certificate: DER.
        sign: ECDSA P-256 over SHA-256 of its argument, DER.
    """

    signing_certificate: bytes
    sign: Callable[[bytes], bytes]


@final
class CataloguePress:
    """The press over the catalogue's templates.

    Args:
        catalog: Certificate types.
        departments: Names and places of issuers.
        qr: Signs QR codes.
        public_url: Scheme, host and port of the service.
        demo: Whether pages carry 样例.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        departments: Departments,
        qr: QrSigner,
        public_url: str,
        demo: bool,
    ) -> None:
        self._catalog = catalog
        self._departments = departments
        self._qr = qr
        self._public_url = public_url.rstrip("/")
        self._mark = DEMO_MARK if demo else None

    def print_intent(self, intent: Intent) -> PrintedPage:
        """The page (PDF, unsealed) and its twin.

        Raises:
            UnprintableCharacter: A character has no glyph.
            DraftRefused: The type changed since the intent was stored, and the face no longer fits.
            TokenBusyOrGone: The QR could not be signed.
        """
        certificate_type, face, imprint = self.compose(intent)
        rendered = _render(certificate_type, face, imprint)
        _require_faithful(certificate_type, face, rendered, imprint)
        return PrintedPage(page=rendered.pdf, twin=imprint.twin, seal_place=rendered.seal_place)

    def compose(self, intent: Intent) -> tuple[CertificateType, CheckedFace, Imprint]:
        """What the page of an intent is typeset from: type, face and imprint, with twin and signed QR.

        Raises:
            DraftRefused: The type changed since the intent was stored, and the face no longer fits.
            TokenBusyOrGone: The QR could not be signed.
        """
        draft = intent.draft
        issued_on = civil_date_at(intent.stored_at)
        certificate_type, face = self._face(draft, today=issued_on)
        twin = build_twin(certificate_type, face, self._twin_imprint(intent, issued_on))
        imprint = Imprint(
            identifier=intent.identifier,
            check_code=CheckCode(intent.secrets.check_code),
            qr_text=self._qr_text(intent, twin),
            issuer_name=draft.issuer_name,
            issuer_code=draft.order.issuer_code,
            issued_on=issued_on,
            version=intent.version,
            twin=twin,
            mark=self._mark,
        )
        return certificate_type, face, imprint

    def preview(self, draft: CheckedDraft, *, now: datetime) -> bytes:
        """The page with a 预览 mark: no identifier, no check code, no signed QR, a twin that says preview.

        Raises:
            UnprintableCharacter: A character has no glyph.
        """
        today = civil_date_at(now)
        certificate_type, face = self._face(draft, today=today)
        imprint = Imprint(
            identifier=_PREVIEW_IDENTIFIER,
            check_code=_PREVIEW_CODE,
            qr_text=f"{self._public_url}/verify",
            issuer_name=draft.issuer_name,
            issuer_code=draft.order.issuer_code,
            issued_on=today,
            version=1,
            twin=rfc8785.dumps({"preview": True}),
            mark=PREVIEW_MARK,
        )
        return _render(certificate_type, face, imprint).pdf

    def _face(self, draft: CheckedDraft, *, today: date) -> tuple[CertificateType, CheckedFace]:
        certificate_type = self._catalog.type(draft.order.type_code)
        face: Mapping[str, Any] = draft.face
        try:
            return certificate_type, certificate_type.check_face(face, today=today)
        except FaceRefused as error:
            findings = [(problem.field, problem.sentence) for problem in error.problems]
            raise DraftRefused("证照类型已调整，草稿须重新检查。", findings=findings) from error

    def _twin_imprint(self, intent: Intent, issued_on: date) -> TwinImprint:
        order = intent.draft.order
        return TwinImprint(
            identifier=intent.identifier,
            version=intent.version,
            issuer_name=intent.draft.issuer_name,
            issuer_code=order.issuer_code,
            area_code=self._departments.department(order.issuer_code).area_code,
            issued_on=issued_on,
            status=StatusReference(
                uri=status_list_uri(self._public_url, intent.status_list), index=intent.status_index
            ),
            previous_identifier=order.replaces,
            log_salt=intent.secrets.salt,
            mark=self._mark,
        )

    def _qr_text(self, intent: Intent, twin: bytes) -> str:
        until = intent.draft.valid_until
        claims = QrClaims(
            issuer_code=intent.draft.order.issuer_code,
            identifier=intent.identifier,
            check_code=CheckCode(intent.secrets.check_code),
            twin_sha256=hashlib.sha256(twin).digest(),
            issued_at=intent.stored_at.replace(microsecond=0),
            ends_at=None if until is None else end_of_day(until),
        )
        try:
            message = sign_qr(claims, kid=key_id(self._qr.signing_certificate), sign=self._qr.sign)
        except SigningError as error:
            raise TokenBusyOrGone("签名设备暂时不可用，请稍后再试。") from error
        return qr_text(self._public_url, message)


def status_list_uri(public_url: str, list_number: int) -> str:
    """Address of a status list."""
    return f"{public_url.rstrip('/')}/status-lists/{list_number}"


def _require_faithful(
    certificate_type: CertificateType, face: CheckedFace, rendered: RenderedEcert, imprint: Imprint
) -> None:
    """What a person reads on the page and what a machine reads in the twin are the same, before any seal."""
    try:
        found = run_file_lints(
            certificate_type, face, pdf=rendered.pdf, twin=imprint.twin, check_code=imprint.check_code
        )
    except CatalogError as error:
        raise DraftRefused("排版结果不能检查，请联系管理员。") from error
    findings = [(one.field, one.sentence) for one in found if one.severity is Severity.ERROR]
    if findings:
        raise DraftRefused("排版结果与数据不一致，不能盖章。", findings=findings)


def _render(certificate_type: CertificateType, face: CheckedFace, imprint: Imprint) -> RenderedEcert:
    try:
        return render(certificate_type, face, imprint)
    except GlyphMissing as error:
        raise UnprintableCharacter(
            "有字符没有可用字形，不能制证。", findings=[(error.field, str(error))]
        ) from error
    except CatalogError as error:
        raise DraftRefused("该证照类型的模板不能排版，请联系管理员。") from error
