"""`./longzheng test`: the gates one after another, then pytest, whose closing line comes last.

A gate that fails makes the exit code 1, but the tests still run.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from deploy import control, ports
from deploy.errors import DeployError, ExitCode
from deploy.locations import CHECKOUT, VIRTUAL_ENVIRONMENT, state_directory
from deploy.progress import say
from deploy.startup import bring_up

BIN = VIRTUAL_ENVIRONMENT / "bin"
GATES = (
    ("lint", (str(BIN / "ruff"), "check", ".")),
    ("format", (str(BIN / "ruff"), "format", "--check", ".")),
    ("types", (str(BIN / "mypy"),)),
    ("import contracts", (str(BIN / "lint-imports"),)),
)
FAST = "not servers and not browser and not long"
USUAL = "not long"


def main(arguments: list[str]) -> int:
    """Runs the gates and the tests.

    Returns:
        0 when everything passed, 1 otherwise.
    """
    parser = argparse.ArgumentParser(prog="longzheng test", description="Lint, types, contracts and tests.")
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--fast", action="store_true", help="without servers and browser")
    extent.add_argument("--long", action="store_true", help="also what takes hours")
    parser.add_argument("pytest_arguments", nargs="*", help="after --: handed to pytest")
    options = parser.parse_args(arguments)
    failed = [name for name, command in GATES if not _passes(name, command)]
    state_dir = state_directory()
    was_running = control.is_running(state_dir)
    try:
        if not options.fast and not _system_is_up(state_dir):
            failed.append("starting the system")
        for name in failed:
            print(f"FAILED GATE: {name}", flush=True)
        passed = _run_pytest(fast=options.fast, everything=options.long, more=options.pytest_arguments)
    finally:
        if not options.fast and not was_running:
            control.shut_down(state_dir)
    return int(ExitCode.DONE if passed and not failed else ExitCode.NEGATIVE)


def _passes(name: str, command: tuple[str, ...]) -> bool:
    say(f"Gate: {name}")
    done = subprocess.run(
        command,
        cwd=CHECKOUT,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode != 0:
        print(done.stdout, flush=True)
    return done.returncode == 0


def _system_is_up(state_dir: Path) -> bool:
    """The tests' own system, in a state directory of its own unless LONGZHENG_VAR names one."""
    try:
        bring_up(state_dir, asked_ports=ports.asked_for([]))
    except DeployError as error:
        print(f"longzheng: {error}", flush=True)
        return False
    return True


def _run_pytest(*, fast: bool, everything: bool, more: list[str]) -> bool:
    command = [sys.executable, "-m", "pytest"]
    if fast:
        command += ["-m", FAST]
    elif not everything:
        command += ["-m", USUAL]
    if not fast and not more:
        command += ["--cov", "--cov-branch", "--cov-report=term"]
    sys.stdout.flush()
    done = subprocess.run([*command, *more], cwd=CHECKOUT, check=False, stdin=subprocess.DEVNULL)
    return done.returncode == 0
