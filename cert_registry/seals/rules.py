"""The rules of a seal's life. Pure: a seal, its events and a day in, the next state or a refusal out.

1. Applicant, first approver and second approver are three different persons.
2. An emergency stop needs one person, resuming needs two different ones, neither of them the applicant.
3. What ends a seal (revocation) needs one person and a reason: it can only take power away.
4. A seal seals while it is active, on days of its validity, for its types, below its limit. Nothing else.

Source: design section 4 (seals are objects with a life).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cert_registry.free_text import CONTROL_SENTENCE, CONTROL_SENTENCE_LINES, has_control, with_plain_newlines
from cert_registry.organisations.types import in_force
from cert_registry.seals.errors import (
    ApplicationRefused,
    SealStateConflict,
    SealUnusable,
    TwoPersonsNeeded,
)
from cert_registry.seals.types import SealAct, SealKind, SealState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from cert_registry.catalog.certificate_type import SealRule
    from cert_registry.organisations.types import TypeSlug
    from cert_registry.seals.types import Seal, SealApplication, SealEvent, SealPicture
    from cert_registry.types import StaffId

_ALIVE: Final = (SealState.ACTIVE, SealState.SUSPENDED, SealState.RESUMING)
WITH_CERTIFICATE: Final = (*_ALIVE, SealState.REPLACED)
"""States in which a seal has a signing certificate that is not revoked."""

TRANSITIONS: Final[Mapping[tuple[SealAct, SealState], SealState]] = {
    (SealAct.APPROVE, SealState.APPLIED): SealState.ENDORSED,
    (SealAct.APPROVE, SealState.ENDORSED): SealState.APPROVED,
    (SealAct.REFUSE, SealState.APPLIED): SealState.REFUSED,
    (SealAct.REFUSE, SealState.ENDORSED): SealState.REFUSED,
    (SealAct.ACTIVATE, SealState.APPROVED): SealState.ACTIVE,
    (SealAct.SUSPEND, SealState.ACTIVE): SealState.SUSPENDED,
    (SealAct.SUSPEND, SealState.RESUMING): SealState.SUSPENDED,
    (SealAct.AGREE_TO_RESUME, SealState.SUSPENDED): SealState.RESUMING,
    (SealAct.RESUME, SealState.RESUMING): SealState.ACTIVE,
    **{(SealAct.REPLACE, state): SealState.REPLACED for state in _ALIVE},
    **{
        (act, state): SealState.REVOKED
        for act in (SealAct.REVOKE, SealAct.COMPROMISE)
        for state in (*_ALIVE, SealState.APPROVED, SealState.REPLACED)
    },
    # A seal that was given up can turn out to have been compromised before.
    (SealAct.COMPROMISE, SealState.REVOKED): SealState.REVOKED,
}
"""Everything that can happen; what is not here is refused."""

_LONGEST_REASON: Final = 500
_LARGEST_LIMIT: Final = 1_000_000_000
_TOLERANCE_MM: Final = 1.0


def next_state(seal: Seal, act: SealAct) -> SealState:
    """The state after an act.

    Raises:
        SealStateConflict: The present state does not allow it.
    """
    after = TRANSITIONS.get((act, seal.state))
    if after is None:
        raise SealStateConflict(f"印章当前为“{seal.state.title}”，不能办理“{act.title}”。")
    return after


def require_other_person(seal: Seal, act: SealAct, actor: StaffId, events: Sequence[SealEvent]) -> None:
    """Evidence that an approving act is not done by the applicant, nor twice by one person.

    Raises:
        TwoPersonsNeeded: It would be.
    """
    if act not in {SealAct.APPROVE, SealAct.AGREE_TO_RESUME, SealAct.RESUME}:
        return
    if actor == seal.applicant:
        raise TwoPersonsNeeded("申请人不能审批自己申请的印章。")
    first = {SealAct.APPROVE: SealAct.APPROVE, SealAct.RESUME: SealAct.AGREE_TO_RESUME}.get(act)
    earlier = [event for event in events if event.act is first]
    if act is SealAct.RESUME:
        earlier = earlier[-1:]
    if any(event.actor_id == actor for event in earlier):
        raise TwoPersonsNeeded("第一人和第二人不能是同一人，须由另一名审批人办理。")


def require_usable(seal: Seal, certificate_type: TypeSlug, *, on: date, is_counted: bool = False) -> None:
    """Evidence that a seal may seal a document of this type on this day.

    Args:
        seal: As it stands now.
        certificate_type: The document's type.
        on: Civil day.
        is_counted: This document has its place below the limit already.

    Raises:
        SealUnusable: With the rule that refuses.
    """
    if seal.state is not SealState.ACTIVE:
        raise SealUnusable(f"该部门的印章{seal.state.title}，不能使用。", reason=seal.state.value)
    if not in_force(seal, on):
        raise SealUnusable("该部门的印章已失效或尚未启用。", reason="outside-dates")
    if certificate_type not in seal.types:
        raise SealUnusable("该部门没有可用于此类证照的印章。", reason="type-not-allowed")
    if not is_counted and is_exhausted(seal):
        raise SealUnusable("该部门的印章已达到使用次数上限。", reason="limit-reached")


def is_exhausted(seal: Seal) -> bool:
    """Whether the usage limit is reached."""
    return seal.usage_limit is not None and seal.used >= seal.usage_limit


def choose_seal(seals: Iterable[Seal], certificate_type: TypeSlug, *, on: date, taking: bool = False) -> Seal:
    """The seal, of one department, that seals a type on this day: the first by id of the usable ones.

    Args:
        seals: Of one department.
        certificate_type: The document's type.
        on: Civil day.
        taking: The use is counted next, where the limit decides: this document may have its place already.

    Raises:
        SealUnusable: None; the reason is that of the one that came nearest.
    """
    refusal: SealUnusable | None = None
    exhausted: Seal | None = None
    for seal in sorted(seals, key=lambda one: one.seal_id):
        try:
            require_usable(seal, certificate_type, on=on)
        except SealUnusable as error:
            if certificate_type in seal.types and (refusal is None or seal.state in _ALIVE):
                refusal = error
            if error.reason == "limit-reached" and exhausted is None:
                exhausted = seal
        else:
            return seal
    if taking and exhausted is not None:
        return exhausted
    raise refusal or SealUnusable("该部门没有可用于此类证照的印章。", reason="no-seal")


def check_application(
    application: SealApplication, *, places: Mapping[TypeSlug, SealRule], replaced: Seal | None, today: date
) -> None:
    """Evidence that an application can be decided about.

    Args:
        application: As typed.
        places: Every certificate type with the kind and size of seal that it asks for.
        replaced: The seal that it names to replace.
        today: Civil day.

    Raises:
        ApplicationRefused: One sentence a field.
    """
    findings = list(_text_findings(application))
    unknown = sorted(slug for slug in application.types if slug not in places)
    known = [(slug, places[slug]) for slug in sorted(application.types) if slug in places]
    wrong = [slug for slug, place in known if place.kind != application.kind.value]
    if application.kind is SealKind.REPRESENTATIVE and application.types:
        findings.append(("types", "法定代表人名章不能单独用于证照。"))
    elif application.kind is not SealKind.REPRESENTATIVE and not application.types:
        findings.append(("types", "请选择至少一类证照。"))
    elif unknown:
        findings.append(("types", f"没有这些证照类型：{'、'.join(unknown)}。"))
    elif wrong:
        findings.append(("types", f"这些证照类型要用其他种类的印章：{'、'.join(wrong)}。"))
    if application.valid_to is not None and application.valid_to < max(application.valid_from, today):
        findings.append(("valid_to", "有效期不能止于今天或开始日期之前。"))
    if application.usage_limit is not None and not 1 <= application.usage_limit <= _LARGEST_LIMIT:
        findings.append(("usage_limit", "使用次数上限须为1至10亿的整数，不限则留空。"))
    if replaced is not None and (
        replaced.department != application.department or (SealAct.REPLACE, replaced.state) not in TRANSITIONS
    ):
        findings.append(("replaces", "只能更换本部门在用或停用的印章。"))
    picture = application.picture
    if picture is not None and any(not _fits(picture, place) for _, place in known):
        sizes = sorted({f"{place.width_mm:g}×{place.height_mm:g}" for _, place in known})
        findings.append(("picture", f"印模尺寸须与证照上的位置一致（毫米）：{'、'.join(sizes)}。"))
    if findings:
        raise ApplicationRefused("印章申请还不完整。", findings=findings)


def _fits(picture: SealPicture, place: SealRule) -> bool:
    return (
        abs(picture.width_mm - place.width_mm) <= _TOLERANCE_MM
        and abs(picture.height_mm - place.height_mm) <= _TOLERANCE_MM
    )


def _text_findings(application: SealApplication) -> Iterable[tuple[str, str]]:
    name, number = application.name.strip(), application.filing_number
    if not 2 <= len(name) <= 40:
        yield "name", "印章名称应为2至40个字。"
    elif has_control(name):
        yield "name", CONTROL_SENTENCE
    if not (13 <= len(number) <= 14 and number.isascii() and number.isalnum()):
        yield "filing_number", "公安备案号应为13或14位数字或字母。"
    yield from ((("reason", sentence),) if (sentence := reason_fault(application.reason)) else ())


def reason_fault(reason: str) -> str:
    """What is wrong with a reason; empty when nothing is."""
    text = with_plain_newlines(reason)
    if not text:
        return "必须填写。"
    if len(text) > _LONGEST_REASON:
        return f"不能超过 {_LONGEST_REASON} 个字符。"
    return CONTROL_SENTENCE_LINES if has_control(text, lines=True) else ""
