"""The store: entries in, legal persons out; found by code, by reference, or by whom they are represented."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select, update

from cert_registry.civil_date import civil_date_at
from cert_registry.legal_persons.errors import LegalPersonRefused, UnknownLegalPerson
from cert_registry.legal_persons.tables import LP_LEGAL_PERSONS
from cert_registry.legal_persons.types import (
    LegalPerson,
    LegalPersonEntry,
    LegalPersonKind,
    LegalPersonState,
    Upsert,
)
from cert_registry.ports import DataCipher
from cert_registry.store.engine import Database
from idp.identity.citizen_number import parse_citizen_number
from idp.identity.credit_code import parse_credit_code
from idp.identity.errors import MalformedNumber
from idp.identity.holder import HolderCodeType, HolderReference, Mac, holder_reference

TABLE = LP_LEGAL_PERSONS
MAXIMUM_NAMED = 200


class LegalPersonStore:
    """Legal persons in the registry's database."""

    def __init__(self, database: Database, *, cipher: DataCipher, mac: Mac) -> None:
        """Keep rows in ``database``, heads' names under ``cipher``, references under ``mac``."""
        self._database = database
        self._cipher = cipher
        self._mac = mac

    def upsert(self, entries: Iterable[LegalPersonEntry], *, now: datetime) -> dict[Upsert, int]:
        """Take entries over in one transaction; what is there already and the same is not touched.

        Raises:
            LegalPersonRefused: a code or number is malformed; nothing is taken over.
            StoreUnavailable: the database did not take the write.
        """
        counts = dict.fromkeys(Upsert, 0)
        with self._database.writing() as connection:
            for entry in entries:
                counts[self._upsert(connection, entry, now)] += 1
        return counts

    def find(self, credit_code: str) -> LegalPerson:
        """The legal person with this code.

        Raises:
            UnknownLegalPerson: there is none.
        """
        found = self._select(TABLE.c.credit_code == credit_code)
        if not found:
            raise UnknownLegalPerson("没有这个统一社会信用代码的主体。")
        return found[0]

    def by_reference(self, reference: HolderReference) -> LegalPerson:
        """The legal person with this holder reference.

        Raises:
            UnknownLegalPerson: there is none.
        """
        found = self._select(TABLE.c.holder_reference == reference)
        if not found:
            raise UnknownLegalPerson("没有这个引用的主体。")
        return found[0]

    def known(self, references: Sequence[HolderReference]) -> frozenset[HolderReference]:
        """Those of the references that belong to a legal person of this store."""
        query = select(TABLE.c.holder_reference).where(TABLE.c.holder_reference.in_(references))
        with self._database.reading() as connection:
            return frozenset(HolderReference(each) for each in connection.scalars(query))

    def named_like(self, part: str) -> tuple[HolderReference, ...]:
        """Legal persons with this part in their name, `MAXIMUM_NAMED` at most; names of legal persons are public."""
        query = (
            select(TABLE.c.holder_reference)
            .where(TABLE.c.name.contains(part, autoescape=True))
            .order_by(TABLE.c.name)
            .limit(MAXIMUM_NAMED)
        )
        with self._database.reading() as connection:
            return tuple(HolderReference(each) for each in connection.scalars(query))

    def represented_by(
        self, person: HolderReference, *, include_ended: bool = False
    ) -> tuple[LegalPerson, ...]:
        """Legal persons whose head this person is, by name; those that have ended only if asked for."""
        found = self._select(TABLE.c.head_reference == person)
        return tuple(each for each in found if include_ended or each.state is LegalPersonState.EXISTING)

    def head_name(self, credit_code: str) -> str:
        """Name of the head, decrypted.

        Raises:
            UnknownLegalPerson: there is no such legal person.
        """
        query = select(TABLE.c.head_name_sealed).where(TABLE.c.credit_code == credit_code)
        with self._database.reading() as connection:
            sealed = connection.execute(query).scalar_one_or_none()
        if sealed is None:
            raise UnknownLegalPerson("没有这个统一社会信用代码的主体。")
        return self._cipher.decrypt(sealed, associated_data=_binding(credit_code)).decode()

    def _select(self, which: ColumnElement[bool]) -> tuple[LegalPerson, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(select(TABLE).where(which).order_by(TABLE.c.name)).all()
        return tuple(_legal_person(row) for row in rows)

    def _upsert(self, connection: Connection, entry: LegalPersonEntry, now: datetime) -> Upsert:
        code, head = _checked(entry, civil_date_at(now))
        binding = _binding(code)
        values: dict[str, object] = {
            "holder_reference": holder_reference(HolderCodeType.CREDIT_CODE, code, self._mac),
            "name": entry.name,
            "kind": entry.kind.value,
            "state": entry.state.value,
            "head_reference": holder_reference(HolderCodeType.CITIZEN_NUMBER, head, self._mac),
            "source": entry.source,
        }
        present = connection.execute(select(TABLE).where(TABLE.c.credit_code == code)).one_or_none()
        if present is not None and all(getattr(present, key) == value for key, value in values.items()):
            kept = self._cipher.decrypt(present.head_name_sealed, associated_data=binding)
            if kept.decode() == entry.head_name:
                return Upsert.UNCHANGED
        values["head_name_sealed"] = self._cipher.encrypt(entry.head_name.encode(), associated_data=binding)
        values["updated_at"] = now
        if present is None:
            connection.execute(TABLE.insert().values(credit_code=code, **values))
            return Upsert.ADDED
        connection.execute(update(TABLE).where(TABLE.c.credit_code == code).values(**values))
        return Upsert.CHANGED


def _binding(credit_code: str) -> bytes:
    return b"longzheng legal person v1\0" + credit_code.encode()


def _checked(entry: LegalPersonEntry, today: date) -> tuple[str, str]:
    """Credit code and head's number, both in their one written form."""
    try:
        code = parse_credit_code(entry.unverified_credit_code).code
        head = parse_citizen_number(entry.unverified_head_number, today=today).number
    except MalformedNumber as error:
        raise LegalPersonRefused("统一社会信用代码或负责人证件号码不合规则。", reason=error.code) from error
    if not entry.name.strip() or not entry.head_name.strip():
        raise LegalPersonRefused("主体名称或负责人姓名为空。", reason="missing-name")
    return code, head


def _legal_person(row: Row[Any]) -> LegalPerson:
    return LegalPerson(
        credit_code=row.credit_code,
        holder_reference=HolderReference(row.holder_reference),
        name=row.name,
        kind=LegalPersonKind(row.kind),
        state=LegalPersonState(row.state),
        head_reference=HolderReference(row.head_reference),
        source=row.source,
        updated_at=row.updated_at,
    )
