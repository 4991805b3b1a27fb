"""The look of Keycloak's pages: put in whole, noticed when it changed, without anything from elsewhere."""

import re
from pathlib import Path

import pytest
import yaml

from deploy import keycloak_theme
from deploy.errors import InstallFailed

TEMPLATES = sorted(keycloak_theme.SOURCES.glob("*.ftl"))
LOCALIZATION = keycloak_theme.SOURCES.parent / "localization"


def texts(language: str) -> dict[str, str]:
    loaded: dict[str, str] = yaml.safe_load((LOCALIZATION / f"{language}.yaml").read_text("utf-8"))["texts"]
    return loaded


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home" / "themes").mkdir(parents=True)
    return tmp_path / "home"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    (tmp_path / "sources" / "resources" / "css").mkdir(parents=True)
    (tmp_path / "sources" / "theme.properties").write_text("parent=base\n", encoding="utf-8")
    (tmp_path / "sources" / "login.ftl").write_text("<p>", encoding="utf-8")
    (tmp_path / "sources" / "resources" / "css" / "own.css").write_text("p {}", encoding="utf-8")
    return tmp_path / "sources"


def test_it_is_installed_once_and_again_when_something_changed(home: Path, sources: Path) -> None:
    assert not keycloak_theme.is_installed(home, demo=True, sources=sources)
    keycloak_theme.install(home, demo=True, sources=sources)
    assert keycloak_theme.is_installed(home, demo=True, sources=sources)
    assert not keycloak_theme.is_installed(home, demo=False, sources=sources)
    (sources / "login.ftl").write_text("<p>changed", encoding="utf-8")
    assert not keycloak_theme.is_installed(home, demo=True, sources=sources)
    keycloak_theme.install(home, demo=True, sources=sources)
    assert (home / "themes" / "longzheng" / "login" / "login.ftl").read_text("utf-8") == "<p>changed"


def test_files_that_browsers_keep_lie_under_their_version_and_old_ones_go(home: Path, sources: Path) -> None:
    keycloak_theme.install(home, demo=True, sources=sources)
    first = keycloak_theme.version(demo=True, sources=sources)
    (sources / "resources" / "css" / "own.css").write_text("p { margin: 0 }", encoding="utf-8")
    keycloak_theme.install(home, demo=True, sources=sources)
    second = keycloak_theme.version(demo=True, sources=sources)
    login = home / "themes" / "longzheng" / "login"
    assert [path.name for path in (login / "resources").iterdir()] == [second]
    assert first != second
    assert {
        str(path.relative_to(login / "resources" / second))
        for path in login.rglob("*.*")
        if path.parent != login
    } == {
        "css/app.css",
        "css/own.css",
        "img/mark.svg",
        "js/page.js",
    }
    assert f"version={second}" in (login / "theme.properties").read_text("utf-8")
    assert "demo=yes" in (login / "theme.properties").read_text("utf-8")


def test_what_cannot_be_written_says_where(tmp_path: Path, sources: Path) -> None:
    (tmp_path / "home").write_text("not a directory", encoding="utf-8")
    with pytest.raises(InstallFailed, match="could not be put into"):
        keycloak_theme.install(tmp_path / "home", demo=True, sources=sources)


def test_nothing_comes_from_elsewhere_and_it_is_light() -> None:
    files = [path for path in keycloak_theme.SOURCES.rglob("*") if path.is_file()]
    for path in files:
        text = path.read_text("utf-8")
        assert "http://" not in text, path
        assert "https://" not in text, path
        assert not re.search(r"@import|\bstyle=|<style|\bon[a-z]+=", text), (
            f"{path} has style or script inline"
        )
    carried = sum(path.stat().st_size for path in files if "resources" in path.parts)
    shared = sum((keycloak_theme.CHECKOUT / "static" / name).stat().st_size for name in keycloak_theme.SHARED)
    assert carried + shared < 60_000  # a page with all of it stays under 100 KB


def test_every_sentence_of_the_theme_exists_in_both_languages_and_is_used() -> None:
    used = {key for path in TEMPLATES for key in re.findall(r'msg\("(lz[\w-]+)"', path.read_text("utf-8"))}
    for language in ("zh-CN", "en"):
        own = {key for key in texts(language) if key.startswith("lz")}
        assert own == used | sms_refusals(), language


def sms_refusals() -> set[str]:
    """The sentence of each reason for which the text-message step refuses, whoever gives it."""
    room = [
        keycloak_theme.CHECKOUT / "idp" / name
        for name in ("sms/codes.py", "sms/sign_in.py", "mobile_number.py")
    ]
    codes = {code for path in room for code in re.findall(r'code="([a-z-]+)"', path.read_text("utf-8"))}
    own = {"gateway", "unavailable", "not-proved"}  # of a gateway's adapter, and of the step itself
    return {f"lzSms-{code}" for code in codes | own}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_no_sentence_trips_over_its_formatting(language: str) -> None:
    for key, text in texts(language).items():
        assert text.count("'") % 2 == 0, f"{key}: MessageFormat takes a single apostrophe for a quote"
        assert "''" in text or "'" not in text, key
        assert re.sub(r"\{\d\}", "", text).count("{") == 0, key
        assert text == text.strip() or key in {
            "lzErrorPrefix",
            "lzColon",
            "lzListComma",
            "lzOptional",
        }, key


def test_a_refusal_never_tells_a_locked_account_from_a_wrong_password() -> None:
    for language in ("zh-CN", "en"):
        said = texts(language)
        locked = {said[f"account{kind}DisabledMessage"] for kind in ("Temporarily", "Permanently")}
        assert locked == {said["invalidUserMessage"]}
        locked = {said[f"account{kind}DisabledMessageTotp"] for kind in ("Temporarily", "Permanently")}
        assert locked == {said["invalidTotpMessage"]}
