"""Every value that a machine reads stands on the page for a person to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cert_registry.catalog.errors import CatalogError
from cert_registry.catalog.twin import read_twin
from cert_registry.civil_date import parse_expiry, print_civil_date
from cert_registry.lints.findings import Broken, FileLint, Severity
from cert_registry.lints.rendered_file import without_space

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.rendered_file import RenderedFile


def _check(rendered: RenderedFile) -> Iterable[Broken]:
    try:
        face = read_twin(rendered.twin)["face"]
    except CatalogError:
        return  # twin_attached says so
    text = rendered.text()
    for path, value in _leaves("", face):
        wanted = {without_space(value), without_space(_as_date(value))}
        if not any(form in text for form in wanted):
            yield Broken(field=path, sentence="该项没有完整地出现在版面上。")


def _leaves(path: str, value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
        return
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, entry in entries:
        yield from _leaves(f"{path}/{key}" if path else str(key), entry)


def _as_date(value: str) -> str:
    try:
        return print_civil_date(parse_expiry(value))
    except CatalogError:
        return value


LINT = FileLint(
    lint_id="twin-equals-text",
    severity=Severity.ERROR,
    citation="GB/T 36905：照面与数据一致；ISO 14289-1 7.2",
    description="数据中的每一项都能在版面上读到。",
    check=_check,
)
