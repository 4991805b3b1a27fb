"""Child processes that cannot outlive their parent unnoticed. Standard library only, Linux.

Each child is the leader of its own process group, gets SIGTERM when its parent dies, and carries the state
directory in its environment, so that a later start finds what a killed supervisor left behind, whatever
became of process numbers since.
"""

import ctypes
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

MARK = "LONGZHENG_SUPERVISED"
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def start(
    argv: tuple[str, ...],
    *,
    state_dir: Path,
    environment: Mapping[str, str],
    log: Path,
    open_files: int | None = None,
) -> subprocess.Popen[bytes]:
    """Starts a marked child in a group of its own, its output appended to `log`.

    Must be called from a process with one thread: the child is prepared between fork and exec.

    Args:
        argv: program and arguments.
        state_dir: the mark.
        environment: added to this process's environment.
        log: file that standard output and error go to.
        open_files: limit of open files; slapd reserves memory for every one it might open.

    Raises:
        OSError: the program cannot be run.
    """
    die_with_parent = _dying_with_parent()

    def prepare() -> None:
        die_with_parent()
        if open_files is not None:
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            limit = open_files if hard == resource.RLIM_INFINITY else min(open_files, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))

    with log.open("ab") as output:
        return subprocess.Popen(
            argv,
            env={**os.environ, **environment, MARK: str(state_dir)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # One thread, and only system calls before exec.
            preexec_fn=prepare,  # noqa: PLW1509
        )


def run_bound(arguments: Sequence[str | Path], *, log: Path) -> int:
    """Runs a program that must not go on when this process is killed, such as an installer. Returns its status.

    Args:
        arguments: program and arguments.
        log: overwritten with its output.
    """
    with log.open("wb") as output:
        return subprocess.run(
            arguments,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_dying_with_parent(),
        ).returncode


def _dying_with_parent() -> Callable[[], None]:
    parent = os.getpid()

    def prepare() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return prepare


def marked(state_dir: Path) -> tuple[int, ...]:
    """Process ids of all processes started for this state directory, descendants included."""
    wanted = f"{MARK}={state_dir}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            if wanted in (entry / "environ").read_bytes().split(b"\0") and not is_zombie(int(entry.name)):
                found.append(int(entry.name))
        except OSError:
            continue
    return tuple(found)


def listener(port: int) -> str | None:
    """The program that listens on a port of this machine, as `name, process 123`; None where it cannot be seen."""
    inodes = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    for entry in Path("/proc").iterdir() if inodes else ():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            if any(str(file.readlink()) in inodes for file in (entry / "fd").iterdir()):
                name = (entry / "comm").read_text(encoding="utf-8", errors="replace").strip()
                return f"{name}, process {entry.name}"
    return None


def _listening_inodes(port: int) -> Iterator[str]:
    """Source: proc(5), /proc/net/tcp: local address as hexadecimal ADDRESS:PORT, state 0A (listen), inode."""
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        with suppress(OSError):
            for line in table.read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                    yield fields[9]


def is_zombie(process_id: int) -> bool:
    """Whether the process has ended and only waits to be collected, or is gone."""
    try:
        fields = Path(f"/proc/{process_id}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return fields.rpartition(")")[2].split()[0] in {"Z", "X"}


def end_marked(state_dir: Path, *, patience_s: float = 10.0) -> tuple[int, ...]:
    """Ends all processes started for this state directory: SIGTERM, then SIGKILL. Returns who was there."""
    there = marked(state_dir)
    for process_id in there:
        _signal(process_id, signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while marked(state_dir) and time.monotonic() < deadline:
        time.sleep(0.1)
    for process_id in marked(state_dir):
        _signal(process_id, signal.SIGKILL)
    while marked(state_dir) and time.monotonic() < deadline + patience_s:
        time.sleep(0.05)
    return there


def end_group(child: subprocess.Popen[bytes], *, patience_s: float) -> None:
    """Ends a child and everything in its group: SIGTERM, then SIGKILL after `patience_s`."""
    _signal_group(child.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        child.wait(timeout=patience_s)
    _signal_group(child.pid, signal.SIGKILL)
    child.wait()


def end_rest_of_group(child: subprocess.Popen[bytes]) -> None:
    """After a child ended by itself: its own children go too."""
    _signal_group(child.pid, signal.SIGKILL)


def _signal(process_id: int, number: signal.Signals) -> None:
    try:
        os.kill(process_id, number)
    except ProcessLookupError:
        return


def _signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return
