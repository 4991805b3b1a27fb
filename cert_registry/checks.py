"""The record of checks: every question about an ecert is kept with who asked, for what, on which ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, final

from cert_registry.errors import CheckIncomplete
from cert_registry.free_text import CONTROL_SENTENCE, has_control
from idp.identity.sentence import said

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from cert_registry.types import DepartmentCode, EcertIdentifier

_LONGEST: Final = {
    "department_code": 18,
    "department_name": 200,
    "client_id": 64,
    "officer": 64,
    "purpose": 200,
    "service_item": 64,
    "case_number": 64,
    "legal_basis": 200,
    "operation": 24,
    "answer": 200,
}
MAXIMUM_COUNT: Final = 10_000
"""Checks are counted this far."""
_DEMANDED: Final = ("department_code", "client_id", "purpose", "service_item", "case_number", "operation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question and a summary of its answer.

    Attributes:
        identifier: None when what was asked for is not in the registry.
        officer: Who sat at the asking end, as the department names them; may be empty for automatic checks.
        operation: `verify-file`, `verify-digest`, `verify-identifier`, `compare`, `read`, `requirements`, …
        fields: Names of the fields compared or read; never values.
        answer: A summary such as `TOTAL-PASSED; 有效`; never a value.
    """

    identifier: EcertIdentifier | None
    department_code: DepartmentCode
    department_name: str
    client_id: str
    officer: str
    purpose: str
    service_item: str
    case_number: str
    legal_basis: str
    operation: str
    fields: tuple[str, ...] = ()
    answer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckRecord:
    """A check as it was recorded."""

    check_id: str
    asked_at: datetime
    check: Check


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckQuery:
    """One page of what some departments asked, or of what was asked about some ecerts.

    Attributes:
        identifiers: Only about these ecerts, whoever asked; then `department_codes` is left aside.
        since: Checks from this instant on, `until` before that one.
        place: Time and check that the page begins after.
        backward: The page ends before `place`; rows come nearest first.
    """

    department_codes: tuple[DepartmentCode, ...] = ()
    identifiers: tuple[EcertIdentifier, ...] = ()
    operation: str = ""
    since: datetime | None = None
    until: datetime | None = None
    descending: bool = True
    place: tuple[datetime, str] | None = None
    backward: bool = False
    limit: int = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPage:
    """Checks, and how many there are, no further than `MAXIMUM_COUNT`."""

    records: tuple[CheckRecord, ...]
    count: int
    more_than_count: bool


class CheckBook(Protocol):
    """Where checks are kept."""

    def add_all(self, checks: Sequence[Check], *, now: datetime) -> None:
        """Record checks in one transaction, durable when this returns."""
        ...

    def page(self, query: CheckQuery) -> CheckPage:
        """Checks in order."""
        ...

    def add(self, check: Check, *, now: datetime) -> str:
        """Record one check, durable when this returns; its id."""
        ...

    def count(
        self,
        identifier: EcertIdentifier,
        *,
        department_code: DepartmentCode,
        answer_ends: str,
        since: datetime,
    ) -> int:
        """How many checks of one ecert by one department since a time have an answer that ends so."""
        ...

    def about(self, identifier: EcertIdentifier, *, limit: int) -> tuple[CheckRecord, ...]:
        """Checks of one ecert, newest first."""
        ...


@final
class Checks:
    """Records checks and shows them to whom they concern."""

    def __init__(self, *, book: CheckBook) -> None:
        self._book = book

    def record_check(self, check: Check, *, now: datetime) -> str:
        """Record a check before its answer leaves; its id.

        Raises:
            CheckIncomplete: Purpose, service item, case number or asker is missing; a text is too long or holds
                control characters.
        """
        _require_complete(check)
        return self._book.add(check, now=now)

    def record_checks(self, checks: Sequence[Check], *, now: datetime) -> None:
        """Record the checks of an export before its rows leave, all or none.

        Raises:
            CheckIncomplete: As `record_check`.
        """
        for check in checks:
            _require_complete(check)
        if checks:
            self._book.add_all(checks, now=now)

    def page(self, query: CheckQuery) -> CheckPage:
        """One page of what some departments asked, for themselves, or of what was asked about ecerts, for their holder."""
        return self._book.page(query)

    def checks_of(self, identifier: EcertIdentifier, *, limit: int = 200) -> tuple[CheckRecord, ...]:
        """Every check of an ecert, newest first, for its holder."""
        return self._book.about(identifier, limit=limit)

    def count(
        self,
        identifier: EcertIdentifier,
        *,
        department_code: DepartmentCode,
        answer_ends: str,
        since: datetime,
    ) -> int:
        """How many checks of an ecert by a department since a time have an answer that ends so."""
        return self._book.count(
            identifier, department_code=department_code, answer_ends=answer_ends, since=since
        )


def _require_complete(check: Check) -> None:
    for name in _DEMANDED:
        if not str(getattr(check, name)).strip():
            raise CheckIncomplete(
                said("缺少必填项 %(name)s：每次查验都须写明查验主体、目的、事项和办件编号。", name=name)
            )
    for name, longest in _LONGEST.items():
        if len(str(getattr(check, name))) > longest:
            raise CheckIncomplete(said("%(name)s 超过 %(longest)s 个字符。", name=name, longest=longest))
        if has_control(str(getattr(check, name))):
            raise CheckIncomplete(said("%(name)s：%(sentence)s", name=name, sentence=CONTROL_SENTENCE))
