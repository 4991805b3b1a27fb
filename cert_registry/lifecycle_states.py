"""Pure rules of state: what a certificate's state was at an instant, from its history and its term."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cert_registry.civil_date import LONG_TERM, Term, civil_date_at, end_of_day, term_at
from cert_registry.types import EcertState, FileState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from cert_registry.types import EcertIdentifier, StateEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class StateAt:
    """The state at an instant.

    Attributes:
        state: 失效 is computed from the last day, and only when the state would else be 有效 or 暂扣.
        since: When this state began to hold.
        reason: Of the event that set it; empty for 有效 from issue and for 失效 by time.
        legal_basis: Likewise.
        not_yet_valid: The first day has not come; the state is then still 有效.
        existed: False before the certificate was issued; the other fields then say what it became at issue.
        sequence: Of the event that set the state; rises with each change.
    """

    at: datetime
    state: EcertState
    since: datetime
    reason: str
    legal_basis: str
    file_state: FileState
    not_yet_valid: bool
    existed: bool
    sequence: int
    valid_from: date
    valid_until: date | None
    replaced_by: EcertIdentifier | None = None
    frozen: bool = False

    @property
    def is_valid(self) -> bool:
        """Whether the certificate could be relied on at that instant."""
        return self.existed and self.state is EcertState.VALID and not self.not_yet_valid and not self.frozen


def state_at(
    history: Sequence[StateEvent],
    *,
    valid_from: date,
    valid_until: date | None,
    at: datetime,
    known_at: datetime | None = None,
) -> StateAt:
    """The state at `at`, from events that were recorded by `known_at` (None: all that are known now).

    The newest recorded event whose effective time had come decides: a 撤销 recorded today with effect from
    last year changes the answer for last year, while `known_at` last year still gives the answer given then.

    Args:
        history: At least the issue, in order of sequence.
        valid_from: First day, civil date at UTC+8.
        valid_until: Last day, included; None: 长期.
        at: Aware instant that is asked about.
        known_at: Aware instant of knowledge.
    """
    known = [event for event in history if known_at is None or event.recorded_at <= known_at]
    in_effect = [event for event in known if event.effective_at <= at]
    event = in_effect[-1] if in_effect else history[0]
    expiry = LONG_TERM if valid_until is None else valid_until
    term = term_at(at, effective=valid_from, expiry=expiry)
    ended = term is Term.ENDED and event.state in {EcertState.VALID, EcertState.SUSPENDED}
    if ended and valid_until is not None:
        return StateAt(
            at=at,
            state=EcertState.EXPIRED,
            since=end_of_day(valid_until),
            reason="",
            legal_basis="",
            file_state=event.file_state,
            not_yet_valid=False,
            existed=bool(in_effect),
            sequence=event.sequence,
            valid_from=valid_from,
            valid_until=valid_until,
        )
    return StateAt(
        at=at,
        state=event.state,
        since=event.effective_at,
        reason=event.reason,
        legal_basis=event.legal_basis,
        file_state=event.file_state,
        not_yet_valid=term is Term.NOT_YET,
        # a certificate is in force on the whole civil day of its issue
        existed=bool(in_effect) or civil_date_at(history[0].effective_at) == civil_date_at(at),
        sequence=event.sequence,
        valid_from=valid_from,
        valid_until=valid_until,
    )
