"""Sole ownership has one holder; joint and shared ownership have several; shares stand where they belong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.lints.findings import Broken, DraftLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.findings import Draft


def _check(draft: Draft) -> Iterable[Broken]:
    values = draft.face.values
    if "ownership" not in values or "holders" not in values:
        return
    holders, ownership = values["holders"], values["ownership"]
    with_share = sum("share" in holder for holder in holders)
    if (ownership == "单独所有") != (len(holders) == 1):
        yield Broken(field="ownership", sentence="共有情况与权利人人数不符。")
    if ownership == "按份共有" and with_share < len(holders):
        yield Broken(field="holders", sentence="按份共有时，每位权利人都应填写份额。")
    if ownership == "共同共有" and with_share:
        yield Broken(field="holders", sentence="共同共有不分份额，请删去份额。")


LINT = DraftLint(
    lint_id="ownership-fits-holders",
    severity=Severity.ERROR,
    citation="《中华人民共和国民法典》第二百九十七条",
    description="共有情况与权利人人数、份额相符。",
    check=_check,
)
