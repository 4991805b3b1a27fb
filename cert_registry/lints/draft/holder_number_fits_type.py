"""A holder's number is a valid number of the kind that the face names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.lints.findings import Broken, DraftLint, Severity
from idp.identity.citizen_number import parse_citizen_number
from idp.identity.credit_code import parse_credit_code
from idp.identity.errors import IdentityError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.findings import Draft


def _check(draft: Draft) -> Iterable[Broken]:
    rule = draft.certificate_type.holder_rule
    for index, holder in enumerate(draft.certificate_type.holders_of(draft.face)):
        prefix = "" if rule.list_field is None else f"{rule.list_field}/{index}/"
        sentence = _sentence(holder.code_type, holder.number, draft)
        if sentence is not None:
            yield Broken(field=prefix + rule.number_field, sentence=sentence)


def _sentence(code_type: str, number: str, draft: Draft) -> str | None:
    try:
        if code_type == "001":
            written = parse_credit_code(number).code
        elif code_type == "111":
            written = parse_citizen_number(number, today=draft.today).number
        else:
            return None
    except IdentityError as error:
        return str(error)  # names the rule broken, never the number
    return None if written == number else "号码应为18位，字母大写。"


LINT = DraftLint(
    lint_id="holder-number-fits-type",
    severity=Severity.ERROR,
    citation="GB 11643-1999；GB 32100-2015；GB/T 36903 附录A",
    description="持证主体号码与其证件种类相符，校验位正确。",
    check=_check,
)
