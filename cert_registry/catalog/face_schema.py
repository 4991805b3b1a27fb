"""The fields of a face, read from `face.schema.json` (JSON Schema 2020-12), and the check of a draft.

Beside the standard keywords a field may say `x-order` (place on the form), `x-comparable` (a department may
ask yes or no), `x-sensitive` (masked by default), `x-widget` (how the form asks for it) and `format`:
`date`, `expiry-date` (a day or 长期), `credit-code`, `citizen-number`, `holder-number`, `fraction`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import jsonschema

from cert_registry.catalog.errors import CivilDateRefused, FaceRefused, FieldProblem
from cert_registry.civil_date import parse_civil_date, parse_expiry, print_civil_date
from idp.identity.citizen_number import parse_citizen_number
from idp.identity.credit_code import parse_credit_code
from idp.identity.errors import IdentityError
from idp.identity.sentence import said

if TYPE_CHECKING:
    from datetime import date

FORMATS = frozenset(
    {"date", "expiry-date", "credit-code", "citizen-number", "holder-number", "fraction", "plain"}
)
_FRACTION = re.compile(r"[1-9][0-9]{0,5}/[1-9][0-9]{0,5}|100%|[1-9]?[0-9](\.[0-9]{1,4})?%")
_PRINTABLE_SPACE = {" ", "\u3000"}
_REFUSED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


class Widget(Enum):
    """How a form asks for a field."""

    TEXT = "text"
    TEXTAREA = "textarea"
    DATE = "date"
    EXPIRY = "expiry"
    SELECT = "select"
    LIST = "list"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceField:
    """One field of a face.

    Args:
        key: Name in JSON.
        path: Keys from the root, `*` for each entry of a list: `holders/*/name`.
        title: In Chinese, as the face prints it.
        description: Hint for the form, may be empty.
        order: Place among its siblings.
        comparable: A department may compare it, yes or no.
        sensitive: Masked by default on pages.
        widget: How a form asks for it.
        format: One of `FORMATS`.
        required: Whether a draft must have it.
        maximum_length: In characters; 0 for lists.
        choices: The only values allowed; empty when free.
        entries: The fields of each entry, for a list of objects; empty else.
        maximum_entries: For a list; 0 else.
    """

    key: str
    path: str
    title: str
    description: str
    order: int
    comparable: bool
    sensitive: bool
    widget: Widget
    format: str
    required: bool
    maximum_length: int
    choices: tuple[str, ...]
    entries: tuple[FaceField, ...]
    maximum_entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceValue:
    """One leaf of a face.

    Args:
        path: With indices: `holders/0/name`.
        field: Its definition.
        value: As in the data.
        printed: As a person reads it.
    """

    path: str
    field: FaceField
    value: str
    printed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedFace:
    """A face that fits its type; only `check_face` makes one.

    Args:
        type_code: The type it fits.
        template_version: Of the type when it was checked.
        values: In the order of the schema; read-only.
    """

    type_code: str
    template_version: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceSchema:
    """The fields of a type's face.

    Args:
        fields: In the order of the form.
        json_schema: The document itself, for OpenAPI and for other programs.
    """

    fields: tuple[FaceField, ...]
    json_schema: Mapping[str, Any]

    def leaves(self) -> Iterator[FaceField]:
        """Every field that holds a value, also those inside lists."""
        for field in self.fields:
            if field.entries:
                yield from field.entries
            else:
                yield field

    def field(self, path: str) -> FaceField:
        """The field at a path such as `holders/*/name` or `holders/0/name`.

        Raises:
            KeyError: No such field; callers within the package only.
        """
        wanted = re.sub(r"/[0-9]+(?=/|$)", "/*", path)
        for field in (*self.fields, *self.leaves()):
            if wanted in {field.path, f"{field.path}/*"}:
                return field
        raise KeyError(path)

    def walk(self, values: Mapping[str, Any]) -> Iterator[FaceValue]:
        """The leaves of a checked face, in the order of the schema."""
        for field in self.fields:
            if field.key not in values:
                continue
            value = values[field.key]
            if field.entries:
                for index, entry in enumerate(value):
                    for inner in field.entries:
                        if inner.key in entry:
                            path = f"{field.key}/{index}/{inner.key}"
                            yield _leaf(path, inner, entry[inner.key])
            elif field.widget is Widget.LIST:
                for index, text in enumerate(value):
                    yield _leaf(f"{field.key}/{index}", field, text)
            else:
                yield _leaf(field.key, field, value)

    def comparable_paths(self) -> tuple[str, ...]:
        """Paths that a department may compare."""
        return tuple(field.path for field in self.leaves() if field.comparable)

    def sensitive_paths(self) -> tuple[str, ...]:
        """Paths that pages mask by default."""
        return tuple(field.path for field in self.leaves() if field.sensitive)


def print_value(field_format: str, value: str) -> str:
    """A value as the face prints it: dates in Chinese, everything else as it is."""
    if field_format in {"date", "expiry-date"}:
        return print_civil_date(parse_expiry(value))
    return value


def require_face(schema: FaceSchema, face: Mapping[str, Any], *, today: date) -> Mapping[str, Any]:
    """The face in the order of the schema and read-only, once every field stands.

    Args:
        schema: Of the type.
        face: A draft; empty strings and empty lists of optional fields count as absent.
        today: The civil date, for numbers that hold a birth date.

    Raises:
        FaceRefused: With one sentence a field, all fields at once.
    """
    given = {key: value for key, value in face.items() if value not in ("", [], None)}
    problems = _structure_problems(schema, given)
    unsound = {problem.field.partition("/")[0] for problem in problems}
    sound = {key: value for key, value in given.items() if key not in unsound}
    problems += [problem for leaf in schema.walk(sound) if (problem := _leaf_problem(leaf, today))]
    if problems:
        raise FaceRefused(tuple(problems))
    return MappingProxyType(
        {field.key: _frozen(field, given) for field in schema.fields if field.key in given}
    )


def _frozen(field: FaceField, given: Mapping[str, Any]) -> Any:
    value = given[field.key]
    if field.entries:
        return tuple(
            MappingProxyType({inner.key: entry[inner.key] for inner in field.entries if inner.key in entry})
            for entry in value
        )
    return tuple(value) if field.widget is Widget.LIST else value


def _leaf(path: str, field: FaceField, value: str) -> FaceValue:
    try:
        printed = print_value(field.format, value)
    except CivilDateRefused:
        printed = value
    return FaceValue(path=path, field=field, value=value, printed=printed)


def _structure_problems(schema: FaceSchema, face: Mapping[str, Any]) -> list[FieldProblem]:
    validator = jsonschema.Draft202012Validator(dict(schema.json_schema))
    found: dict[str, FieldProblem] = {}
    for error in validator.iter_errors(face):
        path = "/".join(str(part) for part in error.absolute_path)
        for key in _keys_concerned(error):
            full = "/".join(part for part in (path, key) if part)
            problem = FieldProblem(
                field=full or "face", title=_title(schema, full), sentence=_structure_sentence(error)
            )
            found.setdefault(full, problem)
    return list(found.values())


def _keys_concerned(error: jsonschema.ValidationError) -> list[str]:
    instance: Any = error.instance
    schema: Any = error.schema
    wanted: Any = error.validator_value
    if error.validator == "required":
        return [key for key in wanted if key not in instance]
    if error.validator == "additionalProperties":
        return sorted(str(key) for key in set(instance) - set(schema["properties"]))
    return [""]


def _title(schema: FaceSchema, path: str) -> str:
    try:
        return schema.field(path).title
    except KeyError:
        return "照面"


def _structure_sentence(error: jsonschema.ValidationError) -> str:
    hint = error.schema.get("description", "") if isinstance(error.schema, Mapping) else ""
    limit = error.validator_value
    sentences = {
        "required": "必须填写。",
        "additionalProperties": "该类型的照面没有这一项。",
        "type": "数据类型不对。",
        "pattern": said("格式不对。%(hint)s", hint=hint),
        "enum": "不在可选值之内。",
        "const": "只能是规定的文字。",
        "maxLength": said("超过%(limit)s个字。", limit=limit),
        "minLength": said("至少%(limit)s个字。", limit=limit) if error.instance else "必须填写。",
        "maxItems": said("最多%(limit)s项。", limit=limit),
        "minItems": said("至少%(limit)s项。", limit=limit),
        "uniqueItems": "有重复的项。",
    }
    return sentences.get(str(error.validator), "不符合要求。")


def _leaf_problem(leaf: FaceValue, today: date) -> FieldProblem | None:
    sentence = _text_sentence(leaf) or _format_sentence(leaf, today)
    if sentence is None:
        return None
    return FieldProblem(field=leaf.path, title=leaf.field.title, sentence=sentence)


def _text_sentence(leaf: FaceValue) -> str | None:
    """Why a text cannot stand: what a reader cannot see must not be in the data either."""
    if leaf.value != leaf.value.strip():
        return "首尾不能有空格。"
    for character in leaf.value:
        if character == "\n" and leaf.field.widget is Widget.TEXTAREA:
            continue
        category = unicodedata.category(character)
        if category in _REFUSED_CATEGORIES:
            return said("含有不可见或未定义的字符（U+%(code)s）。", code=f"{ord(character):04X}")
        if category == "Zs" and character not in _PRINTABLE_SPACE:
            return said("含有特殊空格（U+%(code)s）。", code=f"{ord(character):04X}")
    return None


def _format_sentence(leaf: FaceValue, today: date) -> str | None:
    try:
        match leaf.field.format:
            case "date":
                parse_civil_date(leaf.value)
            case "expiry-date":
                parse_expiry(leaf.value)
            case "credit-code":
                _require_written_form(parse_credit_code(leaf.value).code, leaf.value)
            case "citizen-number":
                _require_written_form(parse_citizen_number(leaf.value, today=today).number, leaf.value)
            case "fraction" if not _FRACTION.fullmatch(leaf.value):
                return "应写成分数（如 1/2）或百分比（如 50%）。"
    except CivilDateRefused as refusal:
        return str(refusal)
    except IdentityError as error:
        return str(error)  # names the rule broken, never the number
    return None


def _require_written_form(canonical: str, written: str) -> None:
    """A number must already stand in its one written form, since the face prints it as it is."""
    if canonical != written:
        raise CivilDateRefused("号码应按证件上的写法填写（18位，字母大写）。")
