"""From a bare machine to a virtual environment that can run `deploy.cli`. Standard library only."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from deploy import system_packages, virtual_environment
from deploy.errors import DiskFull, InstallFailed, JavaUnsuitable
from deploy.locations import CACHE, CHECKOUT, VIRTUAL_ENVIRONMENT, state_directory
from deploy.system_packages import SystemPackage

GIB = 1024**3
INSTALL_BYTES = 2 * GIB
START_BYTES = GIB // 4
OLDEST_JAVA = 17
OLDEST_PYTHON = (3, 11)


def prepare_environment(*, tests: bool = False) -> None:
    """Makes `var/venv` ready for commands that start nothing (`verify`), or for the gates as well.

    Raises:
        DeployError: one sentence that says what to do.
    """
    lock = virtual_environment.TEST_LOCK if tests else virtual_environment.RUNTIME_LOCK
    if virtual_environment.is_filled(lock):
        return
    check_disk(CHECKOUT, INSTALL_BYTES if not VIRTUAL_ENVIRONMENT.exists() else START_BYTES)
    _install_packages(_for_environment())
    virtual_environment.fill(lock)


def prepare_machine(*, tests: bool = False) -> None:
    """Installs what running the whole system needs, and checks Java and disk space.

    Raises:
        DeployError: one sentence that says what to do.
    """
    first = not (state_directory() / "longzheng.yaml").exists()
    check_disk(state_directory(), INSTALL_BYTES if first else START_BYTES)
    wanted = [*_for_environment(), *system_packages.SERVICE_PACKAGES]
    if os.environ.get("JAVA_HOME") is None:
        wanted.append(system_packages.JAVA)
    if not os.environ.get("KEYCLOAK_HOME") and not any(CACHE.glob("keycloak-*.zip")):
        wanted.append(system_packages.MAVEN)
    if tests:
        wanted.extend(system_packages.TEST_PACKAGES)
    _install_packages(tuple(wanted))
    check_java()
    prepare_environment(tests=tests)


def _for_environment() -> tuple[SystemPackage, ...]:
    """What making `var/venv` takes beside Python itself; Debian keeps it in a package of its own."""
    absent = importlib.util.find_spec("ensurepip") is None and not VIRTUAL_ENVIRONMENT.exists()
    return (system_packages.VENV,) if absent else ()


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> None:
    """Refuses a Python older than 3.11.

    Raises:
        InstallFailed: this Python is too old.
    """
    if version < OLDEST_PYTHON:
        found = ".".join(str(number) for number in version)
        raise InstallFailed(
            f"This is Python {found}, but 3.11 is needed: run it with python3.11 (Debian 12 has it as python3)."
        )


def check_disk(directory: Path, wanted_bytes: int) -> None:
    """Refuses to begin what cannot end.

    Raises:
        DiskFull: less than `wanted_bytes` are free where `directory` is or will be.
    """
    present = next(path for path in (directory, *directory.parents) if path.exists())
    free_bytes = shutil.disk_usage(present).free
    if free_bytes < wanted_bytes:
        raise DiskFull(
            f"Only {free_bytes / GIB:.1f} GiB are free where {directory} is, and {wanted_bytes / GIB:.1f} GiB"
            " are needed: free some space, or set LONGZHENG_VAR to a directory on a larger disk."
        )


def java_program(name: str = "java") -> str | None:
    """The path of `java` (or `javac`): of JAVA_HOME if set, else of PATH."""
    home = os.environ.get("JAVA_HOME")
    if home:
        program = Path(home) / "bin" / name
        return str(program) if program.exists() else None
    return shutil.which(name)


def check_java() -> str:
    """The version of a suitable Java.

    Raises:
        JavaUnsuitable: there is none, or it is older than 17, or it has no compiler.
    """
    remedy = "install one with: apt-get install openjdk-17-jdk-headless (or set JAVA_HOME to one)"
    java, compiler = java_program("java"), java_program("javac")
    home = os.environ.get("JAVA_HOME")
    if home and (java is None or compiler is None):
        absent = "java" if java is None else "javac"
        raise JavaUnsuitable(
            f"JAVA_HOME names {home}, and there is no bin/{absent}: unset JAVA_HOME, or set it to a Java development"
            " kit of version 17 or later."
        )
    if java is None or compiler is None:
        missing = "java" if java is None else "javac"
        raise JavaUnsuitable(
            f"Keycloak needs a Java development kit of version 17 or later, and there is no {missing}: {remedy}."
        )
    done = subprocess.run([java, "-version"], check=False, capture_output=True, text=True)
    found = re.search(r'version "(\d+)', done.stderr + done.stdout)
    if found is None or int(found.group(1)) < OLDEST_JAVA:
        version = found.group(1) if found else "unknown"
        raise JavaUnsuitable(f"Keycloak needs Java 17 or later, and {java} is version {version}: {remedy}.")
    return found.group(1)


def _install_packages(packages: tuple[SystemPackage, ...]) -> None:
    names = tuple(package.name for package in packages if not package.is_present())
    system_packages.install(names, is_root=os.geteuid() == 0)
