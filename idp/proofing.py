"""The remote real-name proof (RN2): possession of the phone, then name, number and phone as one person's.

Before possession is proved nobody learns anything but that a code may have been sent. After it, what
concerns an existing person (name differs, deceased, document expired) is told only when the phone is
registered to that person; whoever holds another phone learns that the three do not belong together.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from idp.displacement import Evidence
from idp.errors import OwnershipUnavailable, RegisterUnavailable, TooManyTries
from idp.identity.citizen_number import CitizenNumber
from idp.identity.holder import HolderCodeType, Mac, holder_reference
from idp.identity.person_name import NormalisedName
from idp.mobile_number import MobileNumber
from idp.notices import Notice, Notices
from idp.ports import Comparison, MobileOwnership, PopulationRegister
from idp.settings import Limits
from idp.sms.codes import SmsCodes
from idp.store.guesses import GuessThrottle
from idp.store.marks import Marks
from idp.store.persons import PersonState, PersonStore, ProofRecord, ProvedIdentity


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
    }
)
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
        # (4) record, and whether the link in force may be entered with this phone
        return self._record(claimed, outcome, client_id=client_id, now=now)

    def _compare(self, claimed: ClaimedIdentity, guess: str, *, address: str, now: datetime) -> Outcome:
        parts, limits = self._parts, self._parts.limits
        buckets = {
            f"mobile:{self._marks.of('mobile', claimed.mobile)}": limits.guesses_per_mobile,
            f"address:{self._marks.of('address', address)}": limits.guesses_per_address,
        }
        try:
            parts.guesses.reserve(buckets, guess, now=now)
            owned = self._vouched_at_counter(claimed) or parts.ownership.is_registered_to(
                claimed.mobile, claimed.number, claimed.name
            )
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
        return _OF_A_PERSON[comparison]

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
        if reference is not None:
            return Proof(outcome=outcome, realname_ref=reference)
        frozen = before is not None and before.state is PersonState.FROZEN
        return Proof(outcome=Outcome.FROZEN if frozen else Outcome.STRONGER_PROOF, realname_ref=None)


def proof_record(marks: Marks, claimed: ClaimedIdentity, outcome: Outcome, *, client_id: str) -> ProofRecord:
    """One line of the history, without a name or a number."""
    return ProofRecord(
        outcome=outcome.value,
        number_mark=marks.of("number", claimed.number.number),
        mobile_mark=marks.of("mobile", claimed.mobile),
        client_id=client_id,
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
