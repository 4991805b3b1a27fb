"""Reading rows of the registry; what is encrypted is opened only where it is asked for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, final

from sqlalchemy import func, or_, select

from cert_registry.errors import UnknownEcert
from cert_registry.store.engine import insert_missing
from cert_registry.store.events import events_of
from cert_registry.store.registration import code_binding, face_binding
from cert_registry.store.tables import (
    ALARMS,
    ECERT_HOLDERS,
    ECERTS,
    FILE_VERSIONS,
    INTENTS,
    SEAL_USES,
    STATUS_ENTRIES,
)
from cert_registry.types import (
    DepartmentCode,
    EcertIdentifier,
    EcertState,
    EcertSummary,
    FileDigest,
    FileState,
    IntentStage,
    Origin,
    Registration,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

    from cert_registry.ports import DataCipher
    from cert_registry.store.engine import Database
    from cert_registry.types import StateEvent
    from idp.identity.holder import HolderReference


@final
class SqlEcerts:
    """Look-ups over ecerts, holders, history and alarms.

    Args:
        database: Where the rows are.
        cipher: Opens faces and check codes.
        type_name: Name of a type by its code.
    """

    def __init__(self, *, database: Database, cipher: DataCipher, type_name: Callable[[str], str]) -> None:
        self._database = database
        self._cipher = cipher
        self._type_name = type_name

    def find(self, identifier: EcertIdentifier) -> EcertSummary | None:
        """One row, pending ones included."""
        return self._one(ECERTS.c.identifier == identifier)

    def find_with_code(self, identifier: EcertIdentifier) -> tuple[EcertSummary, bytes | None] | None:
        """One row and the MAC of its check code."""
        summary = self.find(identifier)
        if summary is None:
            return None
        with self._database.reading() as connection:
            mac = connection.scalar(select(ECERTS.c.check_code_mac).where(ECERTS.c.identifier == identifier))
        return summary, mac

    def find_by_file(self, digest: FileDigest) -> EcertSummary | None:
        """The ecert whose sealed file has this digest, or had it before a time stamp was added to it."""
        earlier = select(FILE_VERSIONS.c.identifier).where(FILE_VERSIONS.c.file_digest == digest)
        return self._one(
            or_(
                ECERTS.c.file_digest == digest,
                ECERTS.c.identifier == earlier.scalar_subquery(),
            )
        )

    def find_by_intent(self, intent_id: str) -> EcertSummary | None:
        """The ecert that this intent became."""
        return self._one(ECERTS.c.intent_id == intent_id)

    def held_by(
        self, references: Sequence[HolderReference], *, type_code: str | None = None
    ) -> tuple[EcertSummary, ...]:
        """Effective ecerts of any of these holders, newest first."""
        held = select(ECERT_HOLDERS.c.identifier).where(ECERT_HOLDERS.c.holder_reference.in_(references))
        conditions = [
            ECERTS.c.identifier.in_(held),
            ECERTS.c.registration == Registration.EFFECTIVE.value,
        ]
        if type_code is not None:
            conditions.append(ECERTS.c.type_code == type_code)
        return self._many(conditions, limit=500)

    def issued_by(self, issuer_codes: Sequence[str], *, limit: int = 100) -> tuple[EcertSummary, ...]:
        """Effective ecerts of these issuers, newest first, for officers' pages."""
        return self._many(
            [
                ECERTS.c.issuer_code.in_(issuer_codes),
                ECERTS.c.registration == Registration.EFFECTIVE.value,
            ],
            limit=limit,
        )

    def history(self, identifier: EcertIdentifier) -> tuple[StateEvent, ...]:
        """Every event of the ecert, oldest first."""
        with self._database.reading() as connection:
            return events_of(connection, identifier)

    def face(self, identifier: EcertIdentifier) -> Mapping[str, object]:
        """The face in clear.

        Raises:
            UnknownEcert: No such ecert.
        """
        with self._database.reading() as connection:
            sealed = connection.scalar(select(ECERTS.c.face_sealed).where(ECERTS.c.identifier == identifier))
        if sealed is None:
            raise UnknownEcert("没有查到相符的证照。")
        face: Mapping[str, object] = json.loads(
            self._cipher.decrypt(sealed, associated_data=face_binding(identifier))
        )
        return face

    def check_code(self, identifier: EcertIdentifier) -> str | None:
        """The check code in clear, for the holder's own pages; None when the ecert has none (stock)."""
        with self._database.reading() as connection:
            sealed = connection.scalar(
                select(ECERTS.c.check_code_sealed).where(ECERTS.c.identifier == identifier)
            )
        if sealed is None:
            return None
        return self._cipher.decrypt(sealed, associated_data=code_binding(identifier)).decode()

    def status_values(self, list_number: int) -> tuple[tuple[int, EcertState], ...]:
        """The stored state of every ecert in one status list, by index.

        A refused intent has no ecert, but there may be a file with its index, which nobody got: 注销.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                select(STATUS_ENTRIES.c.status_index, ECERTS.c.state)
                .join(ECERTS, ECERTS.c.identifier == STATUS_ENTRIES.c.identifier)
                .where(STATUS_ENTRIES.c.list_number == list_number)
            ).all()
            refused = connection.scalars(
                select(INTENTS.c.status_index).where(
                    INTENTS.c.status_list == list_number, INTENTS.c.stage == IntentStage.REFUSED.value
                )
            ).all()
        states = {row.status_index: EcertState(row.state) for row in rows}
        return tuple((states | dict.fromkeys(refused, EcertState.CANCELLED)).items())

    def counts_by_type(self) -> Mapping[str, int]:
        """How many effective ecerts each type has."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(ECERTS.c.type_code, func.count()).group_by(ECERTS.c.type_code)
            ).all()
        return {row[0]: row[1] for row in rows}

    def known_as_sealed(self, digest: FileDigest) -> bool:
        """Whether an intent or a seal use names this file, registered or not."""
        with self._database.reading() as connection:
            in_intents = select(INTENTS.c.intent_id).where(INTENTS.c.sealed_digest == digest)
            in_uses = select(SEAL_USES.c.intent_id).where(SEAL_USES.c.sealed_digest == digest)
            in_versions = select(FILE_VERSIONS.c.identifier).where(FILE_VERSIONS.c.file_digest == digest)
            return connection.execute(in_intents.union(in_uses, in_versions)).first() is not None

    def raise_alarm(self, *, kind: str, digest: FileDigest, signer: str, now: datetime) -> bool:
        """Record an alarm once for a file; tells whether it is new."""
        with self._database.writing() as connection:
            return insert_missing(
                connection, ALARMS, kind=kind, file_digest=digest, signer=signer, raised_at=now
            )

    def summaries(self, connection: Connection, rows: Sequence[Row[Any]]) -> tuple[EcertSummary, ...]:
        """Summaries of rows that hold at least the columns in clear, in their order."""
        holders = _holders(connection, [row.identifier for row in rows])
        return tuple(self._summary(row, holders) for row in rows)

    def _one(self, condition: ColumnElement[bool]) -> EcertSummary | None:
        with self._database.reading() as connection:
            row = connection.execute(select(ECERTS).where(condition)).one_or_none()
            return None if row is None else self._summary(row, _holders(connection, [row.identifier]))

    def _many(self, conditions: Sequence[ColumnElement[bool]], *, limit: int) -> tuple[EcertSummary, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(
                select(ECERTS)
                .where(*conditions)
                .order_by(ECERTS.c.recorded_at.desc(), ECERTS.c.identifier)
                .limit(limit)
            ).all()
            return self.summaries(connection, rows)

    def _summary(self, row: Row[Any], holders: Mapping[str, tuple[HolderReference, ...]]) -> EcertSummary:
        return EcertSummary(
            identifier=EcertIdentifier(row.identifier),
            type_code=row.type_code,
            type_name=self._type_name(row.type_code),
            issuer_code=DepartmentCode(row.issuer_code),
            issuer_name=row.issuer_name,
            version=row.version,
            issued_on=row.issued_on,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            state=EcertState(row.state),
            file_state=FileState(row.file_state),
            frozen=row.frozen,
            origin=Origin(row.origin),
            registration=Registration(row.registration),
            file_digest=None if row.file_digest is None else FileDigest(row.file_digest),
            twin_digest=None if row.twin_digest is None else FileDigest(row.twin_digest),
            state_sequence=row.state_sequence,
            replaces=_optional(row.replaces),
            replaced_by=_optional(row.replaced_by),
            status_list=row.status_list,
            status_index=row.status_index,
            holder_references=holders.get(row.identifier, ()),
            recorded_at=row.recorded_at,
            sealed_level=row.sealed_level,
        )


def _optional(text: str | None) -> EcertIdentifier | None:
    return None if text is None else EcertIdentifier(text)


def _holders(connection: Connection, identifiers: Sequence[str]) -> Mapping[str, tuple[HolderReference, ...]]:
    rows = connection.execute(
        select(ECERT_HOLDERS.c.identifier, ECERT_HOLDERS.c.holder_reference)
        .where(ECERT_HOLDERS.c.identifier.in_(identifiers))
        .order_by(ECERT_HOLDERS.c.identifier, ECERT_HOLDERS.c.position)
    ).all()
    found: dict[str, tuple[HolderReference, ...]] = {}
    for row in rows:
        found[row.identifier] = (*found.get(row.identifier, ()), row.holder_reference)
    return found
