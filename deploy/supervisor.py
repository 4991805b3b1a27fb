"""One process that owns all parts: starts and stops them when told, collects them, turns their logs over.

It is told by one line of JSON on a Unix socket in `var/run` (mode 0600, directory 0700): `{"order": "status"}`,
`{"order": "start", "part": NAME}`, `{"order": "stop", "part": NAME}`, `{"order": "shutdown"}`; it answers with one
line. Asking parts for their health is left to whoever wants to know. It holds `var/run/supervisor.lock` while
it lives. One thread: children get their death signal from the thread that made them.
"""

import fcntl
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from deploy import processes
from deploy.configuration import load
from deploy.locations import keep_private, private_directory
from deploy.parts import Part, parts

SOCKET_NAME = "supervisor.sock"
LOCK_NAME = "supervisor.lock"
LOG_BYTES = 10 * 1024 * 1024
LOGS_KEPT = 3
TICK_S = 2.0
LOCK_TRIES = 10


@dataclass(slots=True, kw_only=True)
class _Running:
    part: Part
    child: subprocess.Popen[bytes]
    since: float


class Supervisor:
    """The children of one state directory."""

    def __init__(
        self,
        *,
        state_dir: Path,
        load_parts: Callable[[], tuple[Part, ...]],
        leftover_patience_s: float = 10.0,
    ) -> None:
        self._leftover_patience_s = leftover_patience_s
        self._state_dir = state_dir
        self._run_dir = private_directory(state_dir / "run")
        self._log_dir = private_directory(state_dir / "log")
        self._load_parts = load_parts
        self._running: dict[str, _Running] = {}
        self._ended: dict[str, int] = {}
        self._ending = False

    def run(self) -> int:
        """Serves orders until told to shut down or signalled; leaves no child behind.

        Returns:
            0, or 1 when another supervisor serves this state directory.
        """
        lock = take_lock(self._run_dir)
        if lock is None:
            return 1
        left = processes.end_marked(self._state_dir, patience_s=self._leftover_patience_s)
        if left:
            self._note(f"ended {len(left)} processes that an earlier supervisor left behind")
        with lock, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            self._listen(listener)
            try:
                self._serve(listener)
            finally:
                self._stop_all()
                socket_path(self._run_dir).unlink(missing_ok=True)
        return 0

    def _listen(self, listener: socket.socket) -> None:
        path = self._run_dir / SOCKET_NAME
        path.unlink(missing_ok=True)
        with short_path(path) as short:
            before = os.umask(0o177)
            try:
                listener.bind(short)
            finally:
                os.umask(before)
        listener.listen(8)
        listener.setblocking(False)

    def _serve(self, listener: socket.socket) -> None:
        waker, woken = socket.socketpair()
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_end_signal)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as selector, waker, woken:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while not self._ending:
                ready = [key.fileobj for key, _ in selector.select(TICK_S)]
                if woken in ready:
                    woken.recv(64)
                self._collect()
                if listener in ready:
                    self._answer(listener)
                self._turn_logs_over()
            signal.set_wakeup_fd(-1)

    def _on_end_signal(self, *_: object) -> None:
        self._ending = True

    def _answer(self, listener: socket.socket) -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.settimeout(2)
            try:
                line = connection.makefile("rb").readline(4096)
                answer = self._obey(json.loads(line))
            except (OSError, ValueError, TypeError, AttributeError) as error:
                answer = {"done": False, "reason": f"not an order: {error}"}
            try:
                connection.sendall(json.dumps(answer).encode() + b"\n")
            except OSError:
                self._note("an asker left before its answer")

    def _obey(self, order: Mapping[str, Any]) -> dict[str, Any]:
        name = order.get("part", "")
        match order.get("order"):
            case "status":
                return {"done": True, "process": os.getpid(), "parts": self._report()}
            case "start":
                return self._start(name)
            case "stop":
                return self._stop(name)
            case "shutdown":
                self._ending = True
                return {"done": True}
        return {"done": False, "reason": "unknown order"}

    def _report(self) -> dict[str, Any]:
        report: dict[str, Any] = {
            name: {"state": "running", "process": running.child.pid, "since": running.since}
            for name, running in self._running.items()
        }
        report.update({name: {"state": "ended", "exit": code} for name, code in self._ended.items()})
        return report

    def _start(self, name: str) -> dict[str, Any]:
        if name in self._running:
            return {"done": True}
        part = next((part for part in self._load_parts() if part.name == name), None)
        if part is None:
            return {"done": False, "reason": f"no part is called {name!r}"}
        try:
            child = processes.start(
                part.argv,
                state_dir=self._state_dir,
                environment=part.environment,
                log=self._log_dir / f"{name}.log",
                open_files=part.open_files,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return {"done": False, "reason": f"{part.argv[0]} cannot be run: {error}"}
        self._ended.pop(name, None)
        self._running[name] = _Running(part=part, child=child, since=time.time())
        self._note(f"started {name} as process {child.pid}")
        return {"done": True}

    def _stop(self, name: str) -> dict[str, Any]:
        running = self._running.pop(name, None)
        if running is not None:
            processes.end_group(running.child, patience_s=running.part.stop_seconds)
            self._note(f"stopped {name}")
        self._ended.pop(name, None)
        return {"done": True}

    def _stop_all(self) -> None:
        for name in reversed(list(self._running)):
            self._stop(name)
        processes.end_marked(self._state_dir)

    def _collect(self) -> None:
        for name, running in list(self._running.items()):
            code = running.child.poll()
            if code is not None:
                processes.end_rest_of_group(running.child)
                del self._running[name]
                self._ended[name] = code
                self._note(f"{name} ended by itself with {code}")

    def _turn_logs_over(self) -> None:
        """Copies a log that has grown and empties it: the writers append, and keep their file."""
        for log in self._log_dir.glob("*.log"):
            if log.stat().st_size < LOG_BYTES:
                continue
            for number in range(LOGS_KEPT - 1, 0, -1):
                older = log.with_suffix(f".log.{number}")
                if older.exists():
                    older.replace(log.with_suffix(f".log.{number + 1}"))
            log.with_suffix(".log.1").write_bytes(log.read_bytes())
            os.truncate(log, 0)

    def _note(self, sentence: str) -> None:
        with (self._log_dir / "supervisor.log").open("a", encoding="utf-8") as file:
            file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {sentence}\n")


def take_lock(run_dir: Path) -> TextIO | None:
    """The supervisor's lock, with this process's id in it; None while another process holds it."""
    file = (run_dir / LOCK_NAME).open("a+", encoding="ascii")
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)  # perhaps only someone who looks whether it is held
            continue
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        return file
    file.close()
    return None


def socket_path(run_dir: Path) -> Path:
    """Where the supervisor of this state directory listens."""
    return run_dir / SOCKET_NAME


class short_path:  # noqa: N801  (a context manager, used like a function)
    """A name for a socket that fits into the 107 bytes of `sun_path`, however deep its directory lies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def __enter__(self) -> str:
        self._descriptor = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._descriptor}/{self._path.name}"

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def main(argv: list[str]) -> int:
    """Runs the supervisor of the state directory that is the only argument."""
    keep_private()
    state_dir = Path(argv[0])
    return Supervisor(state_dir=state_dir, load_parts=lambda: parts(load(state_dir))).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
