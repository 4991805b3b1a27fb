"""Runs the coverage-guided fuzz target for a bounded time: tests/fuzz/fuzz_validation.py says what it demands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[3]
TARGET = ROOT / "tests" / "fuzz" / "fuzz_validation.py"
VECTORS = ROOT / "tests" / "vectors" / "pdf"
_SHORT_S, _LONG_S = 25, 3600


def fuzz(corpus: Path, seconds: int) -> subprocess.CompletedProcess[str]:
    corpus.mkdir(exist_ok=True)
    return subprocess.run(
        [
            sys.executable,
            "-W",
            "ignore",
            str(TARGET),
            str(corpus),
            str(VECTORS),
            f"-max_total_time={seconds}",
            "-max_len=60000",
            "-timeout=120",
            "-rss_limit_mb=4096",
            f"-artifact_prefix={corpus}/",
        ],
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", os.defpath)},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 600,
    )


def test_nothing_is_found_in_a_short_while(tmp_path: Path) -> None:
    done = fuzz(tmp_path / "corpus", _SHORT_S)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "DONE" in done.stderr


@pytest.mark.long
def test_nothing_is_found_in_an_hour(tmp_path: Path) -> None:
    done = fuzz(tmp_path / "corpus", _LONG_S)
    assert done.returncode == 0, done.stderr[-4000:]
