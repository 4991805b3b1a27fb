"""Mappings: how a source's columns become a type's face. Data in ``mappings/<slug>.yaml``."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cert_registry.ingestion.errors import HeaderRefused, MappingMalformed

DIRECTORY = Path(__file__).parent / "mappings"


class ColumnKind(Enum):
    """What is done with a cell before the face is checked."""

    TEXT = "text"
    DATE = "date"
    EXPIRY = "expiry"  # a date or 长期
    CREDIT_CODE = "credit-code"


class ColumnPlace(Enum):
    """Where a cell goes."""

    FACE = "face"
    ISSUED_ON = "issued-on"
    ISSUER_CODE = "issuer-code"
    ISSUER_NAME = "issuer-name"


class _ColumnForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str
    title: str
    headers: tuple[str, ...] = Field(min_length=1)
    kind: Literal["text", "date", "expiry", "credit-code"] = "text"
    place: Literal["face", "issued-on", "issuer-code", "issuer-name"] = "face"
    required: bool = True


class _MappingForm(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    type: str
    number_field: str
    number_has_check_digit: bool = False
    columns: tuple[_ColumnForm, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One field and the headers under which sources write it."""

    field: str
    title: str
    headers: frozenset[str]
    kind: ColumnKind
    place: ColumnPlace
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """How a row of a type is read.

    Attributes:
        number_field: the certificate's own number, which makes a row the same as another.
        number_has_check_digit: its last digit is MOD 11,10 over the digits before it.
    """

    type_slug: str
    number_field: str
    number_has_check_digit: bool
    columns: tuple[Column, ...]

    def bind(self, header: Sequence[str]) -> "BoundMapping":
        """This mapping on the columns of one file.

        Raises:
            HeaderRefused: a needed column is missing, or two columns mean the same field.
        """
        names = [_plain(name) for name in header]
        places: list[int | None] = []
        for column in self.columns:
            found = [place for place, name in enumerate(names) if name in column.headers]
            if len(found) > 1:
                raise HeaderRefused(f"有两列都是“{column.title}”。")
            places.append(found[0] if found else None)
        missing = [
            column.title
            for column, place in zip(self.columns, places, strict=True)
            if column.required and place is None
        ]
        if missing:
            raise HeaderRefused(f"首行缺少这些列：{'、'.join(missing)}。")
        ignored = tuple(name for place, name in enumerate(names) if place not in places)
        return BoundMapping(mapping=self, places=tuple(places), width=len(names), ignored=ignored)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundMapping:
    """A mapping with the place of each of its columns in a file.

    Attributes:
        places: index of each column's cell; None for one that the file lacks.
        width: number of columns of the file.
        ignored: headers that mean nothing here.
    """

    mapping: Mapping
    places: tuple[int | None, ...]
    width: int
    ignored: tuple[str, ...]

    def cells(self, row: Sequence[str]) -> list[tuple[Column, str]]:
        """Each column with its cell, outer blanks removed; a column that the file lacks is empty."""
        return [
            (column, "" if place is None else row[place].strip())
            for column, place in zip(self.mapping.columns, self.places, strict=True)
        ]


def load_mapping(type_slug: str, directory: Path = DIRECTORY) -> Mapping:
    """The mapping of a type.

    Raises:
        MappingMalformed: there is none, or it contradicts itself.
    """
    path = directory / f"{type_slug}.yaml"
    known = sorted(each.stem for each in directory.glob("*.yaml"))
    if type_slug not in known:
        raise MappingMalformed(f"没有类型 {type_slug} 的列映射；现有：{'、'.join(known) or '无'}。")
    try:
        form = _MappingForm.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, ValidationError) as error:
        raise MappingMalformed(f"{path.name} 不合格式：{error}") from error
    mapping = Mapping(
        type_slug=form.type,
        number_field=form.number_field,
        number_has_check_digit=form.number_has_check_digit,
        columns=tuple(
            Column(
                field=each.field,
                title=each.title,
                headers=frozenset(_plain(header) for header in each.headers),
                kind=ColumnKind(each.kind),
                place=ColumnPlace(each.place),
                required=each.required,
            )
            for each in form.columns
        ),
    )
    _check(mapping, path.name)
    return mapping


def _check(mapping: Mapping, name: str) -> None:
    fields = [each.field for each in mapping.columns]
    headers = [header for each in mapping.columns for header in each.headers]
    if len(set(fields)) != len(fields) or len(set(headers)) != len(headers):
        raise MappingMalformed(f"{name}：字段或表头重复。")
    if mapping.number_field not in fields:
        raise MappingMalformed(f"{name}：编号字段不在列中。")
    places = [each.place for each in mapping.columns if each.place is not ColumnPlace.FACE]
    if sorted(place.value for place in places) != ["issued-on", "issuer-code", "issuer-name"]:
        raise MappingMalformed(f"{name}：发证日期、发证机关及其代码应各有一列。")


def _plain(header: str) -> str:
    """A header without width, case and blanks."""
    return "".join(unicodedata.normalize("NFKC", header).casefold().split())
