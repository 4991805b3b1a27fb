"""A token directory made by a real ceremony, shared by every test of a pytest process.

Import `ceremony_state` into a conftest or a test module and ask for it; the state directory holds `softhsm/`,
`secrets/` and `pki/` as in a real installation, with the demo seals. SoftHSM reads one configuration a
process, so there is one such directory a process.
"""

import functools
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cert_registry.organisations.schemas import read_form
from cert_registry.signing.pki.issuing import Subject
from cert_registry.signing.pki.services import open_pki
from cert_registry.signing.settings import PURPOSES, Settings
from hsm_sim.ceremony import run
from hsm_sim.softhsm import module_path

CHECKOUT = Path(__file__).resolve().parent.parent
PUBLIC_URL = "http://localhost:18080"
_DIRECTORY = tempfile.TemporaryDirectory(prefix="longzheng-token-", ignore_cleanup_errors=True)


@functools.cache
def _state() -> Path:
    state = Path(_DIRECTORY.name)
    run(state, PUBLIC_URL)
    _equip_demo_seals(state)
    return state


def _equip_demo_seals(state: Path) -> None:
    """Keys and certificates of the demo's seals, for tests of signing that have no registry; a registry adopts them."""
    form = read_form(CHECKOUT / "deploy" / "demo" / "organisations.yaml")
    departments = {each.code: each for each in form.departments}
    authority = open_pki(token_settings(state)).seal_authority
    for seal in form.seals:
        department = departments[seal.department]
        subject = Subject(common_name=seal.name, organisation=department.name, credit_code=department.code)
        authority.equip(f"seal-{department.slug}", subject, now=datetime.now(UTC))


def token_settings(state: Path, public_url: str = PUBLIC_URL) -> Settings:
    """The signing settings of a state directory, as `longzheng.yaml` would give them."""
    tokens = {
        purpose: {"label": f"lz-{purpose}", "pin_file": str(state / "secrets" / f"pin-lz-{purpose}")}
        for purpose in PURPOSES
    }
    # Tests move the time at will; the watch over it has tests of its own.
    section = {"module_path": module_path(), "tokens": tokens, "tsa_clock": "unwatched"}
    return Settings.from_mapping(section, pki_directory=state / "pki", public_url=public_url)


@pytest.fixture(scope="session")
def ceremony_state() -> Path:
    return _state()


@pytest.fixture(scope="session")
def signing_settings(ceremony_state: Path) -> Settings:
    return token_settings(ceremony_state)
