"""Jars of a peer: what its pom.xml names, fetched once by Maven into var/cache."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_CACHE = Path(__file__).resolve().parents[2] / "var" / "cache"


def fetch_jars(pom: Path, name: str) -> Path:
    """Return the directory with the jars, fetched when it is not there yet.

    Args:
        pom: The pom.xml.
        name: Of the directory below `var/cache`; holds the version.
    """
    place = _CACHE / name
    _CACHE.mkdir(parents=True, exist_ok=True)
    with (_CACHE / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_dir():
            _fetch(pom, place)
    return place


def _fetch(pom: Path, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=_CACHE) as name:
        directory = Path(name)
        shutil.copy(pom, directory)
        jars = directory / "jars"
        subprocess.run(
            ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={jars}"],
            cwd=directory,
            check=True,
            timeout=600,
            env=os.environ | {"MAVEN_OPTS": "-Xmx256m"},
        )
        jars.rename(place)
