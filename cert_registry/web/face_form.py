"""A form made from a type's face schema: from fields to controls, from what was typed to a draft face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cert_registry.catalog.face_schema import FaceField, FaceSchema, Widget
from idp.identity.sentence import said

_PREFIX = "face-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One control of the form.

    Attributes:
        name: Name in the form: `face-<key>`, or `face-<list>-<row>-<key>`.
        typed: What stands in it.
        wrong: What is wrong with it, or empty.
        focused: Where the person goes on typing.
    """

    name: str
    field: FaceField
    typed: str
    wrong: str
    focused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One line of the summary above the form.

    Attributes:
        target: Identifier of the control that it leads to.
        title: What the control asks for.
    """

    target: str
    title: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlGroup:
    """A field of the face: one control, or the rows of a list of objects.

    Attributes:
        name: Identifier of the whole list; of the control where there is only one.
    """

    name: str
    field: FaceField
    controls: tuple[Control, ...]
    rows: tuple[tuple[Control, ...], ...]
    wrong: str

    @property
    def may_grow(self) -> bool:
        """Whether another row is allowed."""
        return bool(self.rows) and len(self.rows) < self.field.maximum_entries


def face_from_form(schema: FaceSchema, form: Mapping[str, str]) -> dict[str, Any]:
    """Return the draft face that was typed; nothing is checked yet.

    Args:
        schema: The type's fields.
        form: Control names to what was typed. Unknown names are left aside.
    """
    face: dict[str, Any] = {}
    for field in schema.fields:
        if field.entries:
            rows = [
                {
                    inner.key: form.get(f"{_PREFIX}{field.key}-{row}-{inner.key}", "").strip()
                    for inner in field.entries
                }
                for row in range(_row_count(field, form))
            ]
            face[field.key] = [
                {key: value for key, value in row.items() if value} for row in rows if any(row.values())
            ]
            continue
        typed = form.get(f"{_PREFIX}{field.key}", "").replace("\r\n", "\n").strip()
        if field.widget is Widget.LIST:
            face[field.key] = [line.strip() for line in typed.split("\n") if line.strip()]
        elif typed:
            face[field.key] = typed
    return face


def controls_for(
    schema: FaceSchema, face: Mapping[str, Any], *, findings: Mapping[str, str], another_row_in: str = ""
) -> tuple[ControlGroup, ...]:
    """Return the form's controls with what was typed.

    Args:
        schema: The type's fields.
        face: A draft face, perhaps empty.
        findings: Field path to the sentence that says what is wrong.
        another_row_in: Key of the list that gets one more empty row.
    """
    return tuple(
        _group(field, face.get(field.key), findings, grow=field.key == another_row_in)
        for field in schema.fields
    )


def problems_of(
    schema: FaceSchema, findings: Mapping[str, str], *, other_titles: Mapping[str, str]
) -> tuple[Problem, ...]:
    """Return the summary of what is wrong, each line leading to its control.

    Args:
        schema: The type's fields.
        findings: Field path to the sentence.
        other_titles: Titles of the form's controls that are not part of the face.
    """
    return tuple(
        Problem(target=path, title=other_titles[path], sentence=sentence)
        if path in other_titles
        else _problem(schema, path, sentence)
        for path, sentence in findings.items()
    )


def _problem(schema: FaceSchema, path: str, sentence: str) -> Problem:
    key, _, rest = path.partition("/")
    field = next((one for one in schema.fields if one.key == key), None)
    if field is None:
        return Problem(target="main", title="照面", sentence=sentence)
    row, _, inner_key = rest.partition("/")
    inner = next((one for one in field.entries if one.key == inner_key), None)
    if inner is None:
        return Problem(target=f"{_PREFIX}{key}", title=field.title, sentence=sentence)
    title = (
        said("%(list)s第 %(number)s 项的%(field)s", list=field.title, number=int(row) + 1, field=inner.title)
        if row.isdecimal()
        else inner.title
    )
    return Problem(target=f"{_PREFIX}{key}-{row}-{inner_key}", title=title, sentence=sentence)


def _group(field: FaceField, value: Any, findings: Mapping[str, str], *, grow: bool) -> ControlGroup:
    if not field.entries:
        typed = "\n".join(value) if isinstance(value, list | tuple) else str(value or "")
        wrong = findings.get(field.key) or next(
            (sentence for path, sentence in findings.items() if path.startswith(f"{field.key}/")), ""
        )
        control = Control(name=f"{_PREFIX}{field.key}", field=field, typed=typed, wrong=wrong)
        return ControlGroup(name=control.name, field=field, controls=(control,), rows=(), wrong=wrong)
    entries = list(value or ())
    count = max(1, len(entries) + (1 if grow and len(entries) < field.maximum_entries else 0))
    rows = tuple(
        tuple(
            Control(
                name=f"{_PREFIX}{field.key}-{row}-{inner.key}",
                field=inner,
                typed=str(entries[row].get(inner.key, "")) if row < len(entries) else "",
                wrong=findings.get(f"{field.key}/{row}/{inner.key}", ""),
                focused=grow and row == len(entries) and place == 0,
            )
            for place, inner in enumerate(field.entries)
        )
        for row in range(count)
    )
    return ControlGroup(
        name=f"{_PREFIX}{field.key}",
        field=field,
        controls=(),
        rows=rows,
        wrong=findings.get(field.key, ""),
    )


def _row_count(field: FaceField, form: Mapping[str, str]) -> int:
    prefix = f"{_PREFIX}{field.key}-"
    numbers = {name[len(prefix) :].partition("-")[0] for name in form if name.startswith(prefix)}
    typed = [int(number) for number in numbers if number.isascii() and number.isdigit() and len(number) < 4]
    return min(max(typed, default=-1) + 1, field.maximum_entries)
