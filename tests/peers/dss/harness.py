"""EU DSS as a judge: fetched once by Maven into var/cache, compiled with javac, asked over many files at once.

A folder's conftest.py takes the fixture by `from tests.peers.dss.harness import eu_dss as eu_dss`. Benchmarks use
`fetch_dss().jars` and classes of their own beside `ValidateOffline.java`.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
_CACHE = HERE.parents[2] / "var" / "cache"


@dataclass(frozen=True, slots=True, kw_only=True)
class DssVerdict:
    """What EU DSS says of one signature."""

    indication: str  # TOTAL_PASSED, TOTAL_FAILED, INDETERMINATE
    sub_indication: str | None
    level: str  # PAdES-BASELINE-B, -T, -LT, -LTA, or another name of DSS
    said: tuple[str, ...]  # its errors and warnings


@dataclass(frozen=True, slots=True, kw_only=True)
class EuDss:
    """EU DSS, ready to run.

    Attributes:
        version: Of the artefacts.
        jars: Directory with them and what they depend on.
    """

    version: str
    jars: Path

    def class_path(self, classes: Path) -> str:
        """What java's `-cp` takes."""
        return f"{classes}:{self.jars}/*"

    def compile(self, source: Path, into: Path) -> None:
        """Compile one Java file against DSS."""
        subprocess.run(
            ["javac", "-cp", f"{self.jars}/*", "-d", str(into), str(source)], check=True, timeout=300
        )

    def verdicts(
        self, files: Mapping[str, bytes], *, trust: bytes, at: datetime | None = None
    ) -> dict[str, list[DssVerdict]]:
        """Judge files offline under DSS's default policy.

        Args:
            files: PDF bytes by a name that is good for a file name.
            trust: The anchors, PEM.
            at: Validation time; None means the present.

        Returns:
            By name, one verdict a signature.
        """
        moment = "-" if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            (directory / "trust.pem").write_bytes(trust)
            paths = {key: directory / f"{key}.pdf" for key in files}
            for key, path in paths.items():
                path.write_bytes(files[key])
            self.compile(HERE / "ValidateOffline.java", directory)
            java = ["java", "-XX:+UseSerialGC", "-cp", self.class_path(directory), "ValidateOffline"]
            done = subprocess.run(
                [*java, str(directory / "trust.pem"), moment, *map(str, paths.values())],
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )
        if done.returncode:
            raise AssertionError(done.stdout + done.stderr)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        return {Path(one["file"]).stem: [_verdict(each) for each in one["signatures"]] for one in answers}


def _verdict(answer: Mapping[str, object]) -> DssVerdict:
    sub, said = answer["sub_indication"], answer["said"]
    return DssVerdict(
        indication=str(answer["indication"]),
        sub_indication=None if sub is None else str(sub),
        level=str(answer["level"]),
        said=tuple(map(str, said)) if isinstance(said, list) else (),
    )


def fetch_dss() -> EuDss:
    """EU DSS from var/cache, fetched by Maven when it is not there yet."""
    pom = (HERE / "pom.xml").read_text(encoding="utf-8")
    (version,) = re.findall(r"<dss\.version>([^<]+)</dss\.version>", pom)
    place = _CACHE / f"eu-dss-{version}"
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / ".eu-dss.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_dir():
            _fetch(place)
    return EuDss(version=version, jars=place)


def _fetch(place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=_CACHE) as name:
        directory = Path(name)
        shutil.copy(HERE / "pom.xml", directory)
        jars = directory / "jars"
        subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}"],
            cwd=directory,
            check=True,
            timeout=600,
            env=os.environ | {"MAVEN_OPTS": "-Xmx256m"},
        )
        jars.rename(place)


@pytest.fixture(scope="session")
def eu_dss() -> EuDss:
    """EU DSS, ready to run."""
    return fetch_dss()
