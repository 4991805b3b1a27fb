"""The officers' list of issued ecerts: filtered, sorted, searched, exported.

What is searched goes by POST and is kept (`searches.py`). The export shows what the page shows; names and numbers in full
are a look at every row of it, so they need a purpose and a case and are recorded for each holder before a line leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from flask import Response, g, make_response, redirect, request

from cert_registry.checks import Check
from cert_registry.civil_date import civil_date_at
from cert_registry.ecert_search import EcertPage, EcertQuery, EcertSort, ListPlace
from cert_registry.errors import CheckIncomplete
from cert_registry.types import EcertState, Origin
from cert_registry.web.ecert_rows import (
    COLUMNS,
    FULL_COLUMNS,
    EcertRow,
    ecert_listing,
    list_place,
    place_of,
    row_of,
)
from cert_registry.web.export import MAXIMUM_ROWS, csv_file
from cert_registry.web.listing import PAGE_ROWS, Asked, assemble
from cert_registry.web.officer_room import OfficerRoom, page

_ROWS_AT_ONCE: Final = 200
_PURPOSE_TITLES: Final = {"purpose": "导出用途", "case_number": "办件编号"}


class EcertListDesk:
    """The views over the list."""

    def __init__(self, room: OfficerRoom) -> None:
        self._room = room
        self._listing = ecert_listing(room.catalog)

    def ecerts(self) -> str | Response:
        """One page, or all rows as a file."""
        asked = self._listing.asked(request.args)
        if request.args.get("format") == "csv":
            return self._export(asked)
        return self._page(asked)

    def search(self) -> Response:
        """Keep what is sought and show the list of it."""
        asked = self._listing.asked(request.form)
        name = self._room.searches.keep(
            request.form.get("text", ""), staff_id=g.rights.staff_id, now=self._room.clock()
        )
        return make_response(redirect(self._listing.url(replace(asked, found=name)), code=303))

    def export_in_full(self) -> Response:
        """Names and numbers too, recorded for every holder."""
        asked = self._listing.asked(request.form)
        typed = {name: request.form.get(name, "").strip() for name in _PURPOSE_TITLES}
        wrong = {name: "必须填写。" for name, text in typed.items() if not text}
        query = self._query(asked)
        if _has_ended(asked, query):
            return make_response(self._page(asked, typed=typed), 422)
        if wrong:
            return make_response(self._page(asked, typed=typed, wrong=wrong), 422)
        found = self._room.search.page(replace(query, limit=1))
        if found.more_than_count or found.count > MAXIMUM_ROWS:
            return make_response(self._page(asked, typed=typed, refused=_TOO_MANY), 422)
        try:
            first = self._recorded(self._room.search.page(query), typed)
        except CheckIncomplete as incomplete:
            return make_response(self._page(asked, typed=typed, refused=incomplete.sentence), 422)
        return csv_file("ecerts-full", FULL_COLUMNS, self._rest(query, first, typed), now=self._room.clock())

    # ── parts ──

    def _query(self, asked: Asked) -> EcertQuery:
        wanted = asked.filters
        now = self._room.clock()
        text = None
        if asked.found:
            text = self._room.searches.text(asked.found, staff_id=g.rights.staff_id, now=now)
        return EcertQuery(
            issuer_codes=g.rights.codes,
            today=civil_date_at(now),
            text=text or "",
            type_code=wanted["type"],
            state=EcertState(wanted["state"]) if wanted["state"] else None,
            origin=Origin(wanted["origin"]) if wanted["origin"] else None,
            issued_from=_day(wanted["issued_from"]),
            issued_to=_day(wanted["issued_to"]),
            ends_from=_day(wanted["ends_from"]),
            ends_to=_day(wanted["ends_to"]),
            sort=EcertSort(asked.sort),
            descending=asked.descending,
            limit=_ROWS_AT_ONCE,
        )

    def _page(
        self,
        asked: Asked,
        *,
        typed: dict[str, str] | None = None,
        wrong: dict[str, str] | None = None,
        refused: str = "",
    ) -> str:
        query = replace(
            self._query(asked), place=list_place(asked), backward=asked.backward, limit=PAGE_ROWS + 1
        )
        ended = _has_ended(asked, query)
        if ended:
            asked = replace(asked, found="")
        found = self._room.search.page(query)
        sort = EcertSort(asked.sort)
        asked = asked if query.place is not None else replace(asked, place=None, backward=False)
        sliced = assemble(
            self._rows(found),
            asked,
            place_of=lambda row: place_of(row.ecert, sort),
            count=found.count,
            more_than_count=found.more_than_count,
        )
        view: Any = self._listing.view(asked, sliced)
        return page(
            "officer/ecerts.html",
            view=view,
            text=query.text,
            search_ended=ended,
            not_indexed=found.not_indexed,
            may_export=found.count > 0 and not found.more_than_count,
            typed=typed or {},
            wrong=wrong or {},
            refused=refused,
        )

    def _rows(self, found: EcertPage) -> list[EcertRow]:
        faces = self._room.search.faces([one.identifier for one in found.ecerts])
        today = civil_date_at(self._room.clock())
        return [
            row_of(one, faces[one.identifier], catalog=self._room.catalog, today=today)
            for one in found.ecerts
            if one.identifier in faces
        ]

    def _export(self, asked: Asked) -> str | Response:
        query = self._query(asked)
        if _has_ended(asked, query):
            return make_response(self._page(asked), 422)
        found = self._room.search.page(query)
        if found.more_than_count or found.count > MAXIMUM_ROWS:
            return make_response(self._page(asked, refused=_TOO_MANY), 422)
        return csv_file("ecerts", COLUMNS, self._rest(query, found, None), now=self._room.clock())

    def _rest(self, query: EcertQuery, found: EcertPage, typed: dict[str, str] | None) -> Iterator[EcertRow]:
        """Every row from a first page on; recorded page by page, before its rows leave, where that is asked."""
        while found.ecerts:
            yield from self._rows(found)
            last = found.ecerts[-1]
            query = replace(
                query,
                place=ListPlace(value=getattr(last, query.sort.value), identifier=last.identifier),
            )
            found = self._room.search.page(query)
            if typed is not None:
                found = self._recorded(found, typed)

    def _recorded(self, found: EcertPage, typed: dict[str, str]) -> EcertPage:
        checks: Sequence[Check] = [
            Check(
                identifier=one.identifier,
                department_code=one.issuer_code,
                department_name=one.issuer_name,
                client_id="officer-desk",
                officer=g.rights.name,
                purpose=typed["purpose"],
                service_item="officer-desk",
                case_number=typed["case_number"],
                legal_basis="",
                operation="export",
            )
            for one in found.ecerts
        ]
        self._room.checks.record_checks(checks, now=self._room.clock())
        return found


_TOO_MANY: Final = "超过 10000 条，不能一次导出。请先筛选，缩小范围。"


def _has_ended(asked: Asked, query: EcertQuery) -> bool:
    """Whether a search is named that is no more: without it the list holds everything, which nobody asked to export."""
    return bool(asked.found) and not query.text


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
