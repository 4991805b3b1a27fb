import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cert_registry"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "idp"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "verify_api"))

from page_rooms import Desk
from registry_rooms import ceremony_state, open_rooms

__all__ = ["ceremony_state"]


@pytest.fixture(scope="session")
def desk(ceremony_state: Path, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """One desk for all tests of pages; each test makes its own cases."""
    directory = tmp_path_factory.mktemp("desk")
    return Desk(open_rooms(ceremony_state, directory), directory)
