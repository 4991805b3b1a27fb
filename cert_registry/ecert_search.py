"""Finding ecerts among millions whose faces are encrypted: what may be asked, and the keyed terms that answer it.

An ecert is found by whole words only: a holder's whole name, a holder's whole number, the certificate's own
number or its last six characters, the identifier. Each word is kept as a keyed hash (a blind index), so the
database can be asked for equality and tells no name. Of a legal person a part of the name is enough: the
register of legal persons is public and holds it in clear.

A term is HMAC-SHA-256(K, kind ‖ 00 ‖ word), cut to 16 bytes; K is the token's HMAC over
``longzheng search key v1 ‖ 00 ‖ issuer``. Every issuer has a K of its own, so equal names at two issuers cannot
be joined. K stays in memory once it was made, as the data keys do that open the faces themselves. What the index
gives away is in `docs/decisions.md`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol, final

from cert_registry.catalog.errors import TypeUnknown
from cert_registry.types import DepartmentCode, EcertIdentifier
from idp.identity.citizen_number import parse_citizen_number
from idp.identity.credit_code import parse_credit_code
from idp.identity.errors import MalformedNumber
from idp.identity.holder import HolderCodeType, HolderReference, Mac, holder_reference

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from cert_registry.catalog.loading import Catalog
    from cert_registry.types import EcertState, EcertSummary, Origin

MAXIMUM_HITS: Final = 2_000
"""More hits of one search are not read; the page says so."""
MAXIMUM_COUNT: Final = 10_000
"""Rows are counted this far."""
TAIL_LENGTH: Final = 6
_END_WORDS: Final = re.compile("[^0-9a-z]+$")  # 号 and the like, which nobody reads out
_SHORTEST_PART: Final = 2
_LONGEST_TEXT: Final = 200
_TERM_BYTES: Final = 16
_KEY_DOMAIN: Final = b"longzheng search key v1\0"
_OTHER_NUMBERS: Final = (
    HolderCodeType.PASSPORT,
    HolderCodeType.TAIWAN_TRAVEL_PERMIT,
    HolderCodeType.HK_MACAO_TRAVEL_PERMIT,
    HolderCodeType.OTHER_PERSON,
    HolderCodeType.OTHER_ORGANISATION,
)


class EcertSort(Enum):
    """What a list of ecerts can be sorted by."""

    RECORDED = "recorded_at"
    ISSUED = "issued_on"
    ENDS = "valid_until"  # 长期 comes after every day


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPlace:
    """Where a page begins: the value of the row before it, None for 长期, and that row's identifier."""

    value: date | datetime | None
    identifier: EcertIdentifier


@dataclass(frozen=True, slots=True, kw_only=True)
class EcertQuery:
    """One page of the effective ecerts of some issuers.

    Attributes:
        text: What is sought, as typed; empty: everything. Never logged, never in an address.
        today: Civil day on which 失效 is judged.
        issued_from: First day of issue, `issued_to` the last, both included; likewise `ends_…` for the last day of validity.
        backward: The page ends before `place`; rows come nearest first.
        limit: Rows that are fetched at most.
    """

    issuer_codes: tuple[DepartmentCode, ...]
    today: date
    text: str = field(default="", repr=False)
    type_code: str = ""
    state: EcertState | None = None
    origin: Origin | None = None
    issued_from: date | None = None
    issued_to: date | None = None
    ends_from: date | None = None
    ends_to: date | None = None
    sort: EcertSort = EcertSort.RECORDED
    descending: bool = True
    place: ListPlace | None = None
    backward: bool = False
    limit: int = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class EcertPage:
    """What a query found.

    Attributes:
        count: Rows in all, no further than `MAXIMUM_COUNT`.
        more_than_count: Whether there are more.
        not_indexed: How many older ecerts have no terms yet, so that a search may miss them.
    """

    ecerts: tuple[EcertSummary, ...]
    count: int
    more_than_count: bool
    not_indexed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What a typed text may mean; whichever fits is found."""

    identifier: EcertIdentifier
    terms: tuple[bytes, ...]
    references: tuple[HolderReference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceWords:
    """Words of one face that it can be found by.

    Attributes:
        number: The certificate's own number.
        with_tail: Whether the end of that number is a word too; not where it may be an ID number.
    """

    names: tuple[str, ...] = field(repr=False)
    number: str = field(repr=False)
    with_tail: bool


class EcertListBook(Protocol):
    """Pages of ecerts; `store.ecert_listing.SqlEcertListing`."""

    def page(self, query: EcertQuery, sought: Sought | None) -> EcertPage:
        """Effective ecerts in order; only those that fit `sought`, where it is given."""
        ...

    def faces(self, identifiers: Sequence[EcertIdentifier]) -> Mapping[EcertIdentifier, Mapping[str, object]]:
        """The faces of these ecerts in clear, in one reading."""
        ...


class FaceReader(Protocol):
    """Which values of a face are words."""

    def words_of(self, type_code: str, face: Mapping[str, object]) -> FaceWords:
        """Names and number."""
        ...


class NamedLegalPersons(Protocol):
    """The register of legal persons."""

    def named_like(self, part: str) -> tuple[HolderReference, ...]:
        """Those whose name has this part."""
        ...


def word_form(text: str) -> str:
    """The form in which words are compared: letters and digits only, of one width and case.

    So 〔2026〕 equals (2026), and a name typed with another middle dot is the same name.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return "".join(char for char in folded if unicodedata.category(char)[0] in "LN")


@final
class CatalogueFaces:
    """`FaceReader` by the types' data."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def words_of(self, type_code: str, face: Mapping[str, object]) -> FaceWords:
        """Names and number; none of a type that the catalogue no longer has."""
        try:
            certificate_type = self._catalog.type(type_code)
        except TypeUnknown:
            return FaceWords(names=(), number="", with_tail=False)
        key = certificate_type.numbering.field
        return FaceWords(
            names=tuple(holder.name for holder in certificate_type.holder_rule.holders(face)),
            number=str(face.get(key, "")),
            with_tail=not certificate_type.face.field(key).sensitive,
        )


@final
class SearchTerms:
    """Makes terms, of a face when it is registered and of a text when it is sought.

    Args:
        mac: HMAC-SHA-256 in the token.
        faces: Which values of a face are words.
    """

    def __init__(self, *, mac: Mac, faces: FaceReader) -> None:
        self._mac = mac
        self._faces = faces
        self._keys: dict[str, bytes] = {}

    def terms_of(self, *, issuer_code: str, type_code: str, face: Mapping[str, object]) -> tuple[bytes, ...]:
        """Every term that an ecert can be found by.

        Raises:
            TokenBusyOrGone: The issuer's key was due and the token does not answer.
        """
        words = self._faces.words_of(type_code, face)
        found = [(b"name", word_form(name)) for name in words.names]
        number = word_form(words.number)
        found.append((b"number", number))
        end = _END_WORDS.sub("", number)
        if words.with_tail and len(end) > TAIL_LENGTH:
            found.append((b"tail", end[-TAIL_LENGTH:]))
        return tuple(dict.fromkeys(self._term(issuer_code, kind, word) for kind, word in found if word))

    def terms_for(self, text: str, *, issuer_codes: Sequence[str]) -> tuple[bytes, ...]:
        """The terms of a typed text at these issuers.

        Raises:
            TokenBusyOrGone: As above.
        """
        word = word_form(text)
        meant = [(b"name", word), (b"number", word)]
        end = _END_WORDS.sub("", word)
        if len(end) == TAIL_LENGTH:
            meant.append((b"tail", end))
        return tuple(self._term(code, kind, one) for code in issuer_codes for kind, one in meant if one)

    def _term(self, issuer_code: str, kind: bytes, word: str) -> bytes:
        key = self._keys.get(issuer_code)
        if key is None:
            key = self._keys[issuer_code] = self._mac(_KEY_DOMAIN + issuer_code.encode())
        return hmac.digest(key, b"\0".join((kind, word.encode())), hashlib.sha256)[:_TERM_BYTES]


@final
class EcertSearch:
    """Lists and finds ecerts; holds no rights, the caller names the issuers that it may see.

    Args:
        book: Where rows and terms are.
        terms: Makes terms.
        mac: HMAC of the holder references.
        legal_persons: Finds legal persons by a part of their name.
    """

    def __init__(
        self, *, book: EcertListBook, terms: SearchTerms, mac: Mac, legal_persons: NamedLegalPersons
    ) -> None:
        self._book = book
        self._terms = terms
        self._mac = mac
        self._legal_persons = legal_persons

    def page(self, query: EcertQuery) -> EcertPage:
        """One page.

        Raises:
            TokenBusyOrGone: A text is sought and the token does not answer.
            StoreUnavailable: The database does not answer.
        """
        text = query.text.strip()[:_LONGEST_TEXT]
        return self._book.page(query, self._sought(text, query) if text else None)

    def faces(self, identifiers: Sequence[EcertIdentifier]) -> Mapping[EcertIdentifier, Mapping[str, object]]:
        """The faces of these ecerts in clear; the caller masks."""
        return self._book.faces(identifiers)

    def _sought(self, text: str, query: EcertQuery) -> Sought:
        plain = "".join(unicodedata.normalize("NFKC", text).split()).upper()
        numbers = [holder_reference(kind, plain, self._mac) for kind in _number_kinds(plain, query.today)]
        named = self._legal_persons.named_like(text) if len(word_form(text)) >= _SHORTEST_PART else ()
        return Sought(
            identifier=EcertIdentifier(plain),
            terms=self._terms.terms_for(text, issuer_codes=query.issuer_codes),
            references=tuple(dict.fromkeys((*numbers, *named))),
        )


def _number_kinds(plain: str, today: date) -> tuple[HolderCodeType, ...]:
    """Which registers a typed number can belong to."""
    with suppress(MalformedNumber):
        if parse_citizen_number(plain, today=today).number == plain:
            return (HolderCodeType.CITIZEN_NUMBER,)
    with suppress(MalformedNumber):
        if parse_credit_code(plain).code == plain:
            return (HolderCodeType.CREDIT_CODE,)
    looks_like_one = plain.isascii() and any(char.isdigit() for char in plain)
    return _OTHER_NUMBERS if looks_like_one else ()
