"""Which code a running part was started with, so that an update of the checkout does not leave an older one running.

A digest over the files that the service and the sites read at their start is kept beside each part's start; a
part whose digest is not that of the checkout mixes old code with new templates. Standard library only.
"""

import hashlib
from pathlib import Path

from deploy.locations import CHECKOUT

PACKAGES = ("cert_registry", "deploy", "hsm_sim", "idp", "static", "templates", "translations", "verify_api")
#: Not .mo and .pyc, which running makes.
SUFFIXES = frozenset({".css", ".html", ".js", ".json", ".lock", ".po", ".py", ".svg", ".typ", ".yaml"})
#: Parts that run code of the checkout are those that are not these.
FOREIGN_PARTS = frozenset({"directory", "keycloak"})


def digest(checkout: Path = CHECKOUT) -> str:
    """Return the digest of the checkout's code, templates and translations; takes about 0.1 s."""
    files = [path for package in PACKAGES for path in (checkout / package).rglob("*")]
    files = sorted(path for path in files if path.suffix in SUFFIXES and path.is_file())
    seen = hashlib.sha256()
    for path in (*files, *sorted(checkout.glob("*.py"))):
        content = hashlib.sha256(path.read_bytes()).digest()
        seen.update(str(path.relative_to(checkout)).encode() + b"\0" + content)
    return seen.hexdigest()


def remember(state_dir: Path, part: str, current: str) -> None:
    """Keep what a part is about to be started with."""
    if part not in FOREIGN_PARTS:
        _file(state_dir, part).write_text(current, encoding="ascii")


def is_older(state_dir: Path, part: str, current: str) -> bool:
    """Tell whether a running part was started with other code than the checkout's."""
    if part in FOREIGN_PARTS:
        return False
    file = _file(state_dir, part)
    return not file.exists() or file.read_text(encoding="ascii") != current


def _file(state_dir: Path, part: str) -> Path:
    return state_dir / "run" / f"code-{part}"
