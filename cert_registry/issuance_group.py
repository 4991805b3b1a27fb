"""Issuing many: the ten steps of `issuance.py`, each taken by a whole group before the next.

What a step writes for a group is one commit, its files are made durable together, and its leaves go to the log in
one append. The invariant of `issuance.issue` holds at every instant as it does there, and after a crash the same
recovery goes on with each intent. A document that is refused leaves the group, and the others go on.

A seal is looked at three times: when it is chosen, when the group's uses are counted, and once more, together with
officers and case, right before each signature. So a stop that was committed between two documents is seen by the
very next one; the uses counted for what is not sealed then are taken back.

A document that comes twice in one group, and one that another thread issues at this moment, is made once.

Source: design section 4; docs/issuing.md, "Many at once".
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar, final

from cert_registry.errors import DraftRefused, RegistryError, ReplacementRefused, TransitionRefused
from cert_registry.issuance import JSON, PDF, issue
from cert_registry.types import IssuedEcert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from cert_registry.issuance import IssuingRoom
    from cert_registry.issuance_forms import (
        CheckedDraft,
        Intent,
        IntentSecrets,
        PreparedEcert,
        PrintedPage,
        RegisteredEcert,
        RenderedIntent,
        Reservation,
        SealedFile,
        SealedIntent,
        SealGrant,
    )
    from cert_registry.types import FileDigest, IssueOrder

LARGEST_GROUP: Final = 32
"""Documents that share their commits: more would save little, and others wait for the database meanwhile."""

_Part = TypeVar("_Part")


def issue_many(
    orders: Sequence[IssueOrder],
    *,
    room: IssuingRoom,
    clock: Callable[[], datetime],
    largest_group: int = LARGEST_GROUP,
) -> Iterator[IssuedEcert | Exception]:
    """Issues many ecerts, group by group; each outcome, in the order given, is told when its group ended.

    An outcome is the ecert, or what `issuance.issue` would have raised for this document alone. After a
    `TokenBusyOrGone`, `LogUnavailable` or `StoreUnavailable` the same order may be given again: it goes on.

    Args:
        orders: Read group by group.
        room: The parts that issuing needs.
        clock: The time, asked at each step; aware, UTC.
        largest_group: How many documents share their commits, from 1.
    """
    for start in range(0, len(orders), largest_group):
        yield from _issue_group(orders[start : start + largest_group], room=room, clock=clock)


def _issue_group(
    orders: Sequence[IssueOrder], *, room: IssuingRoom, clock: Callable[[], datetime]
) -> list[IssuedEcert | Exception]:
    cases = [_Case(order=order) for order in orders]
    first = {case.order.key: case for case in reversed(cases)}
    group = _Group([case for case in cases if first[case.order.key] is case], room=room, clock=clock)
    group.store()
    with ExitStack() as held:
        for intent_id in sorted(case.intent.intent_id for case in group.standing() if case.intent):
            held.enter_context(
                room.turnstile.alone(intent_id)
            )  # in one order, so that no two groups wait in a ring
        group.render()
        group.seal()
        group.register()
    for case in cases:
        if case.outcome is None:  # its key came before in this group
            _attempt(case, lambda case: _done(case, issue(case.order, room=room, now=clock())))
    return [case.outcome for case in cases if case.outcome is not None]


@dataclass(slots=True, kw_only=True)
class _Case:
    """One document on its way; what a step found or made is filled in, an outcome ends it."""

    order: IssueOrder
    reservation: Reservation | None = None
    draft: CheckedDraft | None = None
    secrets: IntentSecrets | None = None
    intent: Intent | None = None
    printed: PrintedPage | None = None
    rendered: RenderedIntent | None = None
    grant: SealGrant | None = None
    use: int | None = None
    signing_began: bool = False
    file: SealedFile | None = None
    sealed: SealedIntent | None = None
    prepared: PreparedEcert | None = None
    registered: RegisteredEcert | None = None
    delivered_now: bool = False
    outcome: IssuedEcert | Exception | None = None


@final
class _Group:
    """The cases of one group, with one method a stretch of steps between two waits for the disk."""

    def __init__(self, cases: Sequence[_Case], *, room: IssuingRoom, clock: Callable[[], datetime]) -> None:
        self._cases = cases
        self._room = room
        self._clock = clock

    def standing(self) -> list[_Case]:
        """Those that go on."""
        return [case for case in self._cases if case.outcome is None]

    # ── (1) to (4) ──

    def store(self) -> None:
        """Authorise, reserve, lint and store every intent."""
        room, now = self._room, self._clock()

        def authorise(case: _Case) -> None:
            room.authority.authorise(case.order, now=now)
            room.replacements.require_open(case.order, now=now)

        def reserve(case: _Case) -> None:
            case.reservation = room.intents.reserve(case.order, now=now)
            room.drafts.number(case.order, now=case.reservation.bound_at or now)

        def check(case: _Case) -> None:
            reservation = _needed(case.reservation)
            case.draft = room.drafts.check(case.order, now=reservation.bound_at or now)
            room.replacements.require_open(case.order, holders=case.draft.holders, now=now)
            case.secrets = room.secrets.draw(reservation.identifier)

        def store(case: _Case) -> None:
            case.intent = room.intents.store(
                _needed(case.reservation), _needed(case.draft), _needed(case.secrets), now=now
            )

        self._each(authorise)
        self._together(reserve)
        self._each(check)
        self._together(store)

    # ── (5) ──

    def render(self) -> None:
        """Print what is not printed yet; pages and twins are on disk before their digests are recorded."""
        room, now = self._room, self._clock()
        standing = self.standing()
        progress = room.intents.progress([_needed(case.intent) for case in standing]) if standing else ()
        for case, (rendered, sealed) in zip(standing, progress, strict=True):
            case.rendered, case.sealed = rendered, sealed

        def print_page(case: _Case) -> None:
            intent = _needed(case.intent)
            try:
                case.printed = room.press.print_intent(intent)
            except DraftRefused:
                room.intents.release(
                    intent
                )  # nothing was sealed: the same case may come back with better content
                raise

        def record(case: _Case) -> None:
            printed = _needed(case.printed)
            case.rendered = room.intents.record_rendered(
                _needed(case.intent),
                page_digest=digests[printed.page],
                twin_digest=digests[printed.twin],
                seal_place=printed.seal_place,
            )

        self._each(print_page, [case for case in standing if case.rendered is None])
        pages = [case for case in self.standing() if case.printed]
        files = [
            file
            for case in pages
            for file in ((_needed(case.printed).twin, JSON), (_needed(case.printed).page, PDF))
        ]
        digests = self._keep(pages, files, now)
        self._together(record, [case for case in pages if case.outcome is None])

    # ── (6), (7) ──

    def seal(self) -> None:
        """Count the uses, look again and seal one by one, verify; files are on disk before they are recorded."""
        room = self._room
        waiting = [case for case in self.standing() if case.sealed is None]
        now = self._clock()

        def choose(case: _Case) -> None:
            case.grant = room.authority.seal_for(case.order, now=now, taking=True)

        def count(case: _Case) -> None:
            case.use = room.intents.record_seal_use(_needed(case.rendered), _needed(case.grant), now=now)

        def record(case: _Case) -> None:
            file = _needed(case.file)
            case.sealed = room.intents.record_sealed(
                _needed(case.rendered),
                file_digest=digests[file.content],
                level=file.level,
                grant=_needed(case.grant),
                use=_needed(case.use),
            )

        self._each(choose, waiting)
        self._together(count, [case for case in waiting if case.outcome is None])
        self._each(self._seal_one, [case for case in waiting if case.outcome is None])
        self._withdraw([case for case in waiting if case.use is not None and not case.signing_began])
        sealed = [case for case in waiting if case.file is not None and case.outcome is None]
        digests = self._keep(sealed, [(_needed(case.file).content, PDF) for case in sealed], self._clock())
        self._together(record, [case for case in sealed if case.outcome is None])

    def _seal_one(self, case: _Case) -> None:
        room, now = self._room, self._clock()
        rendered, grant, order = _needed(case.rendered), _needed(case.grant), case.order
        # (6) officer, seal and what is replaced, as they stand at this very moment
        room.authority.authorise(order, now=now)
        room.intents.require_seal(grant, now=now)
        try:
            room.replacements.require_open(order, holders=rendered.intent.draft.holders, now=now)
        except TransitionRefused as error:
            room.replacements.refuse(rendered.intent, now=now)
            raise ReplacementRefused from error
        page = case.printed.page if case.printed is not None else room.objects.get(rendered.page_digest)
        case.signing_began = True
        file = room.seals.seal(rendered, grant, page, now=now)
        # (7) verified on an independent path before anything of it is kept
        room.release.check(file, rendered, page=page, grant=grant, now=now)
        case.file = file

    def _withdraw(self, cases: Sequence[_Case]) -> None:
        """Uses of what was not sealed, because its seal was stopped meanwhile, count no more."""
        room = self._room

        def withdraw(case: _Case) -> None:
            room.intents.withdraw_seal_use(_needed(case.rendered), _needed(case.grant), _needed(case.use))

        if cases:
            self._together(withdraw, cases)

    # ── (8), (9), (10) ──

    def register(self) -> None:
        """Rows `pending` with their leaves; the log; rows `effective`, delivered."""
        room, now = self._room, self._clock()

        def prepare(case: _Case) -> None:
            case.registered = room.registration.registered(_needed(case.sealed)) if not case.file else None
            if case.registered is None:
                case.prepared = room.registration.prepare(_needed(case.sealed), now=now)

        def register(case: _Case) -> None:
            if case.registered is None:
                case.registered = room.registration.register(
                    _needed(case.sealed), now=now, prepared=case.prepared
                )

        self._each(prepare)
        self._together(register)
        indexes = self._sequence()

        def finish(case: _Case) -> None:  # the row `effective` and its delivery are one commit
            registered = _needed(case.registered)
            if registered.leaf_index is None:
                index = indexes[registered.leaf_entry]
                room.registration.make_effective(registered, leaf_index=index, now=now)
            case.delivered_now = room.registration.deliver(_needed(case.registered), now=now)

        self._together(finish)
        for case in self.standing():
            registered = _needed(case.registered)
            index = registered.leaf_index
            _done(case, _issued(case, indexes[registered.leaf_entry] if index is None else index))

    def _sequence(self) -> dict[bytes, int]:
        """One append for all leaves that have no place yet."""
        leaves = [
            (case, registered.leaf_entry)
            for case in self.standing()
            if (registered := _needed(case.registered)).leaf_index is None
        ]
        entries = tuple(entry for _, entry in leaves)
        if not entries:
            return {}
        try:
            return dict(zip(entries, self._room.log.sequence(entries), strict=True))
        except RegistryError as error:
            for case, _ in leaves:
                case.outcome = error
            return {}

    # ── how a group acts ──

    def _each(self, work: Callable[[_Case], None], cases: Sequence[_Case] | None = None) -> None:
        """`work` for each; one that is refused leaves the group."""
        for case in self.standing() if cases is None else cases:
            _attempt(case, work)

    def _together(self, work: Callable[[_Case], None], cases: Sequence[_Case] | None = None) -> None:
        """`work` for each, in one commit; what one of them wrote before it was refused is taken back alone."""
        among = self.standing() if cases is None else list(cases)
        if not among:
            return
        try:
            with self._room.groups.together():
                self._each(work, among)
        except RegistryError as error:  # nothing of the group was written
            for case in among:
                case.outcome = error

    def _keep(
        self, cases: Sequence[_Case], files: Sequence[tuple[bytes, str]], now: datetime
    ) -> dict[bytes, FileDigest]:
        """Make files durable in one go; their digests by content."""
        if not files:
            return {}
        try:
            digests = self._room.objects.put_all(files, now=now)
        except RegistryError as error:
            for case in cases:
                case.outcome = error
            return {}
        return {content: digest for (content, _), digest in zip(files, digests, strict=True)}


def _attempt(case: _Case, work: Callable[[_Case], None]) -> None:
    try:
        work(case)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is this document's outcome and nobody else's
        case.outcome = error


def _done(case: _Case, issued: IssuedEcert) -> None:
    case.outcome = issued


def _issued(case: _Case, leaf_index: int) -> IssuedEcert:
    intent = _needed(case.intent)
    return IssuedEcert(
        intent_id=intent.intent_id,
        identifier=intent.identifier,
        check_code=intent.secrets.check_code,
        file_digest=_needed(case.sealed).file_digest,
        leaf_index=leaf_index,
        already_issued=not case.delivered_now,
    )


def _needed(part: _Part | None) -> _Part:
    """What an earlier step filled in."""
    if part is None:
        raise AssertionError("a step was entered before the one that it needs")
    return part
