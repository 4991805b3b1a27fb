"""What was typed into a search is kept as a search, whatever it holds."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from registry_rooms import open_rooms

from cert_registry.web.searches import KeptSearches

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)


@pytest.mark.parametrize("marks", ["\0form\0", "\0fo\0form\0rm\0", "\0" * 9])
def test_no_search_is_taken_for_a_kept_form(marks: str, ceremony_state: Path, tmp_path: Path) -> None:
    searches = KeptSearches(tmp_path / "sessions.db", cipher=open_rooms(ceremony_state, tmp_path).cipher)
    name = searches.keep(marks + "甘", staff_id="li.wenjing", now=NOW)
    assert searches.form(name, staff_id="li.wenjing", now=NOW) is None
    assert "甘" in (searches.text(name, staff_id="li.wenjing", now=NOW) or "")
