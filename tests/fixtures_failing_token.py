"""A token that misbehaves on command: the failing module over a SoftHSM of its own, and settings that use it.

Import the fixtures into a conftest or a test module, with `ceremony_state` and `signing_settings`.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cert_registry.signing.settings import Settings
from hsm_sim.failing import CONTROL_VARIABLE, TARGET_VARIABLE, FailingToken, build
from hsm_sim.softhsm import SOFTHSM_MODULE


@pytest.fixture(scope="session")
def failing_module(tmp_path_factory: pytest.TempPathFactory, ceremony_state: Path) -> Iterator[Path]:
    """The failing module over a SoftHSM of its own: a copied library has a state of its own in the process."""
    del ceremony_state  # it points SoftHSM at its tokens
    directory = tmp_path_factory.mktemp("failing")
    module = build(directory)
    shutil.copy(SOFTHSM_MODULE, directory / "softhsm-copy.so")
    names = {TARGET_VARIABLE: directory / "softhsm-copy.so", CONTROL_VARIABLE: directory / "control"}
    with pytest.MonkeyPatch.context() as patch:
        for name, path in names.items():
            patch.setenv(name, str(path))
        yield module


@pytest.fixture(scope="session")
def failing_settings(signing_settings: Settings, failing_module: Path) -> Settings:
    return replace(signing_settings, module_path=failing_module)


@pytest.fixture
def failing(failing_module: Path) -> Iterator[FailingToken]:
    token = FailingToken(Path(os.environ[CONTROL_VARIABLE]))
    token.trace(failing_module.parent / f"trace-{os.urandom(4).hex()}")
    yield token
    token.rules.clear()
    token.heal()
