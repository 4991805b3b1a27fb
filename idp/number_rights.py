"""Which sites may be told an ID number, for which purposes and on what legal basis: a file that deploying writes.

The file is read at every question, so that a right that was taken away is gone at the next one. One that is missing or
damaged gives nobody a right.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRight:
    """One site's right.

    Attributes:
        site_id: its client id at Keycloak.
        site_name: as people know it.
        legal_basis: the law that gives the right.
        purposes: sentence for the person by code.
        return_to: the one address to which the person goes back.
    """

    site_id: str
    site_name: str
    legal_basis: str
    purposes: Mapping[str, str]
    return_to: str


class NumberRights:
    """The rights of a file; None stands for an installation in which nobody has any."""

    def __init__(self, file: Path | None) -> None:
        self._file = file

    def of(self, site_id: str, purpose: str) -> NumberRight | None:
        """The right of a site to ask for this purpose."""
        try:
            listed = json.loads(self._file.read_text(encoding="utf-8")) if self._file else {}
            right = _right(site_id, listed[site_id])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return right if purpose in right.purposes else None


def _right(site_id: str, row: Mapping[str, Any]) -> NumberRight:
    return NumberRight(
        site_id=site_id,
        site_name=str(row["site_name"]),
        legal_basis=str(row["legal_basis"]),
        purposes={str(code): str(sentence) for code, sentence in row["purposes"].items()},
        return_to=str(row["return_to"]),
    )
