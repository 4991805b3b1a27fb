"""After a crash: every intent that is not delivered goes through `issuance.issue` again, by the same path.

Run at start and from time to time. An intent that cannot go on (its seal was stopped, the token is away)
waits with the error's code beside it; the others are not held up, also not by a damaged row or an error that
nobody foresaw. One whose replacement cannot be any more has ended: it is refused, not waiting.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, final

from cert_registry.error_telling import told
from cert_registry.errors import RegistryError, ReplacementRefused
from cert_registry.issuance import issue
from cert_registry.tlog.leaf import ENTRY_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cert_registry.issuance import IssuingRoom
    from cert_registry.issuance_forms import Intent
    from cert_registry.ports import Outbox, TransparencyLog
    from cert_registry.types import EcertIdentifier, IntentId

_LOGGER = logging.getLogger("longzheng.registry")
_BATCH: Final = 500


class UnfinishedIntents(Protocol):
    """The part of the intent book that recovery reads."""

    def unfinished(self) -> tuple[tuple[IntentId, EcertIdentifier], ...]:
        """Every stored intent that is neither delivered nor refused, oldest first, unopened."""
        ...

    def load(self, intent_id: IntentId) -> Intent:
        """A stored intent.

        Raises:
            ObjectMissing: Its row is damaged.
        """
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
        refused: Ended by this run, because what they replace was decided about first.
        failures: How many intents and pushes failed; each is in the log by its type.
    """

    finished: tuple[EcertIdentifier, ...]
    waiting: Mapping[EcertIdentifier, str]
    leaves: int
    refused: tuple[EcertIdentifier, ...] = ()
    failures: int = 0


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
            whole = [leaf for leaf in leaves if len(leaf.leaf_entry) == ENTRY_BYTES]
            if whole:
                indexes = self._log.sequence(tuple(leaf.leaf_entry for leaf in whole))
                placed = {leaf.leaf_id: index for leaf, index in zip(whole, indexes, strict=True)}
                self._outbox.mark_sequenced(placed, now=now)
                pushed += len(whole)
            if len(whole) < len(leaves):  # they stay in the outbox; what lies behind them follows next time
                _LOGGER.error("%d waiting leaves are damaged and were left out", len(leaves) - len(whole))
                break
        return pushed


def recover(
    room: IssuingRoom, *, intents: UnfinishedIntents, leaves: LeafPusher, now: datetime
) -> RecoveryReport:
    """Finishes what a crash left behind; safe to run while others issue.

    Raises:
        StoreUnavailable: The intents cannot be listed; the leaves were pushed nevertheless, if they could be.
    """
    finished: list[EcertIdentifier] = []
    refused: list[EcertIdentifier] = []
    waiting: dict[EcertIdentifier, str] = {}
    failures = pushed = 0
    try:
        for intent_id, identifier in intents.unfinished():
            try:
                issue(intents.load(intent_id), room=room, now=now)
            except ReplacementRefused:
                refused.append(identifier)
            except Exception as error:  # noqa: BLE001 - one intent must not hold up the others
                failures += 1
                waiting[identifier] = _note(intents, intent_id, error)
            else:
                finished.append(identifier)
    finally:
        try:
            pushed = leaves.push(now=now)
        except Exception as error:  # noqa: BLE001 - the leaves wait for the next run
            failures += 1
            _LOGGER.warning("waiting leaves were not pushed: %s", told(error))
    return RecoveryReport(
        finished=tuple(finished),
        waiting=waiting,
        leaves=pushed,
        refused=tuple(refused),
        failures=failures,
    )


def _note(intents: UnfinishedIntents, intent_id: IntentId, error: Exception) -> str:
    """The code under which the intent waits, recorded where that can be done."""
    code = error.code if isinstance(error, RegistryError) else "internal"
    _LOGGER.warning("an intent waits (%s): %s", code, told(error))
    try:
        intents.note_problem(intent_id, code)
    except Exception as second:  # noqa: BLE001 - the report and the log still tell of it
        _LOGGER.warning("the problem of an intent was not recorded: %s", told(second))
    return code
