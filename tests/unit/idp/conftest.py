"""Fixtures of the real-name provider's tests."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from realname_world import MakeWorld, World, make_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = make_world(tmp_path, limits={"sms_cool_down_s": 0})
    yield made
    made.provider._engine.dispose()


@pytest.fixture
def make(tmp_path: Path) -> Iterator[MakeWorld]:
    worlds: list[World] = []

    def _make(**changes: Any) -> World:
        worlds.append(make_world(tmp_path, **changes))
        return worlds[-1]

    yield _make
    for made in worlds:
        made.provider._engine.dispose()
