"""Where the checkout, its virtual environment and the state directory are. Standard library only."""

import os
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
VIRTUAL_ENVIRONMENT = CHECKOUT / "var" / "venv"
CACHE = CHECKOUT / "var" / "cache"
STATE_VARIABLE = "LONGZHENG_VAR"


def state_directory() -> Path:
    """The absolute state directory: `$LONGZHENG_VAR`, or `var/` of the checkout."""
    chosen = os.environ.get(STATE_VARIABLE)
    return Path(chosen).absolute() if chosen else CHECKOUT / "var"


def private_directory(path: Path) -> Path:
    """Makes a directory that only its owner can enter, if it is not there."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
