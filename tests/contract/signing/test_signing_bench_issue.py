"""The benchmark of issuing runs, and every ecert that it measures is issued; how long anything takes is not looked at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

CHECKOUT = Path(__file__).resolve().parents[3]


def test_the_benchmark_of_issuing_runs() -> None:
    """In a process of its own: SoftHSM reads one configuration a process."""
    command = [sys.executable, "-m", "bench.command", "issue", "--rounds", "1", "--slot", "0", "--json"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=500)
    report = json.loads(done.stdout)
    assert len(report["cases"]) == 4
    assert all(case["cpu_ms"] > 0 for case in report["cases"].values())
    assert report["rate of the whole issue in bulk to that of rendering alone"] > 0
    assert len(report["profile of the whole issue in bulk"]) == 30
