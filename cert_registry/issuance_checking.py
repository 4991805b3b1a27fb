"""From an order to a checked draft: the type's schema, the running number, the lints, the fonts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, final

import rfc8785

from cert_registry.catalog.errors import CatalogError, FaceRefused, NumberNotMade, TypeUnknown
from cert_registry.catalog.glyphs import first_missing_character
from cert_registry.civil_date import LONG_TERM, civil_date_at
from cert_registry.errors import DraftRefused, UnknownCertificateType, UnprintableCharacter
from cert_registry.free_text import CONTROL_SENTENCE, has_control
from cert_registry.issuance_forms import CheckedDraft
from cert_registry.lints.findings import Severity
from cert_registry.lints.running import run_draft_lints
from cert_registry.types import ApprovalSystem
from idp.identity.sentence import said

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cert_registry.catalog.certificate_type import CertificateType
    from cert_registry.catalog.face_schema import CheckedFace
    from cert_registry.catalog.loading import Catalog
    from cert_registry.organisations.types import Department
    from cert_registry.types import DepartmentCode, IssueKey, IssueOrder

_LONGEST_CASE: Final = 64


class RunningNumbers(Protocol):
    """Running numbers of certificates."""

    def sequence_for(self, key: IssueKey, *, year: int) -> int:
        """The running number of this case, given now or found."""
        ...

    def assign(self, key: IssueKey, *, year: int) -> int:
        """As `sequence_for`, where most likely none was given yet."""
        ...


class Departments(Protocol):
    """Departments by code."""

    def department(self, code: DepartmentCode) -> Department:
        """The department behind a code."""
        ...


DraftLint = Callable[
    ["CertificateType", "CheckedFace", "IssueOrder", "datetime"], "Sequence[tuple[str, str]]"
]
"""Findings (field path, sentence) of one pass over a draft; empty when it may be issued."""


@final
class CatalogueChecker:
    """The draft checker.

    Args:
        catalog: Certificate types.
        numbers: Running numbers, for types whose rule makes the certificate's number.
        departments: Names and places of issuers.
        lint: Every lint over a draft.
        mac: HMAC-SHA-256 in the token; makes the content's keyed digest.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        numbers: RunningNumbers,
        departments: Departments,
        lint: DraftLint,
        mac: Callable[[bytes], bytes],
    ) -> None:
        self._catalog = catalog
        self._numbers = numbers
        self._departments = departments
        self._lint = lint
        self._mac = mac

    def check(self, order: IssueOrder, *, now: datetime) -> CheckedDraft:
        """The draft with its face checked and every lint passed.

        Raises:
            UnknownCertificateType: No such type.
            DraftRefused: Fields or lints; all findings at once.
            UnprintableCharacter: A character that no font has, named.
        """
        certificate_type = self._type(order)
        _require_case(order)
        issuer = self._departments.department(order.issuer_code)
        filled = self._numbered(certificate_type, order, area_code=issuer.area_code, now=now)
        try:
            face = certificate_type.check_face(filled, today=civil_date_at(now))
        except FaceRefused as error:
            raise DraftRefused(
                "照面内容有误，请逐项更正。",
                findings=[(problem.field, problem.sentence) for problem in error.problems],
            ) from error
        _require_printable(certificate_type, face)
        findings = self._lint(certificate_type, face, order, now)
        if findings:
            raise DraftRefused("草稿未通过检查，请逐项更正。", findings=findings)
        valid_from, expiry = certificate_type.term_of(face)
        plain: Mapping[str, object] = plain_json(face.values)
        return CheckedDraft(
            order=order,
            type_name=certificate_type.name,
            issuer_name=issuer.name,
            holders=certificate_type.holders_of(face),
            face=plain,
            valid_from=valid_from,
            valid_until=None if expiry is LONG_TERM else expiry,
            content_mac=self._content_mac(order, plain),
        )

    def number(self, order: IssueOrder, *, now: datetime) -> None:
        """Give the case its running number, where its type makes one and none is given; `check` finds it again.

        Raises:
            UnknownCertificateType: No such type.
        """
        certificate_type = self._type(order)
        if _needs_number(certificate_type, order):
            self._numbers.assign(order.key, year=civil_date_at(now).year)

    def _type(self, order: IssueOrder) -> CertificateType:
        try:
            return self._catalog.type(order.type_code)
        except TypeUnknown as error:
            raise UnknownCertificateType(str(error)) from error

    def _numbered(
        self, certificate_type: CertificateType, order: IssueOrder, *, area_code: str, now: datetime
    ) -> Mapping[str, object]:
        """The face with the certificate's own number, where the type's rule makes it and it is not given."""
        numbering, face = certificate_type.numbering, dict(order.unverified_face)
        if not _needs_number(certificate_type, order):
            return face
        year = civil_date_at(now).year
        sequence = self._numbers.sequence_for(order.key, year=year)
        try:
            face[numbering.field] = numbering.make(
                sequence=sequence, year=year, area_code=area_code, face=face
            )
        except NumberNotMade as error:
            raise DraftRefused(str(error), findings=[(numbering.field, str(error))]) from error
        except CatalogError as error:
            raise DraftRefused("证照编号无法生成。", findings=[(numbering.field, "无法编号。")]) from error
        return face

    def _content_mac(self, order: IssueOrder, face: Mapping[str, object]) -> str:
        by = order.authority
        content: Any = {
            "type_code": order.type_code,
            "issuer_code": order.issuer_code,
            "case_number": order.case_number,
            "service_item": order.service_item,
            "face": dict(face),
            "replaces": order.replaces,
            "decision": by.decision if isinstance(by, ApprovalSystem) else None,
        }
        return self._mac(b"longzheng order content v1\0" + rfc8785.dumps(content)).hex()


def draft_findings(
    certificate_type: CertificateType, face: CheckedFace, order: IssueOrder, now: datetime
) -> tuple[tuple[str, str], ...]:
    """What the lints hold against a draft; warnings do not stop it."""
    del order
    return tuple(
        (finding.field, finding.sentence)
        for finding in run_draft_lints(certificate_type, face, today=civil_date_at(now))
        if finding.severity is Severity.ERROR
    )


def plain_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """A read-only face as plain JSON values, in its order."""
    plain: dict[str, Any] = json.loads(json.dumps(values, default=_plain, ensure_ascii=False))
    return plain


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a face holds no {type(value).__name__}")


def _needs_number(certificate_type: CertificateType, order: IssueOrder) -> bool:
    numbering = certificate_type.numbering
    return numbering.rule is not None and order.unverified_face.get(numbering.field) in (None, "")


def _require_case(order: IssueOrder) -> None:
    findings: list[tuple[str, str]] = [
        (name, said("必须填写，不超过%(longest)s个字符。", longest=_LONGEST_CASE))
        for name, text in (("case_number", order.case_number), ("service_item", order.service_item))
        if not text.strip() or text != text.strip() or len(text) > _LONGEST_CASE
    ]
    by = order.authority
    findings += [
        (name, CONTROL_SENTENCE)
        for name, text in (
            ("case_number", order.case_number),
            ("service_item", order.service_item),
            ("decision", by.decision if isinstance(by, ApprovalSystem) else ""),
        )
        if has_control(text)
    ]
    if findings:
        raise DraftRefused("办件信息不完整。", findings=findings)


def _require_printable(certificate_type: CertificateType, face: CheckedFace) -> None:
    findings = []
    for leaf in certificate_type.face.walk(face.values):
        missing = first_missing_character(leaf.printed)
        if missing is not None:
            findings.append(
                (
                    leaf.path,
                    said(
                        "字符“%(character)s”（U+%(code)s）没有可用字形，不能制证。",
                        character=missing,
                        code=f"{ord(missing):04X}",
                    ),
                )
            )
    if findings:
        raise UnprintableCharacter("有字符没有可用字形，不能制证。", findings=findings)
