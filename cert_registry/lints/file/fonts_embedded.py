"""Every font is embedded and maps its glyphs to characters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.lints.findings import Broken, FileLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.rendered_file import RenderedFile


def _check(rendered: RenderedFile) -> Iterable[Broken]:
    for font in rendered.fonts():
        if not font.embedded:
            yield Broken(field=font.name, sentence="字体没有嵌入。")
        if not font.to_unicode:
            yield Broken(field=font.name, sentence="字体没有到文字的对应表。")


LINT = FileLint(
    lint_id="fonts-embedded",
    severity=Severity.ERROR,
    citation="ISO 19005-3 6.2.11.4、6.2.11.7",
    description="字体全部嵌入，并可还原为文字。",
    check=_check,
)
