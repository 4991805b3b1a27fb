"""The virtual environment `var/venv`, filled from a lock file with hashes. Standard library only.

A marker file holds the lock's digest, so that a second run does nothing.
"""

import fcntl
import hashlib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy import processes
from deploy.errors import InstallFailed, NetworkUnavailable
from deploy.locations import CACHE, CHECKOUT, VIRTUAL_ENVIRONMENT, private_directory
from deploy.progress import say, step

RUNTIME_LOCK = CHECKOUT / "deploy" / "requirements.lock"
TEST_LOCK = CHECKOUT / "deploy" / "requirements-test.lock"
NETWORK_SIGNS = (
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Max retries exceeded",
    "ConnectionResetError",
    "ReadTimeoutError",
    "No matching distribution found",
)


def is_filled(lock: Path, environment: Path = VIRTUAL_ENVIRONMENT) -> bool:
    """Whether this lock file was installed completely, by this Python."""
    marker = _marker(lock, environment)
    return (
        (environment / "bin" / "python").exists()
        and marker.exists()
        and marker.read_text(encoding="ascii") == _digest(lock)
    )


def fill(lock: Path, environment: Path = VIRTUAL_ENVIRONMENT) -> None:
    """Makes the environment and installs the lock file into it; nothing if that was done before.

    Raises:
        NetworkUnavailable: a package could not be downloaded.
        InstallFailed: any other failure; the sentence names the log.
    """
    if is_filled(lock, environment):
        return
    with _alone():
        if is_filled(lock, environment):
            return
        with step(f"Installing Python packages of {lock.name} into {environment}"):
            _make(environment)
            _install(lock, environment)
            _marker(lock, environment).write_text(_digest(lock), encoding="ascii")


def is_ready() -> bool:
    """Whether the environment holds what running needs; the tests' lock holds all of it."""
    return is_filled(RUNTIME_LOCK) or is_filled(TEST_LOCK)


def _marker(lock: Path, environment: Path) -> Path:
    return environment / f".filled-from-{lock.stem}"


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    with (private_directory(CACHE) / "install.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _make(environment: Path) -> None:
    python = environment / "bin" / "python"
    if python.exists():
        works = subprocess.run([python, "-m", "pip", "--version"], check=False, capture_output=True)
        if works.returncode == 0:
            return
    base: str = getattr(sys, "_base_executable", sys.executable)
    done = subprocess.run(
        [base, "-m", "venv", "--clear", environment], check=False, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise InstallFailed(
            f"{base} could not make a virtual environment in {environment}: install python3-venv and check"
            f" that the directory can be written ({(done.stderr or done.stdout).strip()[-200:]})."
        )


def _install(lock: Path, environment: Path) -> None:
    log = private_directory(CACHE) / "pip.log"
    # The lock is whole, so nothing is resolved here: Debian's pip takes the newest release of a name with an
    # extra (`coverage[toml]`) before it looks at the pin, and then finds no hash for it.
    options = (
        "--no-deps",
        "--require-hashes",
        "--no-input",
        "--progress-bar=off",
        "--root-user-action=ignore",
    )
    status = processes.run_bound(
        [environment / "bin" / "python", "-m", "pip", "install", *options, "-r", lock], log=log
    )
    if status == 0:
        return
    text = log.read_text(encoding="utf-8", errors="replace")
    if any(sign in text for sign in NETWORK_SIGNS):
        raise NetworkUnavailable(
            f"Python packages could not be downloaded: check the network and run again (log: {log})."
        )
    if "No space left on device" in text:
        raise InstallFailed(f"The disk of {environment} is full: free 2 GiB and run again.")
    say(text[-600:].strip())
    raise InstallFailed(f"pip could not install {lock.name}: mend what it names in {log} and run again.")
