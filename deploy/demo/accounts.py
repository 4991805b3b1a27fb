"""The demo's accounts: who they are, their passwords and phones; generated, kept in `secrets/demo-accounts.json`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.configuration import Configuration
from deploy.form_client import Citizen

_DEMO = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAccount:
    """An officer of the demo.

    Attributes:
        totp_secret: Base32, what the officer's phone holds.
    """

    staff_id: str
    password: str
    totp_secret: str


class DemoAccounts:
    """Reads and writes the file; never holds anything of a real person."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._file = configuration.secrets_dir / "demo-accounts.json"
        self._kept: dict[str, Any] = json.loads(self._file.read_text()) if self._file.exists() else {}

    def citizen_password(self) -> str:
        """The password that demo citizens choose."""
        if "citizen_password" not in self._kept:
            self._kept["citizen_password"] = f"Demo-{secrets.token_urlsafe(9)}-1"
            self._save()
        return str(self._kept["citizen_password"])

    def staff_password(self) -> str:
        """The password that every officer of the demo starts with."""
        file = self._configuration.section("directory")["staff_initial_password_file"]
        return Path(file).read_text().strip()

    def staff(self, staff_id: str) -> StaffAccount | None:
        """One officer, once the phone is enrolled."""
        secret = self._kept.get("staff", {}).get(staff_id)
        if secret is None:
            return None
        return StaffAccount(staff_id=staff_id, password=self.staff_password(), totp_secret=secret)

    def keep_staff(self, staff_id: str, totp_secret: str) -> None:
        """Keep what an officer's phone holds."""
        self._kept.setdefault("staff", {})[staff_id] = totp_secret
        self._save()

    def _save(self) -> None:
        waiting = self._file.with_suffix(".new")
        waiting.touch(mode=0o600)
        waiting.write_text(json.dumps(self._kept, indent=1))
        waiting.replace(self._file)


def organisations() -> Mapping[str, Any]:
    """The invented organisations."""
    loaded: Mapping[str, Any] = yaml.safe_load((_DEMO / "organisations.yaml").read_text(encoding="utf-8"))
    return loaded


def people() -> Mapping[str, Any]:
    """The invented people and legal persons."""
    loaded: Mapping[str, Any] = yaml.safe_load((_DEMO / "people.yaml").read_text(encoding="utf-8"))
    return loaded


def person(name: str) -> Citizen:
    """One invented person."""
    found = next(one for one in people()["people"] if one["name"] == name)
    return Citizen(name=found["name"], number=found["number"], mobile=found["mobile"])


def department_code(slug: str) -> str:
    """Credit code of an invented department."""
    return str(next(one["code"] for one in organisations()["departments"] if one["slug"] == slug))


def legal_person(name: str) -> Mapping[str, Any]:
    """One invented legal person."""
    found: Mapping[str, Any] = next(one for one in people()["legal_persons"] if one["name"] == name)
    return found
