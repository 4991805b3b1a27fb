"""No text shows the traces of a broken conversion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.lints.findings import Broken, DraftLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.findings import Draft

_TRACES = ("\ufffd", "锟斤拷", "烫烫烫", "屯屯屯", "???", "&amp;", "&#", "ï»¿", "Ã¤")


def _check(draft: Draft) -> Iterable[Broken]:
    for leaf in draft.certificate_type.face.walk(draft.face.values):
        if any(trace in leaf.value for trace in _TRACES):
            yield Broken(field=leaf.path, sentence="文字中有乱码，请重新录入。")


LINT = DraftLint(
    lint_id="text-is-whole",
    severity=Severity.ERROR,
    citation="GB 18030-2022；Unicode：U+FFFD 表示无法转换的字符",
    description="文字没有乱码痕迹。",
    check=_check,
)
