"""Stock and pushed ecerts on their way into the registry; and what requirements may see of it."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, final

from sqlalchemy import insert, select
from sqlalchemy.exc import SQLAlchemyError

from cert_registry.catalog.certificate_type import AccessRule
from cert_registry.catalog.errors import IdentifierRefused
from cert_registry.civil_date import start_of_day
from cert_registry.identifier import new_identifier
from cert_registry.ingestion.errors import RegistrarFailed
from cert_registry.ingestion.types import ExistingStock, Outcome, Reason, RowOutcome
from cert_registry.issuance_checking import plain_json
from cert_registry.log_events import registered_leaf
from cert_registry.requirements.types import HeldEcert
from cert_registry.store.ecert_terms import insert_terms
from cert_registry.store.events import append_event
from cert_registry.store.outbox import put_leaf
from cert_registry.store.registration import face_binding
from cert_registry.store.status_entries import take_status_entry
from cert_registry.store.tables import ECERT_HOLDERS, ECERTS
from cert_registry.types import (
    DepartmentCode,
    EcertIdentifier,
    EcertState,
    FileState,
    Origin,
    Registration,
    StateEvent,
    StateOperation,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection

    from cert_registry.catalog.loading import Catalog
    from cert_registry.ingestion.types import RowKey, StockEcert
    from cert_registry.organisations.repository import ChartReader
    from cert_registry.organisations.types import TypeSlug
    from cert_registry.ports import DataCipher, TermSource
    from cert_registry.registry import Registry
    from idp.identity.holder import HolderReference


@final
class SqlStockRegistrar:
    """`ingestion.ports.StockRegistrar`: rows `pending` until their leaf is in the log, marked as stock."""

    def __init__(self, *, cipher: DataCipher, terms: TermSource) -> None:
        self._cipher = cipher
        self._terms = terms
        cipher.encrypt(b"", associated_data=b"")  # draws the data key now, outside any transaction

    def find_existing(
        self, row_keys: Sequence[RowKey], *, source: str, connection: Connection
    ) -> Mapping[RowKey, ExistingStock]:
        """Ecerts of this source with these keys; the room keeps what it registered itself."""
        rows = connection.execute(
            select(ECERTS.c.source_key, ECERTS.c.identifier).where(
                ECERTS.c.source == source, ECERTS.c.source_key.in_(row_keys)
            )
        ).all()
        return {
            row.source_key: ExistingStock(identifier=EcertIdentifier(row.identifier), content_digest=None)
            for row in rows
        }

    def register(
        self, rows: Sequence[StockEcert], *, connection: Connection, now: datetime
    ) -> Sequence[RowOutcome]:
        """Write rows of which none exists: row, holders, history and leaf.

        Raises:
            RegistrarFailed: The database did not take them.
        """
        try:
            return [self._register(row, connection=connection, now=now) for row in rows]
        except SQLAlchemyError as error:
            raise RegistrarFailed("登记库没有接受这一批，未作任何改动。") from error

    def _register(self, row: StockEcert, *, connection: Connection, now: datetime) -> RowOutcome:
        try:
            identifier = EcertIdentifier(str(new_identifier(row.type_code, row.issuer_code)))
        except IdentifierRefused as error:
            return RowOutcome(
                line_number=row.line_number,
                outcome=Outcome.REFUSED,
                reason=Reason.ISSUER_CODE,
                sentence=str(error),
            )
        place = take_status_entry(connection, identifier, secrets.randbelow)
        salt = secrets.token_bytes(32)
        leaf = registered_leaf(identifier, origin=Origin.STOCK, source=row.source, recorded_at=now, salt=salt)
        connection.execute(insert(ECERTS).values(self._values(row, identifier, place, salt, now)))
        connection.execute(
            insert(ECERT_HOLDERS),
            [
                {
                    "identifier": identifier,
                    "position": position,
                    "holder_reference": reference,
                    "code_type": holder.code_type,
                }
                for position, (reference, holder) in enumerate(
                    zip(row.holder_references, row.holders, strict=True), start=1
                )
            ],
        )
        terms = self._terms.terms_of(
            issuer_code=row.issuer_code, type_code=row.type_code, face=row.face.values
        )
        insert_terms(connection, identifier, terms)
        append_event(connection, _taken_over(row, identifier, now))
        put_leaf(connection, identifier, leaf, now=now)
        return RowOutcome(
            line_number=row.line_number,
            outcome=Outcome.REGISTERED,
            identifier=identifier,
            flags=row.flags,
        )

    def _values(
        self,
        row: StockEcert,
        identifier: EcertIdentifier,
        place: tuple[int, int],
        salt: bytes,
        now: datetime,
    ) -> dict[str, object]:
        face = json.dumps(plain_json(row.face.values), ensure_ascii=False).encode()
        return {
            "identifier": identifier,
            "registration": Registration.PENDING.value,
            "origin": Origin.STOCK.value,
            "type_code": row.type_code,
            "issuer_code": row.issuer_code,
            "issuer_name": row.issuer_name,
            "version": 1,
            "case_number": row.batch_id,
            "service_item": "",
            "face_sealed": self._cipher.encrypt(face, associated_data=face_binding(identifier)),
            "issued_on": row.issued_on,
            "valid_from": row.valid_from,
            "valid_until": row.valid_until,
            "state": EcertState.VALID.value,
            "state_sequence": 1,
            "file_state": FileState.CURRENT.value,
            "frozen": False,
            "status_list": place[0],
            "status_index": place[1],
            "salt": salt,
            "source": row.source,
            "source_key": row.row_key,
            "recorded_at": now,
        }


def _taken_over(row: StockEcert, identifier: EcertIdentifier, now: datetime) -> StateEvent:
    """The first event: in force since its civil day of issue, known here since now."""
    return StateEvent(
        identifier=identifier,
        sequence=1,
        operation=StateOperation.ISSUE,
        state=EcertState.VALID,
        file_state=FileState.CURRENT,
        reason="存量归集",
        legal_basis="",
        actor_id=row.source[:64],
        actor_department=DepartmentCode(row.issuer_code),
        case_number=row.batch_id,
        effective_at=min(start_of_day(row.issued_on), now - timedelta(microseconds=1)),
        recorded_at=now,
    )


@final
class KnownDepartments:
    """`ingestion.ports.KnownIssuers` over the chart of organisations."""

    def __init__(self, charts: ChartReader) -> None:
        self._charts = charts

    def is_department(self, code: str) -> bool:
        """Whether a department with this code is or was in the tree."""
        return any(department.code == code for department in self._charts.chart().departments)


@final
class HeldInRegistry:
    """`requirements.ports.HeldEcerts` over the registry."""

    def __init__(self, *, registry: Registry, catalog: Catalog) -> None:
        self._registry = registry
        self._catalog = catalog

    def held(
        self, references: Sequence[HolderReference], type_slug: TypeSlug, *, now: datetime
    ) -> Sequence[HeldEcert]:
        """Effective ecerts of this type that any of the holders has, with their state now; newest first."""
        certificate_type = self._catalog.by_slug(type_slug)
        found: dict[EcertIdentifier, HeldEcert] = {}
        for reference in references:
            for ecert in self._registry.by_holder(
                reference, now=now, with_represented=False, type_code=certificate_type.type_code
            ):
                state = self._registry.state_at(ecert.identifier, now)
                found[ecert.identifier] = HeldEcert(
                    identifier=ecert.identifier,
                    type_slug=type_slug,
                    type_name=ecert.type_name,
                    issuer_name=ecert.issuer_name,
                    state=state.state,
                    valid=state.is_valid and state.file_state is FileState.CURRENT,
                    valid_until=ecert.valid_until,
                )
        return tuple(found.values())

    def is_consent_only(self, type_slug: TypeSlug) -> bool:
        """Whether even "none held" may be told only with the holder's authorisation."""
        return self._catalog.by_slug(type_slug).access.rule is AccessRule.CONSENT_ONLY
