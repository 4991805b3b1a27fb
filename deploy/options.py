"""Options of those commands that install or start something: read before anything is done. Standard library only."""

import argparse
from pathlib import Path


def up() -> argparse.ArgumentParser:
    """Of `./longzheng up`."""
    parser = argparse.ArgumentParser(prog="longzheng up", description="Starts the system.")
    parser.add_argument("--detach", action="store_true", help="return when everything is healthy")
    parser.add_argument(
        "--port", action="append", default=[], metavar="NAME=NUMBER", help="a port, at first start only"
    )
    parser.add_argument("--production", action="store_true", help="no demo data, at first start only")
    return parser


def test() -> argparse.ArgumentParser:
    """Of `./longzheng test`."""
    parser = argparse.ArgumentParser(prog="longzheng test", description="Lint, types, contracts and tests.")
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--fast", action="store_true", help="without servers, browser and what takes long")
    extent.add_argument("--long", action="store_true", help="also what takes hours")
    parser.add_argument("pytest_arguments", nargs="*", help="after --: handed to pytest")
    return parser


def demo() -> argparse.ArgumentParser:
    """Of `./longzheng demo`."""
    parser = argparse.ArgumentParser(prog="longzheng demo", description="Play the main job end to end.")
    parser.add_argument("--out", type=Path, default=None, help="where the files go (default: var/demo)")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON document")
    parser.add_argument(
        "--code", metavar="STAFF", help="print an officer's one-time code of this moment, and end"
    )
    return parser


PARSERS = {"up": up, "test": test, "demo": demo}
