from pathlib import Path

import pytest

from cert_registry.composition import RegistryRooms

from registry_rooms import open_rooms

pytest_plugins: list[str] = []


@pytest.fixture(scope="session")
def ceremony_state() -> Path:
    from fixtures_token import _state

    return _state()


@pytest.fixture(scope="session")
def rooms(ceremony_state: Path, tmp_path_factory: pytest.TempPathFactory) -> RegistryRooms:
    """One registry for all tests that do not break it."""
    return open_rooms(ceremony_state, tmp_path_factory.mktemp("registry"))
