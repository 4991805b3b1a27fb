"""A draft as the officers' pages list it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cert_registry.catalog.errors import TypeUnknown
from cert_registry.catalog.loading import Catalog
from cert_registry.issuance_drafts import Draft
from cert_registry.organisations.types import Operation
from cert_registry.types import DraftStage
from cert_registry.web.officer_rights import OfficerRights

STAGES: Final = {
    DraftStage.DRAFTED: ("等待签发", "waiting"),
    DraftStage.RETURNED: ("已退回", "suspended"),
    DraftStage.SIGNED: ("正在签发", "waiting"),
    DraftStage.ISSUED: ("已签发", "valid"),
}
SIGNABLE: Final = (DraftStage.DRAFTED, DraftStage.SIGNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftRow:
    """One draft with what this officer may do.

    Attributes:
        mine: Whether the officer drafted it.
        may_sign: Whether the officer may sign it off.
        may_revise: Whether it is the officer's turn to mend it.
    """

    draft: Draft
    type_name: str
    word: str
    tone: str
    mine: bool
    drafter: str
    issued: bool
    may_sign: bool
    may_revise: bool


def draft_row(draft: Draft, *, rights: OfficerRights, catalog: Catalog) -> DraftRow:
    """The row of a draft for one officer."""
    word, tone = STAGES[draft.stage]
    try:
        known = catalog.type(draft.order.type_code)
        type_name, slug = known.name, known.slug
    except TypeUnknown:
        type_name, slug = draft.order.type_code, ""
    mine = draft.drafter_id == rights.staff_id
    return DraftRow(
        draft=draft,
        type_name=type_name,
        word=word,
        tone=tone,
        mine=mine,
        drafter="本人" if mine else rights.name_of(draft.drafter_id),
        issued=draft.stage is DraftStage.ISSUED,
        may_sign=draft.stage in SIGNABLE
        and not mine
        and rights.may(Operation.SIGN, draft.order.issuer_code, slug),
        may_revise=mine and draft.stage is DraftStage.RETURNED,
    )
