"""A row of the officers' list of ecerts: what the page shows, and what an export writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from cert_registry.catalog.loading import Catalog
from cert_registry.ecert_search import EcertSort, ListPlace
from cert_registry.types import EcertIdentifier, EcertState, EcertSummary, Origin
from cert_registry.web.civil_words import civil
from cert_registry.web.listing import Asked, Column, Filter, Listing, Place
from cert_registry.web.shown_values import holder_names, own_number
from cert_registry.web.state_words import listed_tone, listed_word

ORIGIN_TITLES: Final = {Origin.ISSUED: "本系统签发", Origin.STOCK: "存量归集", Origin.PUSHED: "增量汇集"}
LONG_TERM_TITLE: Final = "长期"


@dataclass(frozen=True, slots=True, kw_only=True)
class EcertRow:
    """One ecert of the list.

    Attributes:
        holders: Names, people's masked.
        full_names: Names and numbers in full, only for an export that is recorded.
    """

    ecert: EcertSummary
    own_number: str
    holders: tuple[str, ...]
    full_names: tuple[str, ...] = field(repr=False)
    full_numbers: tuple[str, ...] = field(repr=False)
    word: str
    tone: str


def row_of(ecert: EcertSummary, face: Mapping[str, object], *, catalog: Catalog, today: date) -> EcertRow:
    """The row of an ecert with its face."""
    certificate_type = catalog.type(ecert.type_code)
    holders = certificate_type.holder_rule.holders(face)
    return EcertRow(
        ecert=ecert,
        own_number=own_number(certificate_type, face),
        holders=tuple(name for name, _ in holder_names(certificate_type, face)),
        full_names=tuple(one.name for one in holders),
        full_numbers=tuple(one.number for one in holders),
        word=listed_word(ecert, today),
        tone=listed_tone(ecert, today),
    )


COLUMNS: Final[tuple[Column[EcertRow], ...]] = (
    Column(key="ecert", title="证照", text=lambda row: row.ecert.type_name),
    Column(key="number", title="证号", text=lambda row: row.own_number),
    Column(key="identifier", title="证照标识", text=lambda row: row.ecert.identifier),
    Column(key="holders", title="持证主体", text=lambda row: "、".join(row.holders)),
    Column(
        key="issued_on",
        title="签发日期",
        text=lambda row: row.ecert.issued_on.isoformat(),
        sortable=True,
        fixed=True,
    ),
    Column(
        key="valid_until",
        title="有效期至",
        text=lambda row: row.ecert.valid_until.isoformat() if row.ecert.valid_until else LONG_TERM_TITLE,
        sortable=True,
        fixed=True,
    ),
    Column(
        key="recorded_at",
        title="登记时间",
        text=lambda row: civil(row.ecert.recorded_at),
        sortable=True,
    ),
    Column(key="origin", title="来源", text=lambda row: ORIGIN_TITLES[row.ecert.origin]),
    Column(key="state", title="状态", text=lambda row: row.word, fixed=True),
)
FULL_COLUMNS: Final[tuple[Column[EcertRow], ...]] = (
    *(column for column in COLUMNS if column.key != "holders"),
    Column(key="full_names", title="持证主体姓名或名称", text=lambda row: "、".join(row.full_names)),
    Column(key="full_numbers", title="持证主体证件号码", text=lambda row: "、".join(row.full_numbers)),
)
_ON_PAGE: Final = ("ecert", "holders", "issued_on", "valid_until", "recorded_at", "origin", "state")


def ecert_listing(catalog: Catalog) -> Listing[EcertRow]:
    """The table of issued ecerts, with the types of this catalogue to choose from."""
    return Listing(
        path="/officer/ecerts",
        name="证照列表",
        columns=[column for column in COLUMNS if column.key in _ON_PAGE],
        filters=(
            Filter(
                name="type",
                title="证照类型",
                choices=tuple((one.type_code, one.name) for one in catalog.types()),
            ),
            Filter(name="state", title="状态", choices=tuple((one.value, one.title) for one in EcertState)),
            Filter(
                name="origin",
                title="来源",
                choices=tuple((one.value, title) for one, title in ORIGIN_TITLES.items()),
            ),
            Filter(name="issued_from", title="签发日期自"),
            Filter(name="issued_to", title="签发日期至"),
            Filter(name="ends_from", title="有效期止于，自"),
            Filter(name="ends_to", title="有效期止于，至"),
        ),
        sort=EcertSort.RECORDED.value,
    )


def place_of(ecert: EcertSummary, sort: EcertSort) -> Place:
    """A row's place as addresses hold it."""
    value = getattr(ecert, sort.value)
    return Place(value="" if value is None else value.isoformat(), key=ecert.identifier)


def list_place(asked: Asked) -> ListPlace | None:
    """The place that an address names; None when it is none that this order has."""
    if asked.place is None:
        return None
    sort, identifier = EcertSort(asked.sort), EcertIdentifier(asked.place.key)
    if sort is EcertSort.ENDS and not asked.place.value:
        return ListPlace(value=None, identifier=identifier)
    read: Callable[[str], date | datetime] = (
        datetime.fromisoformat if sort is EcertSort.RECORDED else date.fromisoformat
    )
    try:
        value = read(asked.place.value)
    except ValueError:
        return None
    if isinstance(value, datetime) and value.tzinfo is None:
        return None
    return ListPlace(value=value, identifier=identifier)
