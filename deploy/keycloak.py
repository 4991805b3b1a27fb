"""Fetches, builds and keeps Keycloak: the distribution, the provider jar of `idp/keycloak-spi`, one build.

The digest of everything that the build depends on is kept beside it, so that it is built again only when the
distribution, the providers' sources or the build options change.
"""

import hashlib
import os
import re
import shutil
import zipfile
from pathlib import Path

from deploy import processes
from deploy.bootstrap import java_program
from deploy.errors import DownloadAltered, InstallFailed, NetworkUnavailable
from deploy.locations import CACHE, CHECKOUT, private_directory
from deploy.progress import say, step

VERSION = "26.7.3"
ARTEFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:zip"
ZIP_NAME = f"keycloak-quarkus-dist-{VERSION}.zip"
ZIP_SHA256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"
COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
PROVIDER_SOURCES = CHECKOUT / "idp" / "keycloak-spi"
PROVIDER_JAR = "longzheng-keycloak-spi.jar"
BUILD_OPTIONS = ("--db=dev-file", "--cache=local", "--health-enabled=true", "--metrics-enabled=true")
UNPACKED_MARK = ".longzheng-unpacked"
BUILT_MARK = ".longzheng-built"
NETWORK_SIGNS = ("Could not transfer", "Unknown host", "Connection refused", "Connect to", "timed out")


def is_built(home: Path, *, sources: Path = PROVIDER_SOURCES) -> bool:
    """Whether `home` holds a Keycloak built from what is pinned and from these provider sources."""
    mark = home / BUILT_MARK
    return mark.exists() and mark.read_text(encoding="ascii") == _build_digest(sources)


def ensure_built(home: Path, *, sources: Path = PROVIDER_SOURCES) -> None:
    """Makes `home` a built Keycloak; its data directory, if there is one, stays. It must not be running.

    Raises:
        NetworkUnavailable: the distribution could not be downloaded.
        DownloadAltered: it is not the pinned one.
        InstallFailed: compiling or building failed; the sentence names the log.
    """
    if is_built(home, sources=sources):
        return
    if not (home / UNPACKED_MARK).exists():
        _unpack(home)
    (home / BUILT_MARK).unlink(missing_ok=True)
    _make_provider_jar(home, sources)
    with step("Building Keycloak (once)"):
        _run_logged([str(home / "bin" / "kc.sh"), "build", *BUILD_OPTIONS], "keycloak-build.log")
    (home / BUILT_MARK).write_text(_build_digest(sources), encoding="ascii")


def distribution_zip() -> Path:
    """The pinned distribution in the cache, downloaded through Maven when it is not there.

    Raises:
        NetworkUnavailable: it could not be downloaded.
        DownloadAltered: its digest is not the pinned one.
    """
    path = private_directory(CACHE) / ZIP_NAME
    if not path.exists():
        _download(path)
    if _sha256(path) != ZIP_SHA256:
        path.unlink()
        raise DownloadAltered(
            f"{ZIP_NAME} is not the file that was pinned (SHA-256 {ZIP_SHA256[:16]}…) and was removed: run"
            " again; if it happens again, check where Maven gets its artefacts from."
        )
    return path


def bundled_keycloak() -> Path | None:
    """The existing Keycloak that KEYCLOAK_HOME names; it is copied and never written to.

    Raises:
        InstallFailed: it is no Keycloak of the version needed.
    """
    named = os.environ.get("KEYCLOAK_HOME")
    if not named:
        return None
    home = Path(named)
    version_file = home / "version.txt"
    version = version_file.read_text(encoding="utf-8").strip() if version_file.exists() else "unknown"
    found = re.search(r"(\d+\.\d+\.\d+)", version)
    if found is None or found.group(1) != VERSION:
        raise InstallFailed(
            f"KEYCLOAK_HOME ({home}) is not a Keycloak {VERSION} ({version}): unset it, or name one that is."
        )
    return home


def _download(path: Path) -> None:
    target = path.parent / "keycloak.unfinished"
    maven = shutil.which("mvn")
    if maven is None:
        raise InstallFailed("Maven is missing: apt-get install maven, or set KEYCLOAK_HOME to a Keycloak.")
    with step(f"Downloading Keycloak {VERSION}"):
        arguments = [maven, "-q", "-B", COPY_GOAL, f"-Dartifact={ARTEFACT}", f"-DoutputDirectory={target}"]
        _run_logged(arguments, "maven.log")
    (target / ZIP_NAME).replace(path)
    shutil.rmtree(target)


def _unpack(home: Path) -> None:
    existing = bundled_keycloak()
    kept, data = home.with_name("keycloak-data.kept"), home / "data"
    if data.exists() and not kept.exists():
        data.rename(kept)  # accounts, as restored from a backup without the programs
    if home.exists():
        shutil.rmtree(home)
    with step(f"Unpacking Keycloak into {home}"):
        if existing is not None:
            shutil.copytree(existing, home, symlinks=True, ignore=shutil.ignore_patterns("data", "*.log"))
        else:
            _unzip(distribution_zip(), home)
    if kept.exists():
        shutil.rmtree(data, ignore_errors=True)
        kept.rename(data)
    (home / UNPACKED_MARK).touch()


def _unzip(archive: Path, home: Path) -> None:
    unpacking = home.with_name("keycloak.unpacking")
    shutil.rmtree(unpacking, ignore_errors=True)
    try:
        with zipfile.ZipFile(archive) as file:
            file.extractall(unpacking)
    except OSError as error:
        shutil.rmtree(unpacking, ignore_errors=True)
        raise InstallFailed(f"Keycloak could not be unpacked into {home} ({error.strerror}).") from error
    (unpacking / f"keycloak-{VERSION}").rename(home)
    unpacking.rmdir()
    for script in (home / "bin").glob("*.sh"):
        script.chmod(0o755)


def _make_provider_jar(home: Path, sources: Path) -> None:
    """Compiles `sources` against this Keycloak; everything beside META-INF that is no source goes in too."""
    java_files = sorted(str(path) for path in sources.rglob("*.java"))
    if not java_files:
        say("No Keycloak provider sources: none are built")
        return
    classes = home / "providers" / ".classes"
    shutil.rmtree(classes, ignore_errors=True)
    classes.mkdir(parents=True)
    compiler = java_program("javac") or "javac"
    class_path = f"{home}/lib/lib/main/*"
    with step("Compiling the Keycloak provider"):
        arguments = [compiler, "--release", "17", "-Xlint:all,-processing,-classfile", "-proc:none"]
        _run_logged([*arguments, "-cp", class_path, "-d", str(classes), *java_files], "keycloak-spi.log")
    jar = home / "providers" / PROVIDER_JAR
    with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(path for path in classes.rglob("*") if path.is_file()):
            file.write(path, path.relative_to(classes))
        for root in {path.parent for path in sources.rglob("META-INF") if path.is_dir()}:
            for path in sorted(path for path in root.rglob("*") if path.is_file() and path.suffix != ".java"):
                file.write(path, path.relative_to(root))
    shutil.rmtree(classes)


def _build_digest(sources: Path) -> str:
    digest = hashlib.sha256("\0".join((ZIP_SHA256, *BUILD_OPTIONS)).encode())
    for path in sorted(path for path in sources.rglob("*") if path.is_file()):
        digest.update(str(path.relative_to(sources)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run_logged(arguments: list[str], log_name: str) -> None:
    log = private_directory(CACHE) / log_name
    if processes.run_bound(arguments, log=log) == 0:
        return
    text = log.read_text(encoding="utf-8", errors="replace")
    program = Path(arguments[0]).name
    if program == "mvn" and any(sign in text for sign in NETWORK_SIGNS):
        raise NetworkUnavailable(
            "Keycloak could not be downloaded: check the network (and Maven's settings) and run again, or set"
            f" KEYCLOAK_HOME to a Keycloak {VERSION} (log: {log})."
        )
    say(text[-600:].strip())
    raise InstallFailed(f"{program} failed: mend what it names in {log} and run again.")
