"""What doctor says of the tokens of a real ceremony, in a process of its own, as SoftHSM is read once a process."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy import first_configuration, ports
from deploy.configuration import Mode

pytestmark = pytest.mark.thorough

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    first_configuration.complete(directory, ports=ports.choose(directory, asked={}), mode=Mode.PRODUCTION)
    command = [sys.executable, "-m", "hsm_sim.ceremony", "--state-dir", str(directory)]
    subprocess.run([*command, "--public-url", "http://localhost:18080"], cwd=CHECKOUT, check=True)
    return directory


def findings(state_dir: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "longzheng"), "doctor", "--json"],
        env={**os.environ, "LONGZHENG_VAR": str(state_dir)},
        capture_output=True,
        check=False,
    )
    return {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}


def test_a_root_that_was_taken_away_is_well(state_dir: Path) -> None:
    for name in ("pin-lz-root", "so-pin-lz-root"):
        (state_dir / "secrets" / name).unlink()
    found = findings(state_dir)
    assert found["token"]["well"]
    assert "The root's PIN is off this machine" in found["token"]["sentence"]
    assert found["keys"]["well"]


def test_tokens_of_another_ceremony_are_not_well(state_dir: Path, tmp_path: Path) -> None:
    assert findings(state_dir)["keys"]["well"]
    other = tmp_path / "other"
    command = [sys.executable, "-m", "hsm_sim.ceremony", "--state-dir", str(other)]
    subprocess.run([*command, "--public-url", "http://localhost:18080"], cwd=CHECKOUT, check=True)
    for name in ("tokens", "../secrets"):
        for entry in (state_dir / "softhsm" / name).glob("*-*"):
            if entry.is_dir():
                shutil.rmtree(entry)
            elif "pin-" in entry.name:
                entry.unlink()
    shutil.copytree(other / "softhsm" / "tokens", state_dir / "softhsm" / "tokens", dirs_exist_ok=True)
    shutil.copytree(other / "secrets", state_dir / "secrets", dirs_exist_ok=True)
    found = findings(state_dir)["keys"]
    assert not found["well"]
    assert "is for another key than lz-root/root" in found["sentence"]
    assert "backup" in found["remedy"]
    assert "reset" not in found["remedy"]


def test_lost_tokens_are_restored_and_not_made_again(state_dir: Path) -> None:
    shutil.rmtree(state_dir / "softhsm")
    found = findings(state_dir)
    assert not found["keys"]["well"]
    assert not found["token"]["well"]
    assert "backup" in found["token"]["remedy"]
