"""Every page is A4, upright or lying."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.lints.findings import Broken, FileLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.rendered_file import RenderedFile

_A4_POINTS = (595.28, 841.89)
_TOLERANCE_POINTS = 1.0


def _check(rendered: RenderedFile) -> Iterable[Broken]:
    for number, page in enumerate(rendered.pdf.pages, start=1):
        left, bottom, right, top = (float(edge) for edge in page.mediabox)
        sides = sorted((right - left, top - bottom))
        if any(abs(side - a4) > _TOLERANCE_POINTS for side, a4 in zip(sides, _A4_POINTS, strict=True)):
            yield Broken(field=f"page/{number}", sentence="页面不是A4幅面。")


LINT = FileLint(
    lint_id="page-is-a4",
    severity=Severity.ERROR,
    citation="GB/T 148-1997 A4",
    description="每页为A4幅面。",
    check=_check,
)
