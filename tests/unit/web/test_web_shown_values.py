"""What pages show of a face: people's names are masked, a legal person's are not."""

from pathlib import Path
from typing import Any

import cert_registry.catalog
from cert_registry.catalog.loading import Catalog
from cert_registry.web.shown_values import holder_names, own_number, shown_values

CATALOG = Catalog.load(Path(cert_registry.catalog.__file__).parent / "types")
TITLE = CATALOG.by_slug("real-estate-title")
PERSON = {"name": "林晓雯", "code_type": "居民身份证", "number": "990121199001010017"}
COMPANY = {"name": "示例饮食有限公司", "code_type": "统一社会信用代码", "number": "91990100MA0000001X"}
FACE: dict[str, Any] = {
    "certificate_number": "示（2026）示例市不动产权第0000001号",
    "holders": [PERSON, COMPANY],
}


def test_of_several_holders_only_people_are_masked() -> None:
    values = [value for _, value in shown_values(TITLE.face, FACE, masked=True)]
    assert values == [
        FACE["certificate_number"],
        "林****",
        "居民身份证",
        "990121********0017",
        "示例饮食有限公司",
        "统一社会信用代码",
        "91990100MA0000001X",
    ]


def test_in_full_nothing_is_masked() -> None:
    values = [value for _, value in shown_values(TITLE.face, FACE, masked=False)]
    assert values == [FACE["certificate_number"], *PERSON.values(), *COMPANY.values()]


def test_a_person_who_is_called_as_a_kind_of_number_is_masked() -> None:
    face = {"holders": [PERSON | {"name": "统一社会信用代码"}]}
    assert holder_names(TITLE, face) == (("统****", False),)


def test_holders_are_named_as_pages_mask_them() -> None:
    licence = CATALOG.by_slug("food-business-licence")
    record = CATALOG.by_slug("no-criminal-record")
    assert holder_names(TITLE, FACE) == (("林****", False), ("示例饮食有限公司", True))
    assert holder_names(licence, {"operator_name": "示例饮食有限公司"}) == (("示例饮食有限公司", True),)
    assert holder_names(record, {"name": "林晓雯"}) == (("林****", False),)
    assert holder_names(TITLE, {}) == ()


def test_the_own_number_is_the_types_own() -> None:
    licence = CATALOG.by_slug("food-business-licence")
    assert own_number(licence, {"licence_number": "JY29901000000017"}) == "JY29901000000017"
    assert own_number(TITLE, FACE) == FACE["certificate_number"]
    assert own_number(licence, {}) == ""
