"""Issuing by two officers: 制证 (draft), 预览, 签发 (sign off) or 退回 (return).

A draft holds an order without authority; signing off adds the two persons and hands it to `issuance.issue`.
"""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol, final

from cert_registry.errors import (
    DraftRefused,
    DraftStateConflict,
    ReplacementRefused,
    RequestMalformed,
    SamePerson,
    UnknownDraft,
)
from cert_registry.free_text import CONTROL_SENTENCE_LINES, has_control, with_plain_newlines
from cert_registry.issuance import issue
from cert_registry.types import DraftId, DraftStage, IssueOrder, StaffId, TwoPersons

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from cert_registry.issuance import IssuingRoom
    from cert_registry.types import DepartmentCode, EcertIdentifier, IssuedEcert

_LONGEST_REMARK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftContent:
    """What an officer fills in; the face is not yet checked."""

    type_code: str
    issuer_code: DepartmentCode
    case_number: str
    service_item: str
    unverified_face: Mapping[str, object] = field(repr=False)
    replaces: EcertIdentifier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A stored draft.

    Attributes:
        order: Its authority names the drafter twice until somebody else signs off; such an order never passes.
        revision: Rises with each change; an act on an older revision is refused.
        remark: Why it was returned.
    """

    draft_id: DraftId
    stage: DraftStage
    order: IssueOrder
    drafter_id: StaffId
    signer_id: StaffId | None
    remark: str
    revision: int
    identifier: EcertIdentifier | None
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftQuery:
    """One page of drafts.

    Attributes:
        stages: Any of these; empty: every stage. Likewise `type_codes`.
        drafted_by: Only this officer's; `not_drafted_by` everybody else's.
        case_begins: Beginning of the case number.
        by_creation: Sorted by the first day instead of the last change.
        place: Time and draft that the page begins after.
        backward: The page ends before `place`; rows come nearest first.
    """

    issuer_codes: tuple[DepartmentCode, ...]
    stages: tuple[DraftStage, ...] = ()
    type_codes: tuple[str, ...] = ()
    drafted_by: StaffId | None = None
    not_drafted_by: StaffId | None = None
    case_begins: str = ""
    by_creation: bool = False
    descending: bool = True
    place: tuple[datetime, DraftId] | None = None
    backward: bool = False
    limit: int = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftPage:
    """Drafts, and how many there are in all."""

    drafts: tuple[Draft, ...]
    count: int


class DraftBook(Protocol):
    """Where drafts are kept."""

    def add(self, draft: Draft) -> None:
        """Keep a new draft."""
        ...

    def find(self, draft_id: DraftId) -> Draft | None:
        """One draft."""
        ...

    def change(self, draft: Draft, *, expected_revision: int) -> None:
        """Replace a draft by its next revision.

        Raises:
            DraftStateConflict: It was changed meanwhile.
        """
        ...

    def page(self, query: DraftQuery) -> DraftPage:
        """Drafts in order."""
        ...


class DraftingAuthority(Protocol):
    """Who may draft and sign: the organisations room."""

    def authorise_drafter(self, drafter_id: StaffId, content: DraftContent, *, now: datetime) -> None:
        """Evidence of the right to draft.

        Raises:
            NotAuthorised: No right, or another subtree.
        """
        ...

    def authorise_signer(self, signer_id: StaffId, content: DraftContent, *, now: datetime) -> None:
        """Evidence of the right to sign off.

        Raises:
            NotAuthorised: No right, or another subtree.
        """
        ...


@final
class Drafting:
    """The two-person desk."""

    def __init__(self, *, book: DraftBook, authority: DraftingAuthority, room: IssuingRoom) -> None:
        self._book = book
        self._authority = authority
        self._room = room

    def create_draft(self, content: DraftContent, *, drafter_id: StaffId, now: datetime) -> Draft:
        """制证: keep a draft that passes every check.

        Raises:
            NotAuthorised: The officer may not draft this, or it replaces what is not the issuer's.
            SealNotUsable: No seal of the issuer may seal this today.
            DraftRefused: Fields or lints.
            TransitionRefused: What it replaces cannot be replaced, or has other holders.
        """
        self._authority.authorise_drafter(drafter_id, content, now=now)
        order = _unsigned_order(content, drafter_id)
        self._require_order(order, now=now)
        draft = Draft(
            draft_id=DraftId(uuid.uuid4().hex),
            stage=DraftStage.DRAFTED,
            order=order,
            drafter_id=drafter_id,
            signer_id=None,
            remark="",
            revision=1,
            identifier=None,
            created_at=now,
            changed_at=now,
        )
        self._book.add(draft)
        return draft

    def revise_draft(
        self,
        draft_id: DraftId,
        content: DraftContent,
        *,
        drafter_id: StaffId,
        expected_revision: int,
        now: datetime,
    ) -> Draft:
        """Change a draft that waits or was returned; it waits for the signer again.

        Raises:
            UnknownDraft: None, or somebody else's.
            DraftStateConflict: It is signed already, or was changed meanwhile.
            NotAuthorised: The officer may not draft this, or it replaces what is not the issuer's.
            SealNotUsable: No seal of the issuer may seal this today.
            DraftRefused: Fields or lints.
            TransitionRefused: What it replaces cannot be replaced, or has other holders.
        """
        draft = self.draft(draft_id)
        if draft.drafter_id != drafter_id:
            raise UnknownDraft("没有这份制证草稿。")
        _require_stage(draft, DraftStage.DRAFTED, DraftStage.RETURNED)
        self._authority.authorise_drafter(drafter_id, content, now=now)
        order = _unsigned_order(content, drafter_id)
        self._require_order(order, now=now)
        changed = replace(
            draft,
            stage=DraftStage.DRAFTED,
            order=order,
            remark="",
            revision=draft.revision + 1,
            changed_at=now,
        )
        self._book.change(changed, expected_revision=expected_revision)
        return changed

    def preview(self, draft_id: DraftId, *, now: datetime) -> bytes:
        """预览: the page with its mark, unsealed, as a PDF.

        Raises:
            UnknownDraft: None.
            DraftRefused: Fields, lints, or a character without a glyph.
        """
        draft = self.draft(draft_id)
        return self._room.press.preview(self._room.drafts.check(draft.order, now=now), now=now)

    def sign_off(
        self, draft_id: DraftId, *, signer_id: StaffId, expected_revision: int, now: datetime
    ) -> IssuedEcert:
        """签发: the second officer's decision; issues at once. Calling again after a failure goes on.

        Raises:
            UnknownDraft: None.
            SamePerson: The signer is the drafter.
            NotAuthorised: The officer may not sign this.
            DraftStateConflict: It was changed or returned meanwhile.
            RegistryError: Whatever `issuance.issue` raises; the draft then stays signed and can be resumed.
        """
        draft = self.draft(draft_id)
        if draft.drafter_id == signer_id:
            raise SamePerson("制证人和签发人不能是同一人。")
        if draft.stage is DraftStage.RETURNED:
            raise DraftStateConflict("草稿已退回，须由制证人修改后再签发。")
        self._authority.authorise_signer(signer_id, _content(draft.order), now=now)
        order = replace(draft.order, authority=TwoPersons(drafter_id=draft.drafter_id, signer_id=signer_id))
        if draft.stage is DraftStage.DRAFTED:
            signed = replace(
                draft,
                stage=DraftStage.SIGNED,
                order=order,
                signer_id=signer_id,
                revision=draft.revision + 1,
                changed_at=now,
            )
            self._room.replacements.require_open(order, now=now)
            self._room.authority.seal_for(order, now=now)
            self._book.change(signed, expected_revision=expected_revision)
            draft = signed
        try:
            return issue(draft.order, room=self._room, now=now)
        except DraftRefused as refusal:
            self._give_back(draft, refusal, now=now)
            raise
        except ReplacementRefused as refusal:
            with suppress(DraftStateConflict):  # the refusal's own transaction gave it back
                self._give_back(draft, refusal, now=now)
            raise

    def _require_order(self, order: IssueOrder, *, now: datetime) -> None:
        self._room.authority.seal_for(order, now=now)
        checked = self._room.drafts.check(order, now=now)
        self._room.replacements.require_open(order, holders=checked.holders, now=now)

    def _give_back(self, draft: Draft, refusal: DraftRefused | ReplacementRefused, *, now: datetime) -> None:
        """What cannot be printed or replaced goes back to the drafter, so that it can be mended."""
        returned = replace(
            draft,
            stage=DraftStage.RETURNED,
            remark=refusal.sentence,
            revision=draft.revision + 1,
            changed_at=now,
        )
        self._book.change(returned, expected_revision=draft.revision)

    def return_to_drafter(
        self,
        draft_id: DraftId,
        remark: str,
        *,
        signer_id: StaffId,
        expected_revision: int,
        now: datetime,
    ) -> Draft:
        """退回: with a remark that says what to change.

        Raises:
            UnknownDraft: None.
            SamePerson: The officer is the drafter.
            NotAuthorised: The officer may not sign this.
            RequestMalformed: No remark, too long, or with control characters.
            DraftStateConflict: It is not waiting for a signer.
        """
        draft = self.draft(draft_id)
        _require_stage(draft, DraftStage.DRAFTED)
        if draft.drafter_id == signer_id:
            raise SamePerson("制证人和签发人不能是同一人。")
        self._authority.authorise_signer(signer_id, _content(draft.order), now=now)
        remark = with_plain_newlines(remark)
        if not remark or len(remark) > _LONGEST_REMARK:
            raise RequestMalformed("退回须写明理由。", findings=[("remark", "必须填写，不超过500字。")])
        if has_control(remark, lines=True):
            raise RequestMalformed(
                "退回理由不能含有控制字符。", findings=[("remark", CONTROL_SENTENCE_LINES)]
            )
        returned = replace(
            draft,
            stage=DraftStage.RETURNED,
            remark=remark,
            revision=draft.revision + 1,
            changed_at=now,
        )
        self._book.change(returned, expected_revision=expected_revision)
        return returned

    def draft(self, draft_id: DraftId) -> Draft:
        """One draft.

        Raises:
            UnknownDraft: None.
        """
        found = self._book.find(draft_id)
        if found is None:
            raise UnknownDraft("没有这份制证草稿。")
        return found

    def drafts_of(self, issuer_codes: Sequence[DepartmentCode], *, limit: int = 100) -> tuple[Draft, ...]:
        """Drafts of these issuers, last changed first."""
        return self.page(DraftQuery(issuer_codes=tuple(issuer_codes), limit=limit)).drafts

    def page(self, query: DraftQuery) -> DraftPage:
        """One page of drafts."""
        return self._book.page(query)


def _unsigned_order(content: DraftContent, drafter_id: StaffId) -> IssueOrder:
    return IssueOrder(
        type_code=content.type_code,
        issuer_code=content.issuer_code,
        case_number=content.case_number.strip(),
        service_item=content.service_item.strip(),
        unverified_face=content.unverified_face,
        authority=TwoPersons(drafter_id=drafter_id, signer_id=drafter_id),
        replaces=content.replaces,
    )


def _content(order: IssueOrder) -> DraftContent:
    return DraftContent(
        type_code=order.type_code,
        issuer_code=order.issuer_code,
        case_number=order.case_number,
        service_item=order.service_item,
        unverified_face=order.unverified_face,
        replaces=order.replaces,
    )


def _require_stage(draft: Draft, *stages: DraftStage) -> None:
    if draft.stage not in stages:
        raise DraftStateConflict("草稿当前的状态不允许这一操作，请刷新后再办。")
