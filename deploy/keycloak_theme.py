"""Puts our pages' look into Keycloak: `realm-config/theme/` and the sheet, mark and script that all pages share.

A theme in Keycloak's `themes/` needs no build. Keycloak reads it once, so a changed one counts from the next start on.
Browsers keep its files for a month, and Keycloak keeps compressed copies by their path, so the files lie in a folder
that is named by the version, a digest over everything that went in.
"""

import hashlib
import shutil
from pathlib import Path

from deploy.errors import InstallFailed
from deploy.locations import CHECKOUT

NAME = "longzheng"
SOURCES = CHECKOUT / "realm-config" / "theme"
# What the pages share with our own, so that there is one look and one place to change it.
SHARED = {"app.css": "css", "mark.svg": "img", "page.js": "js"}
PROPERTIES = "theme.properties"


def version(*, demo: bool, sources: Path = SOURCES) -> str:
    """A digest over everything that goes into the theme, 16 hex digits."""
    digest = hashlib.sha256(b"demo" if demo else b"")
    for target, path in sorted(_files(sources).items()):
        digest.update(target.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def is_installed(home: Path, *, demo: bool, sources: Path = SOURCES) -> bool:
    """Whether the Keycloak at `home` has this theme."""
    properties = home / "themes" / NAME / "login" / PROPERTIES
    if not properties.exists():
        return False
    return f"version={version(demo=demo, sources=sources)}" in properties.read_text("utf-8").splitlines()


def install(home: Path, *, demo: bool, sources: Path = SOURCES) -> None:
    """Puts the theme into the Keycloak at `home`, which must not be running.

    Args:
        home: Keycloak's directory.
        demo: whether every page says that all is invented.
        sources: the theme's own files.

    Raises:
        InstallFailed: it cannot be written.
    """
    target, unfinished = home / "themes" / NAME, home / "themes" / f"{NAME}.unfinished"
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        current = version(demo=demo, sources=sources)
        for name, path in _files(sources).items():
            place = unfinished / "login" / name.replace("resources/", f"resources/{current}/", 1)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
        with (unfinished / "login" / PROPERTIES).open("a", encoding="utf-8") as file:
            file.write(f"demo={'yes' if demo else 'no'}\nversion={current}\n")
        shutil.rmtree(target, ignore_errors=True)
        unfinished.rename(target)
    except OSError as error:
        raise InstallFailed(
            f"The look of Keycloak's pages could not be put into {target} ({error.strerror}): make room or"
            " mend the permissions, and run again."
        ) from error


def _files(sources: Path) -> dict[str, Path]:
    """The theme's files by their place in it."""
    files = {str(path.relative_to(sources)): path for path in sources.rglob("*") if path.is_file()}
    return files | {f"resources/{place}/{name}": CHECKOUT / "static" / name for name, place in SHARED.items()}
