"""The catalogue: five types, and a sixth one that is only a folder."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from cert_registry.catalog.certificate_type import AccessRule, AskOperation, HolderKind, check_digit
from cert_registry.catalog.errors import CatalogMalformed, NumberNotMade, TypeUnknown
from cert_registry.catalog.loading import TYPES_DIRECTORY, Catalog, require_samples
from cert_registry.catalog.rendering import render
from cert_registry.civil_date import LONG_TERM
from cert_registry.types import EcertState, StateOperation
from tests.unit.catalog.specimens import CATALOG, SLUGS, TODAY, specimen_of


def test_the_five_types_and_their_samples() -> None:
    assert [certificate_type.name for certificate_type in CATALOG.types()] == [
        "营业执照",
        "食品经营许可证",
        "不动产权证书",
        "企业投资项目核准批复",
        "无犯罪记录证明",
    ]
    for number, certificate_type in enumerate(CATALOG.types(), start=1):
        assert certificate_type.type_code == f"11990000000000107Q{number:03d}"
        assert CATALOG.type(certificate_type.type_code) is certificate_type
        require_samples(certificate_type, today=TODAY)
    with pytest.raises(TypeUnknown):
        CATALOG.type("11990000000000107Q999")
    with pytest.raises(TypeUnknown):
        CATALOG.by_slug("driving-licence")


def test_what_a_type_says() -> None:
    food = CATALOG.by_slug("food-business-licence")
    face = food.check_face(food.samples["shortest"], today=TODAY)
    assert food.holder_kind is HolderKind.LEGAL
    assert [(holder.code_type, holder.number) for holder in food.holders_of(face)] == [
        ("001", "91990100C000000166")
    ]
    effective, expiry = food.term_of(face)
    assert food.validity.usual_expiry(effective) == expiry
    assert food.certificate_number_of(face) == "JY29901000000014"
    assert food.allows(StateOperation.PENAL_REVOKE, state=EcertState.VALID)
    assert food.allows(StateOperation.RETURN, state=EcertState.SUSPENDED)
    assert food.allows(StateOperation.RETURN, state=EcertState.VALID) is None
    assert "representative" in food.face.sensitive_paths()


def test_several_holders_with_their_kinds_of_number() -> None:
    title = CATALOG.by_slug("real-estate-title")
    face = title.check_face(title.samples["strangest"], today=TODAY)
    assert [holder.code_type for holder in title.holders_of(face)] == ["111", "111", "414"]
    assert title.term_of(face)[1] is LONG_TERM
    assert "holders/*/name" in title.face.comparable_paths()


def test_no_criminal_record_is_asked_by_consent_only() -> None:
    proof = CATALOG.by_slug("no-criminal-record")
    assert proof.access.rule is AccessRule.CONSENT_ONLY
    assert proof.access.by_duty == frozenset()
    assert AskOperation.READ not in proof.access.by_consent


def test_numbers_by_rule() -> None:
    food = CATALOG.by_slug("food-business-licence")
    face = {"business_form": "餐饮服务经营者"}
    made = food.numbering.make(sequence=1, year=2026, area_code="990100", face=face)
    assert made == "JY2990100000001" + check_digit("JY2990100000001")
    with pytest.raises(NumberNotMade):
        food.numbering.make(sequence=1, year=2026, area_code="990100", face={})
    title = CATALOG.by_slug("real-estate-title")
    made = title.numbering.make(sequence=42, year=2026, area_code="990100", face={})
    assert made == "示（2026）示例市不动产权第0000042号"
    with pytest.raises(NumberNotMade):
        CATALOG.by_slug("business-licence").numbering.make(sequence=1, year=2026, area_code="990100", face={})


def test_check_digit_of_mod_11_10() -> None:
    assert check_digit("0794") == "5"  # example of ISO 7064
    assert check_digit("JY0794") == "5"


@pytest.fixture
def six(tmp_path: Path) -> Path:
    types = tmp_path / "types"
    shutil.copytree(TYPES_DIRECTORY, types)
    folder = types / "pet-licence"
    (folder / "samples").mkdir(parents=True)
    file = yaml.safe_load((types / "no-criminal-record" / "type.yaml").read_text(encoding="utf-8"))
    file |= {"slug": "pet-licence", "type_code": "11990000000000107Q006", "name": "养犬登记证"}
    file["numbering"] = {"field": "number", "rule": "犬{year}{sequence:4}"}
    file["holder"] |= {"name_field": "owner", "number_field": "owner_number"}
    file["access"]["required_fields"] = ["number"]
    (folder / "type.yaml").write_text(yaml.safe_dump(file, allow_unicode=True), encoding="utf-8")

    def text(order: int, title: str, **more: object) -> dict[str, object]:
        field = {"title": title, "type": "string", "maxLength": 40, "x-order": order, "x-widget": "text"}
        return field | more

    properties = {
        "number": text(1, "登记号", **{"x-comparable": True}),
        "owner": text(2, "犬主"),
        "owner_number": text(3, "证件号码", format="citizen-number"),
        "effective_date": text(4, "登记日期", format="date"),
        "expiry_date": text(5, "有效期至", format="expiry-date"),
    }
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }
    (folder / "face.schema.json").write_text(json.dumps(schema), encoding="utf-8")
    (folder / "face.typ").write_text(
        '#show: certificate\n#pairs(("登记号", get("number")), ("犬主", get("owner")))\n#closing()\n',
        encoding="utf-8",
    )
    face = {
        "number": "犬20260001",
        "owner": "林晓雯",
        "owner_number": "880102198503150026",
        "effective_date": "2026-11-22",
        "expiry_date": "2027-02-19",
    }
    for name in ("shortest", "longest", "strangest"):
        (folder / "samples" / f"{name}.json").write_text(json.dumps(face), encoding="utf-8")
    return types


def test_adding_a_type_needs_no_code(six: Path) -> None:
    catalog = Catalog.load(six)
    assert len(catalog.types()) == len(SLUGS) + 1
    pet = catalog.by_slug("pet-licence")
    require_samples(pet, today=TODAY)
    made = specimen_of(pet, pet.check_face(pet.samples["shortest"], today=TODAY))
    assert render(pet, made.face, made.imprint).pdf.startswith(b"%PDF-1.7")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("type.yaml", "name: 养犬登记证", "name: 养犬登记证\ncolour: red", "colour"),
        ("type.yaml", "11990000000000107Q006", "11990000000000107Q001", "重复"),
        ("type.yaml", "code: 11990000000000107Q\n", "code: 11990000000000107R\n", "定义机构"),
        ("type.yaml", "rules: 90天", "rules: 九十天", "有效期"),
        ("type.yaml", "犬{year}", "犬{moon}", "moon"),
        ("type.yaml", "number_field: owner_number", "number_field: nobody", "nobody"),
        ("face.schema.json", '"additionalProperties": false', '"additionalProperties": true', "additional"),
        ("face.schema.json", '"x-order": 2', '"x-order": 1', "x-order"),
        ("face.schema.json", '"maxLength": 40, "x-order": 2', '"x-order": 2', "maxLength"),
        ("face.schema.json", '"format": "date"', '"format": "moon"', "moon"),
        ("face.schema.json", '"title": "\\u72ac\\u4e3b", ', "", "title"),
        ("face.typ", "#show:", '#import "@preview/cetz:0.3.4"\n#show:', "软件包"),
        ("samples/longest.json", "{", "[", "longest"),
    ],
)
def test_a_type_that_is_not_whole_stops_the_start(
    six: Path, file: str, old: str, new: str, said: str
) -> None:
    path = six / "pet-licence" / file
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogMalformed, match=said):
        Catalog.load(six)


def test_an_empty_catalogue_or_a_missing_file_stops_the_start(six: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(CatalogMalformed):
        Catalog.load(tmp_path / "empty")
    (six / "pet-licence" / "face.typ").unlink()
    with pytest.raises(CatalogMalformed, match=r"face\.typ"):
        Catalog.load(six)
