"""State changes: 暂扣, 发还, 撤销, 吊销, 注销, each its own act with reason, legal basis, actor and two times.

A change takes effect when its transaction commits; its leaf lies in the outbox in that same transaction and
follows to the log. File state and certificate state are kept apart: taking a certificate away does not make
its file a forgery. Source: design sections 4 and 5; 行政许可法 sections 69, 70 (撤销, 注销); 行政处罚法 section 9.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from cert_registry.errors import (
    LogUnavailable,
    RequestMalformed,
    StateChangeConflict,
    TransitionRefused,
    UnknownEcert,
)
from cert_registry.free_text import (
    CONTROL_SENTENCE,
    CONTROL_SENTENCE_LINES,
    has_control,
    with_plain_newlines,
)
from cert_registry.lifecycle_states import state_at
from cert_registry.types import EcertState, FileState, Registration, StateEvent, StateOperation
from idp.identity.sentence import said

if TYPE_CHECKING:
    from datetime import datetime

    from cert_registry.ports import StateLeafWriter
    from cert_registry.types import DepartmentCode, EcertIdentifier, EcertSummary

_RESULT: Final = {
    StateOperation.SUSPEND: EcertState.SUSPENDED,
    StateOperation.RETURN: EcertState.VALID,
    StateOperation.REVOKE: EcertState.REVOKED,
    StateOperation.PENAL_REVOKE: EcertState.PENALLY_REVOKED,
    StateOperation.CANCEL: EcertState.CANCELLED,
}
_LONGEST_TEXT: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who changes a state: an officer, or a department system by its client id."""

    actor_id: str
    department_code: DepartmentCode
    is_system: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChange:
    """A decision about one certificate.

    Attributes:
        effective_at: When it takes effect in law; None: now. Not in the future, not before the issue.
        expected_sequence: The sequence that the actor saw; None when they accept whatever stands.
    """

    identifier: EcertIdentifier
    reason: str
    legal_basis: str
    actor: Actor
    case_number: str
    effective_at: datetime | None = None
    expected_sequence: int | None = None


class TransitionRules(Protocol):
    """What the type's data allows."""

    def allows(self, type_code: str, operation: StateOperation, *, state: EcertState) -> bool:
        """Whether the operation is possible from this state."""
        ...


class StateAuthority(Protocol):
    """Who may change states: the organisations room."""

    def authorise_change(self, actor: Actor, ecert: EcertSummary, *, now: datetime) -> None:
        """Evidence that the actor may change this certificate's state.

        Raises:
            NotAuthorised: No right, or another subtree.
        """
        ...


class StateBook(Protocol):
    """Rows and history."""

    def find(self, identifier: EcertIdentifier) -> EcertSummary | None:
        """One row, pending ones included."""
        ...

    def history(self, identifier: EcertIdentifier) -> tuple[StateEvent, ...]:
        """Every event of the ecert, oldest first."""
        ...

    def apply(self, event: StateEvent, *, now: datetime) -> None:
        """In one transaction: event, row, leaf in the outbox, notices.

        Raises:
            StateChangeConflict: Another event took this sequence number.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleRoom:
    """The parts that state changes need."""

    authority: StateAuthority
    rules: TransitionRules
    book: StateBook
    leaves: StateLeafWriter


def suspend(change: StateChange, *, room: LifecycleRoom, now: datetime) -> StateEvent:
    """暂扣: the certificate is held back for a time. Raises as `change_state`."""
    return change_state(StateOperation.SUSPEND, change, room=room, now=now)


def give_back(change: StateChange, *, room: LifecycleRoom, now: datetime) -> StateEvent:
    """发还: a suspension ends. Raises as `change_state`."""
    return change_state(StateOperation.RETURN, change, room=room, now=now)


def revoke(change: StateChange, *, room: LifecycleRoom, now: datetime) -> StateEvent:
    """撤销: the certificate should never have been granted; may take effect from the issue on. Raises as `change_state`."""
    return change_state(StateOperation.REVOKE, change, room=room, now=now)


def revoke_as_penalty(change: StateChange, *, room: LifecycleRoom, now: datetime) -> StateEvent:
    """吊销: a penalty for what the holder did. Raises as `change_state`."""
    return change_state(StateOperation.PENAL_REVOKE, change, room=room, now=now)


def cancel(change: StateChange, *, room: LifecycleRoom, now: datetime) -> StateEvent:
    """注销: the certificate ended, for example because the holder gave it up. Raises as `change_state`."""
    return change_state(StateOperation.CANCEL, change, room=room, now=now)


def change_state(
    operation: StateOperation, change: StateChange, *, room: LifecycleRoom, now: datetime
) -> StateEvent:
    """Records a decision about a certificate; the very next answer shows it.

    Raises:
        UnknownEcert: No effective ecert has this identifier.
        NotAuthorised: The actor may not change it.
        RequestMalformed: Reason, legal basis or case is missing; a time is impossible.
        TransitionRefused: The type does not allow it from the present state.
        StateChangeConflict: Somebody else changed it first.
    """
    ecert = room.book.find(change.identifier)
    if ecert is None or ecert.registration is not Registration.EFFECTIVE:
        raise UnknownEcert("没有查到相符的证照。")
    room.authority.authorise_change(change.actor, ecert, now=now)
    if change.expected_sequence not in (None, ecert.state_sequence):
        raise StateChangeConflict("证照状态已被他人变更，请刷新后再办。")
    history = room.book.history(change.identifier)
    effective_at = change.effective_at or now
    _require_complete(change, effective_at=effective_at, issued_at=history[0].effective_at, now=now)
    present = state_at(history, valid_from=ecert.valid_from, valid_until=ecert.valid_until, at=now)
    if operation not in _RESULT or not room.rules.allows(ecert.type_code, operation, state=present.state):
        raise TransitionRefused(
            said("该类证照处于“%(state)s”状态，不能办理此项变更。", state=present.state.title)
        )
    event = StateEvent(
        identifier=change.identifier,
        sequence=ecert.state_sequence + 1,
        operation=operation,
        state=_RESULT[operation],
        file_state=FileState.VOIDED if ecert.file_state is FileState.VOIDED else FileState.CURRENT,
        reason=with_plain_newlines(change.reason),
        legal_basis=change.legal_basis.strip(),
        actor_id=change.actor.actor_id,
        actor_department=change.actor.department_code,
        case_number=change.case_number.strip(),
        effective_at=effective_at,
        recorded_at=now,
    )
    room.book.apply(event, now=now)
    with suppress(LogUnavailable):  # the change stands; its leaf waits in the outbox and is pushed again
        room.leaves.push(now=now)
    return event


def _require_complete(
    change: StateChange, *, effective_at: datetime, issued_at: datetime, now: datetime
) -> None:
    findings = [
        (
            name,
            "必须填写。"
            if not text.strip()
            else said("不能超过 %(longest)s 个字符。", longest=_LONGEST_TEXT),
        )
        for name, text in (
            ("reason", change.reason),
            ("legal_basis", change.legal_basis),
            ("case_number", change.case_number),
        )
        if not text.strip() or len(text) > _LONGEST_TEXT
    ]
    if has_control(with_plain_newlines(change.reason), lines=True):
        findings.append(("reason", CONTROL_SENTENCE_LINES))
    findings += [
        (name, CONTROL_SENTENCE)
        for name, text in (("legal_basis", change.legal_basis), ("case_number", change.case_number))
        if has_control(text)
    ]
    if effective_at > now:
        findings.append(("effective_at", "生效时间不能晚于现在。"))
    if effective_at < issued_at:
        findings.append(("effective_at", "生效时间不能早于证照颁发时间。"))
    if findings:
        raise RequestMalformed("状态变更的内容不完整。", findings=findings)
