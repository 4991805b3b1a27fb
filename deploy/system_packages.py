"""Debian packages that the system needs, and installing them. Standard library only.

A package counts as present when the file or program that is wanted of it is there, so a machine where it
came by another way is left alone. Debian starts slapd as a service on installation; that is prevented by
`policy-rc.d` for the time of the installation, since this system starts its own slapd.
"""

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.errors import InstallFailed, NetworkUnavailable, PackagesMissing
from deploy.locations import CACHE, private_directory
from deploy.progress import say, step

POLICY_FILE = Path("/usr/sbin/policy-rc.d")
POLICY_TEXT = "#!/bin/sh\n# Written by longzheng for the time of one installation.\nexit 101\n"
SYSTEMD = Path("/run/systemd/system")
NETWORK_SIGNS = (
    "Temporary failure resolving",
    "Could not resolve",
    "Could not connect",
    "Connection timed out",
    "Network is unreachable",
    "Failed to fetch",
    "Unable to fetch",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPackage:
    """A Debian package; present when any of `signs` (a path, or a program on PATH) is there."""

    name: str
    signs: tuple[str, ...]

    def is_present(self) -> bool:
        """Whether what this package is wanted for is on the machine."""
        return any(Path(sign).exists() if "/" in sign else bool(_program(sign)) for sign in self.signs)


JAVA = SystemPackage(name="openjdk-17-jdk-headless", signs=("javac",))
MAVEN = SystemPackage(name="maven", signs=("mvn",))
VENV = SystemPackage(name="python3-venv", signs=())
FONTS = (
    SystemPackage(name="fonts-noto-cjk", signs=("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",)),
    SystemPackage(name="fonts-hanazono", signs=("/usr/share/fonts/truetype/hanazono",)),
)
SERVICE_PACKAGES = (
    SystemPackage(name="slapd", signs=("slapd",)),
    SystemPackage(name="ldap-utils", signs=("ldapsearch",)),
    SystemPackage(name="softhsm2", signs=("softhsm2-util",)),
    *FONTS,
    SystemPackage(name="poppler-utils", signs=("pdfsig",)),
    SystemPackage(name="unzip", signs=("unzip",)),
)
TEST_PACKAGES = (
    SystemPackage(name="chromium", signs=("chromium",)),
    SystemPackage(name="qpdf", signs=("qpdf",)),
    SystemPackage(name="curl", signs=("curl",)),
    SystemPackage(name="gcc", signs=("cc", "gcc")),
    SystemPackage(name="libc6-dev", signs=("/usr/include/dlfcn.h",)),
    MAVEN,
)


def missing(packages: Iterable[SystemPackage]) -> tuple[str, ...]:
    """Names of those packages that are not present."""
    return tuple(package.name for package in packages if not package.is_present())


def install(names: tuple[str, ...], *, is_root: bool) -> None:
    """Installs packages with apt.

    Raises:
        PackagesMissing: not root, or no apt; the sentence has the exact command to run.
        NetworkUnavailable: the packages could not be downloaded.
        InstallFailed: apt ended with another error.
    """
    if not names:
        return
    command = f"apt-get update && apt-get install -y --no-install-recommends {' '.join(names)}"
    if not is_root or not shutil.which("apt-get"):
        raise PackagesMissing(
            f"System packages are missing; as root run: {command} (then run this command again)."
        )
    with step(f"Installing system packages: {', '.join(names)}"), _services_not_started():
        _apt("update")
        _apt("install", "-y", "--no-install-recommends", *names)
    if "slapd" in names and SYSTEMD.exists():
        subprocess.run(["systemctl", "disable", "slapd"], check=False, capture_output=True)


def _program(name: str) -> str | None:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/local/sbin"
    return shutil.which(name, path=path)


@contextmanager
def _services_not_started() -> Iterator[None]:
    left_by_us = POLICY_FILE.exists() and POLICY_FILE.read_bytes() == POLICY_TEXT.encode()
    ours = left_by_us or not POLICY_FILE.exists()
    if ours:
        POLICY_FILE.write_text(POLICY_TEXT, encoding="ascii")
        POLICY_FILE.chmod(0o755)
    try:
        yield
    finally:
        if ours:
            POLICY_FILE.unlink(missing_ok=True)


def _apt(*arguments: str) -> None:
    log = private_directory(CACHE) / "apt.log"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(
        ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=600", *arguments],
        check=False,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=0o022,  # what apt installs is for everyone
    )
    with log.open("a", encoding="utf-8") as file:
        file.write(done.stdout)
    if done.returncode == 0:
        return
    if any(sign in done.stdout for sign in NETWORK_SIGNS):
        raise NetworkUnavailable(
            f"apt-get could not reach the package archive: check the network and run again (log: {log})."
        )
    say(done.stdout[-600:].strip())
    raise InstallFailed(f"apt-get {arguments[0]} failed: mend what it names in {log} and run again.")
