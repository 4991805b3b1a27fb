"""`ecert.json` is attached once, as Data, in canonical form, and is the twin that was built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cert_registry.catalog.errors import TwinRefused
from cert_registry.catalog.rendering import TWIN_NAME
from cert_registry.catalog.twin import read_twin
from cert_registry.lints.findings import Broken, FileLint, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cert_registry.lints.rendered_file import RenderedFile


def _check(rendered: RenderedFile) -> Iterable[Broken]:
    attached = rendered.attachments()
    if [attachment.name for attachment in attached] != [TWIN_NAME]:
        yield Broken(field=TWIN_NAME, sentence="文件应恰好附有一份 ecert.json。")
        return
    (only,) = attached
    if only.relationship != "/Data" or only.mime_type != "application/json":
        yield Broken(field=TWIN_NAME, sentence="附件的关系或类型不对。")
    if only.content != rendered.twin:
        yield Broken(field=TWIN_NAME, sentence="附件与所存数据不一致。")
    try:
        read_twin(only.content)
    except TwinRefused as refusal:
        yield Broken(field=TWIN_NAME, sentence=str(refusal))


LINT = FileLint(
    lint_id="twin-attached",
    severity=Severity.ERROR,
    citation="ISO 19005-3 6.8；RFC 8785",
    description="附件 ecert.json 唯一、规范，且与所存数据一致。",
    check=_check,
)
