"""The file says what its parts are, in which language, and shows its title."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cert_registry.lints.findings import Broken, FileLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.rendered_file import RenderedFile


def _check(rendered: RenderedFile) -> Iterable[Broken]:
    root: Any = rendered.pdf.Root
    marks: Any = root.get("/MarkInfo", {})
    preferences: Any = root.get("/ViewerPreferences", {})
    if not bool(marks.get("/Marked", False)) or "/StructTreeRoot" not in root:
        yield Broken(field="pdf", sentence="文件没有结构标签。")
    if not str(root.get("/Lang", "")).lower().startswith("zh"):
        yield Broken(field="pdf", sentence="文件没有标明语言为中文。")
    if not bool(preferences.get("/DisplayDocTitle", False)):
        yield Broken(field="pdf", sentence="文件不显示标题。")


LINT = FileLint(
    lint_id="tagged-in-chinese",
    severity=Severity.ERROR,
    citation="ISO 14289-1 7.1、7.2",
    description="文件有结构标签、语言和标题。",
    check=_check,
)
