"""Reads the catalogue from disk and refuses to start with a type that is not whole."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import jsonschema
import pydantic
import yaml

from cert_registry.catalog.certificate_type import CertificateType, Validity, build_type
from cert_registry.catalog.errors import CatalogMalformed, CivilDateRefused, FaceRefused, TypeUnknown
from cert_registry.catalog.face_schema import FORMATS, FaceField, FaceSchema, Widget
from cert_registry.catalog.schemas import TypeFile
from cert_registry.civil_date import parse_validity_rules
from idp.identity.credit_code import parse_credit_code
from idp.identity.errors import IdentityError

if TYPE_CHECKING:
    from datetime import date

_PACKAGE_IMPORT = re.compile(r"(?:import|include)\s*\(?\s*\"@")
TYPES_DIRECTORY = Path(__file__).parent / "types"
SAMPLE_NAMES = ("shortest", "longest", "strangest")


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalog:
    """All certificate types of a deployment.

    Args:
        by_code: Types by their 21-character code.
    """

    by_code: Mapping[str, CertificateType]

    @classmethod
    def load(cls, directory: Path) -> Catalog:
        """Read every folder of `directory` as a type.

        Raises:
            CatalogMalformed: Names the file and what is wrong with it.
        """
        by_code: dict[str, CertificateType] = {}
        for folder in sorted(path for path in directory.iterdir() if (path / "type.yaml").exists()):
            loaded = load_type(folder)
            if loaded.type_code in by_code:
                raise CatalogMalformed(f"{loaded.slug}/type.yaml", f"类型代码 {loaded.type_code} 重复。")
            by_code[loaded.type_code] = loaded
        if not by_code:
            raise CatalogMalformed(str(directory), "目录中没有证照类型。")
        return cls(by_code=MappingProxyType(by_code))

    def type(self, type_code: str) -> CertificateType:
        """The type with this code.

        Raises:
            TypeUnknown: No such type.
        """
        found = self.by_code.get(type_code)
        if found is None:
            raise TypeUnknown(type_code)
        return found

    def by_slug(self, slug: str) -> CertificateType:
        """The type with this slug.

        Raises:
            TypeUnknown: No such type.
        """
        for certificate_type in self.by_code.values():
            if certificate_type.slug == slug:
                return certificate_type
        raise TypeUnknown(slug)

    def types(self) -> tuple[CertificateType, ...]:
        """All types, by code."""
        return tuple(self.by_code[code] for code in sorted(self.by_code))


def load_type(folder: Path) -> CertificateType:
    """Read and check one type's folder.

    Raises:
        CatalogMalformed: Names the file and what is wrong with it.
    """
    file = _type_file(folder)
    face = _face_schema(folder)
    template = _text(folder / "face.typ", folder)
    if _PACKAGE_IMPORT.search(template):
        raise CatalogMalformed(f"{folder.name}/face.typ", "模板不得引用外部软件包。")
    try:
        validity = Validity(
            rules=parse_validity_rules(file.validity.rules),
            effective_field=file.validity.effective_field,
            expiry_field=file.validity.expiry_field,
        )
    except CivilDateRefused as refusal:
        raise CatalogMalformed(f"{folder.name}/type.yaml", f"有效期规则：{refusal}") from refusal
    loaded = build_type(
        file,
        face=face,
        validity=validity,
        template=template,
        directory=folder.resolve(),
        samples=MappingProxyType({name: _sample(folder, name) for name in SAMPLE_NAMES}),
    )
    _require_fields(loaded)
    return loaded


def require_samples(certificate_type: CertificateType, *, today: date) -> None:
    """Check that a type's samples fit its face; for tests and for whoever adds a type.

    Raises:
        CatalogMalformed: Names the sample.
    """
    for name, face in certificate_type.samples.items():
        try:
            certificate_type.check_face(face, today=today)
        except FaceRefused as refusal:
            path = f"{certificate_type.slug}/samples/{name}.json"
            raise CatalogMalformed(path, str(refusal)) from refusal


def _type_file(folder: Path) -> TypeFile:
    path = f"{folder.name}/type.yaml"
    try:
        file = TypeFile.model_validate(yaml.safe_load(_text(folder / "type.yaml", folder)))
        parse_credit_code(file.define_authority.code)
    except (yaml.YAMLError, pydantic.ValidationError) as error:
        raise CatalogMalformed(path, str(error)) from error
    except IdentityError as error:
        raise CatalogMalformed(path, f"类型定义机构代码：{error}") from error
    if file.slug != folder.name:
        raise CatalogMalformed(path, "slug 应与文件夹同名。")
    if not file.type_code.startswith(file.define_authority.code):
        raise CatalogMalformed(path, "类型代码应以定义机构代码开头。")
    return file


def _face_schema(folder: Path) -> FaceSchema:
    path = f"{folder.name}/face.schema.json"
    try:
        document = json.loads(_text(folder / "face.schema.json", folder))
        jsonschema.Draft202012Validator.check_schema(document)
    except (json.JSONDecodeError, jsonschema.SchemaError) as error:
        raise CatalogMalformed(path, str(error)) from error
    return FaceSchema(fields=_fields(document, "", path), json_schema=MappingProxyType(document))


def _fields(document: Mapping[str, Any], prefix: str, path: str) -> tuple[FaceField, ...]:
    if document.get("type") != "object" or document.get("additionalProperties") is not False:
        raise CatalogMalformed(path, f"{prefix or '根'} 应为 object，且 additionalProperties 为 false。")
    required = set(document.get("required", ()))
    fields = [
        _field(key, definition, prefix=prefix, required=key in required, path=path)
        for key, definition in document.get("properties", {}).items()
    ]
    if len({field.order for field in fields}) != len(fields):
        raise CatalogMalformed(path, "x-order 有重复。")
    return tuple(sorted(fields, key=lambda field: field.order))


def _field(key: str, definition: Mapping[str, Any], *, prefix: str, required: bool, path: str) -> FaceField:
    where = f"{prefix}{key}"
    missing = {"title", "type", "x-order", "x-widget"} - definition.keys()
    if missing:
        raise CatalogMalformed(path, f"{where} 缺少 {'、'.join(sorted(missing))}。")
    is_list = definition["type"] == "array"
    leaf = definition["items"] if is_list else definition
    has_entries = is_list and leaf.get("type") == "object"
    if not has_entries and (leaf.get("type") != "string" or not _bounded(leaf)):
        raise CatalogMalformed(path, f"{where} 应为文字，并给出 maxLength、enum 或 const。")
    if is_list and "maxItems" not in definition:
        raise CatalogMalformed(path, f"{where} 缺少 maxItems。")
    field_format = str(leaf.get("format", "plain"))
    if field_format not in FORMATS:
        raise CatalogMalformed(path, f"{where} 的 format {field_format} 不认识。")
    choices = tuple(leaf.get("enum", ())) or ((leaf["const"],) if "const" in leaf else ())
    return FaceField(
        key=key,
        path=where,
        title=definition["title"],
        description=definition.get("description", ""),
        order=definition["x-order"],
        comparable=bool(definition.get("x-comparable", False)),
        sensitive=bool(definition.get("x-sensitive", False)),
        widget=Widget(definition["x-widget"]),
        format=field_format,
        required=required,
        maximum_length=int(leaf.get("maxLength", max(map(len, choices), default=0))),
        choices=choices,
        entries=_fields(leaf, f"{where}/*/", path) if has_entries else (),
        maximum_entries=int(definition.get("maxItems", 0)),
    )


def _bounded(leaf: Mapping[str, Any]) -> bool:
    return bool({"maxLength", "enum", "const"} & leaf.keys())


def _sample(folder: Path, name: str) -> Mapping[str, Any]:
    path = folder / "samples" / f"{name}.json"
    try:
        face = json.loads(_text(path, folder))
    except json.JSONDecodeError as error:
        raise CatalogMalformed(f"{folder.name}/samples/{name}.json", str(error)) from error
    if not isinstance(face, dict):
        raise CatalogMalformed(f"{folder.name}/samples/{name}.json", "样例应为一个照面。")
    return MappingProxyType(face)


def _text(path: Path, folder: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CatalogMalformed(str(path.relative_to(folder.parent)), "文件读不出来。") from error


def _require_fields(loaded: CertificateType) -> None:
    """Every field that the type names must stand in its face, and must be required there."""
    path = f"{loaded.slug}/type.yaml"
    rule = loaded.holder_rule
    inside = "" if rule.list_field is None else f"{rule.list_field}/*/"
    named = {
        loaded.numbering.field,
        loaded.validity.effective_field,
        loaded.validity.expiry_field,
        inside + rule.name_field,
        inside + rule.number_field,
    }
    leaves = {field.path: field for field in loaded.face.leaves()}
    for name in named:
        if name not in leaves or not leaves[name].required:
            raise CatalogMalformed(path, f"照面没有必填项 {name}。")
    for name in loaded.access.required_fields:
        if name not in leaves or not leaves[name].comparable:
            raise CatalogMalformed(path, f"比对必含项 {name} 不可比对。")
