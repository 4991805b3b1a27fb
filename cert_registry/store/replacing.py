"""What an order replaces: whether it still stands to be replaced, its closing, and a replacement's refusal.

Everything here is asked and written inside the caller's transaction, so that a decision about the old ecert
that commits first is seen and stands.
"""

from __future__ import annotations

import secrets
from enum import Enum
from typing import TYPE_CHECKING, final

from sqlalchemy import select, update

from cert_registry.civil_date import LONG_TERM, Term, term_at
from cert_registry.errors import NotAuthorised, ReplacementRefused, StateChangeConflict, TransitionRefused
from cert_registry.log_events import state_leaf
from cert_registry.store.engine import insert_missing
from cert_registry.store.events import append_event
from cert_registry.store.outbox import put_leaf
from cert_registry.store.tables import DRAFTS, ECERT_HOLDERS, ECERTS, INTENTS, NOTICES
from cert_registry.types import (
    DraftStage,
    EcertState,
    FileState,
    IntentStage,
    Registration,
    StateEvent,
    StateOperation,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from cert_registry.issuance_forms import Intent
    from cert_registry.ports import HolderIndex, ReplacementRules
    from cert_registry.store.engine import Database
    from cert_registry.types import DepartmentCode, EcertIdentifier, Holder, IssueOrder
    from idp.identity.holder import HolderReference

_REASON = "换发：已由新版本替代"


class Obstacle(Enum):
    """Why an ecert cannot be replaced by an order; the value is the sentence for the officer."""

    NOT_THEIRS = "没有可由本单位换发的这份证照：标识不存在、不是本单位颁发，或证照类型不同。"
    STATE = "被替换的证照已不是可以换发的状态，或已被替换。"
    HOLDERS = "持证主体与被替换的证照不一致，不能换发。"


@final
class SqlReplacements:
    """`ReplacementBook` in SQL."""

    def __init__(self, *, database: Database, rules: ReplacementRules, holders: HolderIndex) -> None:
        self._database = database
        self._rules = rules
        self._holders = holders

    def require_open(
        self, order: IssueOrder, *, holders: Sequence[Holder] | None = None, now: datetime
    ) -> None:
        """Evidence that what the order replaces may be replaced by it; or was, by this very order.

        Raises:
            NotAuthorised: It is not there, of another issuer, or of another type: one answer.
            TransitionRefused: Its state does not allow it, or it has other holders.
        """
        if order.replaces is None:
            return
        references = None if holders is None else {self._holders.reference(holder) for holder in holders}
        with self._database.reading() as connection:
            obstacle = obstacle_to(connection, order, references, rules=self._rules, now=now)
            if obstacle is Obstacle.STATE and _is_done(connection, order):
                return
        if obstacle is Obstacle.NOT_THEIRS:
            raise NotAuthorised(obstacle.value, reason="replaces-foreign")
        if obstacle is not None:
            raise TransitionRefused(obstacle.value)

    def refuse(self, intent: Intent, *, now: datetime) -> None:
        """End an intent whose replacement cannot be; final."""
        with self._database.writing() as connection:
            refuse_replacement(connection, intent, now)


def obstacle_to(
    connection: Connection,
    order: IssueOrder,
    references: Collection[HolderReference] | None,
    *,
    rules: ReplacementRules,
    now: datetime,
) -> Obstacle | None:
    """What stands against replacing; None: nothing.

    Args:
        connection: The transaction in which the answer holds; the old row is locked where the database can.
        order: Names the ecert that it replaces.
        references: The new holders; None when they are not known yet.
        rules: What the type allows.
        now: Decides whether the old one has run out.
    """
    old = connection.execute(
        select(ECERTS).where(ECERTS.c.identifier == order.replaces).with_for_update()
    ).one_or_none()
    if (
        old is None
        or old.registration != Registration.EFFECTIVE.value
        or old.issuer_code != order.issuer_code
        or old.type_code != order.type_code
    ):
        return Obstacle.NOT_THEIRS
    if (
        old.replaced_by is not None
        or old.frozen
        or old.file_state != FileState.CURRENT.value
        or not rules.allows(old.type_code, StateOperation.REPLACE, state=_present_state(old, now))
    ):
        return Obstacle.STATE
    held = connection.scalars(
        select(ECERT_HOLDERS.c.holder_reference).where(ECERT_HOLDERS.c.identifier == order.replaces)
    ).all()
    if references is not None and set(references) != set(held):
        return Obstacle.HOLDERS
    return None


def close_replaced(
    connection: Connection,
    intent: Intent,
    replaced: EcertIdentifier,
    *,
    actor_id: str,
    actor_department: DepartmentCode,
    legal_basis: str,
    now: datetime,
) -> None:
    """End the old ecert with its own event; only after `obstacle_to` found none in this transaction.

    Raises:
        StateChangeConflict: Another event came in between; nothing was written.
    """
    order = intent.draft.order
    sequence = connection.scalars(
        select(ECERTS.c.state_sequence).where(ECERTS.c.identifier == replaced)
    ).one()
    event = StateEvent(
        identifier=replaced,
        sequence=sequence + 1,
        operation=StateOperation.REPLACE,
        state=EcertState.CANCELLED,
        file_state=FileState.VOIDED,
        reason=_REASON,
        legal_basis=legal_basis,
        actor_id=actor_id,
        actor_department=actor_department,
        case_number=order.case_number,
        effective_at=now,
        recorded_at=now,
    )
    append_event(connection, event)
    moved = connection.execute(
        update(ECERTS)
        .where(
            ECERTS.c.identifier == replaced,
            ECERTS.c.state_sequence == sequence,
            ECERTS.c.replaced_by.is_(None),
        )
        .values(
            state=event.state.value,
            file_state=event.file_state.value,
            state_sequence=event.sequence,
            replaced_by=intent.identifier,
        )
    ).rowcount
    if moved != 1:
        raise StateChangeConflict("证照状态已被他人变更，请刷新后再办。")
    put_leaf(connection, replaced, state_leaf(event, salt=secrets.token_bytes(32)), now=now)
    for reference in connection.scalars(
        select(ECERT_HOLDERS.c.holder_reference).where(ECERT_HOLDERS.c.identifier == replaced)
    ).all():
        insert_missing(
            connection,
            NOTICES,
            holder_reference=reference,
            identifier=replaced,
            kind=event.operation.value,
            sequence=event.sequence,
            created_at=now,
        )


def refuse_replacement(connection: Connection, intent: Intent, now: datetime) -> None:
    """The intent `refused` for good; its row, if there is one, stays `pending` and void; its draft goes back."""
    order = intent.draft.order
    connection.execute(
        update(INTENTS)
        .where(
            INTENTS.c.intent_id == intent.intent_id,
            INTENTS.c.stage.not_in((IntentStage.EFFECTIVE.value, IntentStage.DELIVERED.value)),
        )
        .values(stage=IntentStage.REFUSED.value, problem=ReplacementRefused.code)
    )
    connection.execute(
        update(ECERTS)
        .where(
            ECERTS.c.identifier == intent.identifier,
            ECERTS.c.registration == Registration.PENDING.value,
        )
        .values(state=EcertState.CANCELLED.value, file_state=FileState.VOIDED.value)
    )
    connection.execute(
        update(DRAFTS)
        .where(
            DRAFTS.c.issuer_code == order.issuer_code,
            DRAFTS.c.case_number == order.case_number,
            DRAFTS.c.type_code == order.type_code,
            DRAFTS.c.stage == DraftStage.SIGNED.value,
        )
        .values(
            stage=DraftStage.RETURNED.value,
            remark=ReplacementRefused.SENTENCE,
            revision=DRAFTS.c.revision + 1,
            changed_at=now,
        )
    )


def is_refused(connection: Connection, intent_id: str) -> bool:
    """Whether the intent ended without an ecert."""
    stage = connection.scalar(select(INTENTS.c.stage).where(INTENTS.c.intent_id == intent_id))
    return stage == IntentStage.REFUSED.value


def _present_state(old: Row[tuple[object, ...]], now: datetime) -> EcertState:
    state = EcertState(old.state)
    expiry = LONG_TERM if old.valid_until is None else old.valid_until
    ended = term_at(now, effective=old.valid_from, expiry=expiry) is Term.ENDED
    return EcertState.EXPIRED if ended and state in {EcertState.VALID, EcertState.SUSPENDED} else state


def _is_done(connection: Connection, order: IssueOrder) -> bool:
    """Whether it was this order's own intent that replaced it."""
    replaced_by = select(ECERTS.c.replaced_by).where(ECERTS.c.identifier == order.replaces).scalar_subquery()
    return (
        connection.execute(
            select(INTENTS.c.intent_id).where(
                INTENTS.c.identifier == replaced_by,
                INTENTS.c.issuer_code == order.issuer_code,
                INTENTS.c.case_number == order.case_number,
                INTENTS.c.type_code == order.type_code,
                INTENTS.c.service_item == order.service_item,
            )
        ).first()
        is not None
    )
