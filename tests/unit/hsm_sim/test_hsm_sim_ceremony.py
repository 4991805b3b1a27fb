"""What a ceremony refuses and does without, each run against real SoftHSM in a process of its own."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

CHECKOUT = Path(__file__).resolve().parents[3]


def perform(state: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hsm_sim.ceremony", "--state-dir", str(state)]
    command += ["--public-url", "http://localhost:18080"]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def files_of(state: Path) -> dict[str, bytes]:
    """All but the token's own files, in which SoftHSM counts logins."""
    files = [p for name in ("pki", "secrets") for p in (state / name).rglob("*") if p.is_file()]
    return {str(p.relative_to(state)): p.read_bytes() for p in files}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    directory = tmp_path / "state"
    done = perform(directory)
    assert done.returncode == 0, done.stderr
    return directory


def take_root_away(state: Path) -> None:
    for name in ("pin-lz-root", "so-pin-lz-root"):
        (state / "secrets" / name).unlink()


def test_without_the_root_a_finished_ceremony_changes_nothing(state: Path) -> None:
    take_root_away(state)
    before = files_of(state)
    done = perform(state)
    assert done.returncode == 0, done.stderr
    assert files_of(state) == before


def test_without_the_root_what_it_signs_is_refused_by_name(state: Path) -> None:
    take_root_away(state)
    (state / "pki" / "service-ca.pem").unlink()
    done = perform(state)
    assert done.returncode == 1
    assert "The root is needed for the certificate service-ca: bring" in done.stderr
    assert "reset" not in done.stderr


def test_lost_tokens_are_told_before_anything_is_made(state: Path) -> None:
    shutil.rmtree(state / "softhsm")
    before = files_of(state)
    done = perform(state)
    assert done.returncode == 1
    assert "restore the tokens (softhsm/ and secrets/) from backup" in done.stderr
    assert not (state / "softhsm").exists()
    assert files_of(state) == before


def test_a_lost_token_is_told_before_a_fresh_one_is_made(state: Path) -> None:
    tokens = state / "softhsm" / "tokens"
    for token in tokens.iterdir():
        shutil.rmtree(token)
    done = perform(state)
    assert done.returncode == 1
    assert "The token lz-keys is not there" in done.stderr
    assert "reset" not in done.stderr
    assert not list(tokens.iterdir())


def test_a_lost_pin_is_told_and_the_other_is_kept(state: Path) -> None:
    (state / "secrets" / "pin-lz-keys").unlink()
    before = files_of(state)
    done = perform(state)
    assert done.returncode == 1
    assert "pin-lz-keys does not: restore the file" in done.stderr
    assert files_of(state) == before
