"""`./longzheng doctor`: looks for what would keep the system from working; each finding has a remedy.

Standard library only, so that it also works where nothing is installed; `deploy.examination` adds what can be
told from the configuration once the virtual environment exists.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy import bootstrap, system_packages, virtual_environment
from deploy.errors import DeployError, ExitCode
from deploy.locations import CHECKOUT, state_directory

NEEDED_MEMORY_BYTES = 3 * bootstrap.GIB // 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check saw; `remedy` is empty when all is well."""

    check: str
    well: bool
    sentence: str
    remedy: str = ""


def main(argv: list[str], more: Iterable[Finding] = ()) -> int:
    """Prints all findings.

    Args:
        argv: `--json` prints one JSON document.
        more: findings from the configuration.

    Returns:
        0 when all is well, 1 otherwise.
    """
    parser = argparse.ArgumentParser(prog="longzheng doctor", description="Looks for what is wrong.")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    options = parser.parse_args(argv)
    findings = [*machine_findings(), *more]
    well = all(finding.well for finding in findings)
    if options.json:
        document = {"well": well, "findings": [asdict(finding) for finding in findings]}
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for finding in findings:
            print(f"{'ok  ' if finding.well else 'MEND'}  {finding.check}: {finding.sentence}")
            if not finding.well:
                print(f"      {finding.remedy}")
    return int(ExitCode.DONE if well else ExitCode.NEGATIVE)


def machine_findings() -> list[Finding]:
    """Checks of the machine, whatever is installed."""
    return [
        _python(),
        _from_sentence("java", bootstrap.check_java, "Java {} with a compiler."),
        _from_sentence("disk", _disk, "enough space: {}."),
        _memory(),
        _clock(),
        _packages(),
        _environment(),
    ]


def _from_sentence(check: str, examine: Callable[[], str], good: str) -> Finding:
    try:
        seen = examine()
    except DeployError as error:
        sentence, _, remedy = str(error).partition(": ")
        return Finding(check=check, well=False, sentence=sentence + ".", remedy=remedy)
    return Finding(check=check, well=True, sentence=good.format(seen))


def _python() -> Finding:
    return Finding(check="python", well=True, sentence=f"Python {platform.python_version()}.")


def _disk() -> str:
    installed = (state_directory() / "longzheng.yaml").exists()
    wanted_bytes = bootstrap.START_BYTES if installed else bootstrap.INSTALL_BYTES
    for directory in (CHECKOUT, state_directory()):
        bootstrap.check_disk(directory, wanted_bytes)
    return f"more than {wanted_bytes / bootstrap.GIB:.2g} GiB free"


def _memory() -> Finding:
    total_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return Finding(
        check="memory",
        well=total_bytes >= NEEDED_MEMORY_BYTES,
        sentence=f"{total_bytes / bootstrap.GIB:.1f} GiB; Keycloak and the service together take about 1 GiB.",
        remedy=f"Give the machine at least {NEEDED_MEMORY_BYTES / bootstrap.GIB:.1f} GiB of memory.",
    )


def _clock(now: float | None = None) -> Finding:
    """A clock behind the files of the checkout is certainly wrong, and breaks every signature's time."""
    at = time.time() if now is None else now
    newest = max(path.stat().st_mtime for path in (CHECKOUT / "deploy").glob("*.py"))
    shown = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))
    return Finding(
        check="clock",
        well=at >= newest - 60,
        sentence=f"it is {shown}"
        + ("." if at >= newest - 60 else ", which is before this software was written."),
        remedy="Set the clock (timedatectl set-ntp true): tokens, seals and time stamps depend on it.",
    )


def _packages() -> Finding:
    names = system_packages.missing(system_packages.SERVICE_PACKAGES)
    return Finding(
        check="system packages",
        well=not names,
        sentence=f"missing: {', '.join(names)}." if names else "slapd, SoftHSM, fonts and tools are there.",
        remedy=f"As root: apt-get update && apt-get install -y --no-install-recommends {' '.join(names)}",
    )


def _environment() -> Finding:
    filled = virtual_environment.is_ready()
    return Finding(
        check="python packages",
        well=filled,
        sentence="as locked." if filled else "not installed, or not those of the lock file.",
        remedy="./longzheng up installs them.",
    )


def mode_of(path: Path) -> int:
    """Permission bits of a file."""
    return path.stat().st_mode & 0o777
