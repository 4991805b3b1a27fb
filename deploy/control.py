"""Talks to the supervisor of a state directory: starts it, gives it orders, ends it."""

import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy import processes
from deploy.errors import PartUnhealthy, SupervisorUnreachable
from deploy.locations import CHECKOUT, private_directory
from deploy.supervisor import LOCK_NAME, short_path, socket_path

START_S = 40.0
ANSWER_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartState:
    """What the supervisor knows of one part."""

    running: bool
    process: int | None = None
    exit_status: int | None = None


def is_running(state_dir: Path) -> bool:
    """Whether a supervisor lives for this state directory."""
    return _holder(state_dir) is not None


def ensure_running(state_dir: Path) -> None:
    """Starts the supervisor in a session of its own, if it does not live; returns when it answers.

    Raises:
        SupervisorUnreachable: it does not answer.
    """
    if is_running(state_dir):
        return
    log = private_directory(state_dir / "log") / "supervisor.log"
    private_directory(state_dir / "run")
    with log.open("ab") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "deploy.supervisor", str(state_dir)],
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        with suppress(SupervisorUnreachable):
            states(state_dir)
            child.returncode = 0  # It outlives this process on purpose; nobody waits for it here.
            return
        if child.poll() is not None and not is_running(state_dir):
            break
        time.sleep(0.1)
    raise SupervisorUnreachable(f"The supervisor did not start: read {log} and run up again.")


def states(state_dir: Path) -> Mapping[str, PartState]:
    """What the supervisor knows of each part that it was ever told to start.

    Raises:
        SupervisorUnreachable: no supervisor lives, or it does not answer.
    """
    answer = _order(state_dir, {"order": "status"})
    return {
        name: PartState(
            running=report["state"] == "running",
            process=report.get("process"),
            exit_status=report.get("exit"),
        )
        for name, report in answer["parts"].items()
    }


def start(state_dir: Path, part: str) -> None:
    """Starts a part, if it does not run.

    Raises:
        PartUnhealthy: it cannot be started.
        SupervisorUnreachable: the supervisor does not answer.
    """
    answer = _order(state_dir, {"order": "start", "part": part})
    if not answer["done"]:
        raise PartUnhealthy(f"The part {part} cannot be started: {answer['reason']}.")


def stop(state_dir: Path, part: str) -> None:
    """Stops a part, if it runs.

    Raises:
        SupervisorUnreachable: the supervisor does not answer.
    """
    _order(state_dir, {"order": "stop", "part": part})


def shut_down(state_dir: Path, *, patience_s: float = 90.0) -> bool:
    """Ends the supervisor and all parts, and whatever an earlier one left. Returns whether anything ran."""
    holder = _holder(state_dir)
    if holder is not None:
        with suppress(SupervisorUnreachable):
            _order(state_dir, {"order": "shutdown"})
        deadline = time.monotonic() + patience_s
        while is_running(state_dir) and time.monotonic() < deadline:
            time.sleep(0.1)
        if holder > 0 and is_running(state_dir):
            with suppress(ProcessLookupError):
                os.kill(holder, signal.SIGKILL)
    left = processes.end_marked(state_dir)
    socket_path(state_dir / "run").unlink(missing_ok=True)
    return holder is not None or bool(left)


def _holder(state_dir: Path) -> int | None:
    """Process id of the living supervisor: the one that holds the lock, not merely one once written down."""
    try:
        file = (state_dir / "run" / LOCK_NAME).open("r", encoding="ascii")
    except OSError:
        return None
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = file.read().strip()
            return int(text) if text.isdigit() else 0  # 0: it is just writing its id
        return None


def _order(state_dir: Path, order: Mapping[str, str]) -> dict[str, Any]:
    path = socket_path(state_dir / "run")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection, short_path(path) as short:
            connection.settimeout(ANSWER_S)
            connection.connect(short)
            connection.sendall(json.dumps(dict(order)).encode() + b"\n")
            line = connection.makefile("rb").readline()
            answer: dict[str, Any] = json.loads(line)
    except (OSError, ValueError) as error:
        raise SupervisorUnreachable(
            f"The supervisor of {state_dir} does not answer ({error}): run ./longzheng down, then up."
        ) from error
    return answer
