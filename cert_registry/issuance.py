"""Issuing: one function, ten numbered steps. docs/issuing.md follows the same numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cert_registry.errors import DraftRefused, ReplacementRefused, TransitionRefused
from cert_registry.issuance_forms import Intent
from cert_registry.types import IssuedEcert

if TYPE_CHECKING:
    from datetime import datetime

    from cert_registry.issuance_forms import RegisteredEcert, RenderedIntent, SealedIntent
    from cert_registry.ports import (
        DraftChecker,
        IntentBook,
        IssuingAuthority,
        ObjectStore,
        Press,
        RegistrationBook,
        ReleaseCheck,
        ReplacementBook,
        SealDesk,
        SecretSource,
        TransparencyLog,
        WriteGroups,
    )
    from cert_registry.turnstile import Turnstile
    from cert_registry.types import IssueOrder

PDF = "application/pdf"
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuingRoom:
    """The parts that issuing needs; each is a port."""

    authority: IssuingAuthority
    drafts: DraftChecker
    intents: IntentBook
    replacements: ReplacementBook
    registration: RegistrationBook
    secrets: SecretSource
    press: Press
    objects: ObjectStore
    seals: SealDesk
    release: ReleaseCheck
    log: TransparencyLog
    turnstile: Turnstile
    groups: WriteGroups


def issue(order: IssueOrder | Intent, *, room: IssuingRoom, now: datetime) -> IssuedEcert:
    """Issues one ecert, or finishes an intent that a crash left behind (recovery enters with the `Intent`).

    The invariant, which holds at every instant, also after a power cut:
    *no signature without a stored intent; nothing delivered or answered as valid without a registry row and
    a log entry; one intent is never sealed into two different delivered files.*

    Each step finds out whether it was done before, so that running again continues instead of repeating.

    Raises:
        NotAuthorised: (1, 6) The actors hold no right for this act.
        TransitionRefused: (1, 2, 3) What is to be replaced has no state for it, other holders, or another case.
        ReplacementRefused: (2, 6, 8, 9) What is to be replaced was decided about first; the intent ended.
        IdempotencyConflict: (4) The same case, type and item stand with other content.
        DraftRefused: (3, 5) Fields, lints, or a character without a glyph.
        SealNotUsable: (6) No active seal of the issuer for this type.
        TokenBusyOrGone: (5, 6) Token, time stamp or revocation service are away; the intent waits.
        SealedFileRejected: (7) The sealed file failed the independent check; it was thrown away.
        LogUnavailable: (9) The row stays `pending` until the log answers.
        StoreUnavailable: Any step; nothing beyond the last durable step happened.

    Source: design section 4.
    """
    if isinstance(order, Intent):
        intent = order  # steps 1 to 4 happened: the stored intent is their evidence
    else:
        # (1) authorise: two officers with their rights, or an approval system with case and decision
        # and what the order replaces is the issuer's own, of this type, and may be replaced
        room.authority.authorise(order, now=now)
        room.replacements.require_open(order, now=now)
        # (2) reserve the identifier under the idempotency key
        reservation = room.intents.reserve(order, now=now)
        # (3) lint the draft, as of the day on which the order was first taken; a replacement keeps its holders
        draft = room.drafts.check(order, now=reservation.bound_at or now)
        room.replacements.require_open(order, holders=draft.holders, now=now)
        # (4) store the intent: face, status index, salt, time
        secrets = room.secrets.draw(reservation.identifier)
        intent = room.intents.store(reservation, draft, secrets, now=now)
    with room.turnstile.alone(intent.intent_id):
        rendered = room.intents.rendered(intent) or _render(intent, room=room, now=now)
        sealed = room.intents.sealed(rendered) or _seal(rendered, room=room, now=now)
        # (8) one transaction: what is replaced looked at again, row `pending`, holders, first event, leaf
        registered = room.registration.registered(sealed) or room.registration.register(sealed, now=now)
        # (9) sequence by leaf (the log appends each leaf once), checkpoint, row `effective`
        leaf_index = _sequence(registered, room=room, now=now)
        # (10) deliver, notify
        already_issued = not room.registration.deliver(registered, now=now)
    return IssuedEcert(
        intent_id=intent.intent_id,
        identifier=intent.identifier,
        check_code=intent.secrets.check_code,
        file_digest=sealed.file_digest,
        leaf_index=leaf_index,
        already_issued=already_issued,
    )


def _render(intent: Intent, *, room: IssuingRoom, now: datetime) -> RenderedIntent:
    # (5) sign the QR, render, store the bytes; their digests stand in the intent before anything is sealed
    try:
        printed = room.press.print_intent(intent)
    except DraftRefused:
        room.intents.release(intent)  # nothing was sealed: the same case may come back with better content
        raise
    twin_digest = room.objects.put(printed.twin, media_type=JSON, now=now)
    page_digest = room.objects.put(printed.page, media_type=PDF, now=now)
    return room.intents.record_rendered(
        intent, page_digest=page_digest, twin_digest=twin_digest, seal_place=printed.seal_place
    )


def _seal(rendered: RenderedIntent, *, room: IssuingRoom, now: datetime) -> SealedIntent:
    # (6) check again officer, seal and what is replaced, because time has passed; count the use, then seal
    order = rendered.intent.draft.order
    room.authority.authorise(order, now=now)
    grant = room.authority.seal_for(order, now=now, taking=True)
    try:
        room.replacements.require_open(order, holders=rendered.intent.draft.holders, now=now)
    except TransitionRefused as error:
        room.replacements.refuse(rendered.intent, now=now)
        raise ReplacementRefused from error
    page = room.objects.get(rendered.page_digest)
    use = room.intents.record_seal_use(rendered, grant, now=now)
    file = room.seals.seal(rendered, grant, page, now=now)
    # (7) verify on an independent path, then make the bytes durable under their digest
    room.release.check(file, rendered, page=page, grant=grant, now=now)
    file_digest = room.objects.put(file.content, media_type=PDF, now=now)
    return room.intents.record_sealed(
        rendered, file_digest=file_digest, level=file.level, grant=grant, use=use
    )


def _sequence(registered: RegisteredEcert, *, room: IssuingRoom, now: datetime) -> int:
    if registered.leaf_index is not None:
        return registered.leaf_index
    (leaf_index,) = room.log.sequence((registered.leaf_entry,))
    room.registration.make_effective(registered, leaf_index=leaf_index, now=now)
    return leaf_index
