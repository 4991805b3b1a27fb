"""What the pages for seals use, and the words they have in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from flask import g

from cert_registry.catalog.loading import Catalog
from cert_registry.civil_date import civil_date_at
from cert_registry.organisations.chart import OrganisationChart
from cert_registry.organisations.types import Role
from cert_registry.seals.authority import departments_in_reach
from cert_registry.seals.room import SealRoom
from cert_registry.seals.types import Channel, Seal, SealActor, SealState
from cert_registry.seals.using import SqlSealUses
from cert_registry.types import DepartmentCode

TONES: Final = {
    SealState.APPLIED: "suspended",
    SealState.ENDORSED: "suspended",
    SealState.APPROVED: "suspended",
    SealState.ACTIVE: "valid",
    SealState.SUSPENDED: "revoked",
    SealState.RESUMING: "revoked",
    SealState.REFUSED: "expired",
    SealState.REPLACED: "expired",
    SealState.REVOKED: "revoked",
}
"""State to the class of its badge in `static/app.css`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealPagesRoom:
    """What the pages use.

    Attributes:
        mark: 样例 in a demo, else None.
    """

    seals: SealRoom
    uses: SqlSealUses
    catalog: Catalog
    chart: Callable[[], OrganisationChart]
    clock: Callable[[], datetime]
    mark: str | None

    def reach(self, *roles: Role) -> tuple[DepartmentCode, ...]:
        """Departments that the officer of this request reaches with one of these roles."""
        return departments_in_reach(
            self.chart(), g.rights.staff_id, roles=frozenset(roles), on=civil_date_at(self.clock())
        )

    def department_name(self, code: str) -> str:
        """A department's name."""
        return self.chart().department(DepartmentCode(code)).name

    def type_names(self, seal: Seal) -> list[str]:
        """Names of the certificate types that a seal may seal."""
        names = {one.slug: one.name for one in self.catalog.types()}
        return [names.get(slug, slug) for slug in sorted(seal.types)]


def acting_officer() -> SealActor:
    """The officer of this request."""
    return SealActor(staff_id=g.rights.staff_id, channel=Channel.PAGE)
