"""The seals' rows: each act is one transaction of row, event and leaf, and only if nobody acted in between."""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, final

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from cert_registry.log_events import SEAL_CHANGED, seal_leaf
from cert_registry.organisations.types import TypeSlug
from cert_registry.seals.errors import SealStateConflict, UnknownSeal
from cert_registry.seals.rules import WITH_CERTIFICATE
from cert_registry.seals.tables import SEAL_EVENTS, SEAL_PICTURES, SEALS
from cert_registry.seals.types import (
    CertificateSource,
    Channel,
    Seal,
    SealAct,
    SealEvent,
    SealId,
    SealKind,
    SealPicture,
    SealState,
)
from cert_registry.store.engine import insert_missing
from cert_registry.store.outbox import put_leaf
from cert_registry.store.tables import OUTBOX
from cert_registry.types import DepartmentCode, EcertIdentifier, StaffId

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from cert_registry.seals.types import SealApplication
    from cert_registry.store.engine import Database

_SALT_BYTES: Final = 32
_UNUSED_PICTURES_STAY: Final = timedelta(days=1)
_SENTENCE: Final = "印章刚被他人办理过，请刷新后再办。"


@final
class SqlSeals:
    """The seals in SQL."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    # ── looking ──

    def find(self, seal_id: str) -> Seal:
        """One seal.

        Raises:
            UnknownSeal: None has this id.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(SEALS).where(SEALS.c.seal_id == seal_id)).one_or_none()
        if row is None:
            raise UnknownSeal("没有这枚印章。")
        return seal_of(row)

    def of_department(self, department: DepartmentCode) -> tuple[Seal, ...]:
        """Every seal of a department, by id."""
        return self.listed((department,))

    def listed(self, departments: Sequence[str] | None = None) -> tuple[Seal, ...]:
        """The seals of these departments, or all, by id."""
        query = select(SEALS).order_by(SEALS.c.seal_id)
        if departments is not None:
            query = query.where(SEALS.c.department.in_(departments))
        with self._database.reading() as connection:
            return tuple(seal_of(row) for row in connection.execute(query))

    def unfinished(self) -> tuple[Seal, ...]:
        """Seals whose key, certificate or revocation is still to be made; also what a crash left."""
        working = SEALS.c.state.in_([state.value for state in WITH_CERTIFICATE])
        pending = (
            (SEALS.c.state == SealState.APPROVED.value)
            | SEALS.c.revocation_pending
            | (working & SEALS.c.certificate.is_(None))  # taken over from before certificates were kept here
        )
        with self._database.reading() as connection:
            return tuple(seal_of(row) for row in connection.execute(select(SEALS).where(pending)))

    def events(self, seal_id: SealId) -> tuple[SealEvent, ...]:
        """The life of a seal, oldest first."""
        query = select(SEAL_EVENTS).where(SEAL_EVENTS.c.seal_id == seal_id)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(SEAL_EVENTS.c.sequence)).all()
        return tuple(_event(row) for row in rows)

    def picture(self, sha256: str) -> SealPicture:
        """A picture that some seal has.

        Raises:
            UnknownSeal: There is none of that digest.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                select(SEAL_PICTURES).where(SEAL_PICTURES.c.sha256 == sha256)
            ).one_or_none()
        if row is None:
            raise UnknownSeal("没有这枚印章的印模。")
        return SealPicture(
            content=row.content,
            media_type=row.media_type,
            sha256=row.sha256,
            width_mm=row.width_mm,
            height_mm=row.height_mm,
        )

    def log_places(self, seal_id: SealId) -> dict[int, int]:
        """The index in the transparency log of each step that is in it, by the step's number."""
        query = select(OUTBOX.c.sequence, OUTBOX.c.leaf_index).where(
            OUTBOX.c.subject == seal_id, OUTBOX.c.kind == SEAL_CHANGED, OUTBOX.c.leaf_index.is_not(None)
        )
        with self._database.reading() as connection:
            return {row.sequence: row.leaf_index for row in connection.execute(query)}

    # ── acting ──

    def keep_picture(self, picture: SealPicture, *, now: datetime) -> None:
        """Keep a checked picture while its application is being filled in; those nobody applied with go after a day."""
        with self._database.writing() as connection:
            connection.execute(
                delete(SEAL_PICTURES).where(
                    SEAL_PICTURES.c.stored_at < now - _UNUSED_PICTURES_STAY,
                    SEAL_PICTURES.c.sha256.not_in(
                        select(SEALS.c.picture_sha256).where(SEALS.c.picture_sha256.is_not(None))
                    ),
                )
            )
            _keep_picture(connection, picture, now)

    def add(
        self,
        application: SealApplication,
        *,
        slug: str,
        applicant: StaffId,
        channel: Channel,
        now: datetime,
    ) -> Seal:
        """Keep an application under the next free id of its department."""
        while True:
            try:
                with self._database.writing() as connection:
                    seal_id = _free_id(connection, slug)
                    row = _new_row(application, seal_id, applicant, now)
                    if application.picture is not None:
                        _keep_picture(connection, application.picture, now)
                    connection.execute(insert(SEALS).values(row))
                    event = SealEvent(
                        seal_id=seal_id,
                        sequence=1,
                        act=SealAct.APPLY,
                        state=SealState.APPLIED,
                        actor_id=applicant,
                        channel=channel,
                        reason=application.reason,
                        detail="" if application.replaces is None else f"replaces {application.replaces}",
                        recorded_at=now,
                    )
                    _write_event(connection, event, application.department)
            except IntegrityError:  # another process took the id between look and insert
                continue
            return self.find(seal_id)

    def record(self, seal: Seal, event: SealEvent, **changes: object) -> Seal:
        """Put an act on record if the seal still stands as it was seen.

        Args:
            seal: As it was looked at.
            event: What was decided.
            changes: Further columns that the act sets.

        Raises:
            SealStateConflict: Somebody acted in between.
        """
        with self._database.writing() as connection:
            record_act(connection, seal, event, **changes)
        return self.find(seal.seal_id)

    def record_activation(self, seal: Seal, event: SealEvent, *, replaced: SealEvent | None) -> Seal:
        """In one transaction: the seal becomes active, and the one that it replaces ends.

        Raises:
            SealStateConflict: Somebody acted in between.
        """
        with self._database.writing() as connection:
            record_act(connection, seal, event)
            if replaced is not None:
                row = connection.execute(select(SEALS).where(SEALS.c.seal_id == replaced.seal_id)).one()
                record_act(connection, seal_of(row), replaced, replaced_by=seal.seal_id)
        return self.find(seal.seal_id)

    def keep_certificate(self, seal: Seal, certificate: bytes) -> Seal:
        """Keep the signing certificate, once; whoever comes second gets what the first kept."""
        with self._database.writing() as connection:
            connection.execute(
                update(SEALS)
                .where(SEALS.c.seal_id == seal.seal_id, SEALS.c.certificate.is_(None))
                .values(certificate=certificate)
            )
        return self.find(seal.seal_id)

    def revocation_done(self, seal: Seal) -> None:
        """The certification authority's register has the revocation."""
        with self._database.writing() as connection:
            connection.execute(
                update(SEALS)
                .where(SEALS.c.seal_id == seal.seal_id, SEALS.c.revision == seal.revision)
                .values(revocation_pending=False)
            )


def record_act(connection: Connection, seal: Seal, event: SealEvent, **changes: object) -> None:
    """Row, event and leaf of an act, inside the caller's transaction.

    Raises:
        SealStateConflict: The seal no longer stands as it was seen.
    """
    changed = connection.execute(
        update(SEALS)
        .where(SEALS.c.seal_id == seal.seal_id, SEALS.c.revision == seal.revision)
        .values(state=event.state.value, revision=event.sequence, **changes)
    ).rowcount
    if not changed:
        raise SealStateConflict(_SENTENCE)
    _write_event(connection, event, seal.department)


def _write_event(connection: Connection, event: SealEvent, department: DepartmentCode) -> None:
    connection.execute(
        insert(SEAL_EVENTS).values(
            seal_id=event.seal_id,
            sequence=event.sequence,
            act=event.act.value,
            state=event.state.value,
            actor_id=event.actor_id,
            channel=event.channel.value,
            reason=event.reason,
            detail=event.detail,
            recorded_at=event.recorded_at,
        )
    )
    leaf = seal_leaf(event, department=department, salt=secrets.token_bytes(_SALT_BYTES))
    put_leaf(connection, EcertIdentifier(event.seal_id), leaf, now=event.recorded_at)


def _free_id(connection: Connection, slug: str) -> SealId:
    stem = f"seal-{slug}"
    taken = set(connection.scalars(select(SEALS.c.seal_id).where(SEALS.c.seal_id.startswith(stem))))
    number = 1
    while (name := stem if number == 1 else f"{stem}-{number}") in taken:
        number += 1
    return SealId(name)


def _keep_picture(connection: Connection, picture: SealPicture, now: datetime) -> None:
    insert_missing(
        connection,
        SEAL_PICTURES,
        sha256=picture.sha256,
        media_type=picture.media_type,
        content=picture.content,
        width_mm=picture.width_mm,
        height_mm=picture.height_mm,
        stored_at=now,
    )


def _new_row(
    application: SealApplication, seal_id: SealId, applicant: StaffId, now: datetime
) -> dict[str, object]:
    return {
        "seal_id": seal_id,
        "department": application.department,
        "name": application.name.strip(),
        "kind": application.kind.value,
        "filing_number": application.filing_number,
        "shape": "ring",
        "types": json.dumps(sorted(application.types)),
        "valid_from": application.valid_from,
        "valid_to": application.valid_to,
        "usage_limit": application.usage_limit,
        "used": 0,
        "state": SealState.APPLIED.value,
        "applicant": applicant,
        "certificate_source": application.certificate_source.value,
        "picture_sha256": None if application.picture is None else application.picture.sha256,
        "replaces": application.replaces,
        "revocation_pending": False,
        "revision": 1,
        "created_at": now,
    }


def seal_of(row: Row[Any]) -> Seal:
    """A row as a seal."""
    serial = row.certificate_serial
    return Seal(
        seal_id=SealId(row.seal_id),
        department=DepartmentCode(row.department),
        name=row.name,
        kind=SealKind(row.kind),
        filing_number=row.filing_number,
        shape=row.shape,
        types=frozenset(TypeSlug(each) for each in json.loads(row.types)),
        valid_from=row.valid_from,
        valid_to=row.valid_to,
        usage_limit=row.usage_limit,
        used=row.used,
        state=SealState(row.state),
        applicant=StaffId(row.applicant),
        certificate_source=CertificateSource(row.certificate_source),
        certificate_serial=None if serial is None else int(serial, 16),
        certificate=row.certificate,
        picture_sha256=row.picture_sha256,
        replaces=None if row.replaces is None else SealId(row.replaces),
        replaced_by=None if row.replaced_by is None else SealId(row.replaced_by),
        revoked_as_of=row.revoked_as_of,
        revocation_pending=row.revocation_pending,
        revision=row.revision,
        created_at=row.created_at,
    )


def _event(row: Row[Any]) -> SealEvent:
    return SealEvent(
        seal_id=SealId(row.seal_id),
        sequence=row.sequence,
        act=SealAct(row.act),
        state=SealState(row.state),
        actor_id=row.actor_id,
        channel=Channel(row.channel),
        reason=row.reason,
        detail=row.detail,
        recorded_at=row.recorded_at,
    )
