"""`./longzheng bench NAME`: measures this code beside its peers, in one run, as ratios.

A benchmark is a module of this folder with `run(*, rounds, slot_s, with_dss, long)`, which returns what `--json`
prints, and `table(report)`, which tells it to people.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

NAMES = ("seal", "issue", "validate")


def main(argv: list[str]) -> int:
    """0 done, 2 bad usage."""
    there = [name for name in NAMES if (Path(__file__).parent / f"{name}.py").is_file()]
    parser = argparse.ArgumentParser(prog="./longzheng bench", description=__doc__)
    parser.add_argument("name", choices=there)
    parser.add_argument("--rounds", type=int, default=7, help="slots of each case")
    parser.add_argument("--slot", type=float, default=0.5, metavar="SECONDS", help="CPU time of a slot")
    parser.add_argument("--without-dss", action="store_true", help="leave EU DSS out (it needs Maven)")
    parser.add_argument(
        "--long", action="store_true", help="also what takes long, as memory over 10,000 seals"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    chosen = parser.parse_args(argv)
    benchmark = importlib.import_module(f"bench.{chosen.name}")
    report = benchmark.run(
        rounds=chosen.rounds, slot_s=chosen.slot, with_dss=not chosen.without_dss, long=chosen.long
    )
    print(json.dumps(report, ensure_ascii=False, indent=2) if chosen.json else benchmark.table(report))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
