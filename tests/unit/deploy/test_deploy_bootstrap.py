import hashlib
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from deploy import bootstrap, system_packages, virtual_environment
from deploy.errors import DiskFull, InstallFailed, JavaUnsuitable, NetworkUnavailable, PackagesMissing
from deploy.system_packages import SystemPackage

pytestmark = pytest.mark.thorough


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH of its own, with nothing but what a test puts there."""
    directory = tmp_path / "programs"
    directory.mkdir()
    monkeypatch.setenv("PATH", str(directory))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    return directory


def program(directory: Path, name: str, script: str) -> None:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where apt's policy file and log go for the time of a test. Returns the policy file."""
    monkeypatch.setattr(system_packages, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(system_packages, "POLICY_FILE", tmp_path / "policy-rc.d")
    monkeypatch.setattr(system_packages, "SYSTEMD", tmp_path / "no-systemd")
    return tmp_path / "policy-rc.d"


@pytest.mark.usefixtures("programs")
def test_no_java_says_what_to_install() -> None:
    with pytest.raises(JavaUnsuitable, match=r"there is no java: .*apt-get install openjdk-17-jdk-headless"):
        bootstrap.check_java()


def test_java_without_compiler_says_so(programs: Path) -> None:
    program(programs, "java", "true")
    with pytest.raises(JavaUnsuitable, match="there is no javac"):
        bootstrap.check_java()


@pytest.mark.parametrize(
    ("line", "named"), [('openjdk version "11.0.2"', "version 11"), ("?", "version unknown")]
)
def test_an_old_java_says_which_is_needed(programs: Path, line: str, named: str) -> None:
    program(programs, "java", f"echo '{line}' >&2")
    program(programs, "javac", "true")
    with pytest.raises(JavaUnsuitable, match=f"needs Java 17 or later, and .* is {named}"):
        bootstrap.check_java()


def test_java_home_wins_over_the_path(
    programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(programs, "java", "echo 'version \"11\"' >&2")
    home = tmp_path / "jdk" / "bin"
    home.mkdir(parents=True)
    program(home, "java", "echo 'openjdk version \"21.0.1\"' >&2")
    program(home, "javac", "true")
    monkeypatch.setenv("JAVA_HOME", str(home.parent))
    assert bootstrap.check_java() == "21"


@pytest.mark.usefixtures("programs")
def test_all_that_is_missing_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(bootstrap, "VIRTUAL_ENVIRONMENT", tmp_path / "venv")
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    with pytest.raises(PackagesMissing, match=r"python3-venv .*openjdk-17-jdk-headless"):
        bootstrap.prepare_machine()


def test_too_little_disk_says_how_much_is_needed(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match=r"Only [\d.]+ GiB are free .* free some space, or set LONGZHENG_VAR"):
        bootstrap.check_disk(tmp_path / "not" / "there" / "yet", 2**60)
    bootstrap.check_disk(tmp_path, 1)


def test_an_old_python_is_refused() -> None:
    with pytest.raises(InstallFailed, match=r"This is Python 3\.9, but 3\.11 is needed"):
        bootstrap.check_python((3, 9))
    bootstrap.check_python((3, 11))


def test_a_package_is_missing_until_its_sign_is_there(tmp_path: Path) -> None:
    wanted = SystemPackage(name="thing", signs=("no-such-program-anywhere", str(tmp_path / "sign")))
    assert system_packages.missing([wanted]) == ("thing",)
    (tmp_path / "sign").touch()
    assert system_packages.missing([wanted]) == ()


def test_without_root_the_exact_command_is_told(programs: Path) -> None:
    program(programs, "apt-get", "exit 1")
    command = "apt-get update && apt-get install -y --no-install-recommends slapd softhsm2"
    with pytest.raises(PackagesMissing, match=f"as root run: {command}"):
        system_packages.install(("slapd", "softhsm2"), is_root=False)


@pytest.mark.usefixtures("programs")
def test_without_apt_the_packages_are_named() -> None:
    with pytest.raises(PackagesMissing, match="slapd"):
        system_packages.install(("slapd",), is_root=True)


def test_services_are_kept_from_starting_only_during_the_installation(programs: Path, machine: Path) -> None:
    program(programs, "apt-get", f'[ "$(head -n 1 {machine})" = "#!/bin/sh" ] && [ -x {machine} ] || exit 1')
    os.environ["PATH"] += os.pathsep + "/usr/bin" + os.pathsep + "/bin"
    system_packages.install(("slapd",), is_root=True)
    assert not machine.exists()


def test_a_policy_that_was_there_stays(programs: Path, machine: Path) -> None:
    machine.write_text("#!/bin/sh\nexit 0\n", encoding="ascii")
    program(programs, "apt-get", "exit 0")
    system_packages.install(("slapd",), is_root=True)
    assert machine.read_text(encoding="ascii") == "#!/bin/sh\nexit 0\n"


def test_a_policy_that_a_killed_installation_left_goes(programs: Path, machine: Path) -> None:
    machine.write_text(system_packages.POLICY_TEXT, encoding="ascii")
    program(programs, "apt-get", "exit 0")
    system_packages.install(("slapd",), is_root=True)
    assert not machine.exists()


def test_no_network_for_apt_says_so(programs: Path, machine: Path) -> None:
    program(programs, "apt-get", "echo \"Err: Temporary failure resolving 'archive'\"; exit 100")
    with pytest.raises(NetworkUnavailable, match="check the network and run again"):
        system_packages.install(("slapd",), is_root=True)
    assert not machine.exists()


@pytest.mark.usefixtures("machine")
def test_another_failure_of_apt_names_its_log(programs: Path) -> None:
    program(programs, "apt-get", "echo 'E: dpkg was interrupted'; exit 100")
    with pytest.raises(InstallFailed, match=r"apt-get update failed: mend what it names in .*apt\.log"):
        system_packages.install(("slapd",), is_root=True)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real virtual environment without anything in it."""
    path = tmp_path_factory.mktemp("environment") / "venv"
    subprocess.run([shutil.which("python3") or "python3", "-m", "venv", path], check=True)
    return path


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)


def wheel(directory: Path) -> Path:
    path = directory / "lantern-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("lantern.py", "LIT = True\n")
        file.writestr(
            "lantern-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: lantern\nVersion: 1.0\n"
        )
        file.writestr(
            "lantern-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr("lantern-1.0.dist-info/RECORD", "lantern.py,,\n")
    return path


def lock_file(directory: Path, digest: str) -> Path:
    path = directory / "test.lock"
    path.write_text(f"lantern==1.0 \\\n    --hash=sha256:{digest}\n", encoding="ascii")
    return path


@pytest.mark.usefixtures("offline")
def test_no_network_for_pip_says_so(environment: Path, tmp_path: Path) -> None:
    lock = lock_file(tmp_path, "0" * 64)
    with pytest.raises(NetworkUnavailable, match="check the network and run again"):
        virtual_environment.fill(lock, environment)
    assert not virtual_environment.is_filled(lock, environment)


@pytest.mark.usefixtures("offline")
def test_a_package_with_another_hash_is_refused(
    environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel(tmp_path)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    lock = lock_file(tmp_path, "0" * 64)
    with pytest.raises(InstallFailed, match="pip could not install"):
        virtual_environment.fill(lock, environment)
    assert not virtual_environment.is_filled(lock, environment)


@pytest.mark.usefixtures("offline")
def test_a_lock_is_installed_once(environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = hashlib.sha256(wheel(tmp_path).read_bytes()).hexdigest()
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    lock = lock_file(tmp_path, digest)
    virtual_environment.fill(lock, environment)
    lit = subprocess.run(
        [environment / "bin" / "python", "-c", "import lantern; print(lantern.LIT)"],
        capture_output=True,
        check=True,
    )
    assert lit.stdout == b"True\n"
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "gone"))
    virtual_environment.fill(lock, environment)
    lock.write_text(lock.read_text(encoding="ascii") + "# changed\n", encoding="ascii")
    assert not virtual_environment.is_filled(lock, environment)
