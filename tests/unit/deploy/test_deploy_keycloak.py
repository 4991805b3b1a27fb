import zipfile
from pathlib import Path

import pytest

from deploy import keycloak
from deploy.errors import DownloadAltered, InstallFailed, NetworkUnavailable

pytestmark = pytest.mark.thorough


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(keycloak, "CACHE", tmp_path / "cache")
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    monkeypatch.delenv("KEYCLOAK_HOME", raising=False)
    (tmp_path / "programs").mkdir()
    return tmp_path / "cache"


def maven(tmp_path: Path, script: str) -> None:
    program = tmp_path / "programs" / "mvn"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)


def test_an_altered_download_is_refused_and_removed(cache: Path) -> None:
    cache.mkdir()
    archive = cache / keycloak.ZIP_NAME
    archive.write_bytes(b"something else")
    with pytest.raises(DownloadAltered, match="is not the file that was pinned"):
        keycloak.distribution_zip()
    assert not archive.exists()


@pytest.mark.usefixtures("cache")
def test_no_maven_says_what_to_install() -> None:
    with pytest.raises(InstallFailed, match="apt-get install maven, or set KEYCLOAK_HOME"):
        keycloak.distribution_zip()


@pytest.mark.usefixtures("cache")
def test_no_network_for_maven_says_so(tmp_path: Path) -> None:
    maven(tmp_path, "echo '[ERROR] Could not transfer artifact'; exit 1")
    with pytest.raises(NetworkUnavailable, match="check the network"):
        keycloak.distribution_zip()


@pytest.mark.usefixtures("cache")
def test_another_failure_of_maven_names_its_log(tmp_path: Path) -> None:
    maven(tmp_path, "echo '[ERROR] settings.xml is broken'; exit 1")
    with pytest.raises(InstallFailed, match=r"mvn failed: mend what it names in .*maven\.log"):
        keycloak.distribution_zip()


@pytest.mark.parametrize("version", ["Keycloak - Version 25.0.1", None])
def test_an_existing_keycloak_must_be_of_the_version_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None
) -> None:
    if version:
        (tmp_path / "version.txt").write_text(version, encoding="utf-8")
    monkeypatch.setenv("KEYCLOAK_HOME", str(tmp_path))
    with pytest.raises(InstallFailed, match=r"is not a Keycloak 26\.7\.3"):
        keycloak.bundled_keycloak()


def test_an_existing_keycloak_is_copied_without_its_data(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    existing = tmp_path / "existing"
    (existing / "bin").mkdir(parents=True)
    (existing / "data").mkdir()
    (existing / "data" / "secret").touch()
    (existing / "version.txt").write_text("Keycloak - Version 26.7.3", encoding="utf-8")
    script = existing / "bin" / "kc.sh"
    script.write_text('#!/bin/sh\necho "$@" > "${0%/*}/../built-with"\n', encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("KEYCLOAK_HOME", str(existing))
    home, sources = tmp_path / "home", tmp_path / "sources"
    sources.mkdir()
    keycloak.ensure_built(home, sources=sources)
    assert (home / "built-with").read_text(encoding="utf-8").split() == ["build", *keycloak.BUILD_OPTIONS]
    assert not (home / "data").exists()
    assert not (existing / "built-with").exists()
    assert keycloak.is_built(home, sources=sources)
    assert cache.exists()


@pytest.mark.usefixtures("cache")
def test_accounts_restored_without_the_programs_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    existing = tmp_path / "existing"
    (existing / "bin").mkdir(parents=True)
    (existing / "version.txt").write_text("Keycloak - Version 26.7.3", encoding="utf-8")
    script = existing / "bin" / "kc.sh"
    script.write_text("#!/bin/sh\n", encoding="utf-8")
    script.chmod(0o755)
    monkeypatch.setenv("KEYCLOAK_HOME", str(existing))
    accounts = tmp_path / "home" / "data" / "h2" / "keycloakdb.mv.db"
    accounts.parent.mkdir(parents=True)
    accounts.write_text("accounts", encoding="ascii")
    keycloak.ensure_built(tmp_path / "home", sources=tmp_path / "none")
    assert accounts.read_text(encoding="ascii") == "accounts"
    assert keycloak.is_built(tmp_path / "home", sources=tmp_path / "none")


def test_the_provider_is_compiled_and_built_again_only_when_its_sources_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keycloak, "CACHE", tmp_path / "cache")
    home, sources = tmp_path / "home", tmp_path / "sources"
    (home / "bin").mkdir(parents=True)
    (home / "providers").mkdir()
    (home / keycloak.UNPACKED_MARK).touch()
    script = home / "bin" / "kc.sh"
    script.write_text('#!/bin/sh\necho built >> "${0%/*}/../builds"\n', encoding="utf-8")
    script.chmod(0o755)
    services = sources / "resources" / "META-INF" / "services"
    services.mkdir(parents=True)
    (services / "example.Factory").write_text("lamp.Lamp\n", encoding="ascii")
    lamp = sources / "src" / "lamp" / "Lamp.java"
    lamp.parent.mkdir(parents=True)
    lamp.write_text("package lamp; public class Lamp {}\n", encoding="ascii")
    for _ in range(2):
        keycloak.ensure_built(home, sources=sources)
    with zipfile.ZipFile(home / "providers" / keycloak.PROVIDER_JAR) as jar:
        assert set(jar.namelist()) == {"lamp/Lamp.class", "META-INF/services/example.Factory"}
    lamp.write_text("package lamp; public class Lamp { int light; }\n", encoding="ascii")
    assert not keycloak.is_built(home, sources=sources)
    keycloak.ensure_built(home, sources=sources)
    assert (home / "builds").read_text(encoding="ascii").count("built") == 2


def test_sources_that_do_not_compile_name_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keycloak, "CACHE", tmp_path / "cache")
    home, sources = tmp_path / "home", tmp_path / "sources"
    (home / "providers").mkdir(parents=True)
    (home / keycloak.UNPACKED_MARK).touch()
    sources.mkdir()
    (sources / "Broken.java").write_text("class {", encoding="ascii")
    with pytest.raises(InstallFailed, match=r"javac failed: mend what it names in .*keycloak-spi\.log"):
        keycloak.ensure_built(home, sources=sources)
    assert not keycloak.is_built(home, sources=sources)
