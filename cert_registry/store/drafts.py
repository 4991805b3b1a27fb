"""Two-person drafts in SQL; the order is encrypted, since its face names people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

from sqlalchemy import func, insert, select, update

from cert_registry.errors import DraftStateConflict
from cert_registry.issuance_drafts import Draft, DraftPage
from cert_registry.store.order_json import dump_order, load_order
from cert_registry.store.paging import from_place
from cert_registry.store.tables import DRAFTS
from cert_registry.types import DraftId, DraftStage, EcertIdentifier, StaffId

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Row

    from cert_registry.issuance_drafts import DraftQuery
    from cert_registry.ports import DataCipher
    from cert_registry.store.engine import Database


@final
class SqlDrafts:
    """The draft book in SQL."""

    def __init__(self, *, database: Database, cipher: DataCipher) -> None:
        self._database = database
        self._cipher = cipher

    def add(self, draft: Draft) -> None:
        """Keep a new draft."""
        row = self._row(draft)
        with self._database.writing() as connection:
            connection.execute(insert(DRAFTS).values(row))

    def find(self, draft_id: DraftId) -> Draft | None:
        """One draft."""
        with self._database.reading() as connection:
            row = connection.execute(select(DRAFTS).where(DRAFTS.c.draft_id == draft_id)).one_or_none()
        return None if row is None else self._draft(row)

    def change(self, draft: Draft, *, expected_revision: int) -> None:
        """Replace a draft by its next revision.

        Raises:
            DraftStateConflict: It was changed meanwhile.
        """
        row = self._row(draft)
        with self._database.writing() as connection:
            changed = connection.execute(
                update(DRAFTS)
                .where(
                    DRAFTS.c.draft_id == draft.draft_id,
                    DRAFTS.c.revision == expected_revision,
                    DRAFTS.c.revision == draft.revision - 1,
                )
                .values(row)
            ).rowcount
        if changed != 1:
            raise DraftStateConflict("草稿已被他人修改，请刷新后再办。")

    def page(self, query: DraftQuery) -> DraftPage:
        """Drafts in order, and how many there are."""
        conditions = _conditions(query)
        column = DRAFTS.c.created_at if query.by_creation else DRAFTS.c.changed_at
        with self._database.reading() as connection:
            rows = connection.execute(
                from_place(
                    select(DRAFTS).where(*conditions),
                    (column, DRAFTS.c.draft_id),
                    query.place,
                    falling=query.descending != query.backward,
                ).limit(query.limit)
            ).all()
            count = connection.scalar(select(func.count()).select_from(DRAFTS).where(*conditions))
        return DraftPage(drafts=tuple(self._draft(row) for row in rows), count=int(count or 0))

    def _row(self, draft: Draft) -> dict[str, Any]:
        return {
            "draft_id": draft.draft_id,
            "stage": draft.stage.value,
            "issuer_code": draft.order.issuer_code,
            "type_code": draft.order.type_code,
            "case_number": draft.order.case_number,
            "drafter_id": draft.drafter_id,
            "signer_id": draft.signer_id,
            "order_sealed": self._cipher.encrypt(
                dump_order(draft.order), associated_data=_bound_to(draft.draft_id)
            ),
            "remark": draft.remark,
            "identifier": draft.identifier,
            "revision": draft.revision,
            "created_at": draft.created_at,
            "changed_at": draft.changed_at,
        }

    def _draft(self, row: Row[tuple[object, ...]]) -> Draft:
        plain = self._cipher.decrypt(row.order_sealed, associated_data=_bound_to(row.draft_id))
        return Draft(
            draft_id=DraftId(row.draft_id),
            stage=DraftStage(row.stage),
            order=load_order(plain),
            drafter_id=StaffId(row.drafter_id),
            signer_id=None if row.signer_id is None else StaffId(row.signer_id),
            remark=row.remark,
            revision=row.revision,
            identifier=None if row.identifier is None else EcertIdentifier(row.identifier),
            created_at=row.created_at,
            changed_at=row.changed_at,
        )


def _conditions(query: DraftQuery) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [DRAFTS.c.issuer_code.in_(query.issuer_codes)]
    if query.stages:
        conditions.append(DRAFTS.c.stage.in_([one.value for one in query.stages]))
    if query.type_codes:
        conditions.append(DRAFTS.c.type_code.in_(query.type_codes))
    if query.drafted_by is not None:
        conditions.append(DRAFTS.c.drafter_id == query.drafted_by)
    if query.not_drafted_by is not None:
        conditions.append(DRAFTS.c.drafter_id != query.not_drafted_by)
    if query.case_begins:
        conditions.append(DRAFTS.c.case_number.startswith(query.case_begins, autoescape=True))
    return conditions


def _bound_to(draft_id: str) -> bytes:
    return b"longzheng draft v1\0" + draft_id.encode()
