"""A natural person's name is one that can be compared with the population register."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.lints.findings import Broken, DraftLint, Severity
from idp.identity.errors import IdentityError
from idp.identity.person_name import normalise_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.findings import Draft


def _check(draft: Draft) -> Iterable[Broken]:
    rule = draft.certificate_type.holder_rule
    for index, holder in enumerate(draft.certificate_type.holders_of(draft.face)):
        if holder.code_type != "111":
            continue
        try:
            normalise_name(holder.name)
        except IdentityError:
            prefix = "" if rule.list_field is None else f"{rule.list_field}/{index}/"
            yield Broken(field=prefix + rule.name_field, sentence="姓名的写法不常见，请对照证件确认。")


LINT = DraftLint(
    lint_id="holder-person-name",
    severity=Severity.WARN,
    citation="GB/T 36903 certificateHolderName；《姓名登记条例》",
    description="自然人姓名可与人口库比对。",
    check=_check,
)
