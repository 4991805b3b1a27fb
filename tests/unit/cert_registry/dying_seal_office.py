"""`dying_seal_office.py STATE DIRECTORY DEPARTMENT METHOD WHEN`: approve a seal, and die by SIGKILL at one call."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from registry_rooms import on_page, open_rooms

from cert_registry.civil_date import civil_date_at
from cert_registry.composition import RegistryRooms
from cert_registry.organisations.types import TypeSlug
from cert_registry.seals.types import Seal, SealApplication, SealKind
from cert_registry.types import DepartmentCode


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """A port that dies before or after one of its methods."""

    def __init__(self, port: Any, method: str, *, after: bool) -> None:
        self._port, self._method, self._after = port, method, after

    def __getattr__(self, name: str) -> Any:
        target: Callable[..., Any] = getattr(self._port, name)
        if name != self._method:
            return target

        def call(*args: Any, **kwargs: Any) -> Any:
            if not self._after:
                kill()
            target(*args, **kwargs)
            kill()

        return call


def application_of(department: str, **changes: Any) -> SealApplication:
    """An application that can be approved."""
    application = SealApplication(
        department=DepartmentCode(department),
        name="示例单位证照专用章",
        kind=SealKind.CERTIFICATE,
        filing_number="9901000000999",
        types=frozenset({TypeSlug("food-business-licence")}),
        valid_from=civil_date_at(datetime.now(UTC)),
        valid_to=None,
        usage_limit=None,
        reason="试验",
    )
    return replace(application, **changes)


def applied(rooms: RegistryRooms, department: str, **changes: Any) -> Seal:
    """A seal that waits for its approvals."""
    application = application_of(department, **changes)
    return rooms.seals.apply(application, by=on_page("wen.tao"), now=datetime.now(UTC))


def approved(rooms: RegistryRooms, seal: Seal) -> Seal:
    """The seal, approved by two."""
    for who in ("ji.lan", "xie.qiu"):
        seal = rooms.seals.approve(seal.seal_id, "同意", by=on_page(who), now=datetime.now(UTC))
    return seal


def main() -> None:
    """See the module."""
    state, directory, department, method, when = sys.argv[1:]
    rooms = open_rooms(Path(state), Path(directory))
    seal = applied(rooms, department)
    rooms.seals.approve(seal.seal_id, "同意", by=on_page("ji.lan"), now=datetime.now(UTC))
    part = "equipment" if hasattr(rooms.seals.equipment, method) else "book"
    dying = replace(rooms.seals, **{part: Dying(getattr(rooms.seals, part), method, after=when == "after")})
    dying.approve(seal.seal_id, "同意", by=on_page("xie.qiu"), now=datetime.now(UTC))


if __name__ == "__main__":
    main()
