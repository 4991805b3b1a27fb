"""Each draft lint: one draft on which it fires, one on which it does not."""

from datetime import date

import pytest

from cert_registry.lints.findings import Severity
from cert_registry.lints.running import DRAFT_LINTS, run_draft_lints
from tests.unit.catalog.specimens import SAMPLES, SLUGS, TODAY, specimen

PERSON_A = {"name": "赵明", "code_type": "居民身份证", "number": "880102198001010074"}
PERSON_B = {"name": "钱芳", "code_type": "居民身份证", "number": "880102198203030065"}
COMPANY = {"name": "示例市春风餐饮有限公司", "code_type": "统一社会信用代码", "number": "91990100C000000166"}


def shares(*parts: str) -> dict[str, object]:
    people = [PERSON_A, PERSON_B, COMPANY]
    holders = [{**person, "share": part} for person, part in zip(people, parts, strict=False)]
    return {"ownership": "按份共有", "holders": holders}


def fired(slug: str, today: date = TODAY, **changes: object) -> set[str]:
    made = specimen(slug, "shortest", **changes)
    return {finding.lint_id for finding in run_draft_lints(made.certificate_type, made.face, today=today)}


@pytest.mark.parametrize(
    ("lint_id", "slug", "bad", "good"),
    [
        (
            "dates-in-order",
            "food-business-licence",
            {"expiry_date": "2026-11-21"},
            {"effective_date": "2026-11-22", "expiry_date": "2026-11-22"},
        ),
        (
            "not-already-ended",
            "food-business-licence",
            {"effective_date": "2021-11-22", "expiry_date": "2026-11-21"},
            {"effective_date": "2021-11-23", "expiry_date": "2026-11-22"},
        ),
        ("expiry-follows-rule", "food-business-licence", {"expiry_date": "2031-11-22"}, {}),
        (
            "periods-in-order",
            "no-criminal-record",
            {"period_from": "2026-11-22", "period_to": "2026-11-21"},
            {"period_from": "2026-11-21", "period_to": "2026-11-21"},
        ),
        ("periods-in-order", "no-criminal-record", {"period_to": "2026-11-23"}, {"period_to": "2026-11-22"}),
        (
            "holder-number-fits-type",
            "real-estate-title",
            {"holders": [{**PERSON_A, "number": "880102198001010075"}]},
            {"holders": [{**PERSON_A, "code_type": "护照", "number": "C01X00T47"}]},
        ),
        (
            "holder-number-fits-type",
            "real-estate-title",
            {"holders": [{**COMPANY, "number": PERSON_A["number"]}]},
            {"holders": [COMPANY]},
        ),
        (
            "holder-named-once",
            "real-estate-title",
            {"ownership": "共同共有", "holders": [PERSON_A, {**PERSON_A, "name": "赵明明"}]},
            {"ownership": "共同共有", "holders": [PERSON_A, PERSON_B]},
        ),
        ("holder-person-name", "no-criminal-record", {"name": "林晓雯2"}, {"name": "阿依古丽·买买提"}),
        (
            "ownership-fits-holders",
            "real-estate-title",
            {"ownership": "共同共有", "holders": [PERSON_A]},
            {"ownership": "共同共有", "holders": [PERSON_A, PERSON_B]},
        ),
        (
            "ownership-fits-holders",
            "real-estate-title",
            {"ownership": "按份共有", "holders": [{**PERSON_A, "share": "100%"}, PERSON_B]},
            shares("1/2", "1/2"),
        ),
        (
            "ownership-fits-holders",
            "real-estate-title",
            {"ownership": "共同共有", "holders": shares("1/2", "1/2")["holders"]},
            {"ownership": "单独所有", "holders": [PERSON_A]},
        ),
        ("shares-sum-to-one", "real-estate-title", shares("1/2", "1/3"), shares("1/2", "1/3", "1/6")),
        ("shares-sum-to-one", "real-estate-title", shares("50%", "50.1%"), shares("33.4%", "66.6%")),
        (
            "certificate-number-check",
            "food-business-licence",
            {"licence_number": "JY29901000000015"},
            {"licence_number": "JY29901000000014"},
        ),
        ("text-is-whole", "food-business-licence", {"premises": "锟斤拷路1号"}, {"premises": "和平路1号"}),
    ],
)
def test_a_lint_fires_and_does_not(
    lint_id: str, slug: str, bad: dict[str, object], good: dict[str, object]
) -> None:
    assert lint_id in fired(slug, **bad)
    assert lint_id not in fired(slug, **good)


def test_every_lint_is_tested_named_and_cited() -> None:
    marks = test_a_lint_fires_and_does_not.pytestmark  # type: ignore[attr-defined] # set by pytest
    tested = {case[0] for mark in marks for case in mark.args[1]}
    assert tested == {lint.lint_id for lint in DRAFT_LINTS}
    assert all(lint.citation and lint.description for lint in DRAFT_LINTS)


@pytest.mark.parametrize("slug", SLUGS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_no_sample_breaks_a_rule(slug: str, sample: str) -> None:
    made = specimen(slug, sample)
    assert run_draft_lints(made.certificate_type, made.face, today=TODAY) == ()


def test_errors_come_first_and_no_value_is_repeated() -> None:
    made = specimen(
        "real-estate-title", "shortest", holders=[{**PERSON_A, "number": "880102198001010075"}], use="锟斤拷"
    )
    findings = run_draft_lints(made.certificate_type, made.face, today=TODAY)
    assert findings[0].severity is Severity.ERROR
    assert findings[0].field == "holders/0/number"
    assert "880102" not in str(findings)
