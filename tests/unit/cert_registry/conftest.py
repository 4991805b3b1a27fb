from pathlib import Path

import pytest
from registry_rooms import ceremony_state, open_rooms

from cert_registry.composition import RegistryRooms

__all__ = ["ceremony_state"]


@pytest.fixture(scope="session")
def rooms(ceremony_state: Path, tmp_path_factory: pytest.TempPathFactory) -> RegistryRooms:
    """One registry for all tests that do not break it."""
    return open_rooms(ceremony_state, tmp_path_factory.mktemp("registry"))
