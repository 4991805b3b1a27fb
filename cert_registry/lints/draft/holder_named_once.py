"""No holder stands twice on a face."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.lints.findings import Broken, DraftLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.findings import Draft


def _check(draft: Draft) -> Iterable[Broken]:
    rule = draft.certificate_type.holder_rule
    seen = set()
    for index, holder in enumerate(draft.certificate_type.holders_of(draft.face)):
        key = (holder.code_type, holder.number)
        if key in seen:
            field = f"{rule.list_field}/{index}/{rule.number_field}"
            yield Broken(field=field, sentence="该持证主体重复列出。")
        seen.add(key)


LINT = DraftLint(
    lint_id="holder-named-once",
    severity=Severity.ERROR,
    citation="《不动产登记暂行条例》第八条：登记簿应当载明权利人",
    description="同一持证主体不重复列出。",
    check=_check,
)
