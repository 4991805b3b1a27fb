"""A token that misbehaves on command: building the failing PKCS#11 module and commanding it.

The module (`failing_module.c`) forwards to a real one and reads a control file on every call, so that a test, or a
person beside a running service, plays the failures of a network HSM against the code that will meet them.

    python -m hsm_sim.failing build --out DIRECTORY     # prints the module's path

The service is then pointed at it: `token.module_path` names the built module, and the environment
`LONGZHENG_FAILING_TARGET` the real one and `LONGZHENG_FAILING_CONTROL` the control file.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from hsm_sim.errors import CompilerMissing

SOURCE = Path(__file__).with_name("failing_module.c")
TARGET_VARIABLE = "LONGZHENG_FAILING_TARGET"
CONTROL_VARIABLE = "LONGZHENG_FAILING_CONTROL"

#: Values of PKCS#11 v2.40 that a network HSM answers when it fails.
CKR = {
    "GENERAL_ERROR": 0x05,
    "FUNCTION_FAILED": 0x06,
    "DEVICE_ERROR": 0x30,
    "DEVICE_MEMORY": 0x31,
    "DEVICE_REMOVED": 0x32,
    "KEY_HANDLE_INVALID": 0x60,
    "OPERATION_NOT_INITIALIZED": 0x91,
    "PIN_INCORRECT": 0xA0,
    "PIN_EXPIRED": 0xA3,
    "PIN_LOCKED": 0xA4,
    "SESSION_CLOSED": 0xB0,
    "SESSION_COUNT": 0xB1,
    "SESSION_HANDLE_INVALID": 0xB3,
    "TOKEN_NOT_PRESENT": 0xE0,
    "USER_NOT_LOGGED_IN": 0x101,
    "USER_TOO_MANY_TYPES": 0x105,
}


def build(directory: Path) -> Path:
    """Compile the module, unless the same source was compiled there before; returns its path.

    Raises:
        CompilerMissing: There is no C compiler, or it refuses; the sentence says what to install.
    """
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    module = directory / f"failing-pkcs11-{digest}.so"
    if module.is_file():
        return module
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise CompilerMissing("There is no C compiler: install the packages gcc and libc6-dev.")
    directory.mkdir(parents=True, exist_ok=True)
    beside = directory / f".{module.name}.{os.getpid()}"
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", "-fvisibility=hidden"]
    done = subprocess.run(  # noqa: S603 - a compiler over a file of ours
        [compiler, *flags, "-o", str(beside), str(SOURCE), "-ldl", "-lpthread"],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    if done.returncode:
        raise CompilerMissing(f"The failing module does not compile (gcc, libc6-dev?): {done.stderr.strip()}")
    beside.rename(module)
    return module


@dataclass(slots=True)
class FailingToken:
    """Commands a failing module through its control file; rules hold until `heal`.

    Args:
        control: The control file; it need not exist.
    """

    control: Path
    rules: list[str] = field(default_factory=list)

    def delay(self, function: str, ms: int) -> None:
        """Let each call of a function (`*`: every function) wait first."""
        self.add(f"{function} delay {ms}")

    def fail(self, function: str, answer: str, *, times: int | None = None) -> None:
        """Let a function answer an error by its name in `CKR`, always or so many times."""
        self.add(f"{function} fail {CKR[answer]:#x}" + ("" if times is None else f" x{times}"))

    def spoil(self, function: str = "C_Sign", *, times: int | None = None) -> None:
        """Let a function return a wrong result."""
        self.add(f"{function} wrong" + ("" if times is None else f" x{times}"))

    def hang(self, function: str = "C_Sign") -> None:
        """Let a function not return until the rules change."""
        self.add(f"{function} hang")

    def drop_sessions(self) -> None:
        """Close every session once, as a restart of the HSM does; logins end too."""
        self.add("drop-sessions")

    def remove(self) -> None:
        """Pull the token out."""
        self.add("remove-token")

    def trace(self, path: Path) -> None:
        """Let each call append a line to a file; `calls` reads it."""
        self.add(f"trace {path}")

    def heal(self) -> None:
        """End all failures; a trace goes on."""
        self.rules = [rule for rule in self.rules if rule.startswith("trace ")]
        self._write()

    def add(self, rule: str) -> None:
        """Add a rule in the control file's own words (see `failing_module.c`)."""
        self.rules.append(rule)
        self._write()

    def calls(self, function: str) -> list[int]:
        """Return the answers (CKR) that a function gave since the trace began."""
        (path,) = (rule.removeprefix("trace ") for rule in self.rules if rule.startswith("trace "))
        try:
            lines = Path(path).read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return []
        pairs = (line.split() for line in lines)
        return [int(answer, 16) for name, answer in pairs if name == function]

    def _write(self) -> None:
        beside = self.control.with_name(f".{self.control.name}.new")
        beside.write_text("\n".join(self.rules) + "\n", encoding="ascii")
        beside.replace(self.control)


def main(arguments: list[str] | None = None) -> int:
    """Build the module from the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m hsm_sim.failing", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    building = commands.add_parser("build", help="compile the module and print its path")
    building.add_argument("--out", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        sys.stdout.write(f"{build(options.out)}\n")
    except CompilerMissing as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
