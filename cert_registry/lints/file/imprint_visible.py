"""Identifier, check code and issuing authority stand on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.catalog.errors import CatalogError
from cert_registry.catalog.twin import read_twin
from cert_registry.lints.findings import Broken, FileLint, Severity
from cert_registry.lints.rendered_file import without_space

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.rendered_file import RenderedFile


def _check(rendered: RenderedFile) -> Iterable[Broken]:
    try:
        twin = read_twin(rendered.twin)
    except CatalogError:
        return  # twin_attached says so
    text = rendered.text()
    for field, value in (
        ("identifier", twin["certificateIdentifier"]),
        ("check_code", rendered.check_code),
        ("issuer_name", twin["certificateIssuingAuthorityName"]),
    ):
        if without_space(value) not in text:
            yield Broken(field=field, sentence="该项没有出现在版面上。")


LINT = FileLint(
    lint_id="imprint-visible",
    severity=Severity.ERROR,
    citation="GB/T 36904；GB/T 36905 版式要求",
    description="版面上有证照标识、查验码和发证机关。",
    check=_check,
)
