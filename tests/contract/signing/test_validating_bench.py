"""The validating benchmark runs, and every validator in it passes the files; how long anything takes is not looked at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.thorough

CHECKOUT = Path(__file__).resolve().parents[3]
_RUN = """
import json
import bench.workbench as w
from bench.validate import run, table

w.ALGORITHMS.pop("rsa3072")
report = run(rounds=1, slot_s=0.0, with_dss=False, long=False)
print(json.dumps({"report": report, "table": table(report)}))
"""


def test_every_validator_is_measured() -> None:
    """In a process of its own: SoftHSM reads one configuration a process."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN], cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=500
    )
    answer = json.loads(done.stdout.splitlines()[-1])
    told = answer["report"]["cases"]["p256 B_LT"]
    assert set(told["cases"]) == {"ours", "ours, isolated", "plain pyHanko"}
    assert all(one["wall_ms"] > 0 for one in told["cases"].values())
    assert answer["report"]["file of 25 signatures"]["signatures"] == 25
    assert "plain pyHanko" in answer["table"]
