"""No text is smaller than nine points."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.lints.findings import Broken, FileLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.rendered_file import RenderedFile

LEAST_POINTS = 9.0


def _check(rendered: RenderedFile) -> Iterable[Broken]:
    for number, smallest in enumerate(rendered.smallest_text_points(), start=1):
        if smallest < LEAST_POINTS - 0.01:
            yield Broken(field=f"page/{number}", sentence="有小于9磅的文字。")


LINT = FileLint(
    lint_id="text-large-enough",
    severity=Severity.ERROR,
    citation="证照版面约定：正文不小于9磅",
    description="文字不小于9磅。",
    check=_check,
)
