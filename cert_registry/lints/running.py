"""The lints, and running them. A new lint is a module with a `LINT`, listed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.lints.draft import (
    certificate_number_check,
    dates_in_order,
    expiry_follows_rule,
    holder_named_once,
    holder_number_fits_type,
    holder_person_name,
    not_already_ended,
    ownership_fits_holders,
    periods_in_order,
    shares_sum_to_one,
    text_is_whole,
)
from cert_registry.lints.file import (
    fonts_embedded,
    imprint_visible,
    page_is_a4,
    tagged_in_chinese,
    text_large_enough,
    twin_attached,
    twin_equals_text,
)
from cert_registry.lints.findings import Draft, DraftLint, FileLint, LintFinding, Severity
from cert_registry.lints.rendered_file import open_rendered_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from cert_registry.catalog.certificate_type import CertificateType
    from cert_registry.catalog.face_schema import CheckedFace
    from cert_registry.lints.findings import Broken

DRAFT_LINTS: tuple[DraftLint, ...] = (
    dates_in_order.LINT,
    not_already_ended.LINT,
    expiry_follows_rule.LINT,
    periods_in_order.LINT,
    holder_number_fits_type.LINT,
    holder_named_once.LINT,
    holder_person_name.LINT,
    ownership_fits_holders.LINT,
    shares_sum_to_one.LINT,
    certificate_number_check.LINT,
    text_is_whole.LINT,
)
FILE_LINTS: tuple[FileLint, ...] = (
    twin_attached.LINT,
    twin_equals_text.LINT,
    imprint_visible.LINT,
    fonts_embedded.LINT,
    tagged_in_chinese.LINT,
    page_is_a4.LINT,
    text_large_enough.LINT,
)


def run_draft_lints(
    certificate_type: CertificateType, face: CheckedFace, *, today: date
) -> tuple[LintFinding, ...]:
    """Every broken rule of a draft, errors first.

    Args:
        certificate_type: Its type.
        face: Checked against that type.
        today: Civil date.
    """
    draft = Draft(certificate_type=certificate_type, face=face, today=today)
    return _sorted(finding for lint in DRAFT_LINTS for finding in _findings(lint, lint.check(draft)))


def run_file_lints(
    certificate_type: CertificateType, face: CheckedFace, *, pdf: bytes, twin: bytes, check_code: str
) -> tuple[LintFinding, ...]:
    """Every broken rule of a rendered file, errors first.

    Args:
        certificate_type: Its type.
        face: What was rendered.
        pdf: The file, before its seal.
        twin: The canonical `ecert.json` that must be attached.
        check_code: As it must stand on the face, without separators.

    Raises:
        RenderingFailed: The file cannot be opened.
    """
    with open_rendered_file(certificate_type, face, pdf=pdf, twin=twin, check_code=check_code) as rendered:
        return _sorted(finding for lint in FILE_LINTS for finding in _findings(lint, lint.check(rendered)))


def _findings(lint: DraftLint | FileLint, broken: Iterable[Broken]) -> Iterable[LintFinding]:
    for place in broken:
        yield LintFinding(
            lint_id=lint.lint_id,
            severity=lint.severity,
            field=place.field,
            sentence=place.sentence,
            citation=lint.citation,
        )


def _sorted(findings: Iterable[LintFinding]) -> tuple[LintFinding, ...]:
    return tuple(sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR))
