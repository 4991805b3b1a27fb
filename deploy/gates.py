"""`./longzheng test`: the gates one after another, then pytest, whose closing line comes last.

A gate that fails makes the exit code 1, but the tests still run. The full run measures coverage, of the servers too,
and repeats pytest's closing line after the report.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from deploy import control, options, ports
from deploy.errors import DeployError, ExitCode
from deploy.locations import CHECKOUT, VIRTUAL_ENVIRONMENT, state_directory
from deploy.parts import COVERAGE_VARIABLE
from deploy.progress import say
from deploy.startup import bring_up

BIN = VIRTUAL_ENVIRONMENT / "bin"
GATES = (
    ("lint", (str(BIN / "ruff"), "check", ".")),
    ("format", (str(BIN / "ruff"), "format", "--check", ".")),
    ("types", (str(BIN / "mypy"),)),
    ("import contracts", (str(BIN / "lint-imports"),)),
)
FAST = "not servers and not browser and not thorough and not long"
USUAL = "not long"
EVERYTHING = ""
CLOSING_LINE = re.compile(
    r"(?:\d+ (?:passed|failed|errors?|skipped|deselected)|no tests ran)\b.* in [\d.]+s\b"
)


def main(arguments: list[str]) -> int:
    """Runs the gates and the tests.

    Returns:
        0 when everything passed, 1 otherwise.
    """
    chosen = options.test().parse_args(arguments)
    failed = [name for name, command in GATES if not _passes(name, command)]
    measured = not chosen.fast and not chosen.pytest_arguments
    if measured:
        os.environ |= {COVERAGE_VARIABLE: "1", "COVERAGE_FILE": str(CHECKOUT / ".coverage")}
    state_dir = state_directory()
    was_running = control.is_running(state_dir)
    try:
        if not chosen.fast and not _system_is_up(state_dir):
            failed.append("starting the system")
        for name in failed:
            print(f"FAILED GATE: {name}", flush=True)
        passed, closing_line = _run_pytest(_pytest_command(chosen, measured=measured))
    finally:
        if not chosen.fast and not was_running:
            control.shut_down(state_dir)
    if measured:
        _report_coverage()
        print(closing_line, flush=True)
    return int(ExitCode.DONE if passed and not failed else ExitCode.NEGATIVE)


def _pytest_command(chosen: argparse.Namespace, *, measured: bool) -> list[str]:
    command = [sys.executable, "-m", "coverage", "run", "-m"] if measured else [sys.executable, "-m"]
    command += ["pytest"]
    tier = FAST if chosen.fast else EVERYTHING if chosen.long else USUAL
    return [*command, "-m", tier, *chosen.pytest_arguments]


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


def _run_pytest(command: list[str]) -> tuple[bool, str]:
    """Runs the tests, passing their output on. Returns whether they passed, and the closing line."""
    closing_line = ""
    with subprocess.Popen(
        command,
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as tests:
        for line in tests.stdout or ():
            print(line, end="", flush=True)
            if CLOSING_LINE.search(line):
                closing_line = line.rstrip()
    return tests.returncode == 0, closing_line


def _report_coverage() -> None:
    """Puts together what the tests and the servers ran; after the servers ended, since they write at their end."""
    for command in (("combine", "-q"), ("report",)):
        done = subprocess.run(
            [sys.executable, "-m", "coverage", *command],
            cwd=CHECKOUT,
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        print(done.stdout, end="", flush=True)
