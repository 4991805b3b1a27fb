"""The history of states: appended, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from cert_registry.store.tables import STATE_EVENTS
from cert_registry.types import (
    DepartmentCode,
    EcertIdentifier,
    EcertState,
    FileState,
    StateEvent,
    StateOperation,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection


def append_event(connection: Connection, event: StateEvent) -> None:
    """Add an event inside the caller's transaction; a taken sequence number is an `IntegrityError`."""
    connection.execute(
        insert(STATE_EVENTS),
        {
            "identifier": event.identifier,
            "sequence": event.sequence,
            "operation": event.operation.value,
            "state": event.state.value,
            "file_state": event.file_state.value,
            "reason": event.reason,
            "legal_basis": event.legal_basis,
            "actor_id": event.actor_id,
            "actor_department": event.actor_department,
            "case_number": event.case_number,
            "effective_at": event.effective_at,
            "recorded_at": event.recorded_at,
        },
    )


def events_of(connection: Connection, identifier: EcertIdentifier) -> tuple[StateEvent, ...]:
    """The history of one ecert, oldest first."""
    rows = connection.execute(
        select(STATE_EVENTS).where(STATE_EVENTS.c.identifier == identifier).order_by(STATE_EVENTS.c.sequence)
    ).all()
    return tuple(
        StateEvent(
            identifier=EcertIdentifier(row.identifier),
            sequence=row.sequence,
            operation=StateOperation(row.operation),
            state=EcertState(row.state),
            file_state=FileState(row.file_state),
            reason=row.reason,
            legal_basis=row.legal_basis,
            actor_id=row.actor_id,
            actor_department=DepartmentCode(row.actor_department),
            case_number=row.case_number,
            effective_at=row.effective_at,
            recorded_at=row.recorded_at,
        )
        for row in rows
    )
