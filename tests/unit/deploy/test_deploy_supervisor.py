import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy import control, processes
from deploy.errors import PartUnhealthy, SupervisorUnreachable
from deploy.supervisor import SOCKET_NAME, short_path

pytestmark = pytest.mark.thorough

CHECKOUT = Path(__file__).resolve().parents[3]
CHILD = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
PROGRAM = """
import sys
from pathlib import Path
from deploy import supervisor
from deploy.parts import Part, Probe

def part(name, *argv):
    return Part(name=name, title=name, argv=argv, address="", probe=Probe.HTTP, probe_target="", ports={},
                stop_seconds=1, open_files=512 if name == "counted" else None)

supervisor.LOG_BYTES = 2000
supervisor.TICK_S = 0.1
python = sys.executable
parts = (
    part("family", python, "-c", CHILD),
    part("stubborn", python, "-c", STUBBORN),
    part("brief", python, "-c", "raise SystemExit(7)"),
    part("chatty", python, "-u", "-c", "import time\\nwhile True: print('x' * 200); time.sleep(0.01)"),
    part("counted", python, "-c", "import resource, time; print(resource.getrlimit(7)[0], flush=True); time.sleep(600)"),
    part("absent", "/nonexistent/program"),
)
sys.exit(supervisor.Supervisor(state_dir=Path(sys.argv[1]), load_parts=lambda: parts, leftover_patience_s=1).run())
"""


def until(holds: Callable[[], bool]) -> None:
    for _ in range(1200):
        if holds():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come to hold")


def answers(state_dir: Path) -> bool:
    try:
        control.states(state_dir)
    except SupervisorUnreachable:
        return False
    return True


def start_supervisor(state_dir: Path) -> subprocess.Popen[bytes]:
    program = f"CHILD = {CHILD!r}\nSTUBBORN = {STUBBORN!r}\n{PROGRAM}"
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(state_dir)], env={**os.environ, "PYTHONPATH": str(CHECKOUT)}
    )
    until(lambda: child.poll() is not None or answers(state_dir))
    return child


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    processes.end_marked(tmp_path, patience_s=0.5)


@pytest.fixture
def supervisor(state_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    child = start_supervisor(state_dir)
    yield child
    child.kill()
    child.wait()


@pytest.mark.usefixtures("supervisor")
def test_a_started_part_runs_and_starting_it_again_changes_nothing(state_dir: Path) -> None:
    control.start(state_dir, "family")
    first = control.states(state_dir)["family"]
    control.start(state_dir, "family")
    assert first.running
    assert control.states(state_dir)["family"] == first


@pytest.mark.usefixtures("supervisor")
def test_a_crash_is_told_and_the_rest_of_the_family_ends(state_dir: Path) -> None:
    control.start(state_dir, "family")
    leader = control.states(state_dir)["family"].process
    assert leader is not None
    until(lambda: len(processes.marked(state_dir)) == 2)
    os.kill(leader, signal.SIGKILL)
    until(lambda: not control.states(state_dir)["family"].running)
    assert control.states(state_dir)["family"].exit_status == -signal.SIGKILL
    until(lambda: not processes.marked(state_dir))


@pytest.mark.usefixtures("supervisor")
def test_an_exit_status_is_told_and_the_part_can_start_again(state_dir: Path) -> None:
    control.start(state_dir, "brief")
    until(lambda: control.states(state_dir)["brief"].exit_status == 7)
    control.start(state_dir, "brief")
    until(lambda: control.states(state_dir)["brief"].exit_status == 7)


@pytest.mark.usefixtures("supervisor")
def test_a_part_that_does_not_heed_the_signal_is_killed(state_dir: Path) -> None:
    control.start(state_dir, "stubborn")
    until(lambda: "deaf" in (state_dir / "log" / "stubborn.log").read_text(encoding="utf-8"))
    control.stop(state_dir, "stubborn")
    assert not processes.marked(state_dir)
    assert "stubborn" not in control.states(state_dir)


@pytest.mark.usefixtures("supervisor")
def test_a_program_that_is_not_there_is_a_sentence(state_dir: Path) -> None:
    with pytest.raises(PartUnhealthy, match="The part absent cannot be started: /nonexistent/program"):
        control.start(state_dir, "absent")


@pytest.mark.usefixtures("supervisor")
def test_an_unknown_part_is_a_sentence(state_dir: Path) -> None:
    with pytest.raises(PartUnhealthy, match="no part is called 'nobody'"):
        control.start(state_dir, "nobody")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_everything(
    state_dir: Path, supervisor: subprocess.Popen[bytes], number: signal.Signals
) -> None:
    control.start(state_dir, "family")
    supervisor.send_signal(number)
    assert supervisor.wait(timeout=60) == 0
    assert not processes.marked(state_dir)
    assert not (state_dir / "run" / SOCKET_NAME).exists()
    assert not control.is_running(state_dir)


def test_down_ends_everything(state_dir: Path, supervisor: subprocess.Popen[bytes]) -> None:
    control.start(state_dir, "family")
    control.start(state_dir, "stubborn")
    assert control.shut_down(state_dir)
    assert supervisor.wait(timeout=60) == 0
    assert not processes.marked(state_dir)
    assert not control.shut_down(state_dir)


def test_children_end_when_the_supervisor_is_killed(
    state_dir: Path, supervisor: subprocess.Popen[bytes]
) -> None:
    control.start(state_dir, "counted")
    supervisor.kill()
    supervisor.wait()
    until(lambda: not processes.marked(state_dir))


def test_a_later_start_cleans_what_a_killed_supervisor_left(
    state_dir: Path, supervisor: subprocess.Popen[bytes]
) -> None:
    control.start(state_dir, "stubborn")
    until(lambda: "deaf" in (state_dir / "log" / "stubborn.log").read_text(encoding="utf-8"))
    supervisor.kill()
    supervisor.wait()
    left = processes.marked(state_dir)
    assert len(left) == 1
    assert not control.is_running(state_dir)
    second = start_supervisor(state_dir)
    assert not set(left) & set(processes.marked(state_dir))
    second.terminate()
    assert second.wait(timeout=60) == 0


def test_only_one_supervisor_serves_a_state_directory(
    state_dir: Path, supervisor: subprocess.Popen[bytes]
) -> None:
    control.start(state_dir, "family")
    second = start_supervisor(state_dir)
    assert second.wait(timeout=60) == 1
    assert supervisor.poll() is None
    assert control.states(state_dir)["family"].running


@pytest.mark.usefixtures("supervisor")
def test_logs_are_turned_over_and_the_oldest_dropped(state_dir: Path) -> None:
    control.start(state_dir, "chatty")
    until((state_dir / "log" / "chatty.log.3").exists)
    time.sleep(0.5)
    assert not (state_dir / "log" / "chatty.log.4").exists()


@pytest.mark.usefixtures("supervisor")
def test_the_limit_of_open_files_is_set(state_dir: Path) -> None:
    control.start(state_dir, "counted")
    until(lambda: (state_dir / "log" / "counted.log").read_text(encoding="utf-8").strip() == "512")


@pytest.mark.usefixtures("supervisor")
@pytest.mark.parametrize("line", [b"\n", b"[]\n", b"{\n", b"\xff\n", b'{"order": "x"}\n', b"x" * 5000])
def test_nonsense_on_the_socket_is_answered_and_harms_nothing(state_dir: Path, line: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection, short_path(state_dir / "run" / SOCKET_NAME) as path:
        connection.connect(path)
        connection.sendall(line)
        answer = json.loads(connection.makefile("rb").readline())
    assert answer["done"] is False
    assert control.states(state_dir) == {}


@pytest.mark.usefixtures("supervisor")
def test_the_socket_is_private(state_dir: Path) -> None:
    assert (state_dir / "run" / SOCKET_NAME).stat().st_mode & 0o777 == 0o600


def test_a_deep_state_directory_is_no_hindrance(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-rather-long-directory-name"] * 6)
    deep.mkdir(parents=True)
    child = start_supervisor(deep)
    control.start(deep, "counted")
    assert control.shut_down(deep)
    assert child.wait(timeout=60) == 0


def test_no_supervisor_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SupervisorUnreachable, match=r"does not answer .* run \./longzheng down, then up"):
        control.states(tmp_path)
