"""Where the checkout, its virtual environment and the state directory are. Standard library only."""

import os
import stat
from contextlib import suppress
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VIRTUAL_ENVIRONMENT = CHECKOUT / "var" / "venv"
CACHE = CHECKOUT / "var" / "cache"
STATE_VARIABLE = "LONGZHENG_VAR"
SHAREABLE = frozenset({"venv", "cache"})


def state_directory() -> Path:
    """The absolute state directory: `$LONGZHENG_VAR`, or `var/` of the checkout."""
    chosen = os.environ.get(STATE_VARIABLE)
    return Path(chosen).absolute() if chosen else CHECKOUT / "var"


def keep_private() -> None:
    """From here on, what this process and its children make is for their user alone."""
    os.umask(0o077)


def private_directory(path: Path) -> Path:
    """Makes a directory that only its owner can enter, if it is not there."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def databases(state_dir: Path) -> tuple[Path, ...]:
    """Files of the SQLite databases and of Keycloak's."""
    return (*sorted(state_dir.glob("*.db*")), *sorted((state_dir / "keycloak" / "data" / "h2").glob("*")))


def tighten(state_dir: Path) -> None:
    """Takes from all others what an earlier version, or a copy, let them read in a state directory of ours.

    What is not made at run time (`venv`, `cache`) stays as it is, and so does what belongs to another user.
    """
    entries = [entry for entry in state_dir.iterdir() if entry.name not in SHAREABLE]
    for path in (state_dir, *entries, *databases(state_dir)):
        with suppress(PermissionError, FileNotFoundError):
            mode = path.lstat().st_mode
            if mode & 0o077 and not stat.S_ISLNK(mode):
                path.chmod(stat.S_IMODE(mode) & 0o700)
