"""The running system, once for all tests that need it."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from deploy.configuration import Configuration, load

CHECKOUT = Path(__file__).resolve().parents[1]
# Machines are shared: how long an example takes says nothing of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first, the browser last: Playwright keeps an event loop running until it is stopped.

    Beside a running loop nothing else can run one of its own, as pyHanko does when it seals.
    """
    order = ("unit", "contract", "e2e", "browser")
    items.sort(key=lambda item: order.index(item.path.relative_to(CHECKOUT / "tests").parts[0]))
