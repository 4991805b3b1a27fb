"""A certificate whose last day has passed is not issued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.civil_date import LONG_TERM
from cert_registry.lints.findings import Broken, DraftLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.findings import Draft


def _check(draft: Draft) -> Iterable[Broken]:
    _, expiry = draft.certificate_type.term_of(draft.face)
    if expiry is not LONG_TERM and expiry < draft.today:
        yield Broken(
            field=draft.certificate_type.validity.expiry_field, sentence="有效期已经届满，不能签发。"
        )


LINT = DraftLint(
    lint_id="not-already-ended",
    severity=Severity.ERROR,
    citation="《中华人民共和国行政许可法》第七十条第一项",
    description="不签发已过有效期的证照。",
    check=_check,
)
