"""The check digit of a certificate number that has one is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.catalog.certificate_type import check_digit
from cert_registry.lints.findings import Broken, DraftLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.findings import Draft


def _check(draft: Draft) -> Iterable[Broken]:
    numbering = draft.certificate_type.numbering
    if numbering.rule is None or not numbering.rule.endswith("{check}"):
        return
    number = draft.certificate_type.certificate_number_of(draft.face)
    if check_digit(number[:-1]) != number[-1]:
        yield Broken(field=numbering.field, sentence="证照编号的校验位不符，请核对。")


LINT = DraftLint(
    lint_id="certificate-number-check",
    severity=Severity.WARN,
    citation="GB/T 17710-2008 MOD 11,10；《食品经营许可和备案管理办法》许可证编号规则",
    description="证照编号的校验位正确。",
    check=_check,
)
