"""Listing and finding ecerts: right, complete, stable from page to page, and by index whatever the number of rows."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import event, insert, select

from cert_registry.catalog.loading import Catalog
from cert_registry.ecert_search import (
    CatalogueFaces,
    EcertPage,
    EcertQuery,
    EcertSearch,
    EcertSort,
    ListPlace,
    SearchTerms,
    word_form,
)
from cert_registry.errors import ObjectMissing
from cert_registry.legal_persons.store import LegalPersonStore
from cert_registry.legal_persons.types import LegalPersonEntry, LegalPersonKind, LegalPersonState
from cert_registry.store.ecert_listing import SqlEcertListing
from cert_registry.store.ecert_terms import insert_terms
from cert_registry.store.ecerts import SqlEcerts
from cert_registry.store.engine import Database, open_database
from cert_registry.store.migrate import alembic_config, upgrade
from cert_registry.store.registration import face_binding
from cert_registry.store.tables import ECERT_HOLDERS, ECERT_TERMS, ECERT_TERMS_DUE, ECERTS
from cert_registry.store.term_filling import SqlTermFilling
from cert_registry.types import DepartmentCode, EcertIdentifier, EcertState, Origin
from idp.identity.holder import HolderCodeType, holder_reference

pytestmark = pytest.mark.thorough

ROOT = Path(__file__).resolve().parents[3]
TYPES = ROOT / "cert_registry" / "catalog" / "types"
NOW = datetime(2026, 11, 25, 2, tzinfo=UTC)
TODAY = date(2026, 11, 25)
CITY, COUNTY, OTHER = (
    DepartmentCode("119901000000002037"),
    DepartmentCode("11990101000000301X"),
    DepartmentCode("119901000000009999"),
)


class MemoryKey:
    """A data cipher whose key is not in a token."""

    def __init__(self) -> None:
        self._key = AESGCM(AESGCM.generate_key(256))

    def encrypt(self, plaintext: bytes, *, associated_data: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + self._key.encrypt(nonce, plaintext, associated_data)

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        try:
            return self._key.decrypt(ciphertext[:12], ciphertext[12:], associated_data)
        except Exception as error:
            raise ObjectMissing("damaged") from error


class Shelf:
    """A registry's rows, written as the registration writes them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.cipher = MemoryKey()
        self._key = secrets.token_bytes(32)
        self.catalog = Catalog.load(TYPES)
        self.terms = SearchTerms(mac=self.mac, faces=CatalogueFaces(self.catalog))
        self.legal_persons = LegalPersonStore(database, cipher=self.cipher, mac=self.mac)
        ecerts = SqlEcerts(
            database=database, cipher=self.cipher, type_name=lambda code: self.catalog.type(code).name
        )
        self.search = EcertSearch(
            book=SqlEcertListing(database=database, cipher=self.cipher, ecerts=ecerts),
            terms=self.terms,
            mac=self.mac,
            legal_persons=self.legal_persons,
        )
        self.filling = SqlTermFilling(database=database, cipher=self.cipher, terms=self.terms)
        self._numbers = itertools.count(1)

    def mac(self, message: bytes) -> bytes:
        return hmac.digest(self._key, message, hashlib.sha256)

    def put(
        self,
        slug: str = "food-business-licence",
        *,
        issuer: DepartmentCode = CITY,
        face: dict[str, Any] | None = None,
        indexed: bool = True,
        **columns: Any,
    ) -> EcertIdentifier:
        number = next(self._numbers)
        certificate_type = self.catalog.by_slug(slug)
        whole = json.loads((TYPES / slug / "samples" / "shortest.json").read_text("utf-8")) | (face or {})
        identifier = EcertIdentifier(
            f"1.2.156.3005.2.{certificate_type.type_code}.{issuer}.{number:020}.001.X"
        )
        row = {
            "identifier": identifier,
            "registration": "effective",
            "origin": "stock",
            "type_code": certificate_type.type_code,
            "issuer_code": issuer,
            "issuer_name": "示例",
            "version": 1,
            "case_number": f"C{number}",
            "service_item": "",
            "face_sealed": self.cipher.encrypt(
                json.dumps(whole).encode(), associated_data=face_binding(identifier)
            ),
            "issued_on": TODAY - timedelta(days=number % 7),
            "valid_from": TODAY - timedelta(days=30),
            "valid_until": None if number % 3 == 0 else TODAY + timedelta(days=number % 5),
            "state": "01",
            "state_sequence": 1,
            "file_state": "current",
            "frozen": False,
            "salt": b"",
            "recorded_at": NOW - timedelta(seconds=number // 2),
        } | columns
        with self.database.writing() as connection:
            connection.execute(insert(ECERTS).values(row))
            for position, holder in enumerate(certificate_type.holder_rule.holders(whole), start=1):
                reference = holder_reference(HolderCodeType(holder.code_type), holder.number, self.mac)
                connection.execute(
                    insert(ECERT_HOLDERS).values(
                        identifier=identifier,
                        position=position,
                        holder_reference=reference,
                        code_type=holder.code_type,
                    )
                )
            if indexed:
                terms = self.terms.terms_of(
                    issuer_code=issuer, type_code=certificate_type.type_code, face=whole
                )
                insert_terms(connection, identifier, terms)
            else:
                connection.execute(insert(ECERT_TERMS_DUE).values(identifier=identifier))
        return identifier

    def find(self, text: str, *issuers: DepartmentCode, **more: Any) -> list[EcertIdentifier]:
        query = EcertQuery(issuer_codes=issuers or (CITY,), today=TODAY, text=text, **more)
        return [one.identifier for one in self.search.page(query).ecerts]


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    database = open_database(tmp_path / "registry.db")
    upgrade(database)
    yield Shelf(database)
    database.dispose()


def walk(shelf: Shelf, query: EcertQuery, *, backward: bool = False) -> list[EcertIdentifier]:
    """Every identifier, page by page, as an officer turns the pages."""
    met: list[EcertIdentifier] = []
    query = replace(query, backward=backward)
    for _ in range(100):
        found: EcertPage = shelf.search.page(query)
        rows = found.ecerts[: query.limit - 1]
        met.extend(one.identifier for one in rows)
        if len(found.ecerts) < query.limit:
            return met
        last = rows[-1]
        query = replace(
            query, place=ListPlace(value=getattr(last, query.sort.value), identifier=last.identifier)
        )
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize("sort", EcertSort)
@pytest.mark.parametrize("descending", [True, False])
def test_every_row_is_met_once_in_order_over_several_issuers(
    shelf: Shelf,
    sort: EcertSort,
    descending: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    for number in range(40):
        shelf.put(issuer=CITY if number % 3 else COUNTY)
    shelf.put(issuer=OTHER)
    shelf.put(registration="pending")
    query = EcertQuery(issuer_codes=(CITY, COUNTY), today=TODAY, sort=sort, descending=descending, limit=8)
    met = walk(shelf, query)
    assert len(met) == len(set(met)) == 40
    whole = shelf.search.page(replace(query, limit=100)).ecerts
    assert met == [one.identifier for one in whole]
    far = datetime.max.replace(tzinfo=UTC).date()
    keys = [(getattr(one, sort.value) or far, one.identifier) for one in whole]
    assert keys == sorted(keys, reverse=descending)
    assert walk(shelf, query, backward=True) == met[::-1]
    assert shelf.search.page(query).count == 40


def test_filters_leave_what_they_name(shelf: Shelf) -> None:
    licence = shelf.put(valid_until=TODAY, issued_on=date(2026, 1, 31))
    ended = shelf.put(valid_until=TODAY - timedelta(days=1), state="02", issued_on=date(2026, 2, 1))
    revoked = shelf.put(valid_until=TODAY - timedelta(days=1), state="07", issued_on=date(2026, 2, 2))
    company = shelf.put("business-licence", valid_until=None, origin="issued", issued_on=date(2026, 2, 3))

    def found(**more: Any) -> set[EcertIdentifier]:
        return set(shelf.find("", **more))

    assert found() == {licence, ended, revoked, company}
    assert found(state=EcertState.VALID) == {licence, company}
    assert found(state=EcertState.SUSPENDED) == set()
    assert found(state=EcertState.EXPIRED) == {ended}
    assert found(state=EcertState.PENALLY_REVOKED) == {revoked}
    assert found(origin=Origin.ISSUED) == {company}
    assert found(type_code=shelf.catalog.by_slug("business-licence").type_code) == {company}
    assert found(issued_from=date(2026, 2, 1), issued_to=date(2026, 2, 2)) == {ended, revoked}
    assert found(ends_to=TODAY, ends_from=TODAY) == {licence}


def test_a_person_is_found_by_whole_name_and_whole_number_and_by_nothing_less(shelf: Shelf) -> None:
    slug = "no-criminal-record"
    rule = shelf.catalog.by_slug(slug).holder_rule
    named = {rule.name_field: "阿依古丽·买买提", rule.number_field: "880102198001010074"}
    mine = shelf.put(slug, face=named)
    shelf.put(slug, face={rule.name_field: "阿依古丽", rule.number_field: "880102198203030065"})
    for text in (
        "阿依古丽·买买提",
        " 阿依古丽•买买提 ",
        "阿依古丽买买提",
        "880102198001010074",
        mine,
        mine.lower(),
    ):
        assert shelf.find(text) == [mine], text
    for text in ("阿依古", "买买提", "88010219800101007", "010074", "1.2.156.3005.2", "%", "_", "\0"):
        assert shelf.find(text) == [], text
    assert shelf.find("阿依古丽·买买提", COUNTY) == []
    assert shelf.find("880102198001010074", COUNTY) == []


def test_a_licence_is_found_by_its_number_its_end_and_a_part_of_the_firms_name(shelf: Shelf) -> None:
    slug = "food-business-licence"
    rule = shelf.catalog.by_slug(slug)
    name, code = "示例市好味餐饮有限公司", "91990100C000000166"
    mine = shelf.put(
        slug,
        face={
            rule.numbering.field: "JY29901〔2026〕0001234",
            rule.holder_rule.name_field: name,
            rule.holder_rule.number_field: code,
        },
    )
    shelf.put(
        slug,
        face={
            rule.numbering.field: "JY29901〔2026〕0009999",
            rule.holder_rule.name_field: "示例市美味餐饮有限公司",
            rule.holder_rule.number_field: "93990121C000000323",
        },
    )
    for text in ("JY29901(2026)0001234", "jy29901〔2026〕0001234", "001234", name, code.lower()):
        assert shelf.find(text) == [mine], text
    assert shelf.find("01234") == []
    title = shelf.put("real-estate-title")
    number = shelf.catalog.by_slug("real-estate-title").numbering.field
    other = shelf.put("real-estate-title", face={number: "示（2026）示例市不动产权第0765432号"})
    assert shelf.find("765432") == shelf.find("765432号") == [other]
    assert title not in shelf.find("765432")
    assert shelf.find("好味") == []  # not in the register
    shelf.legal_persons.upsert(
        [
            LegalPersonEntry(
                unverified_credit_code=code,
                name=name,
                kind=LegalPersonKind.ENTERPRISE,
                state=LegalPersonState.EXISTING,
                unverified_head_number="880102198001010074",
                head_name="欧阳无名",
                source="test",
            )
        ],
        now=NOW,
    )
    assert shelf.find("好味") == [mine]
    assert shelf.find("好") == []
    assert shelf.find("欧阳无名") == []


def test_a_search_is_sorted_filtered_and_paged_like_any_list(shelf: Shelf) -> None:
    slug = "no-criminal-record"
    rule = shelf.catalog.by_slug(slug).holder_rule
    for _ in range(20):
        shelf.put(slug, face={rule.name_field: "王伟"})
    shelf.put(slug, face={rule.name_field: "王芳"})
    query = EcertQuery(issuer_codes=(CITY,), today=TODAY, text="王伟", sort=EcertSort.ENDS, limit=6)
    assert len(walk(shelf, query)) == len(set(walk(shelf, query))) == 20
    assert walk(shelf, query) == walk(shelf, query, backward=True)[::-1]
    assert shelf.find("王伟", state=EcertState.REVOKED) == []


def test_what_was_there_before_the_index_gets_its_terms_in_batches(shelf: Shelf) -> None:
    slug = "no-criminal-record"
    rule = shelf.catalog.by_slug(slug).holder_rule
    old = [shelf.put(slug, face={rule.name_field: f"李{char}"}, indexed=False) for char in "一二三四五"]
    query = EcertQuery(issuer_codes=(CITY,), today=TODAY, text="李三")
    assert shelf.search.page(query).ecerts == ()
    assert shelf.search.page(query).not_indexed == 5
    assert [shelf.filling.fill(batch=2) for _ in range(4)] == [2, 2, 1, 0]
    assert shelf.filling.due() == 0
    assert shelf.find("李三") == [old[2]]


def test_a_damaged_face_is_told_and_nothing_of_its_batch_is_written(shelf: Shelf) -> None:
    shelf.put(indexed=False)
    shelf.put(indexed=False, face_sealed=b"damaged" * 9)
    with pytest.raises(ObjectMissing):
        shelf.filling.fill()
    assert shelf.filling.due() == 2


def test_the_migration_lists_what_is_there_as_due(tmp_path: Path) -> None:
    database = open_database(tmp_path / "old.db")
    with database.writing() as connection:
        command.upgrade(alembic_config(connection), "0001")
    shelf = Shelf(database)
    with database.writing() as connection:
        values = {
            column.name: column.type.python_type() if column.name != "recorded_at" else NOW
            for column in ECERTS.c
            if not column.nullable and column.name not in {"issued_on", "valid_from", "recorded_at"}
        }
        values |= {"identifier": "old", "issued_on": TODAY, "valid_from": TODAY, "recorded_at": NOW}
        connection.execute(insert(ECERTS).values(values))
    upgrade(database)
    assert shelf.filling.due() == 1
    database.dispose()


def test_terms_say_nothing_and_differ_from_issuer_to_issuer(shelf: Shelf) -> None:
    slug = "no-criminal-record"
    rule = shelf.catalog.by_slug(slug).holder_rule
    face = {rule.name_field: "王伟", rule.number_field: "880102198001010074"}
    here, there = shelf.put(slug, face=face), shelf.put(slug, issuer=COUNTY, face=face)
    with shelf.database.reading() as connection:
        kept = {
            identifier: set(
                connection.scalars(select(ECERT_TERMS.c.term).where(ECERT_TERMS.c.identifier == identifier))
            )
            for identifier in (here, there)
        }
    assert kept[here]
    assert not kept[here] & kept[there]
    for term in kept[here]:
        assert len(term) == 16
        for word in ("王伟", "880102198001010074"):
            assert term != hashlib.sha256(word.encode()).digest()[:16]


def test_no_question_reads_all_rows_or_sorts_them(shelf: Shelf) -> None:
    """SQLite's own plan: by index, without a scan and, for the lists, without a sorting step."""
    for _ in range(5):
        shelf.put()
    asked: list[tuple[str, Any]] = []
    event.listen(
        shelf.database.engine,
        "before_cursor_execute",
        lambda _c, _cursor, statement, parameters, _x, _many: asked.append((statement, parameters)),
    )
    place = ListPlace(value=NOW, identifier=EcertIdentifier("1"))
    day = ListPlace(value=TODAY, identifier=EcertIdentifier("1"))
    base = EcertQuery(issuer_codes=(CITY, COUNTY), today=TODAY, place=place)
    lists = [
        base,
        replace(base, sort=EcertSort.ISSUED, place=day),
        replace(base, sort=EcertSort.ENDS, place=day),
        replace(base, sort=EcertSort.ENDS, place=day, descending=False),
        replace(base, type_code="11100000000013338X001"),
        replace(base, state=EcertState.PENALLY_REVOKED),
        replace(base, text="王伟"),
        replace(base, text="880102198001010074", state=EcertState.VALID),
    ]
    for query in lists:
        shelf.search.page(query)
    listed = [(statement, parameters) for statement, parameters in asked if "FROM ecert" in statement]
    assert len(listed) > len(lists)
    with shelf.database.reading() as connection:
        for statement, parameters in listed:
            plan = [
                row.detail
                for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
            ]
            told = (statement, plan)
            assert not any(one.startswith("SCAN ecerts") for one in plan), told
            assert not any(
                one.startswith("SCAN ecert_holders") or one == "SCAN ecert_terms" for one in plan
            ), told
            assert not any("ORDER BY" in one for one in plan) or "ecert_holders" in statement, told


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("JY29901〔2026〕号", "jy299012026号"),
        ("阿依古丽·买买提", "阿依古丽买买提"),
        ("ＡＢ－１２", "ab12"),
        ("〇", "〇"),
        (" \t", ""),
        ("𠮷野", "𠮷野"),
    ],
)
def test_the_form_of_words(text: str, form: str) -> None:
    assert word_form(text) == form
    assert word_form(form) == form
