"""The proof at RN3: an officer with the original document, or a live face, on top of the register and a phone.

The phone need not be registered to the person: at a counter the officer sees who stands there, and before a camera
the face says it. What was checked is in the evidence, nothing more.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from idp.displacement import Decision, Evidence
from idp.errors import CounterRefused, OwnershipUnavailable, RegisterUnavailable, TooManyTries
from idp.identity.citizen_number import CitizenNumber
from idp.identity.holder import HolderCodeType, holder_reference
from idp.identity.person_name import NormalisedName
from idp.keycloak.keeper import AccountKeeper
from idp.mobile_number import MobileNumber
from idp.notices import Notice
from idp.ports import Comparison
from idp.proofing import ClaimedIdentity, Outcome, ProofParts, proof_record, proved_identity
from idp.store.marks import Marks
from idp.store.persons import Person, Settled
from idp.store.window_grants import CounterAct, WindowGrant, WindowGrants


class DocumentKind(Enum):
    """Original documents that an officer may accept; the values are what the officer reads."""

    RESIDENT_CARD = "居民身份证"
    TEMPORARY_CARD = "临时居民身份证"
    RESIDENCE_PERMIT = "港澳台居民居住证"
    FOREIGN_PERMANENT_CARD = "外国人永久居留身份证"


@dataclass(frozen=True, slots=True, kw_only=True)
class StrongProof:
    """How a proof at RN3 ended; `settled` only when the comparison matched."""

    outcome: Outcome
    settled: Settled | None
    displaced: Person | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnheldClaim:
    """Who stands at a counter, without a phone; well-formed, nothing proved."""

    name: NormalisedName
    number: CitizenNumber

    def __repr__(self) -> str:
        return "UnheldClaim()"


@dataclass(frozen=True, slots=True, kw_only=True)
class TheftReport:
    """How a report ended; `frozen` is the link that was blocked, None when there was none in force."""

    outcome: Outcome
    frozen: Person | None


_OUTCOMES = {
    Comparison.MATCH: Outcome.PROVED,
    Comparison.NAME_DIFFERS: Outcome.NAME_DIFFERS,
    Comparison.NO_SUCH_NUMBER: Outcome.NO_SUCH_NUMBER,
    Comparison.DECEASED_OR_CANCELLED: Outcome.DECEASED_OR_CANCELLED,
    Comparison.DOCUMENT_EXPIRED: Outcome.DOCUMENT_EXPIRED,
}


class StrongProofing:
    """Proves persons at RN3."""

    def __init__(self, parts: ProofParts, *, grants: WindowGrants, keeper: AccountKeeper) -> None:
        self._parts = parts
        self._marks = Marks(parts.mac)
        self._grants = grants
        self._keeper = keeper

    def request_code(self, visit_mark: str, mobile: MobileNumber, *, staff_id: str, now: datetime) -> None:
        """Sends a code to the phone in the person's hand.

        Raises:
            SmsRefused: a limit, or the gateway.
        """
        self._parts.sms.send(visit_mark, mobile, address=f"counter {staff_id}", now=now)

    def standing(self, claimed: ClaimedIdentity) -> Person | None:
        """The link in force of the claimed person, if any."""
        return self._parts.persons.in_force(
            holder_reference(HolderCodeType.CITIZEN_NUMBER, claimed.number.number, self._parts.mac)
        )

    def compare_at_counter(
        self, claimed: ClaimedIdentity, document: DocumentKind, grant: WindowGrant, *, now: datetime
    ) -> Outcome:
        """What the register says to an officer; a mismatch is recorded with who asked.

        Officers are told details, so their different mistakes of a day are limited and on record.
        """
        guess = self._marks.of("guess", claimed.number.number, claimed.name.name_key, grant.staff_id)
        bucket = {
            f"officer:{self._marks.of('officer', grant.staff_id)}": self._parts.limits.guesses_per_officer
        }
        try:
            self._parts.guesses.reserve(bucket, guess, now=now)
            outcome = _OUTCOMES[self._parts.register.compare(claimed.number, claimed.name, now=now)]
        except TooManyTries:
            return Outcome.TOO_MANY_TRIES
        except RegisterUnavailable:
            self._parts.guesses.forgive(guess)
            return Outcome.REGISTER_UNAVAILABLE
        if outcome is Outcome.PROVED:
            self._parts.guesses.forgive(guess)
        else:
            self._record_act(claimed, document, grant, outcome, settled=None, now=now)
        return outcome

    def prove_at_counter(
        self,
        claimed: ClaimedIdentity,
        document: DocumentKind,
        grant: WindowGrant,
        *,
        visit_mark: str,
        code: str,
        says_own: bool,
        lost_factors: bool = False,
        now: datetime,
    ) -> StrongProof:
        """The proof by an officer, in five steps.

        (1) Possession of the phone in the person's hand. (2) The register, asked again. (3) What else is known:
        whether the phone is registered to the person. (4) The link: new, raised or displaced; with the record of
        the officer's act. (5) Keycloak, now or as soon as it answers.

        Second factors that the person lost are taken only from an account that the person keeps.

        Raises:
            CodeRefused: possession is not proved; nothing else was looked at.
        """
        # (1) possession
        self._parts.sms.check(visit_mark, claimed.mobile, code, now=now)
        # (2) the register
        outcome = self.compare_at_counter(claimed, document, grant, now=now)
        if outcome is not Outcome.PROVED:
            return StrongProof(outcome=outcome, settled=None, displaced=None)
        # (3) further evidence
        evidence = {Evidence.POPULATION_REGISTER, Evidence.DOCUMENT_AT_COUNTER}
        if self._phone_is_theirs(claimed):
            evidence.add(Evidence.MOBILE_NUMBER_REGISTER)
        # (4) the link, and the officer's act
        settled, displaced = self._settle(
            claimed,
            frozenset(evidence),
            says_own=says_own,
            lost_factors=lost_factors,
            client_id="counter",
            now=now,
        )
        self._record_act(claimed, document, grant, outcome, settled=settled, now=now)
        # (5) Keycloak
        self._keeper.carry_out(now=now)
        return StrongProof(outcome=outcome, settled=settled, displaced=displaced)

    def report_theft(
        self, claimed: UnheldClaim, document: DocumentKind, grant: WindowGrant, *, now: datetime
    ) -> TheftReport:
        """Blocks the person's account at once, on the original document alone: no phone is needed.

        (1) The register. (2) The link in force is frozen; with the record of the officer's act. (3) The phone of the
        account is told. (4) Keycloak, now or as soon as it answers. Only a new proof at a counter opens it again.
        """
        # (1) the register
        with_phone = ClaimedIdentity(name=claimed.name, number=claimed.number, mobile=MobileNumber(""))
        outcome = self.compare_at_counter(with_phone, document, grant, now=now)
        if outcome is not Outcome.PROVED:
            return TheftReport(outcome=outcome, frozen=None)
        # (2) the link
        person = self.standing(with_phone)
        frozen = person is not None and self._parts.persons.freeze(person.realname_ref, now=now)
        act = CounterAct(
            document_kind=document.name.lower(),
            outcome=outcome.value,
            decision="frozen" if frozen else "nothing-to-freeze",
            realname_ref=None if person is None else person.realname_ref,
            displaced_ref=None,
            number_mark=self._marks.of("number", claimed.number.number),
        )
        self._grants.record(grant, act, now=now)
        # (3) the phone is told, then (4) Keycloak
        if person is not None and frozen:
            self._parts.notices.send(person.mobile, Notice.FROZEN, now=now)
            self._keeper.carry_out(now=now)
        return TheftReport(outcome=outcome, frozen=person if frozen else None)

    def freeze_own(self, realname_ref: str, *, now: datetime) -> None:
        """Blocks an account at its own person's word, from a page behind its sign-in."""
        person = self._parts.persons.person(realname_ref)
        if person is not None and self._parts.persons.freeze(realname_ref, now=now):
            self._parts.notices.send(person.mobile, Notice.FROZEN, now=now)
            self._keeper.carry_out(now=now)

    def sign_out_everywhere(self, realname_ref: str, *, now: datetime) -> int:
        """Ends all sessions of an account; how many orders wait because Keycloak does not answer."""
        self._parts.persons.order_sign_out(realname_ref, now=now)
        return self._keeper.carry_out(now=now)

    def prove_by_face(
        self, claimed: ClaimedIdentity, *, says_own: bool, client_id: str, now: datetime
    ) -> StrongProof:
        """The proof by a live face that the provider just confirmed to be this person's.

        The caller has checked possession, both registers (an RN2 proof in the same visit) and the provider's
        signed answer for this visit.
        """
        evidence = frozenset({Evidence.POPULATION_REGISTER, Evidence.MOBILE_NUMBER_REGISTER, Evidence.FACE})
        settled, displaced = self._settle(claimed, evidence, says_own=says_own, client_id=client_id, now=now)
        self._keeper.carry_out(now=now)
        refused = settled.decision is Decision.REFUSED
        outcome = Outcome.STRONGER_PROOF if refused else Outcome.PROVED
        return StrongProof(outcome=outcome, settled=None if refused else settled, displaced=displaced)

    def _settle(
        self,
        claimed: ClaimedIdentity,
        evidence: frozenset[Evidence],
        *,
        says_own: bool,
        lost_factors: bool = False,
        client_id: str,
        now: datetime,
    ) -> tuple[Settled, Person | None]:
        record = proof_record(self._marks, claimed, Outcome.PROVED, client_id=client_id)
        proved = proved_identity(claimed, evidence, self._parts.mac)
        settled = self._parts.persons.settle(
            proved, record, says_own=says_own, lost_factors=lost_factors, now=now
        )
        displaced = None
        if settled.displaced_ref is not None:
            displaced = self._parts.persons.person(settled.displaced_ref)
        if displaced is not None:
            self._parts.notices.send(displaced.mobile, Notice.DISPLACED, now=now)
        if settled.decision is not Decision.REFUSED:
            raised = settled.decision is Decision.RAISED
            self._parts.notices.send(claimed.mobile, Notice.RAISED if raised else Notice.OPENED, now=now)
        return settled, displaced

    def _phone_is_theirs(self, claimed: ClaimedIdentity) -> bool:
        try:
            return self._parts.ownership.is_registered_to(claimed.mobile, claimed.number, claimed.name)
        except OwnershipUnavailable:
            return False  # not asked is not proved; the document carries the level

    def _record_act(
        self,
        claimed: ClaimedIdentity,
        document: DocumentKind,
        grant: WindowGrant,
        outcome: Outcome,
        *,
        settled: Settled | None,
        now: datetime,
    ) -> None:
        act = CounterAct(
            document_kind=document.name.lower(),
            outcome=outcome.value,
            decision=None if settled is None else settled.decision.value,
            realname_ref=None if settled is None else settled.realname_ref,
            displaced_ref=None if settled is None else settled.displaced_ref,
            number_mark=self._marks.of("number", claimed.number.number),
        )
        self._grants.record(grant, act, now=now)


def require_grant(grants: WindowGrants, staff_id: str, *, on: datetime) -> WindowGrant:
    """The officer's grant in force, asked at every act: a grant that ended is gone at the next click.

    Args:
        grants: all of them.
        staff_id: of the officer.
        on: the moment, in civil time.

    Raises:
        CounterRefused: `no-grant`.
    """
    grant = grants.in_force(staff_id, on=on.date())
    if grant is None:
        raise CounterRefused("您目前没有窗口核验授权，不能核验身份。", code="no-grant")
    return grant
