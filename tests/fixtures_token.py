"""A token directory made by a real ceremony, shared by every test of a pytest process.

Import `ceremony_state` into a conftest or a test module and ask for it; the state directory holds `softhsm/`,
`secrets/` and `pki/` as in a real installation, with the demo seals. SoftHSM reads one configuration a
process, so there is one such directory a process.
"""

import functools
import tempfile
from pathlib import Path

import pytest

from cert_registry.signing.settings import PURPOSES, Settings
from hsm_sim.ceremony import run
from hsm_sim.softhsm import module_path

CHECKOUT = Path(__file__).resolve().parent.parent
PUBLIC_URL = "http://localhost:18080"
_DIRECTORY = tempfile.TemporaryDirectory(prefix="longzheng-token-", ignore_cleanup_errors=True)


@functools.cache
def _state() -> Path:
    state = Path(_DIRECTORY.name)
    run(state, PUBLIC_URL, organisations=CHECKOUT / "deploy" / "demo" / "organisations.yaml")
    return state


def token_settings(state: Path, public_url: str = PUBLIC_URL) -> Settings:
    """The signing settings of a state directory, as `longzheng.yaml` would give them."""
    tokens = {
        purpose: {"label": f"lz-{purpose}", "pin_file": str(state / "secrets" / f"pin-lz-{purpose}")}
        for purpose in PURPOSES
    }
    section = {"module_path": module_path(), "tokens": tokens}
    return Settings.from_mapping(section, pki_directory=state / "pki", public_url=public_url)


@pytest.fixture(scope="session")
def ceremony_state() -> Path:
    return _state()


@pytest.fixture(scope="session")
def signing_settings(ceremony_state: Path) -> Settings:
    return token_settings(ceremony_state)
