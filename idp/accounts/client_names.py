"""What people call the sites and services at which they sign in, and what these are told: a file that deploying writes.

It is read at every question, so that a changed site is known at the next one.
"""

import json
from pathlib import Path
from typing import Any


class ClientNames:
    """Names and claims by client id; None stands for an installation without the file."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def all(self) -> dict[str, str]:
        """Every name; none when the file is missing or damaged, since a name only decorates."""
        return {client_id: str(told["name"]) for client_id, told in self._listed().items()}

    def claims_of(self, client_id: str) -> tuple[str, ...]:
        """Which claims about a person this client is told at a sign-in, as its file says now."""
        return tuple(str(claim) for claim in self._listed().get(client_id, {}).get("claims", ()))

    def _listed(self) -> dict[str, Any]:
        try:
            listed = json.loads(self._file.read_text(encoding="utf-8")) if self._file else {}
        except (OSError, ValueError):
            return {}
        clients = listed.items() if isinstance(listed, dict) else ()
        return {str(one): told for one, told in clients if isinstance(told, dict) and "name" in told}
