"""What goes wrong with types, faces and the marks on them: one leaf per decision a caller makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from idp.identity.sentence import said


class CatalogError(Exception):
    """Base of all errors of the catalogue, of faces and of the marks on a face."""

    code: ClassVar[str] = "catalog"


class IdentifierRefused(CatalogError):
    """The text is no 电子证照标识 of GB/T 36904.

    Args:
        rule: Stable name of the rule broken, for example `check-character`.
        sentence: One sentence that a person can act on.
    """

    code: ClassVar[str] = "identifier-refused"

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(sentence)
        self.rule = rule


class CheckCodeRefused(CatalogError):
    """The 查验码 is malformed, or is not the one of this ecert. Callers answer both alike."""

    code: ClassVar[str] = "check-code-refused"


class CivilDateRefused(CatalogError):
    """The text is no civil date, or no validity rule."""

    code: ClassVar[str] = "civil-date-refused"


class QrRefused(CatalogError):
    """The text of a QR code is not one of ours, or its signature does not hold.

    Args:
        rule: Stable name of the rule broken, for example `signature`.
        sentence: One sentence that a person can act on.
    """

    code: ClassVar[str] = "qr-refused"

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(sentence)
        self.rule = rule


class TypeUnknown(CatalogError):
    """No certificate type has this code."""

    code: ClassVar[str] = "type-unknown"

    def __init__(self, type_code: str) -> None:
        super().__init__(said("目录中没有证照类型 %(type_code)s。", type_code=type_code))
        self.type_code = type_code


class CatalogMalformed(CatalogError):
    """A file of the catalogue is wrong; the service must not start with it.

    Args:
        path: The file, relative to the catalogue.
        sentence: What is wrong, so that a person can mend it.
    """

    code: ClassVar[str] = "catalog-malformed"

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(f"{path}: {sentence}")
        self.path = path


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldProblem:
    """One field of a draft that cannot stand.

    Args:
        field: Path of the field, for example `holders/0/number`.
        title: The field's Chinese title, for the form.
        sentence: One Chinese sentence; never repeats the value.
    """

    field: str
    title: str
    sentence: str


class FaceRefused(CatalogError):
    """A draft does not fit its type's face.

    Args:
        problems: One entry a field, in the order of the face.
    """

    code: ClassVar[str] = "face-refused"

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__("；".join(f"{problem.title}：{problem.sentence}" for problem in problems))
        self.problems = problems


class GlyphMissing(CatalogError):
    """No font has a glyph for a character: the issue stops and names it, never prints an empty box.

    Args:
        field: Path of the face field, or `imprint/…`.
        character: The one character.
    """

    code: ClassVar[str] = "glyph-missing"

    def __init__(self, field: str, character: str) -> None:
        super().__init__(
            said(
                "字段 %(field)s 中的字符“%(character)s”（U+%(code)s）没有可用字形。",
                field=field,
                character=character,
                code=f"{ord(character):04X}",
            )
        )
        self.field = field
        self.character = character


class RenderingFailed(CatalogError):
    """The template did not compile, or did not say where the seal goes."""

    code: ClassVar[str] = "rendering-failed"


class FontsMissing(CatalogError):
    """A font family that faces are set in is not installed on this machine."""

    code: ClassVar[str] = "fonts-missing"


class NumberNotMade(CatalogError):
    """A certificate number cannot be made from this draft."""

    code: ClassVar[str] = "number-not-made"


class TwinRefused(CatalogError):
    """The attached `ecert.json` is not a canonical twin."""

    code: ClassVar[str] = "twin-refused"


class SealNotDrawn(CatalogError):
    """The seal's words do not fit its size, or a character has no glyph."""

    code: ClassVar[str] = "seal-not-drawn"
