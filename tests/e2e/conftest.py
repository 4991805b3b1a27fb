"""The people who use the running system, and what they hold."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from e2e_people import Accounts, Administration

from deploy.configuration import Configuration
from deploy.form_client import Citizen, FormClient

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def longzheng(system: Configuration) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`./longzheng …` on the system's state."""

    def run(*arguments: str | Path, timeout_s: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(CHECKOUT / "longzheng"), *map(str, arguments)],
            env=os.environ | {"LONGZHENG_VAR": str(system.state_dir)},
            cwd=CHECKOUT,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout_s,
        )

    return run


@pytest.fixture(scope="session")
def told(system: Configuration, longzheng: Callable[..., subprocess.CompletedProcess[str]]) -> Path:
    """The files that `./longzheng demo` left; it is run unless it was told well on this system already."""
    report = system.state_dir / "demo" / "report.json"
    if not report.exists() or not json.loads(report.read_text(encoding="utf-8"))["succeeded"]:
        done = longzheng("demo")
        assert done.returncode == 0, done.stderr
    return report.parent


@pytest.fixture(scope="session")
def people() -> dict[str, Citizen]:
    """The invented people by name."""
    listed = yaml.safe_load((CHECKOUT / "deploy" / "demo" / "people.yaml").read_text(encoding="utf-8"))[
        "people"
    ]
    return {
        one["name"]: Citizen(name=one["name"], number=one["number"], mobile=one["mobile"]) for one in listed
    }


@pytest.fixture(scope="session")
def admin(system: Configuration) -> Administration:
    """Keycloak's admin interface."""
    return Administration(system)


@pytest.fixture(scope="session")
def accounts(system: Configuration, people: dict[str, Citizen], admin: Administration) -> Accounts:
    """Accounts by the names of invented people."""
    return Accounts(system, people, admin)


@pytest.fixture
def browser() -> FormClient:
    """A fresh browser."""
    return FormClient()
