"""Asks the population register again about people who were proved: deaths end their links, new names are told.

The register is compare-only and reports nothing by itself, so it is asked, each person once in thirty days. Nothing is
raised by an answer.
"""

import logging
from dataclasses import dataclass
from datetime import datetime

from idp.accounts.rules import (
    RECHECK_BATCH,
    RECHECK_EVERY,
    Verdict,
    deaths_are_plausible,
    verdict_of,
)
from idp.civil_time import civil_day
from idp.errors import RegisterUnavailable
from idp.identity.citizen_number import parse_citizen_number
from idp.identity.person_name import normalise_name
from idp.keycloak.keeper import AccountKeeper
from idp.notices import Notice, Notices
from idp.ports import PopulationRegister
from idp.store.account_life import AccountLifeStore
from idp.store.persons import Person, PersonState, PersonStore

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rechecked:
    """How one batch ended.

    Attributes:
        asked: comparisons that were answered.
        deceased: links that were ended.
        withheld: reports of death that were not believed, because there were too many at once.
        renamed: people whose registered name is another one now.
        unknown: numbers that the register does not know any more; they are left as they are.
    """

    asked: int
    deceased: int
    withheld: int
    renamed: int
    unknown: int


class Recheck:
    """Works through the people who are due."""

    def __init__(
        self,
        *,
        register: PopulationRegister,
        persons: PersonStore,
        store: AccountLifeStore,
        notices: Notices,
        keeper: AccountKeeper,
    ) -> None:
        self._register = register
        self._persons = persons
        self._store = store
        self._notices = notices
        self._keeper = keeper

    def run(self, *, now: datetime, everybody: bool = False, believe: bool = False) -> Rechecked:
        """One batch, in three steps.

        (1) The register is asked about each; when it falls silent the rest stay due. (2) If there are more deaths than
        plausible, none is believed: a register that was loaded wrongly must not end everybody's account. (3) What each
        answer means is written, told and carried out.

        Args:
            now: UTC.
            everybody: whether to ask about those too who are not due yet (an operator's word).
            believe: whether an operator vouches for the reports of death.
        """
        # (1) ask
        before = now if everybody else now - RECHECK_EVERY
        verdicts = self._ask(self._store.due_for_recheck(before=before, limit=RECHECK_BATCH), now)
        # (2) is it plausible?
        deaths = sum(verdict is Verdict.DECEASED for _, verdict in verdicts)
        believed = believe or deaths_are_plausible(deaths)
        if not believed:
            _LOGGER.error(
                "the register reports %d deaths at once: none is believed until an operator says so", deaths
            )
        # (3) write, tell, carry out
        ended = renamed = unknown = 0
        for person, verdict in verdicts:
            if verdict is Verdict.DECEASED:
                ended += self._end(person, now) if believed else 0
                continue
            self._store.rechecked(person.realname_ref, name_differs=verdict is Verdict.NAME_DIFFERS, now=now)
            if verdict is Verdict.NAME_DIFFERS:
                renamed += 1
                self._notices.send(person.mobile, Notice.NAME_DIFFERS_NOW, now=now)
            unknown += verdict is Verdict.UNKNOWN
        if unknown:
            _LOGGER.warning("%d numbers of proved people are not in the register any more", unknown)
        if ended:
            self._keeper.carry_out(now=now)
        return Rechecked(
            asked=len(verdicts),
            deceased=ended,
            withheld=0 if believed else deaths,
            renamed=renamed,
            unknown=unknown,
        )

    def _ask(self, due: tuple[str, ...], now: datetime) -> list[tuple[Person, Verdict]]:
        today, verdicts = civil_day(now), []
        for realname_ref in due:
            person = self._persons.person(realname_ref)
            if person is None or person.state is not PersonState.ACTIVE:
                continue
            number = parse_citizen_number(self._persons.number_of(realname_ref), today=today)
            try:
                answer = self._register.compare(number, normalise_name(person.name), now=now)
            except RegisterUnavailable:
                break
            verdicts.append((person, verdict_of(answer)))
        return verdicts

    def _end(self, person: Person, now: datetime) -> int:
        if not self._store.end_deceased(person.realname_ref, now=now):
            return 0
        self._notices.send(person.mobile, Notice.DEATH_REPORTED, now=now)
        return 1
