"""The shares of a face add up to the whole."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from cert_registry.lints.findings import Broken, DraftLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.findings import Draft


def _check(draft: Draft) -> Iterable[Broken]:
    for field in draft.certificate_type.face.fields:
        shares = [entry.key for entry in field.entries if entry.format == "fraction"]
        for key in shares:
            entries = draft.face.values.get(field.key, ())
            given = [_fraction(entry[key]) for entry in entries if key in entry]
            if given and sum(given) != 1:
                yield Broken(field=field.key, sentence="各权利人份额之和不等于一，请核对。")


def _fraction(text: str) -> Fraction:
    return Fraction(text.removesuffix("%")) / 100 if text.endswith("%") else Fraction(text)


LINT = DraftLint(
    lint_id="shares-sum-to-one",
    severity=Severity.ERROR,
    citation="《中华人民共和国民法典》第二百九十八条",
    description="各权利人份额之和等于一。",
    check=_check,
)
