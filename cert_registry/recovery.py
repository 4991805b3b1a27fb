"""After a crash: every intent that is not delivered goes through `issuance.issue` again, by the same path.

Run at start and from time to time. An intent that cannot go on (its seal was stopped, the token is away)
waits with the error's code beside it; the others are not held up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, final

from cert_registry.errors import RegistryError
from cert_registry.issuance import issue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cert_registry.issuance import IssuingRoom
    from cert_registry.issuance_forms import Intent
    from cert_registry.ports import Outbox, TransparencyLog
    from cert_registry.types import EcertIdentifier, IntentId

_BATCH: Final = 500


class UnfinishedIntents(Protocol):
    """The part of the intent book that recovery reads."""

    def unfinished(self) -> tuple[Intent, ...]:
        """Every stored intent that is not yet delivered, oldest first."""
        ...

    def note_problem(self, intent_id: IntentId, code: str) -> None:
        """Record why an intent waits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryReport:
    """What a run did.

    Attributes:
        finished: Issued by this run.
        waiting: Still to be done, with the code of the error that holds each up.
        leaves: How many waiting leaves of state changes went to the log.
    """

    finished: tuple[EcertIdentifier, ...]
    waiting: Mapping[EcertIdentifier, str]
    leaves: int


@final
class LeafPusher:
    """Takes waiting leaves from the outbox to the log; sequencing again what is there changes nothing."""

    def __init__(self, *, outbox: Outbox, log: TransparencyLog) -> None:
        self._outbox = outbox
        self._log = log

    def push(self, *, now: datetime) -> int:
        """How many leaves were sequenced.

        Raises:
            LogUnavailable: The log cannot be written; the leaves wait.
        """
        pushed = 0
        while leaves := self._outbox.waiting(_BATCH):
            indexes = self._log.sequence(tuple(leaf.leaf_entry for leaf in leaves))
            placed = {leaf.leaf_id: index for leaf, index in zip(leaves, indexes, strict=True)}
            self._outbox.mark_sequenced(placed, now=now)
            pushed += len(leaves)
        return pushed


def recover(
    room: IssuingRoom, *, intents: UnfinishedIntents, leaves: LeafPusher, now: datetime
) -> RecoveryReport:
    """Finishes what a crash left behind; safe to run while others issue."""
    finished: list[EcertIdentifier] = []
    waiting: dict[EcertIdentifier, str] = {}
    for intent in intents.unfinished():
        try:
            issue(intent, room=room, now=now)
        except RegistryError as error:
            waiting[intent.identifier] = error.code
            intents.note_problem(intent.intent_id, error.code)
        else:
            finished.append(intent.identifier)
    try:
        pushed = leaves.push(now=now)
    except RegistryError:
        pushed = 0
    return RecoveryReport(finished=tuple(finished), waiting=waiting, leaves=pushed)
