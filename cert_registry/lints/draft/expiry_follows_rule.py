"""The last day is one that the type's validity rules give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.civil_date import last_day
from cert_registry.lints.findings import Broken, DraftLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.findings import Draft


def _check(draft: Draft) -> Iterable[Broken]:
    validity = draft.certificate_type.validity
    effective, expiry = draft.certificate_type.term_of(draft.face)
    if all(last_day(rule, effective=effective) != expiry for rule in validity.rules):
        yield Broken(field=validity.expiry_field, sentence="有效期与该类型通常的期限不一致，请确认。")


LINT = DraftLint(
    lint_id="expiry-follows-rule",
    severity=Severity.WARN,
    citation="GB/T 36902 ValidityRange",
    description="有效期符合该类型的有效期规则。",
    check=_check,
)
