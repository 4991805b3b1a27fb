"""Whose name the history of an ecert shows."""

from datetime import date
from pathlib import Path

import pytest

from cert_registry.organisations.loader import read_organisations
from cert_registry.web.officer_rights import rights_of

CHART = read_organisations(Path(__file__).parents[3] / "deploy" / "demo" / "organisations.yaml")


@pytest.mark.parametrize(
    ("actor", "shown"),
    [
        ("li.wenjing", "李文静"),
        ("dept-city-market", "示例市市场监督管理局（dept-city-market）"),
        ("nobody", "nobody"),
    ],
)
def test_who_acted_is_shown_by_name(actor: str, shown: str) -> None:
    rights = rights_of("li.wenjing", chart=lambda: CHART, on=date(2026, 11, 22))
    assert rights is not None
    assert rights.name_of(actor) == shown
