"""From a sealed intent to a row that may be answered as valid (steps 8 to 10)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, final

from sqlalchemy import bindparam, insert, select, update

from cert_registry.civil_date import civil_date_at
from cert_registry.errors import ReplacementRefused
from cert_registry.issuance_forms import PreparedEcert, RegisteredEcert
from cert_registry.log_events import ISSUED, issued_leaf
from cert_registry.store.ecert_terms import insert_terms
from cert_registry.store.engine import insert_missing
from cert_registry.store.events import append_event
from cert_registry.store.outbox import mark_leaf, put_leaf
from cert_registry.store.replacing import close_replaced, is_refused, obstacle_to, refuse_replacement
from cert_registry.store.tables import DRAFTS, ECERT_HOLDERS, ECERTS, INTENTS, NOTICES, OUTBOX
from cert_registry.types import (
    DraftStage,
    EcertIdentifier,
    EcertState,
    FileState,
    IntentStage,
    Origin,
    Registration,
    StateEvent,
    StateOperation,
    TwoPersons,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from cert_registry.issuance_forms import Intent, SealedIntent
    from cert_registry.ports import ActingDepartments, DataCipher, HolderIndex, ReplacementRules, TermSource
    from cert_registry.store.engine import Database
    from cert_registry.types import DepartmentCode
    from idp.identity.holder import HolderReference

# Statements of every issue, made once: making one takes longer than running it.
_ADVANCE: Final = update(INTENTS).where(
    INTENTS.c.intent_id == bindparam("of_intent"), INTENTS.c.stage == bindparam("of_stage")
)
_LEAF_OF: Final = select(OUTBOX.c.leaf_id, OUTBOX.c.leaf_entry, OUTBOX.c.leaf_index).where(
    OUTBOX.c.subject == bindparam("of_ecert"), OUTBOX.c.kind == ISSUED
)
_TAKE_EFFECT: Final = update(ECERTS).where(
    ECERTS.c.identifier == bindparam("of_ecert"), ECERTS.c.registration == Registration.PENDING.value
)
_REFERENCES_OF: Final = select(ECERT_HOLDERS.c.holder_reference).where(
    ECERT_HOLDERS.c.identifier == bindparam("of_ecert")
)
_END_DRAFT: Final = update(DRAFTS).where(
    DRAFTS.c.issuer_code == bindparam("of_issuer"),
    DRAFTS.c.case_number == bindparam("of_case"),
    DRAFTS.c.type_code == bindparam("of_type"),
    DRAFTS.c.stage == DraftStage.SIGNED.value,
)


def face_binding(identifier: str) -> bytes:
    """Associated data of an ecert's encrypted face."""
    return b"longzheng face v1\0" + identifier.encode()


def code_binding(identifier: str) -> bytes:
    """Associated data of an ecert's encrypted check code."""
    return b"longzheng check code v1\0" + identifier.encode()


@final
class SqlRegistration:
    """The registration book in SQL.

    Args:
        database: Where the rows are.
        cipher: Encrypts faces and check codes.
        holders: References of holders.
        rules: What types say of replacing.
        departments: In whose name a replaced ecert is closed.
        terms: What an ecert is found by.
    """

    def __init__(
        self,
        *,
        database: Database,
        cipher: DataCipher,
        holders: HolderIndex,
        rules: ReplacementRules,
        departments: ActingDepartments,
        terms: TermSource,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._holders = holders
        self._rules = rules
        self._departments = departments
        self._terms = terms

    def registered(self, sealed: SealedIntent) -> RegisteredEcert | None:
        """What step 8 recorded.

        Raises:
            ReplacementRefused: The intent ended without an ecert.
        """
        with self._database.reading() as connection:
            if is_refused(connection, sealed.rendered.intent.intent_id):
                raise ReplacementRefused
            return _registered(connection, sealed)

    def prepare(self, sealed: SealedIntent, *, now: datetime) -> PreparedEcert:
        """What `register` writes, made before its transaction.

        Raises:
            TokenBusyOrGone: The token does not answer.
        """
        draft = sealed.rendered.intent.draft
        return PreparedEcert(
            row=self._ecert_row(sealed, now),
            references=tuple((self._holders.reference(one), one.code_type) for one in draft.holders),
            terms=self._terms.terms_of(
                issuer_code=draft.order.issuer_code, type_code=draft.order.type_code, face=draft.face
            ),
        )

    def register(
        self, sealed: SealedIntent, *, now: datetime, prepared: PreparedEcert | None = None
    ) -> RegisteredEcert:
        """In one transaction: the row `pending`, its holders, its first event, its leaf.

        Raises:
            ReplacementRefused: What the intent replaces was decided about first; the intent ended.
            TokenBusyOrGone: Nothing was prepared, and the token does not answer.
        """
        intent = sealed.rendered.intent
        made = prepared or self.prepare(sealed, now=now)
        with self._database.writing() as connection:
            refused = self._refused(connection, intent, {reference for reference, _ in made.references}, now)
            registered = _registered(connection, sealed)
            if registered is None and not refused:
                connection.execute(insert(ECERTS), dict(made.row))
                _insert_holders(connection, intent.identifier, made.references)
                insert_terms(connection, intent.identifier, made.terms)
                append_event(connection, _issue_event(intent, now))
                leaf = issued_leaf(sealed)
                leaf_id = put_leaf(connection, intent.identifier, leaf, now=now)
                _advance(connection, intent, IntentStage.SEALED, IntentStage.PENDING)
                registered = RegisteredEcert(
                    sealed=sealed, leaf_id=leaf_id, leaf_entry=leaf.entry, leaf_index=None
                )
        if refused:
            raise ReplacementRefused
        if registered is None:
            raise AssertionError("a row that was just inserted is there")
        return registered

    def make_effective(self, registered: RegisteredEcert, *, leaf_index: int, now: datetime) -> None:
        """The row `effective`, the leaf sequenced; a replaced version is closed with its own event.

        Raises:
            ReplacementRefused: What the intent replaces was decided about first; the intent ended, its row
                stays `pending` and void, its leaf tells of a file that was never delivered.
            StateChangeConflict: That happened at this very moment; calling again is right.
        """
        intent = registered.sealed.rendered.intent
        order = intent.draft.order
        references: set[HolderReference] = set()
        department = order.issuer_code
        if order.replaces is not None:  # who closes the old one, and for whom
            references = {self._holders.reference(holder) for holder in intent.draft.holders}
            department = self._departments.acting_department(order, now=now)
        with self._database.writing() as connection:
            mark_leaf(connection, registered.leaf_id, leaf_index, now=now)
            refused = self._refused(connection, intent, references, now)
            if not refused:
                self._make_effective(connection, intent, department, now)
        if refused:
            raise ReplacementRefused

    def _make_effective(
        self, connection: Connection, intent: Intent, department: DepartmentCode, now: datetime
    ) -> None:
        order = intent.draft.order
        done = connection.execute(
            _TAKE_EFFECT,
            {
                "of_ecert": intent.identifier,
                "registration": Registration.EFFECTIVE.value,
                "effective_at": now,
            },
        ).rowcount
        _advance(connection, intent, IntentStage.PENDING, IntentStage.EFFECTIVE)
        if done and order.replaces is not None:
            close_replaced(
                connection,
                intent,
                order.replaces,
                actor_id=_issue_event(intent, now).actor_id,
                actor_department=department,
                legal_basis=self._rules.legal_basis(order.type_code, StateOperation.REPLACE),
                now=now,
            )

    def _refused(
        self, connection: Connection, intent: Intent, references: Collection[HolderReference], now: datetime
    ) -> bool:
        """Whether the intent ended, now or before, because what it replaces cannot be replaced any more."""
        if intent.draft.order.replaces is None:
            return False
        if is_refused(connection, intent.intent_id):
            return True
        if _is_effective(connection, intent):
            return False
        order = intent.draft.order
        if obstacle_to(connection, order, references, rules=self._rules, now=now) is None:
            return False
        refuse_replacement(connection, intent, now)
        return True

    def deliver(self, registered: RegisteredEcert, *, now: datetime) -> bool:
        """Notices for the holders, the draft `issued`, the intent `delivered`; False when done before.

        Raises:
            ReplacementRefused: The intent ended without an ecert.
        """
        intent = registered.sealed.rendered.intent
        order = intent.draft.order
        with self._database.writing() as connection:
            if not _advance(
                connection, intent, IntentStage.EFFECTIVE, IntentStage.DELIVERED, delivered_at=now
            ):
                if is_refused(connection, intent.intent_id):
                    raise ReplacementRefused
                return False
            for reference in connection.scalars(_REFERENCES_OF, {"of_ecert": intent.identifier}).all():
                insert_missing(
                    connection,
                    NOTICES,
                    holder_reference=reference,
                    identifier=intent.identifier,
                    kind="issued",
                    sequence=1,
                    created_at=now,
                )
            connection.execute(
                _END_DRAFT,
                {
                    "of_issuer": order.issuer_code,
                    "of_case": order.case_number,
                    "of_type": order.type_code,
                    "stage": DraftStage.ISSUED.value,
                    "identifier": intent.identifier,
                    "changed_at": now,
                },
            )
        return True

    def _ecert_row(self, sealed: SealedIntent, now: datetime) -> dict[str, object]:
        intent = sealed.rendered.intent
        draft, order, identifier = intent.draft, intent.draft.order, intent.identifier
        face = json.dumps(dict(draft.face), ensure_ascii=False).encode()
        code = intent.secrets.check_code.encode()
        return {
            "identifier": identifier,
            "intent_id": intent.intent_id,
            "registration": Registration.PENDING.value,
            "origin": Origin.ISSUED.value,
            "type_code": order.type_code,
            "issuer_code": order.issuer_code,
            "issuer_name": draft.issuer_name,
            "version": intent.version,
            "case_number": order.case_number,
            "service_item": order.service_item,
            "face_sealed": self._cipher.encrypt(face, associated_data=face_binding(identifier)),
            "check_code_sealed": self._cipher.encrypt(code, associated_data=code_binding(identifier)),
            "check_code_mac": intent.secrets.check_code_mac,
            "file_digest": sealed.file_digest,
            "twin_digest": sealed.rendered.twin_digest,
            "issued_on": civil_date_at(intent.stored_at),
            "valid_from": draft.valid_from,
            "valid_until": draft.valid_until,
            "state": EcertState.VALID.value,
            "state_sequence": 1,
            "file_state": FileState.CURRENT.value,
            "frozen": False,
            "status_list": intent.status_list,
            "status_index": intent.status_index,
            "salt": intent.secrets.salt,
            "replaces": order.replaces,
            "sealed_level": sealed.level,
            "seal_id": sealed.seal_id,
            "recorded_at": now,
        }


def _insert_holders(
    connection: Connection, identifier: EcertIdentifier, references: Sequence[tuple[HolderReference, str]]
) -> None:
    connection.execute(
        insert(ECERT_HOLDERS),
        [
            {
                "identifier": identifier,
                "position": position,
                "holder_reference": reference,
                "code_type": code_type,
            }
            for position, (reference, code_type) in enumerate(references, start=1)
        ],
    )


def _issue_event(intent: Intent, now: datetime) -> StateEvent:
    order = intent.draft.order
    by = order.authority
    return StateEvent(
        identifier=intent.identifier,
        sequence=1,
        operation=StateOperation.ISSUE,
        state=EcertState.VALID,
        file_state=FileState.CURRENT,
        reason="",
        legal_basis="",
        actor_id=by.signer_id if isinstance(by, TwoPersons) else by.client_id,
        actor_department=order.issuer_code,
        case_number=order.case_number,
        effective_at=intent.stored_at,
        recorded_at=now,
    )


def _advance(
    connection: Connection, intent: Intent, of: IntentStage, to: IntentStage, **values: object
) -> bool:
    changed = connection.execute(
        _ADVANCE,
        {"of_intent": intent.intent_id, "of_stage": of.value, "stage": to.value, "problem": "", **values},
    )
    return changed.rowcount == 1


def _is_effective(connection: Connection, intent: Intent) -> bool:
    registration = connection.scalar(
        select(ECERTS.c.registration).where(ECERTS.c.identifier == intent.identifier)
    )
    return registration == Registration.EFFECTIVE.value


def _registered(connection: Connection, sealed: SealedIntent) -> RegisteredEcert | None:
    row = connection.execute(_LEAF_OF, {"of_ecert": sealed.rendered.intent.identifier}).one_or_none()
    if row is None:
        return None
    return RegisteredEcert(
        sealed=sealed, leaf_id=row.leaf_id, leaf_entry=row.leaf_entry, leaf_index=row.leaf_index
    )
