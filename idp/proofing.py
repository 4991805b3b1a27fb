"""The remote real-name proof (RN2): possession of the phone, then name, number and phone as one person's.

Before possession is proved nobody learns anything but that a code may have been sent. After it, what
concerns an existing person (name differs, deceased, document expired) is told only when the phone is
registered to that person; whoever holds another phone learns that the three do not belong together.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from idp.civil_time import civil_day
from idp.displacement import Evidence
from idp.errors import OwnershipUnavailable, RegisterUnavailable, TooManyTries
from idp.identity.citizen_number import CitizenNumber, parse_citizen_number
from idp.identity.holder import HolderCodeType, Mac, holder_reference
from idp.identity.person_name import NormalisedName, normalise_name
from idp.mobile_number import MobileNumber
from idp.notices import Notice, Notices
from idp.ports import Comparison, MobileOwnership, PopulationRegister
from idp.settings import Limits
from idp.sms.codes import SmsCodes
from idp.store.guesses import GuessThrottle
from idp.store.marks import Marks
from idp.store.persons import PersonState, PersonStore, ProofRecord, ProvedIdentity
from idp.store.visits import Typed
from idp.store.waiting_proofs import WaitingProof, WaitingProofs


class Outcome(Enum):
    """How a proof ended."""

    PROVED = "proved"
    NAME_DIFFERS = "name-differs"
    NO_SUCH_NUMBER = "no-such-number"
    DECEASED_OR_CANCELLED = "deceased-or-cancelled"
    DOCUMENT_EXPIRED = "document-expired"
    MOBILE_NOT_OWNED = "mobile-not-owned"
    REGISTER_UNAVAILABLE = "register-unavailable"
    OWNERSHIP_UNAVAILABLE = "ownership-unavailable"
    TOO_MANY_TRIES = "too-many-tries"
    FROZEN = "frozen"
    STRONGER_PROOF = "stronger-proof"
    MINOR = "minor"


_OF_A_PERSON = {
    Comparison.NAME_DIFFERS: Outcome.NAME_DIFFERS,
    Comparison.DECEASED_OR_CANCELLED: Outcome.DECEASED_OR_CANCELLED,
    Comparison.DOCUMENT_EXPIRED: Outcome.DOCUMENT_EXPIRED,
    Comparison.MATCH: Outcome.PROVED,
}
_NOT_A_GUESS = frozenset(
    {
        Outcome.PROVED,
        Outcome.REGISTER_UNAVAILABLE,
        Outcome.OWNERSHIP_UNAVAILABLE,
        Outcome.FROZEN,
        Outcome.STRONGER_PROOF,
        Outcome.MINOR,
    }
)
UNAVAILABLE: Final = frozenset({Outcome.REGISTER_UNAVAILABLE, Outcome.OWNERSHIP_UNAVAILABLE})
# Below this age a guardian's consent is needed (Personal Information Protection Law, article 31).
AGE_OF_CONSENT: Final = 14
REGISTERS: Final = frozenset({Evidence.POPULATION_REGISTER, Evidence.MOBILE_NUMBER_REGISTER})


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedIdentity:
    """Who somebody says they are; well-formed, nothing proved."""

    name: NormalisedName
    number: CitizenNumber
    mobile: MobileNumber

    def __repr__(self) -> str:
        return "ClaimedIdentity()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """The end of a proof; `realname_ref` only when proved."""

    outcome: Outcome
    realname_ref: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofParts:
    """What a proof is made with."""

    register: PopulationRegister
    ownership: MobileOwnership
    sms: SmsCodes
    guesses: GuessThrottle
    persons: PersonStore
    notices: Notices
    waiting: WaitingProofs
    mac: Mac
    limits: Limits


class Proofing:
    """Proves persons."""

    def __init__(self, parts: ProofParts) -> None:
        self._parts = parts
        self._marks = Marks(parts.mac)

    def request_code(self, visit_mark: str, mobile: MobileNumber, *, address: str, now: datetime) -> None:
        """Sends a code to the phone, whoever it belongs to.

        Raises:
            SmsRefused: a limit, or the gateway.
        """
        self._parts.sms.send(visit_mark, mobile, address=address, now=now)

    def prove(
        self,
        claimed: ClaimedIdentity,
        *,
        visit_mark: str,
        code: str,
        address: str,
        client_id: str,
        now: datetime,
    ) -> Proof:
        """The proof, in four steps.

        (1) Possession of the phone. (2) Guesses of the day. (3) The two registers. (4) Record.

        Raises:
            CodeRefused: possession is not proved; nothing else was looked at.
        """
        # (1) possession
        self._parts.sms.check(visit_mark, claimed.mobile, code, now=now)
        # (2) and (3): guesses, registers
        guess = self._marks.of("guess", claimed.number.number, claimed.name.name_key, claimed.mobile)
        outcome = self._compare(claimed, guess, address=address, now=now)
        if outcome in _NOT_A_GUESS:
            self._parts.guesses.forgive(guess)
        if outcome in UNAVAILABLE:
            typed = Typed(name=claimed.name.name_key, number=claimed.number.number, mobile=claimed.mobile)
            waiting = WaitingProof(claim_mark=guess, typed=typed, client_id=client_id)
            self._parts.waiting.add(waiting, now=now)
        # (4) record, and whether the link in force may be entered with this phone
        return self._record(claimed, outcome, client_id=client_id, now=now)

    def check_waiting(self, *, now: datetime) -> int:
        """Asks the registers again for every claim that waits, and tells each person once; how many wait on.

        Nothing is raised by this: the person comes back and finishes, with the phone in hand.
        """
        all_waiting = self._parts.waiting.all(now=now)
        for place, waiting in enumerate(all_waiting):
            claimed, mark = claimed_again(waiting.typed, now=now), waiting.claim_mark
            outcome = self._compare(claimed, mark, address=f"waiting {mark}", now=now)
            if outcome in _NOT_A_GUESS:
                self._parts.guesses.forgive(mark)
            if outcome in UNAVAILABLE:
                return len(all_waiting) - place  # the next question would wait for the same silence
            if self._parts.waiting.take(mark):
                notice = Notice.WAITING_MATCHES if outcome is Outcome.PROVED else Notice.WAITING_DIFFERS
                self._parts.notices.send(claimed.mobile, notice, now=now)
        return 0

    def _compare(self, claimed: ClaimedIdentity, guess: str, *, address: str, now: datetime) -> Outcome:
        parts, limits = self._parts, self._parts.limits
        buckets = {
            f"mobile:{self._marks.of('mobile', claimed.mobile)}": limits.guesses_per_mobile,
            f"address:{self._marks.of('address', address)}": limits.guesses_per_address,
        }
        try:
            parts.guesses.reserve(buckets, guess, now=now)
            vouched = self._vouched_at_counter(claimed)
            owned = vouched or parts.ownership.is_registered_to(claimed.mobile, claimed.number, claimed.name)
            # The owner's tries are counted apart, so that an impostor cannot lock the owner out.
            whose = "owner" if owned else "other"
            bucket = f"{whose}:{self._marks.of('number', claimed.number.number)}"
            parts.guesses.reserve({bucket: limits.guesses_per_number}, guess, now=now)
            comparison = parts.register.compare(claimed.number, claimed.name, now=now)
        except TooManyTries:
            return Outcome.TOO_MANY_TRIES
        except OwnershipUnavailable:
            return Outcome.OWNERSHIP_UNAVAILABLE
        except RegisterUnavailable:
            return Outcome.REGISTER_UNAVAILABLE
        if comparison is Comparison.NO_SUCH_NUMBER:
            return Outcome.NO_SUCH_NUMBER
        if not owned:
            return Outcome.MOBILE_NOT_OWNED
        outcome = _OF_A_PERSON[comparison]
        if outcome is Outcome.PROVED and is_minor(claimed.number, now=now) and not vouched:
            return Outcome.MINOR
        return outcome

    def _vouched_at_counter(self, claimed: ClaimedIdentity) -> bool:
        """Whether an officer saw this phone in this person's hand: that stands for the operators' register."""
        holder = holder_reference(HolderCodeType.CITIZEN_NUMBER, claimed.number.number, self._parts.mac)
        person = self._parts.persons.in_force(holder)
        return (
            person is not None
            and Evidence.DOCUMENT_AT_COUNTER in person.evidence
            and person.mobile == claimed.mobile
        )

    def _record(self, claimed: ClaimedIdentity, outcome: Outcome, *, client_id: str, now: datetime) -> Proof:
        persons = self._parts.persons
        record = proof_record(self._marks, claimed, outcome, client_id=client_id)
        if outcome is not Outcome.PROVED:
            persons.record_failure(record, now=now)
            return Proof(outcome=outcome, realname_ref=None)
        proved = proved_identity(claimed, REGISTERS, self._parts.mac)
        before = persons.in_force(proved.holder_reference)
        reference = persons.record_proof(proved, record, now=now)
        if before is not None and before.mobile != claimed.mobile:
            notice = Notice.ENTERED_WITH_ANOTHER_PHONE if reference else Notice.TRIED_WITH_ANOTHER_PHONE
            self._parts.notices.send(before.mobile, notice, now=now)
        if reference is not None and before is not None and before.name != proved.name:
            self._parts.notices.send(before.mobile, Notice.NAME_CHANGED, now=now)
        if reference is not None:
            return Proof(outcome=outcome, realname_ref=reference)
        frozen = before is not None and before.state in {PersonState.FROZEN, PersonState.DECEASED}
        return Proof(outcome=Outcome.FROZEN if frozen else Outcome.STRONGER_PROOF, realname_ref=None)


def claimed_again(typed: Typed, *, now: datetime) -> ClaimedIdentity:
    """A claim that was parsed once and kept."""
    return ClaimedIdentity(
        name=normalise_name(typed.name),
        number=parse_citizen_number(typed.number, today=civil_day(now)),
        mobile=MobileNumber(typed.mobile),
    )


def is_minor(number: CitizenNumber, *, now: datetime) -> bool:
    """Whether a person is younger than fourteen on the civil day of `now`."""
    today, born = civil_day(now), number.birth_date
    had_birthday = (today.month, today.day) >= (born.month, born.day)
    return today.year - born.year - (0 if had_birthday else 1) < AGE_OF_CONSENT


def proof_record(marks: Marks, claimed: ClaimedIdentity, outcome: Outcome, *, client_id: str) -> ProofRecord:
    """One line of the history, without a name or a number."""
    return ProofRecord(
        outcome=outcome.value,
        number_mark=marks.of("number", claimed.number.number),
        mobile_mark=marks.of("mobile", claimed.mobile),
        client_id=client_id,
        name_notes=tuple(note.value for note in claimed.name.notes),
    )


def proved_identity(claimed: ClaimedIdentity, evidence: frozenset[Evidence], mac: Mac) -> ProvedIdentity:
    """What is stored of a claim that was proved."""
    return ProvedIdentity(
        holder_reference=holder_reference(HolderCodeType.CITIZEN_NUMBER, claimed.number.number, mac),
        name=claimed.name.name_key,
        number=claimed.number.number,
        mobile=claimed.mobile,
        evidence=evidence,
    )
