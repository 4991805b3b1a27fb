"""ofdrw as a second implementation of e-seals: fetched once by Maven into var/cache, run by Java.

ofdrw reads and writes versions 1 and 4; a version 5 structure without time stamps has the shape of version 4, so
it reads ours of both. Take the fixture by `from tests.peers.ofdrw.harness import ofdrw as ofdrw`.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.peers.maven import fetch_jars

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Ofdrw:
    """ofdrw and Bouncy Castle, ready to run."""

    jars: Path

    def read(self, kind: str, *files: Path) -> list[dict[str, str]]:
        """What it says of each `seal` or `signature`: `holds`, `seal-holds` of a signature's seal, and the fields."""
        lines = self._run(kind, *map(str, files)).splitlines()
        return [dict(part.split("=", 1) for part in line.split("|")) for line in lines]

    def make(self, directory: Path) -> None:
        """Let it write seals and signatures of versions 1 and 4, over the data `the protected data`."""
        self._run("make", str(directory))

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [
                "java",
                "-XX:+UseSerialGC",
                "-Dfile.encoding=UTF-8",
                "-cp",
                f"{self.jars}/*",
                str(HERE / "EsealPeer.java"),
                *arguments,
            ],
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        return done.stdout


def fetch_ofdrw() -> Ofdrw:
    """Ofdrw from var/cache, fetched by Maven when it is not there yet."""
    pom = HERE / "pom.xml"
    (version,) = re.findall(r"<ofdrw\.version>([^<]+)</ofdrw\.version>", pom.read_text(encoding="utf-8"))
    return Ofdrw(jars=fetch_jars(pom, f"ofdrw-{version}"))


@pytest.fixture(scope="session")
def ofdrw() -> Ofdrw:
    """Ofdrw, ready to run."""
    return fetch_ofdrw()
