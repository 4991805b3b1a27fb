"""EU DSS as a judge: fetched once by Maven into var/cache, compiled with javac, asked over many files at once.

A folder's conftest.py takes the fixture by `from tests.peers.dss.harness import eu_dss as eu_dss`. Benchmarks use
`fetch_dss().jars` and classes of their own beside `ValidateOffline.java`.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.peers.maven import fetch_jars

HERE = Path(__file__).resolve().parent


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
    pom = HERE / "pom.xml"
    (version,) = re.findall(r"<dss\.version>([^<]+)</dss\.version>", pom.read_text(encoding="utf-8"))
    return EuDss(version=version, jars=fetch_jars(pom, f"eu-dss-{version}"))


@pytest.fixture(scope="session")
def eu_dss() -> EuDss:
    """EU DSS, ready to run."""
    return fetch_dss()
