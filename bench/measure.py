"""Measuring: cases take turns, so that a machine that others load as well loads all of them alike.

What counts are ratios between cases of one run. Each case is run in short slots, one after the other, for several
rounds; of each case the median over its slots is told, as CPU time and as wall time for one operation.
"""

import cProfile
import gc
import os
import platform
import pstats
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Samples:
    """Milliseconds for one operation, one figure a slot."""

    cpu_ms: list[float] = field(default_factory=list)
    wall_ms: list[float] = field(default_factory=list)

    @property
    def cpu(self) -> float:
        return statistics.median(self.cpu_ms)

    @property
    def wall(self) -> float:
        return statistics.median(self.wall_ms)

    def to_json(self) -> dict[str, float]:
        return {
            "cpu_ms": round(self.cpu, 4),
            "wall_ms": round(self.wall, 4),
            "per_core_and_second": round(1000 / self.cpu, 1),
            "slots": len(self.cpu_ms),
        }


def interleaved(
    cases: Mapping[str, Callable[[], object]], *, rounds: int, slot_s: float
) -> dict[str, Samples]:
    """Run every case in turns.

    Args:
        cases: By name, one operation.
        rounds: How many slots each case gets.
        slot_s: CPU seconds of a slot; at least one operation is run in it.
    """
    samples = {name: Samples() for name in cases}
    for work in cases.values():
        work()  # what is prepared once is not measured
    for number in range(rounds):
        for name, work in cases.items():
            _slot(work, samples[name], slot_s)
        say(f"round {number + 1} of {rounds}")
    return samples


def _slot(work: Callable[[], object], samples: Samples, slot_s: float) -> None:
    gc.collect()
    done, cpu, wall = 0, time.process_time(), time.perf_counter()
    ends = cpu + slot_s
    while done == 0 or time.process_time() < ends:
        work()
        done += 1
    samples.cpu_ms.append(1000 * (time.process_time() - cpu) / done)
    samples.wall_ms.append(1000 * (time.perf_counter() - wall) / done)


def profile(work: Callable[[], object], *, repeat: int, lines: int = 12) -> list[dict[str, object]]:
    """Where the time of one operation goes: functions by their own time, milliseconds an operation."""
    work()  # what is prepared once is not told
    profiler = cProfile.Profile(time.process_time)  # of the whole process: waiting costs nothing
    profiler.enable()
    for _ in range(repeat):
        work()
    profiler.disable()
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    own = sorted(((row[2], key) for key, row in stats.items()), reverse=True)[:lines]
    return [
        {"function": f"{Path(file).name}:{name}", "own_ms": round(1000 * spent / repeat, 4)}
        for spent, (file, _line, name) in own
    ]


def machine() -> dict[str, object]:
    """What this ran on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load": [round(one, 1) for one in os.getloadavg()],
        "python": platform.python_version(),
    }


def resident_bytes() -> int:
    """Memory of this process that is in use now."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
