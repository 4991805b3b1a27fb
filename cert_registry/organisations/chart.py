"""A chart: everything known about the organisations at one time, with its dated tree."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from cert_registry.organisations.errors import ChartRefused, UnknownOrganisation
from cert_registry.organisations.types import (
    Appointment,
    ClientRight,
    Department,
    IssuingRight,
    Placement,
    in_force,
)
from cert_registry.types import DepartmentCode


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganisationChart:
    """Departments, placements, appointments and rights, past and present."""

    departments: tuple[Department, ...]
    placements: tuple[Placement, ...]
    appointments: tuple[Appointment, ...]
    issuing_rights: tuple[IssuingRight, ...]
    client_rights: tuple[ClientRight, ...]
    _by_code: dict[DepartmentCode, Department] = field(init=False, repr=False, compare=False)
    _placements: dict[DepartmentCode, list[Placement]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        placed: dict[DepartmentCode, list[Placement]] = defaultdict(list)
        for placement in self.placements:
            placed[placement.department].append(placement)
        object.__setattr__(self, "_by_code", {each.code: each for each in self.departments})
        object.__setattr__(self, "_placements", dict(placed))

    def department(self, code: DepartmentCode) -> Department:
        """The department with this code.

        Raises:
            UnknownOrganisation: there never was one.
        """
        found = self._by_code.get(code)
        if found is None:
            raise UnknownOrganisation(f"没有代码为 {code} 的部门。")
        return found

    def placement(self, code: DepartmentCode, on: date) -> Placement | None:
        """Where a department hangs on that day; None when it is not in force."""
        return next((each for each in self._placements.get(code, ()) if in_force(each, on)), None)

    def path(self, code: DepartmentCode, on: date) -> tuple[DepartmentCode, ...]:
        """The department and all above it on that day, itself first; empty when it or one above is not in force.

        Raises:
            ChartRefused: the placements of that day run in a circle.
        """
        steps: list[DepartmentCode] = []
        current: DepartmentCode | None = code
        while current is not None:
            if current in steps:
                raise ChartRefused(f"{on} 的隶属关系成环：{' → '.join([*steps, current])}。")
            placement = self.placement(current, on)
            if placement is None:
                return ()
            steps.append(current)
            current = placement.parent
        return tuple(steps)

    def is_within(self, code: DepartmentCode, root: DepartmentCode, on: date) -> bool:
        """Whether a department lies in the subtree of ``root`` (``root`` itself included) on that day."""
        return root in self.path(code, on)

    def home(self, code: DepartmentCode, on: date) -> DepartmentCode:
        """The government that a department serves; no right of the department reaches beyond its subtree.

        A department hangs on its government at the same level; one that hangs on nothing, or on a higher level,
        is a government and its own home.

        Raises:
            UnknownOrganisation: there never was such a department.
        """
        placement = self.placement(code, on)
        if placement is None or placement.parent is None:
            return code
        same_level = self.department(placement.parent).level is self.department(code).level
        return placement.parent if same_level else code

    def check(self) -> None:
        """Evidence that the chart is one: known keys, no overlaps, no circle, no rank upside down.

        Raises:
            ChartRefused: with the first contradiction found.
        """
        for code, placements in self._placements.items():
            self._check_placements(self.department(code), placements)
        for day in sorted({each.valid_from for each in self.placements}):
            for code in self._placements:
                self.path(code, day)
        for part in self._parts():
            if part.valid_to is not None and part.valid_to < part.valid_from:
                raise ChartRefused(f"{part.department} 的一项记录止于开始之前。")
        for code in {each.within for each in self.issuing_rights} | {
            each.within for each in self.client_rights
        }:
            self.department(code)

    def _parts(self) -> Iterator[Placement | Appointment | IssuingRight | ClientRight]:
        yield from self.placements
        yield from self.appointments
        yield from self.issuing_rights
        yield from self.client_rights

    def _check_placements(self, department: Department, placements: list[Placement]) -> None:
        for placement in placements:
            if (
                placement.parent is not None
                and self.department(placement.parent).level.rank > department.level.rank
            ):
                raise ChartRefused(f"{department.name} 的层级高于其上级。")
            same_day = [each for each in placements if in_force(each, placement.valid_from)]
            if len(same_day) > 1:
                raise ChartRefused(f"{department.name} 在 {placement.valid_from} 有两个上级。")
