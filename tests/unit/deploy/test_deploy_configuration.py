import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy import configuration, first_configuration, stored_secrets
from deploy.configuration import Mode, Ports
from deploy.errors import ConfigurationError

PORTS = Ports(service=1, keycloak=2, keycloak_management=3, directory=4, site_a=5, site_b=6)


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    first_configuration.complete(tmp_path, ports=PORTS, mode=Mode.DEMO)
    return tmp_path


def document(state_dir: Path) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((state_dir / "longzheng.yaml").read_text(encoding="utf-8"))
    return parsed


def rewrite(state_dir: Path, changed: Any) -> None:
    (state_dir / "longzheng.yaml").write_text(yaml.safe_dump(changed), encoding="utf-8")


def test_what_is_written_first_can_be_read(state_dir: Path) -> None:
    loaded = configuration.load(state_dir)
    assert loaded.ports == PORTS
    assert loaded.mode is Mode.DEMO
    assert loaded.keycloak.issuer == "http://localhost:2/realms/gov"
    assert set(loaded.token.tokens) == {"root", "seals", "pki", "log", "receipts", "keys"}
    assert loaded.sites["site-a"].other_url == loaded.sites["site-b"].url


def test_the_file_is_private(state_dir: Path) -> None:
    assert stat.S_IMODE((state_dir / "longzheng.yaml").stat().st_mode) == 0o600


def test_completing_again_changes_nothing(state_dir: Path) -> None:
    before = (state_dir / "longzheng.yaml").stat()
    first_configuration.complete(state_dir, ports=PORTS, mode=Mode.DEMO)
    after = (state_dir / "longzheng.yaml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_missing_key_is_added_and_a_changed_value_stays(state_dir: Path) -> None:
    changed = document(state_dir)
    del changed["verify"]["workers"]
    changed["public_url"] = "https://zheng.example"
    changed["registry"]["own"] = "kept"
    rewrite(state_dir, changed)
    first_configuration.complete(state_dir, ports=PORTS, mode=Mode.DEMO)
    completed = document(state_dir)
    assert completed["verify"]["workers"] == 2
    assert completed["public_url"] == "https://zheng.example"
    assert completed["registry"]["own"] == "kept"


def test_production_has_no_demo_people_and_no_sites(tmp_path: Path) -> None:
    first_configuration.complete(tmp_path, ports=PORTS, mode=Mode.PRODUCTION)
    loaded = configuration.load(tmp_path)
    assert not loaded.sites
    assert "people_file" not in loaded.section("directory")


def test_a_missing_file_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"run \./longzheng up"):
        configuration.load(tmp_path)


@pytest.mark.parametrize("text", ["", "- a\n", "a: [\n", "text"])
def test_a_broken_file_is_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "longzheng.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="restore it from backup"):
        configuration.load(tmp_path)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("mode",), "test", "mode is 'test'"),
        (("public_url",), None, "public_url"),
        (("ports", "service"), "80", r"ports\.service"),
        (("ports", "service"), True, r"ports\.service"),
        (("ports", "service"), 2, "two of the ports"),
        (("keycloak",), [], "section keycloak"),
        (("keycloak", "admin_secret_file"), "secrets/x", r"keycloak\.admin_secret_file must be an absolute"),
        (("token", "tokens", "seals"), "lz-seals", r"token\.tokens\.seals must hold label"),
        (("token", "tokens", "seals", "pin_file"), 7, r"token\.tokens\.seals\.pin_file"),
        (("sites", "site-a", "title"), "", r"sites\.site-a\.title"),
    ],
)
def test_a_wrong_value_is_named(state_dir: Path, path: tuple[str, ...], value: Any, named: str) -> None:
    changed = document(state_dir)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    rewrite(state_dir, changed)
    with pytest.raises(ConfigurationError, match=named):
        configuration.load(state_dir)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)
SECTIONS = ("mode", "ports", "keycloak", "directory", "token", "pki", "clients", "sites")


@given(sections=st.dictionaries(st.sampled_from(SECTIONS), json_values))
@settings(max_examples=150)
def test_any_document_is_read_or_refused_with_a_sentence(sections: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        configuration.from_mapping({"public_url": "x", **sections}, state_dir=Path("/srv/state"))


def test_secrets_are_private_and_made_once(state_dir: Path) -> None:
    loaded = configuration.load(state_dir)
    stored_secrets.make_missing(loaded)
    files = {path: path.read_bytes() for path in loaded.secrets_dir.rglob("*") if path.is_file()}
    assert loaded.client_key_file("dept-city-education") in files
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    assert stat.S_IMODE(loaded.secrets_dir.stat().st_mode) == 0o700
    assert len(set(files.values())) == len(files)
    stored_secrets.make_missing(loaded)
    assert files == {path: path.read_bytes() for path in files}


def test_a_secret_cut_off_while_written_is_made_anew(state_dir: Path) -> None:
    loaded = configuration.load(state_dir)
    loaded.secrets_dir.mkdir(mode=0o700)
    unfinished = loaded.secrets_dir / "keycloak-admin.unfinished"
    unfinished.write_bytes(b"hal")
    stored_secrets.make_missing(loaded)
    assert len(loaded.keycloak.admin_secret_file.read_text(encoding="ascii")) == 43
    assert not unfinished.exists()
