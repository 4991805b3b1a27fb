"""What people call the sites and services at which they sign in: a file that deploying writes, read at every question."""

import json
from pathlib import Path


class ClientNames:
    """Names by client id; None stands for an installation without the file."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def all(self) -> dict[str, str]:
        """Every name; none when the file is missing or damaged, since a name only decorates."""
        try:
            listed = json.loads(self._file.read_text(encoding="utf-8")) if self._file else {}
            return {str(client_id): str(name) for client_id, name in listed.items()}
        except (OSError, ValueError, AttributeError):
            return {}
