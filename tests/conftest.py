"""The running system, once for all tests that need it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.configuration import Configuration, load

CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def system() -> Iterator[Configuration]:
    """The whole system on real parts: a running one (LONGZHENG_TEST_RUNNING), else one of its own that ends with the tests."""
    state = Path(os.environ.get("LONGZHENG_VAR", CHECKOUT / "var" / "test")).resolve()
    if os.environ.get("LONGZHENG_TEST_RUNNING"):
        yield load(state)
        return
    environment = os.environ | {"LONGZHENG_VAR": str(state)}
    launcher = str(CHECKOUT / "longzheng")
    subprocess.run([launcher, "up", "--detach"], env=environment, check=True, timeout=1500)
    try:
        yield load(state)
    finally:
        subprocess.run([launcher, "down"], env=environment, check=True, timeout=300)
