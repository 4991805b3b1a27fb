"""The intent book: every order that got an identifier, and how far it came (steps 2 to 7)."""

from __future__ import annotations

import json
import uuid
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from cert_registry.catalog.errors import IdentifierRefused
from cert_registry.civil_date import civil_date_at
from cert_registry.errors import IdempotencyConflict, ReplacementRefused, SealNotUsable, TransitionRefused
from cert_registry.identifier import new_identifier, parse_identifier
from cert_registry.issuance_forms import (
    Intent,
    IntentSecrets,
    RenderedIntent,
    Reservation,
    SealedIntent,
    SealPlace,
)
from cert_registry.seals.errors import SealUnusable
from cert_registry.seals.using import give_back_use, require_still_usable, take_use
from cert_registry.store.order_json import dump_draft, load_draft
from cert_registry.store.status_entries import take_status_entry
from cert_registry.store.tables import INTENTS, SEAL_USES
from cert_registry.types import (
    EcertIdentifier,
    FileDigest,
    IntentId,
    IntentStage,
    TwoPersons,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from cert_registry.identifier import IdentifierParts
    from cert_registry.issuance_forms import CheckedDraft, SealGrant
    from cert_registry.ports import DataCipher
    from cert_registry.store.engine import Database
    from cert_registry.types import IssueOrder

_OPEN: Final = (
    IntentStage.STORED.value,
    IntentStage.RENDERED.value,
    IntentStage.SEALED.value,
    IntentStage.PENDING.value,
    IntentStage.EFFECTIVE.value,
)
# Statements of every issue, made once: making one takes longer than running it.
_OF_KEY: Final = select(INTENTS).where(
    INTENTS.c.issuer_code == bindparam("of_issuer"),
    INTENTS.c.case_number == bindparam("of_case"),
    INTENTS.c.type_code == bindparam("of_type"),
    INTENTS.c.service_item == bindparam("of_item"),
)
_FROM_STAGE: Final = update(INTENTS).where(
    INTENTS.c.intent_id == bindparam("of_intent"), INTENTS.c.stage == bindparam("of_stage")
)
_END_USE: Final = update(SEAL_USES).where(SEAL_USES.c.use_id == bindparam("of_use"))
_PROGRESS: Final = (
    INTENTS.c.intent_id,
    INTENTS.c.rendered_digest,
    INTENTS.c.twin_digest,
    INTENTS.c.seal_place,
    INTENTS.c.sealed_digest,
    INTENTS.c.sealed_level,
    INTENTS.c.seal_id,
)


@final
class SqlIntents:
    """The intent book in SQL.

    Args:
        database: Where the rows are.
        cipher: Encrypts orders and check codes.
        random_below: Cryptographic; draws serials and status indexes.
    """

    def __init__(self, *, database: Database, cipher: DataCipher, random_below: Callable[[int], int]) -> None:
        self._database = database
        self._cipher = cipher
        self._random_below = random_below

    # ── (2) ──────────────────────────────────────────────────────────────────────────────────────────────

    def reserve(self, order: IssueOrder, *, now: datetime) -> Reservation:
        """The reservation of the order's key, made now or found.

        A next version that another case only reserved, without content, is taken over from it.

        Raises:
            TransitionRefused: What the order replaces is being replaced in another case.
            ReplacementRefused: The case ended without an ecert.
        """
        with self._database.reading() as connection:
            row = _find_key(connection, order)
        if row is not None:
            return _reservation(row)
        try:
            with self._database.writing() as connection:
                row = _find_key(connection, order)
                if row is None:
                    identifier = str(self._identifier_for(connection, order))
                    if order.replaces is not None:
                        _free_abandoned(connection, identifier)
                    new = _new_row(order, identifier, now)
                    connection.execute(insert(INTENTS), new)
                    return Reservation(
                        intent_id=IntentId(str(new["intent_id"])),
                        identifier=EcertIdentifier(identifier),
                        version=parse_identifier(identifier).version,
                        bound_at=None,
                    )
        except IntegrityError as error:
            if order.replaces is None:  # another process took the key between look and insert
                return self.reserve(order, now=now)
            raise TransitionRefused("该证照正在另一办件中变更。") from error
        return _reservation(row)

    def _identifier_for(self, connection: Connection, order: IssueOrder) -> IdentifierParts:
        """A new identifier, or the next version of what is replaced; versions of refused intents stay theirs."""
        if order.replaces is None:
            return new_identifier(order.type_code, order.issuer_code, random_below=self._random_below)
        try:
            parts = parse_identifier(order.replaces).next_version()
            while connection.scalar(
                select(INTENTS.c.intent_id).where(
                    INTENTS.c.identifier == str(parts), INTENTS.c.stage == IntentStage.REFUSED.value
                )
            ):
                parts = parts.next_version()
        except IdentifierRefused as error:
            raise TransitionRefused("被替换的证照标识不能续编版本号。") from error
        return parts

    # ── (4) ──────────────────────────────────────────────────────────────────────────────────────────────

    def store(
        self, reservation: Reservation, draft: CheckedDraft, secrets: IntentSecrets, *, now: datetime
    ) -> Intent:
        """Bind the reservation to its content, once.

        Raises:
            IdempotencyConflict: It is bound to other content.
            TransitionRefused: Another case took the version over before this one had content.
        """
        bound = _bound_to(reservation.intent_id)
        order_sealed = self._cipher.encrypt(dump_draft(draft), associated_data=bound)
        code_sealed = self._cipher.encrypt(secrets.check_code.encode(), associated_data=bound)
        with self._database.writing() as connection:
            place = take_status_entry(connection, reservation.identifier, self._random_below)
            bound_now = connection.execute(
                _FROM_STAGE,
                {
                    "of_intent": reservation.intent_id,
                    "of_stage": IntentStage.RESERVED.value,
                    "stage": IntentStage.STORED.value,
                    "content_mac": draft.content_mac,
                    "order_sealed": order_sealed,
                    "check_code_sealed": code_sealed,
                    "check_code_mac": secrets.check_code_mac,
                    "salt": secrets.salt,
                    "status_list": place[0],
                    "status_index": place[1],
                    "stored_at": now,
                },
            ).rowcount
            row = None
            if not bound_now:
                row = connection.execute(
                    select(INTENTS).where(INTENTS.c.intent_id == reservation.intent_id)
                ).one_or_none()
        if bound_now:
            return Intent(
                intent_id=reservation.intent_id,
                identifier=reservation.identifier,
                version=reservation.version,
                draft=draft,
                secrets=secrets,
                status_list=place[0],
                status_index=place[1],
                stored_at=now,
            )
        if row is None:
            raise TransitionRefused("该证照正在另一办件中变更。")
        if row.content_mac != draft.content_mac:
            raise IdempotencyConflict("同一办件、同一证照类型和事项已用其他内容制证。")
        return self._intent(row)

    # ── (5) ──────────────────────────────────────────────────────────────────────────────────────────────

    def rendered(self, intent: Intent) -> RenderedIntent | None:
        """What step 5 recorded."""
        with self._database.reading() as connection:
            return _rendered(intent, _row(connection, intent.intent_id))

    def record_rendered(
        self, intent: Intent, *, page_digest: FileDigest, twin_digest: FileDigest, seal_place: SealPlace
    ) -> RenderedIntent:
        """Record page and twin, once; whoever comes second gets what the first recorded."""
        with self._database.writing() as connection:
            recorded = connection.execute(
                _FROM_STAGE,
                {
                    "of_intent": intent.intent_id,
                    "of_stage": IntentStage.STORED.value,
                    "stage": IntentStage.RENDERED.value,
                    "rendered_digest": page_digest,
                    "twin_digest": twin_digest,
                    "seal_place": json.dumps(asdict(seal_place)),
                },
            ).rowcount
            if recorded:
                return RenderedIntent(
                    intent=intent, page_digest=page_digest, twin_digest=twin_digest, seal_place=seal_place
                )
            rendered = _rendered(intent, _row(connection, intent.intent_id))
        if rendered is None:
            raise AssertionError("an intent that was just rendered has its digests")
        return rendered

    def progress(
        self, intents: Sequence[Intent]
    ) -> tuple[tuple[RenderedIntent | None, SealedIntent | None], ...]:
        """What steps 5 and 7 recorded of each."""
        ids = [intent.intent_id for intent in intents]
        with self._database.reading() as connection:
            rows = connection.execute(select(*_PROGRESS).where(INTENTS.c.intent_id.in_(ids))).all()
        by_id: dict[str, Any] = {row.intent_id: row for row in rows}
        found = []
        for intent in intents:
            row = by_id[intent.intent_id]
            rendered = _rendered(intent, row)
            found.append((rendered, None if rendered is None else _sealed(rendered, row)))
        return tuple(found)

    def release(self, intent: Intent) -> None:
        """Take the content off an intent of which no page was recorded: it is only reserved again."""
        with self._database.writing() as connection:
            connection.execute(
                update(INTENTS)
                .where(INTENTS.c.intent_id == intent.intent_id, INTENTS.c.stage == IntentStage.STORED.value)
                .values(
                    stage=IntentStage.RESERVED.value,
                    content_mac=None,
                    order_sealed=None,
                    check_code_sealed=None,
                    check_code_mac=None,
                    salt=None,
                    stored_at=None,
                )
            )

    # ── (6, 7) ───────────────────────────────────────────────────────────────────────────────────────────

    def record_seal_use(self, rendered: RenderedIntent, grant: SealGrant, *, now: datetime) -> int:
        """Look at the seal once more, count the document and record that the seal is about to be used.

        Raises:
            SealNotUsable: The seal was stopped since, does not fit, or has reached its limit.
        """
        intent_id = rendered.intent.intent_id
        with self._database.writing() as connection:
            try:
                take_use(connection, grant.seal_id, intent_id, grant.type_slug, on=civil_date_at(now))
            except SealUnusable as error:
                raise SealNotUsable(error.sentence) from error
            result = connection.execute(
                insert(SEAL_USES),
                {
                    "intent_id": intent_id,
                    "seal_id": grant.seal_id,
                    "rendered_digest": rendered.page_digest,
                    "started_at": now,
                    "outcome": "started",
                },
            )
            (use_id,) = result.inserted_primary_key or (0,)
        return int(use_id)

    def require_seal(self, grant: SealGrant, *, now: datetime) -> None:
        """Evidence that a seal whose use was counted may still be used at this moment.

        Raises:
            SealNotUsable: It was stopped since, or its dates or types changed.
        """
        with self._database.reading() as connection:
            try:
                require_still_usable(connection, grant.seal_id, grant.type_slug, on=civil_date_at(now))
            except SealUnusable as error:
                raise SealNotUsable(error.sentence) from error

    def withdraw_seal_use(self, rendered: RenderedIntent, grant: SealGrant, use: int) -> None:
        """Take back a use that was counted for a group and did not come to a signature."""
        intent_id = rendered.intent.intent_id
        with self._database.writing() as connection:
            give_back_use(connection, grant.seal_id, intent_id, use)

    def sealed(self, rendered: RenderedIntent) -> SealedIntent | None:
        """What step 7 recorded."""
        with self._database.reading() as connection:
            return _sealed(rendered, _row(connection, rendered.intent.intent_id))

    def record_sealed(
        self, rendered: RenderedIntent, *, file_digest: FileDigest, level: str, grant: SealGrant, use: int
    ) -> SealedIntent:
        """Record the sealed file, once; a file that comes second is recorded as discarded, never delivered."""
        with self._database.writing() as connection:
            won = connection.execute(
                _FROM_STAGE,
                {
                    "of_intent": rendered.intent.intent_id,
                    "of_stage": IntentStage.RENDERED.value,
                    "stage": IntentStage.SEALED.value,
                    "sealed_digest": file_digest,
                    "sealed_level": level,
                    "seal_id": grant.seal_id,
                },
            ).rowcount
            connection.execute(
                _END_USE,
                {
                    "of_use": use,
                    "sealed_digest": file_digest,
                    "outcome": "sealed" if won else "discarded",
                },
            )
            if won:
                return SealedIntent(
                    rendered=rendered, file_digest=file_digest, seal_id=grant.seal_id, level=level
                )
            sealed = _sealed(rendered, _row(connection, rendered.intent.intent_id))
        if sealed is None:
            raise AssertionError("an intent that was just sealed has its digest")
        return sealed

    # ── recovery and look-ups ────────────────────────────────────────────────────────────────────────────

    def unfinished(self) -> tuple[tuple[IntentId, EcertIdentifier], ...]:
        """Every stored intent that is neither delivered nor refused, oldest first, unopened."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(INTENTS.c.intent_id, INTENTS.c.identifier)
                .where(INTENTS.c.stage.in_(_OPEN))
                .order_by(INTENTS.c.stored_at)
            ).all()
        return tuple((IntentId(row.intent_id), EcertIdentifier(row.identifier)) for row in rows)

    def load(self, intent_id: IntentId) -> Intent:
        """A stored intent.

        Raises:
            ObjectMissing: Its row is damaged.
        """
        with self._database.reading() as connection:
            row = _row(connection, intent_id)
        return self._intent(row)

    def note_problem(self, intent_id: IntentId, code: str) -> None:
        """Record why an intent waits (an error's code); empty when it no longer does."""
        with self._database.writing() as connection:
            connection.execute(update(INTENTS).where(INTENTS.c.intent_id == intent_id).values(problem=code))

    def find(self, intent_id: IntentId, *, requested_by: str) -> tuple[Intent | None, IntentStage] | None:
        """An intent of this requester and how far it came; the intent is None while only reserved."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(INTENTS).where(
                    INTENTS.c.intent_id == intent_id, INTENTS.c.requested_by == requested_by
                )
            ).one_or_none()
        if row is None:
            return None
        stage = IntentStage(row.stage)
        return (None if stage is IntentStage.RESERVED else self._intent(row)), stage

    def _intent(self, row: Row[tuple[object, ...]]) -> Intent:
        bound = _bound_to(row.intent_id)
        code = self._cipher.decrypt(row.check_code_sealed, associated_data=bound).decode()
        return Intent(
            intent_id=IntentId(row.intent_id),
            identifier=EcertIdentifier(row.identifier),
            version=parse_identifier(row.identifier).version,
            draft=load_draft(self._cipher.decrypt(row.order_sealed, associated_data=bound)),
            secrets=IntentSecrets(check_code=code, check_code_mac=row.check_code_mac, salt=row.salt),
            status_list=row.status_list,
            status_index=row.status_index,
            stored_at=row.stored_at,
        )


def _new_row(order: IssueOrder, identifier: str, now: datetime) -> dict[str, object]:
    authority = order.authority
    return {
        "intent_id": uuid.uuid4().hex,
        "issuer_code": order.issuer_code,
        "case_number": order.case_number,
        "type_code": order.type_code,
        "service_item": order.service_item,
        "identifier": identifier,
        "stage": IntentStage.RESERVED.value,
        "requested_by": authority.drafter_id if isinstance(authority, TwoPersons) else authority.client_id,
        "created_at": now,
    }


def _bound_to(intent_id: str) -> bytes:
    return b"longzheng intent v1\0" + intent_id.encode()


def _find_key(connection: Connection, order: IssueOrder) -> Row[tuple[object, ...]] | None:
    return connection.execute(
        _OF_KEY,
        {
            "of_issuer": order.issuer_code,
            "of_case": order.case_number,
            "of_type": order.type_code,
            "of_item": order.service_item,
        },
    ).one_or_none()


def _row(connection: Connection, intent_id: str) -> Row[tuple[object, ...]]:
    return connection.execute(select(INTENTS).where(INTENTS.c.intent_id == intent_id)).one()


def _free_abandoned(connection: Connection, identifier: str) -> None:
    """Nothing was made of a reservation without content, not even a page."""
    connection.execute(
        delete(INTENTS).where(
            INTENTS.c.identifier == identifier, INTENTS.c.stage == IntentStage.RESERVED.value
        )
    )


def _reservation(row: Row[tuple[object, ...]]) -> Reservation:
    if row.stage == IntentStage.REFUSED.value:
        raise ReplacementRefused
    return Reservation(
        intent_id=IntentId(row.intent_id),
        identifier=EcertIdentifier(row.identifier),
        version=parse_identifier(row.identifier).version,
        bound_at=row.stored_at,
    )


def _rendered(intent: Intent, row: Row[Any]) -> RenderedIntent | None:
    if row.rendered_digest is None:
        return None
    return RenderedIntent(
        intent=intent,
        page_digest=FileDigest(row.rendered_digest),
        twin_digest=FileDigest(row.twin_digest),
        seal_place=SealPlace(**json.loads(row.seal_place)),
    )


def _sealed(rendered: RenderedIntent, row: Row[Any]) -> SealedIntent | None:
    if row.sealed_digest is None:
        return None
    return SealedIntent(
        rendered=rendered,
        file_digest=FileDigest(row.sealed_digest),
        seal_id=row.seal_id,
        level=row.sealed_level,
    )
