"""A stated period begins before it ends, and ends no later than the certificate begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.civil_date import parse_civil_date
from cert_registry.lints.findings import Broken, DraftLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.findings import Draft

_END, _START = "_to", "_from"


def _check(draft: Draft) -> Iterable[Broken]:
    values = draft.face.values
    effective, _ = draft.certificate_type.term_of(draft.face)
    for key in values:
        start = key.removesuffix(_END) + _START
        if not key.endswith(_END) or start not in values:
            continue
        last = parse_civil_date(values[key])
        if parse_civil_date(values[start]) > last:
            yield Broken(field=start, sentence="期间的起始日晚于截止日，请核对。")
        if last > effective:
            yield Broken(field=key, sentence="期间的截止日晚于证照生效日，请核对。")


LINT = DraftLint(
    lint_id="periods-in-order",
    severity=Severity.ERROR,
    citation="《公安机关办理犯罪记录查询工作规定》：查询结果只反映查询期间",
    description="照面所载期间起止有序，且不晚于生效日。",
    check=_check,
)
