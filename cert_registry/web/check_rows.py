"""A holder's table of who checked, and places in any table that is sorted by a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cert_registry.checks import CheckRecord
from cert_registry.types import EcertSummary
from cert_registry.web.civil_words import civil
from cert_registry.web.listing import Asked, Column, Filter, Listing


def check_listing(held: Sequence[EcertSummary]) -> Listing[CheckRecord]:
    """The table of checks of these ecerts, each of which can be chosen."""
    return Listing(
        path="/my/checks",
        name="查验记录",
        columns=(
            Column(key="asked_at", title="时间", text=lambda row: civil(row.asked_at), sortable=True),
            Column(key="ecert", title="证照", text=lambda row: row.check.identifier or ""),
            Column(key="who", title="谁", text=lambda row: row.check.department_name),
            Column(key="purpose", title="为什么", text=lambda row: row.check.purpose),
            Column(key="operation", title="查了什么", text=lambda row: row.check.operation),
            Column(key="basis", title="依据", text=lambda row: row.check.legal_basis),
        ),
        filters=(
            Filter(
                name="ecert",
                title="证照",
                choices=tuple((one.identifier, one.type_name) for one in held),
            ),
        ),
        sort="asked_at",
    )


def time_place(asked: Asked) -> tuple[datetime, str] | None:
    """The place that an address names in an order of times; None when it is none."""
    if asked.place is None:
        return None
    try:
        moment = datetime.fromisoformat(asked.place.value)
    except ValueError:
        return None
    return (moment, asked.place.key) if moment.tzinfo is not None else None
