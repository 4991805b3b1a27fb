"""Whose account a stronger proof belongs to: the pure rule, over all of its cases."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from idp.displacement import (
    Decision,
    Evidence,
    Standing,
    decide,
    level_of,
    may_enter_remotely,
    strength_of,
)
from idp.identity.assurance import RealnameLevel
from idp.mobile_number import MobileNumber

OLD, NEW = MobileNumber("13900000001"), MobileNumber("13900000009")
REGISTERS = frozenset({Evidence.POPULATION_REGISTER, Evidence.MOBILE_NUMBER_REGISTER})
FACE = REGISTERS | {Evidence.FACE}
COUNTER = frozenset({Evidence.POPULATION_REGISTER, Evidence.DOCUMENT_AT_COUNTER})
evidence = st.frozensets(st.sampled_from(Evidence), min_size=1)


def test_levels() -> None:
    assert level_of(()) is RealnameLevel.RN0
    assert level_of({Evidence.POPULATION_REGISTER}) is RealnameLevel.RN0
    assert [level_of(one) for one in (REGISTERS, FACE, COUNTER)] == [
        RealnameLevel.RN2,
        RealnameLevel.RN3,
        RealnameLevel.RN3,
    ]


def test_nobody_before_is_new() -> None:
    assert decide(None, COUNTER, mobile=NEW, says_own=False) is Decision.NEW


def test_the_owner_keeps_an_account_only_with_its_phone_and_their_word() -> None:
    standing = Standing(mobile=OLD, evidence=REGISTERS)
    decided = {
        (mobile, own): decide(standing, COUNTER, mobile=mobile, says_own=own)
        for mobile, own in itertools.product((OLD, NEW), (True, False))
    }
    assert decided.pop((OLD, True)) is Decision.RAISED
    assert set(decided.values()) == {Decision.DISPLACED}


def test_a_face_never_displaces_a_document() -> None:
    standing = Standing(mobile=OLD, evidence=COUNTER)
    assert decide(standing, FACE, mobile=NEW, says_own=False) is Decision.REFUSED
    assert decide(standing, COUNTER, mobile=NEW, says_own=False) is Decision.DISPLACED


def test_a_remote_proof_enters_rn3_only_with_its_phone() -> None:
    assert may_enter_remotely(None, mobile=NEW)
    assert may_enter_remotely(Standing(mobile=OLD, evidence=REGISTERS), mobile=NEW)
    assert may_enter_remotely(Standing(mobile=OLD, evidence=COUNTER), mobile=OLD)
    assert not may_enter_remotely(Standing(mobile=OLD, evidence=COUNTER), mobile=NEW)
    assert not may_enter_remotely(Standing(mobile=OLD, evidence=FACE), mobile=NEW)


@given(before=evidence, after=evidence, own=st.booleans(), same=st.booleans())
def test_weaker_evidence_changes_nothing_and_stronger_always_does(
    before: frozenset[Evidence], after: frozenset[Evidence], *, own: bool, same: bool
) -> None:
    decision = decide(Standing(mobile=OLD, evidence=before), after, mobile=OLD if same else NEW, says_own=own)
    assert (decision is Decision.REFUSED) == (strength_of(after) < strength_of(before))
    assert (decision is Decision.RAISED) <= (own and same)
