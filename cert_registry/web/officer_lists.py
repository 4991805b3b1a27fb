"""The officers' other tables: every draft of their departments, and what their departments asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from flask import Response, g, make_response, redirect, request

from cert_registry.checks import CheckQuery, CheckRecord
from cert_registry.civil_date import start_of_day
from cert_registry.issuance_drafts import DraftQuery
from cert_registry.organisations.types import Operation
from cert_registry.types import DraftId, DraftStage, StaffId
from cert_registry.web.check_rows import time_place
from cert_registry.web.check_words import CHECK_TITLES, answer_words
from cert_registry.web.civil_words import civil
from cert_registry.web.draft_rows import SIGNABLE, STAGES, DraftRow, draft_row
from cert_registry.web.export import MAXIMUM_ROWS, csv_file
from cert_registry.web.listing import PAGE_ROWS, Asked, Column, Filter, Listing, Place, assemble
from cert_registry.web.officer_room import OfficerRoom, page

_ROWS_AT_ONCE: Final = 200
_TOO_MANY: Final = "超过 10000 条，不能一次导出。请先筛选，缩小范围。"
_DRAFT_COLUMNS: Final[tuple[Column[DraftRow], ...]] = (
    Column(key="type", title="证照", text=lambda row: row.type_name),
    Column(key="case", title="办件编号", text=lambda row: row.draft.order.case_number),
    Column(key="drafter", title="制证人", text=lambda row: row.drafter),
    Column(
        key="created_at",
        title="制证时间",
        text=lambda row: civil(row.draft.created_at),
        sortable=True,
        fixed=True,
    ),
    Column(
        key="changed_at",
        title="更新时间",
        text=lambda row: civil(row.draft.changed_at),
        sortable=True,
        fixed=True,
    ),
    Column(key="stage", title="状态", text=lambda row: row.word, fixed=True),
)
_CHECK_COLUMNS: Final[tuple[Column[CheckRecord], ...]] = (
    Column(key="asked_at", title="时间", text=lambda row: civil(row.asked_at), sortable=True, fixed=True),
    Column(key="ecert", title="证照标识", text=lambda row: row.check.identifier or ""),
    Column(
        key="operation",
        title="查了什么",
        text=lambda row: CHECK_TITLES.get(row.check.operation, row.check.operation),
    ),
    Column(key="who", title="经办", text=lambda row: row.check.officer or row.check.client_id),
    Column(key="purpose", title="为什么", text=lambda row: row.check.purpose),
    Column(key="item", title="事项编码", text=lambda row: row.check.service_item),
    Column(key="case", title="办件编号", text=lambda row: row.check.case_number),
    Column(key="basis", title="依据", text=lambda row: row.check.legal_basis),
    Column(key="answer", title="答复", text=lambda row: "；".join(answer_words(row.check.answer))),
)
_WHOSE: Final = (("sign", "等我签发"), ("mine", "我制的证"), ("others", "别人制的证"))


class ListDesk:
    """The views over drafts and checks as tables."""

    def __init__(self, room: OfficerRoom) -> None:
        self._room = room
        self._drafts: Listing[DraftRow] = Listing(
            path="/officer/drafts",
            name="制证草稿",
            columns=_DRAFT_COLUMNS,
            filters=(
                Filter(name="whose", title="谁的", choices=_WHOSE),
                Filter(
                    name="stage",
                    title="状态",
                    choices=tuple((one.value, word) for one, (word, _) in STAGES.items()),
                ),
                Filter(
                    name="type",
                    title="证照类型",
                    choices=tuple((one.type_code, one.name) for one in room.catalog.types()),
                ),
            ),
            sort="changed_at",
        )
        self._checks: Listing[CheckRecord] = Listing(
            path="/officer/checks",
            name="本单位的查验记录",
            columns=_CHECK_COLUMNS,
            filters=(
                Filter(name="operation", title="查了什么", choices=tuple(CHECK_TITLES.items())),
                Filter(name="since", title="自"),
                Filter(name="until", title="至"),
            ),
            sort="asked_at",
        )

    def drafts(self) -> str | Response:
        """One page of drafts, or all rows as a file."""
        asked = self._drafts.asked(request.args)
        text = None
        if asked.found:
            text = self._room.searches.text(asked.found, staff_id=g.rights.staff_id, now=self._room.clock())
            asked = asked if text else replace(asked, found="")
        ended = bool(request.args.get("found")) and not text
        query = self._draft_query(asked, text or "")
        refused = ""
        exports = request.args.get("format") == "csv"
        if exports and not ended:  # without its search the list would be everything
            if self._room.drafting.page(replace(query, limit=1)).count <= MAXIMUM_ROWS:
                return csv_file("drafts", _DRAFT_COLUMNS, self._all_drafts(query), now=self._room.clock())
            refused = _TOO_MANY
        query = replace(query, place=_draft_place(asked), backward=asked.backward, limit=PAGE_ROWS + 1)
        asked = asked if query.place is not None else replace(asked, place=None, backward=False)
        found = self._room.drafting.page(query)
        sliced = assemble(
            [self._draft_row(one) for one in found.drafts],
            asked,
            place_of=lambda row: Place(
                value=getattr(row.draft, asked.sort).isoformat(), key=row.draft.draft_id
            ),
            count=found.count,
        )
        view: Any = self._drafts.view(asked, sliced)
        shown = page("officer/drafts.html", view=view, text=text or "", search_ended=ended, refused=refused)
        return make_response(shown, 422 if refused or (exports and ended) else 200)

    def search_drafts(self) -> Response:
        """Keep the case number that is sought and show the list of it."""
        asked = self._drafts.asked(request.form)
        name = self._room.searches.keep(
            request.form.get("text", ""), staff_id=g.rights.staff_id, now=self._room.clock()
        )
        return make_response(redirect(self._drafts.url(replace(asked, found=name)), code=303))

    def checks(self) -> str | Response:
        """One page of what the officer's departments asked, or all rows as a file."""
        asked = self._checks.asked(request.args)
        query = _check_query(asked)
        refused = ""
        if request.args.get("format") == "csv":
            if not self._room.checks.page(replace(query, limit=1)).more_than_count:
                return csv_file("checks", _CHECK_COLUMNS, self._all_checks(query), now=self._room.clock())
            refused = _TOO_MANY
        place = time_place(asked)
        asked = asked if place is not None else replace(asked, place=None, backward=False)
        found = self._room.checks.page(
            replace(query, place=place, backward=asked.backward, limit=PAGE_ROWS + 1)
        )
        sliced = assemble(
            found.records,
            asked,
            place_of=lambda row: Place(value=row.asked_at.isoformat(), key=row.check_id),
            count=found.count,
            more_than_count=found.more_than_count,
        )
        view: Any = self._checks.view(asked, sliced)
        shown = page(
            "officer/checks.html",
            view=view,
            check_titles=CHECK_TITLES,
            answer_words=answer_words,
            refused=refused,
        )
        return make_response(shown, 422 if refused else 200)

    # ── parts ──

    def _draft_row(self, draft: Any) -> DraftRow:
        return draft_row(draft, rights=g.rights, catalog=self._room.catalog)

    def _draft_query(self, asked: Asked, text: str) -> DraftQuery:
        wanted, me = asked.filters, StaffId(g.rights.staff_id)
        stages: tuple[DraftStage, ...] = (DraftStage(wanted["stage"]),) if wanted["stage"] else ()
        types = (wanted["type"],) if wanted["type"] else ()
        if wanted["whose"] == "sign":
            stages = tuple(one for one in SIGNABLE if not stages or one in stages) or (DraftStage.ISSUED,)
            mine = [
                one.type_code for one, _ in g.rights.types_for(Operation.SIGN, self._room.catalog.types())
            ]
            types = tuple(one for one in mine if not types or one in types) or ("-",)
        return DraftQuery(
            issuer_codes=g.rights.codes,
            stages=stages,
            type_codes=types,
            drafted_by=me if wanted["whose"] == "mine" else None,
            not_drafted_by=me if wanted["whose"] in {"sign", "others"} else None,
            case_begins=text,
            by_creation=asked.sort == "created_at",
            descending=asked.descending,
            limit=_ROWS_AT_ONCE,
        )

    def _all_drafts(self, query: DraftQuery) -> Iterator[DraftRow]:
        while drafts := self._room.drafting.page(query).drafts:
            yield from map(self._draft_row, drafts)
            last = drafts[-1]
            query = replace(
                query, place=(last.created_at if query.by_creation else last.changed_at, last.draft_id)
            )

    def _all_checks(self, query: CheckQuery) -> Iterator[CheckRecord]:
        while records := self._room.checks.page(query).records:
            yield from records
            query = replace(query, place=(records[-1].asked_at, records[-1].check_id))


def _check_query(asked: Asked) -> CheckQuery:
    since, until = asked.filters["since"], asked.filters["until"]
    return CheckQuery(
        department_codes=g.rights.codes,
        operation=asked.filters["operation"],
        since=start_of_day(date.fromisoformat(since)) if since else None,
        until=start_of_day(date.fromisoformat(until) + timedelta(days=1)) if until else None,
        descending=asked.descending,
        limit=_ROWS_AT_ONCE,
    )


def _draft_place(asked: Asked) -> tuple[datetime, DraftId] | None:
    place = time_place(asked)
    return None if place is None else (place[0], DraftId(place[1]))
