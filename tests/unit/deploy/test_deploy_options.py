import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("command", ["up", "demo", "test"])
def test_a_wrong_option_is_refused_before_anything_is_installed_or_started(
    command: str, tmp_path: Path
) -> None:
    state_dir = tmp_path / "state"
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "longzheng"), command, "--bogus"],
        env={**os.environ, "LONGZHENG_VAR": str(state_dir), "PATH": str(nothing), "JAVA_HOME": str(nothing)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "--bogus" in done.stderr
    assert "packages" not in done.stderr
    assert not state_dir.exists()
