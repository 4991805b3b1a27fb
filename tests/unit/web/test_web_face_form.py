"""The form made from a schema: nothing typed is lost, and every finding leads to a control."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cert_registry.catalog
from cert_registry.catalog.loading import Catalog
from cert_registry.web.face_form import controls_for, face_from_form, problems_of

CATALOG = Catalog.load(Path(cert_registry.catalog.__file__).parent / "types")
TITLE = CATALOG.by_slug("real-estate-title").face
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)


@given(names=st.lists(TEXT, min_size=1, max_size=4), location=TEXT)
@settings(max_examples=30)
def test_what_was_typed_stands_in_the_form_again(names: list[str], location: str) -> None:
    form = {f"face-holders-{row}-name": name for row, name in enumerate(names)}
    face = face_from_form(TITLE, {**form, "face-location": location})
    groups = {group.field.key: group for group in controls_for(TITLE, face, findings={})}
    assert [row[0].typed for row in groups["holders"].rows] == names
    assert groups["location"].controls[0].typed == location


@given(st.dictionaries(st.text(max_size=40), st.text(max_size=10), max_size=10))
@settings(max_examples=50)
def test_no_posted_name_breaks_the_form(form: dict[str, str]) -> None:
    face = face_from_form(TITLE, {f"face-holders-{name}": value for name, value in form.items()})
    assert isinstance(face["holders"], list)


def test_another_row_is_focused_and_the_first_empty_row_is_not() -> None:
    face = {"holders": [{"name": "赵明"}]}
    rows = next(
        group.rows
        for group in controls_for(TITLE, face, findings={}, another_row_in="holders")
        if group.field.key == "holders"
    )
    assert [row[0].focused for row in rows] == [False, True]


@pytest.mark.parametrize(
    ("path", "target", "title"),
    [
        ("location", "face-location", "坐落"),
        ("holders", "face-holders", "权利人"),
        ("holders/1/number", "face-holders-1-number", "权利人第 2 项的证件号码"),
        ("case_number", "case_number", "办件编号"),
        ("nowhere", "main", "照面"),
    ],
)
def test_every_finding_leads_to_a_control(path: str, target: str, title: str) -> None:
    (found,) = problems_of(TITLE, {path: "必须填写。"}, other_titles={"case_number": "办件编号"})
    assert (found.target, found.title, found.sentence) == (target, title, "必须填写。")
