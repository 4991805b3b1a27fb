"""veraPDF for contract tests: fetched once by Maven into var/cache, then run over many files at once.

A folder's conftest.py takes the fixture by `from tests.fixtures_verapdf import verapdf as verapdf`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

VERSION = "1.30.2"  # org.verapdf.apps:cli
CACHE = Path(__file__).resolve().parents[1] / "var" / "cache" / f"verapdf-{VERSION}"
MAIN_CLASS = "org.verapdf.apps.GreenfieldCliWrapper"

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>longzheng</groupId><artifactId>verapdf-for-tests</artifactId><version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.verapdf.apps</groupId><artifactId>cli</artifactId><version>{VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class VeraPdf:
    """veraPDF's command line.

    Args:
        jars: Directory with its jars.
    """

    jars: Path

    def failures(self, files: Mapping[str, bytes], flavour: str) -> dict[str, str]:
        """Which of the files break the flavour (`3a`, `ua1`), each with the report's failed rules.

        Args:
            files: PDF bytes by a name that is good for a file name.
            flavour: veraPDF's name of the profile.
        """
        with tempfile.TemporaryDirectory() as directory:
            paths = []
            for name, data in files.items():
                path = Path(directory) / f"{name}.pdf"
                path.write_bytes(data)
                paths.append(path)
            lines = self._run(flavour, paths)
        verdicts: dict[str, str] = {}
        current = ""
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word in {"PASS", "FAIL"} and rest.endswith(f" {flavour}"):
                current = Path(rest.removesuffix(f" {flavour}")).stem
                verdicts[current] = "" if word == "PASS" else line.strip()
            elif current and verdicts[current]:
                verdicts[current] += "\n" + line.strip()
        missing = {name: "no verdict:\n" + "\n".join(lines) for name in files if name not in verdicts}
        return {name: text for name, text in verdicts.items() if text} | missing

    def _run(self, flavour: str, paths: list[Path]) -> list[str]:
        java = ["java", "-XX:+UseSerialGC", "-cp", f"{self.jars}/*", MAIN_CLASS]
        done = subprocess.run(
            [*java, "-f", flavour, "--format", "text", "-v", *map(str, paths)],
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return (done.stdout + done.stderr).splitlines()


def fetch_verapdf() -> VeraPdf:
    """veraPDF from var/cache, fetched by Maven when it is not there yet."""
    if not (CACHE / f"cli-{VERSION}.jar").exists():
        CACHE.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE.parent) as directory:
            (Path(directory) / "pom.xml").write_text(_POM, encoding="utf-8")
            jars = Path(directory) / "jars"
            subprocess.run(
                ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}"],
                cwd=directory,
                check=True,
                timeout=600,
                env=os.environ | {"MAVEN_OPTS": "-Xmx256m"},
            )
            if not CACHE.exists():
                shutil.move(jars, CACHE)
    return VeraPdf(jars=CACHE)


@pytest.fixture(scope="session")
def verapdf() -> VeraPdf:
    """veraPDF, ready to run."""
    return fetch_verapdf()
