"""The sealing benchmark runs, and what it measures are sound files; how long anything takes is not looked at."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.measure import interleaved

pytestmark = pytest.mark.thorough

CHECKOUT = Path(__file__).resolve().parents[3]
_CASES = {"token alone", "plain pyHanko", "reference path", "fast path", "fast path, released"}
_RUN = """
import json
from bench.seal import Cases, run
from bench.workbench import workbench
from cert_registry.signing.sealing import PadesLevel
import bench.workbench as w

w.ALGORITHMS.pop("rsa3072")
report = run(rounds=1, slot_s=0.0, with_dss=False, long=False)
with workbench() as bench:
    made = {level.name: Cases(bench, "p256").at(level)["plain pyHanko"]() for level in PadesLevel}
print(json.dumps({"report": report, "sealed": {k: v.count(b"/ByteRange") for k, v in made.items()}}))
"""


def test_every_case_is_measured_at_every_level() -> None:
    """In a process of its own: SoftHSM reads one configuration a process."""
    done = subprocess.run(
        [sys.executable, "-c", _RUN], cwd=CHECKOUT, capture_output=True, text=True, check=True, timeout=500
    )
    answer = json.loads(done.stdout)
    levels = answer["report"]["levels"]
    assert set(levels) == {"p256 B_B", "p256 B_T", "p256 B_LT", "p256 B_LTA"}
    for told in levels.values():
        assert set(told["cases"]) == _CASES
        assert all(one["cpu_ms"] > 0 for one in told["cases"].values())
    assert answer["sealed"] == {"B_B": 1, "B_T": 1, "B_LT": 1, "B_LTA": 2}


def test_cases_take_turns() -> None:
    order: list[str] = []
    samples = interleaved(
        {name: lambda name=name: order.append(name) for name in ("a", "b")}, rounds=3, slot_s=0.0
    )
    assert order == ["a", "b", "a", "b", "a", "b", "a", "b"]
    assert all(len(one.cpu_ms) == 3 for one in samples.values())
