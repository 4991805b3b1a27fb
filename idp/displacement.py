"""Which account a stronger proof belongs to: the one that stands already, or a new one that displaces it.

A person has one link in force. Whoever linked first with leaked data and a borrowed phone has it until the real
person stands at a counter or before a camera. Then the link stays only if the person says that the account is
their own *and* holds its phone; otherwise it is frozen at once and a new one begins. Pure.

Source: design section 3, "Stronger proof evicts a weaker link".
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from idp.identity.assurance import RealnameLevel
from idp.mobile_number import MobileNumber


class Evidence(Enum):
    """What a proof rests on; the values are stored and appear in `verified_claims`."""

    POPULATION_REGISTER = "population_register"
    MOBILE_NUMBER_REGISTER = "mobile_number_register"
    FACE = "face"
    DOCUMENT_AT_COUNTER = "document_at_counter"

    @property
    def strength(self) -> int:
        """How hard it is to fake: a document in an officer's hand, then a live face, then leaked data."""
        return _STRENGTH[self]


_STRENGTH = {
    Evidence.POPULATION_REGISTER: 1,
    Evidence.MOBILE_NUMBER_REGISTER: 2,
    Evidence.FACE: 3,
    Evidence.DOCUMENT_AT_COUNTER: 4,
}


class Decision(Enum):
    """What becomes of the link that stands."""

    NEW = "new"
    RAISED = "raised"
    DISPLACED = "displaced"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The link that is in force for a person, if any.

    Attributes:
        mobile: with which its account was opened.
        evidence: on which it rests.
    """

    mobile: MobileNumber
    evidence: frozenset[Evidence]


def strength_of(evidence: Iterable[Evidence]) -> int:
    """Of the strongest piece; 0 for none."""
    return max((one.strength for one in evidence), default=0)


def level_of(evidence: Iterable[Evidence]) -> RealnameLevel:
    """RN3 with a document at a counter or a live face, RN2 with the registers, else RN0."""
    strength = strength_of(evidence)
    if strength >= Evidence.FACE.strength:
        return RealnameLevel.RN3
    return RealnameLevel.RN2 if strength == Evidence.MOBILE_NUMBER_REGISTER.strength else RealnameLevel.RN0


def decide(
    standing: Standing | None,
    evidence: frozenset[Evidence],
    *,
    mobile: MobileNumber,
    says_own: bool,
) -> Decision:
    """What a proof at RN3 does to the link in force.

    Args:
        standing: the link in force, None when the person has none.
        evidence: of the new proof.
        mobile: the phone in the person's hand, possession proved just now.
        says_own: whether the person says that the standing account is their own.
    """
    if standing is None:
        return Decision.NEW
    if strength_of(evidence) < strength_of(standing.evidence):
        return Decision.REFUSED
    return Decision.RAISED if says_own and mobile == standing.mobile else Decision.DISPLACED


def may_enter_remotely(standing: Standing | None, *, mobile: MobileNumber) -> bool:
    """Whether a remote proof at RN2 leads into the link in force.

    Into a link of RN3 only with the phone that was proved with it: otherwise a leaked number and a borrowed
    phone would open what a document protects.
    """
    if standing is None or level_of(standing.evidence) is not RealnameLevel.RN3:
        return True
    return mobile == standing.mobile
