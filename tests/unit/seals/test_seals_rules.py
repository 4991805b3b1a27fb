"""The state machine of a seal, walked at random, and what an application must hold."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cert_registry.catalog.certificate_type import SealRule
from cert_registry.organisations.types import TypeSlug
from cert_registry.seals.errors import (
    ApplicationRefused,
    SealsError,
    SealStateConflict,
    SealUnusable,
    TwoPersonsNeeded,
)
from cert_registry.seals.rules import (
    TRANSITIONS,
    check_application,
    choose_seal,
    next_state,
    reason_fault,
    require_other_person,
    require_usable,
)
from cert_registry.seals.types import (
    CertificateSource,
    Channel,
    Seal,
    SealAct,
    SealApplication,
    SealEvent,
    SealId,
    SealKind,
    SealPicture,
    SealState,
)
from cert_registry.types import DepartmentCode, StaffId

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
TODAY = date(2026, 11, 22)
FOOD, BUSINESS = TypeSlug("food-business-licence"), TypeSlug("business-licence")
PLACES = {
    slug: SealRule(kind=kind, width_mm=42, height_mm=42)
    for slug, kind in (
        (FOOD, "证照专用章"),
        (BUSINESS, "证照专用章"),
        (TypeSlug("investment-approval"), "行政审批专用章"),
    )
}
SMALL = SealPicture(content=b"", media_type="image/png", sha256="0" * 64, width_mm=30, height_mm=42)
DEPARTMENT = DepartmentCode("119901000000002037")
SEAL = Seal(
    seal_id=SealId("seal-a"),
    department=DEPARTMENT,
    name="示例市市场监督管理局证照专用章",
    kind=SealKind.CERTIFICATE,
    filing_number="9901000000203",
    shape="ring",
    types=frozenset({FOOD}),
    valid_from=date(2026, 1, 1),
    valid_to=date(2026, 12, 31),
    usage_limit=None,
    used=0,
    state=SealState.APPLIED,
    applicant=StaffId("applicant"),
    certificate_source=CertificateSource.OWN,
    certificate_serial=None,
    certificate=None,
    picture_sha256=None,
    replaces=None,
    replaced_by=None,
    revoked_as_of=None,
    revocation_pending=False,
    revision=1,
    created_at=NOW,
)
APPLICATION = SealApplication(
    department=DEPARTMENT,
    name=SEAL.name,
    kind=SealKind.CERTIFICATE,
    filing_number="9901000000203",
    types=frozenset({FOOD}),
    valid_from=TODAY,
    valid_to=None,
    usage_limit=None,
    reason="新设机构",
)
PEOPLE = ("applicant", "approver-1", "approver-2", "custodian")
WALKED = [act for act in SealAct if act not in {SealAct.APPLY, SealAct.TAKE_OVER}]


def walk(steps: list[tuple[SealAct, str]]) -> list[tuple[Seal, tuple[SealEvent, ...]]]:
    """Every state on the way; refused steps change nothing."""
    seal, events = SEAL, ()
    seen = [(seal, events)]
    for act, who in steps:
        try:
            state = next_state(seal, act)
            require_other_person(seal, act, StaffId(who), events)
        except SealsError:
            continue
        event = SealEvent(
            seal_id=seal.seal_id,
            sequence=seal.revision + 1,
            act=act,
            state=state,
            actor_id=who,
            channel=Channel.PAGE,
            reason="r",
            detail="",
            recorded_at=NOW,
        )
        seal, events = replace(seal, state=state, revision=event.sequence), (*events, event)
        seen.append((seal, events))
    return seen


@given(st.lists(st.tuples(st.sampled_from(WALKED), st.sampled_from(PEOPLE)), max_size=30))
def test_no_walk_lets_one_person_make_a_seal_or_bring_one_back(steps: list[tuple[SealAct, str]]) -> None:
    for seal, events in walk(steps):
        if seal.state is not SealState.ACTIVE:
            continue
        approvers = [event.actor_id for event in events if event.act is SealAct.APPROVE]
        assert len(set(approvers)) == 2
        assert "applicant" not in approvers
        stops = [event.sequence for event in events if event.act is SealAct.SUSPEND]
        if stops:
            since = [e for e in events if e.sequence > stops[-1]]
            agreed = [e.actor_id for e in since if e.act in {SealAct.AGREE_TO_RESUME, SealAct.RESUME}]
            assert len(agreed) == len(set(agreed)) == 2
            assert "applicant" not in agreed


@given(st.lists(st.tuples(st.sampled_from(WALKED), st.sampled_from(PEOPLE)), max_size=40))
def test_what_has_ended_never_works_again(steps: list[tuple[SealAct, str]]) -> None:
    states = [seal.state for seal, _ in walk(steps)]
    for ended in (SealState.REFUSED, SealState.REPLACED, SealState.REVOKED):
        if ended in states:
            assert SealState.ACTIVE not in states[states.index(ended) :]
    if SealState.REVOKED in states:
        assert set(states[states.index(SealState.REVOKED) :]) == {SealState.REVOKED}


def test_every_transition_is_meant() -> None:
    assert len(TRANSITIONS) == 23
    with pytest.raises(SealStateConflict, match="待审批"):
        next_state(SEAL, SealAct.SUSPEND)


def test_the_second_person_is_another_one() -> None:
    (_, _), (endorsed, events) = walk([(SealAct.APPROVE, "approver-1")])
    for who in ("approver-1", "applicant"):
        with pytest.raises(TwoPersonsNeeded):
            require_other_person(endorsed, SealAct.APPROVE, StaffId(who), events)
    require_other_person(endorsed, SealAct.APPROVE, StaffId("approver-2"), events)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"state": SealState.SUSPENDED}, "suspended"),
        ({"state": SealState.REVOKED}, "revoked"),
        ({"valid_to": date(2026, 11, 21)}, "outside-dates"),
        ({"valid_from": date(2026, 11, 23)}, "outside-dates"),
        ({"types": frozenset({BUSINESS})}, "type-not-allowed"),
        ({"usage_limit": 3, "used": 3}, "limit-reached"),
    ],
)
def test_a_seal_that_may_not_seal_says_why(changes: dict[str, object], reason: str) -> None:
    active = replace(SEAL, state=SealState.ACTIVE)
    require_usable(active, FOOD, on=TODAY)
    with pytest.raises(SealUnusable) as caught:
        require_usable(replace(active, **changes), FOOD, on=TODAY)  # type: ignore[arg-type] # fields of a seal
    assert caught.value.reason == reason


def test_the_last_day_is_included_and_a_counted_document_keeps_its_place() -> None:
    active = replace(SEAL, state=SealState.ACTIVE, usage_limit=1, used=1)
    require_usable(active, FOOD, on=date(2026, 12, 31), is_counted=True)


def test_the_first_usable_seal_of_a_type_is_taken() -> None:
    active = replace(SEAL, state=SealState.ACTIVE)
    stopped = replace(active, seal_id=SealId("seal-0"), state=SealState.SUSPENDED)
    other = replace(active, seal_id=SealId("seal-1"), types=frozenset({BUSINESS}))
    assert choose_seal((active, stopped, other), FOOD, on=TODAY).seal_id == "seal-a"
    with pytest.raises(SealUnusable) as caught:
        choose_seal((stopped, other), FOOD, on=TODAY)
    assert caught.value.reason == "suspended"
    with pytest.raises(SealUnusable) as caught:
        choose_seal((), FOOD, on=TODAY)
    assert caught.value.reason == "no-seal"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "章"}, "name"),
        ({"name": "示例市市场\u202e监督"}, "name"),
        ({"filing_number": "12345"}, "filing_number"),
        ({"filing_number": "９９０１０００００００１２"}, "filing_number"),
        ({"types": frozenset()}, "types"),
        ({"types": frozenset({TypeSlug("no-such-type")})}, "types"),
        ({"types": frozenset({TypeSlug("investment-approval")})}, "types"),
        ({"kind": SealKind.REPRESENTATIVE}, "types"),
        ({"valid_to": date(2026, 11, 21)}, "valid_to"),
        ({"usage_limit": 0}, "usage_limit"),
        ({"picture": SMALL}, "picture"),
        ({"reason": " \r\n"}, "reason"),
        ({"reason": "x" * 501}, "reason"),
    ],
)
def test_an_application_that_cannot_be_is_refused_by_field(changes: dict[str, object], field: str) -> None:
    check_application(APPLICATION, places=PLACES, replaced=None, today=TODAY)
    with pytest.raises(ApplicationRefused) as caught:
        check_application(
            replace(APPLICATION, **changes),  # type: ignore[arg-type] # fields of an application
            places=PLACES,
            replaced=None,
            today=TODAY,
        )
    assert [name for name, _ in caught.value.findings] == [field]


def test_only_an_own_living_seal_can_be_replaced() -> None:
    application = replace(APPLICATION, replaces=SEAL.seal_id)
    active = replace(SEAL, state=SealState.ACTIVE)
    check_application(application, places=PLACES, replaced=active, today=TODAY)
    for other in (
        SEAL,
        replace(active, department=DepartmentCode("9")),
        replace(active, state=SealState.REVOKED),
    ):
        with pytest.raises(ApplicationRefused):
            check_application(application, places=PLACES, replaced=other, today=TODAY)


def test_reasons_are_texts() -> None:
    assert reason_fault("第一行\r\n第二行") == ""
    assert reason_fault("a\x07b")
