"""The first day of validity does not come after the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.civil_date import LONG_TERM
from cert_registry.lints.findings import Broken, DraftLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.findings import Draft


def _check(draft: Draft) -> Iterable[Broken]:
    effective, expiry = draft.certificate_type.term_of(draft.face)
    if expiry is not LONG_TERM and expiry < effective:
        yield Broken(
            field=draft.certificate_type.validity.expiry_field, sentence="有效期截止日早于起始日，请核对。"
        )


LINT = DraftLint(
    lint_id="dates-in-order",
    severity=Severity.ERROR,
    citation="GB/T 36903 certificateEffectiveDate, certificateExpiringDate",
    description="有效期起始日不晚于截止日。",
    check=_check,
)
