"""Checking a draft: one sentence a field, no value in it, nothing invisible in a face."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cert_registry.catalog.errors import FaceRefused
from tests.unit.catalog.specimens import CATALOG, SAMPLES, SLUGS, TODAY

FOOD = CATALOG.by_slug("food-business-licence")
GOOD = dict(FOOD.samples["shortest"])


def problems(face: dict[str, object], slug: str = "food-business-licence") -> dict[str, str]:
    with pytest.raises(FaceRefused) as refusal:
        CATALOG.by_slug(slug).check_face(face, today=TODAY)
    return {problem.field: problem.sentence for problem in refusal.value.problems}


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_samples_stand_in_the_order_of_the_schema(slug: str, sample: str) -> None:
    certificate_type = CATALOG.by_slug(slug)
    checked = certificate_type.check_face(certificate_type.samples[sample], today=TODAY)
    order = [field.key for field in certificate_type.face.fields if field.key in checked.values]
    assert list(checked.values) == order
    with pytest.raises(TypeError):
        checked.values["name"] = "x"  # type: ignore[index] # read-only


def test_all_fields_are_named_at_once() -> None:
    found = problems({"operator_name": "x" * 101, "credit_code": "1", "wing": "left"})
    assert {"operator_name", "credit_code", "wing", "licence_number", "premises"} <= found.keys()
    assert found["premises"] == "必须填写。"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("credit_code", "91990100C000000167"),
        ("credit_code", "91990100c000000166"),
        ("licence_number", "JY4990100000001"),
        ("business_form", "路边摊"),
        ("effective_date", "2026-02-30"),
        ("effective_date", "2026-2-3"),
        ("expiry_date", "永久"),
        ("operator_name", "甲\u200b乙"),
        ("operator_name", "甲\n乙"),
        ("operator_name", " 甲"),
        ("operator_name", "甲\u00a0乙"),
        ("operator_name", "甲\ue000"),
        ("operator_name", 5),
        ("operation_items", "甲\u202e乙"),
    ],
)
def test_one_wrong_field_gets_one_sentence_without_its_value(field: str, value: object) -> None:
    found = problems({**GOOD, field: value})
    assert list(found) == [field]
    assert str(value) not in found[field]


def test_numbers_of_people_never_stand_in_a_sentence() -> None:
    proof = dict(CATALOG.by_slug("no-criminal-record").samples["shortest"])
    found = problems({**proof, "number": "880102198503150027"}, "no-criminal-record")
    assert "校验" in found["number"]
    assert "880102" not in str(found)


def test_entries_of_a_list_are_named_by_their_place() -> None:
    title = dict(CATALOG.by_slug("real-estate-title").samples["strangest"])
    holders = [dict(holder) for holder in title["holders"]]
    holders[1]["share"] = "half"
    assert list(problems({**title, "holders": holders}, "real-estate-title")) == ["holders/1/share"]
    del holders[1]["name"]
    assert "holders/1/name" in problems({**title, "holders": holders}, "real-estate-title")
    assert "holders" in problems({**title, "holders": []}, "real-estate-title")


def test_empty_optional_fields_count_as_absent() -> None:
    checked = FOOD.check_face({**GOOD, "signatory": ""}, today=TODAY)
    assert "signatory" not in checked.values


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "wing"]),
        st.none() | st.text(max_size=20) | st.integers() | st.lists(st.text(max_size=3), max_size=2),
        max_size=5,
    )
)
def test_any_draft_is_checked_or_refused(changes: dict[str, object]) -> None:
    try:
        FOOD.check_face({**GOOD, **changes}, today=TODAY)
    except FaceRefused as refusal:
        assert refusal.problems  # noqa: PT017 (both outcomes are right)


def test_faults_of_form_and_of_content_are_told_together() -> None:
    found = problems(GOOD | {"credit_code": "123", "effective_date": "2026-13-01", "operator_name": ""})
    assert set(found) == {"credit_code", "effective_date", "operator_name"}
    assert found["operator_name"] == "必须填写。"
    assert found["credit_code"] == "至少18个字。"
