"""Persons who proved who they are, and the history of proofs."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from idp.identity.assurance import RealnameLevel
from idp.identity.holder import HolderReference
from idp.ports import Cipher
from idp.store.marks import seconds
from idp.store.tables import persons, proofs


class PersonState(Enum):
    """Whether a person's proof is in force."""

    ACTIVE = "active"
    UNLINKED = "unlinked"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person who proved their identity; the number stays in the store.

    Attributes:
        realname_ref: random, the `sub` towards Keycloak.
        holder_reference: towards the registry.
        name: in clear.
        mobile: in clear.
        level: proved.
        verified_at: when last, UTC.
        state: whether it counts.
    """

    realname_ref: str
    holder_reference: HolderReference
    name: str
    mobile: str
    level: RealnameLevel
    verified_at: datetime
    state: PersonState

    def __repr__(self) -> str:
        return f"Person(realname_ref={self.realname_ref!r}, level={self.level.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedIdentity:
    """What a successful proof stores."""

    holder_reference: HolderReference
    name: str
    number: str
    mobile: str
    level: RealnameLevel

    def __repr__(self) -> str:
        return f"ProvedIdentity(level={self.level.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRecord:
    """One line of the history."""

    outcome: str
    number_mark: str
    mobile_mark: str
    client_id: str


class PersonStore:
    """Reads and writes persons; what names them is encrypted, bound to their reference and column."""

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._engine = engine
        self._cipher = cipher

    def state_of(self, holder: HolderReference) -> PersonState | None:
        """The state of a person, None when never seen."""
        query = select(persons.c.state).where(persons.c.holder_reference == holder)
        with self._engine.connect() as connection:
            state = connection.execute(query).scalar_one_or_none()
        return None if state is None else PersonState(state)

    def record_failure(self, record: ProofRecord, *, now: datetime) -> None:
        """Writes an attempt that proved nothing."""
        with self._engine.begin() as connection:
            _write_history(connection, None, record, now)

    def record_proof(self, proved: ProvedIdentity, record: ProofRecord, *, now: datetime) -> str:
        """Writes a success in one transaction: the person, new or renewed, and the history.

        Returns:
            The person's `realname_ref`, the same for every proof of one person.
        """
        query = select(persons.c.realname_ref).where(persons.c.holder_reference == proved.holder_reference)
        with self._engine.begin() as connection:
            known = connection.execute(query).scalar_one_or_none()
            reference = known or f"rn-{secrets.token_urlsafe(24)}"
            values = {
                "name_sealed": self._seal(reference, "name", proved.name),
                "number_sealed": self._seal(reference, "number", proved.number),
                "mobile_sealed": self._seal(reference, "mobile", proved.mobile),
                "level": proved.level.value,
                "state": PersonState.ACTIVE.value,
                "verified_at": seconds(now),
            }
            if known:
                connection.execute(update(persons).where(persons.c.realname_ref == known).values(values))
            else:
                values |= {"realname_ref": reference, "holder_reference": proved.holder_reference}
                connection.execute(insert(persons).values(created_at=seconds(now), **values))
            _write_history(connection, reference, record, now)
        return reference

    def person(self, realname_ref: str) -> Person | None:
        """The person behind a reference."""
        query = select(persons).where(persons.c.realname_ref == realname_ref)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else self._person(row)

    def set_state(self, realname_ref: str, state: PersonState) -> None:
        """Unlinks or freezes a person; a new proof makes an unlinked person active, never a frozen one."""
        with self._engine.begin() as connection:
            connection.execute(
                update(persons).where(persons.c.realname_ref == realname_ref).values(state=state.value)
            )

    def _person(self, row: RowMapping) -> Person:
        reference = str(row["realname_ref"])
        return Person(
            realname_ref=reference,
            holder_reference=HolderReference(row["holder_reference"]),
            name=self._open(reference, "name", row["name_sealed"]),
            mobile=self._open(reference, "mobile", row["mobile_sealed"]),
            level=RealnameLevel(row["level"]),
            verified_at=datetime.fromtimestamp(row["verified_at"], UTC),
            state=PersonState(row["state"]),
        )

    def _seal(self, reference: str, column: str, text: str) -> bytes:
        return self._cipher.encrypt(text.encode("utf-8"), _bound_to(reference, column))

    def _open(self, reference: str, column: str, sealed: bytes) -> str:
        return self._cipher.decrypt(sealed, _bound_to(reference, column)).decode("utf-8")


def _bound_to(reference: str, column: str) -> bytes:
    return f"longzheng idp person v1\0{reference}\0{column}".encode()


def _write_history(connection: Connection, reference: str | None, record: ProofRecord, now: datetime) -> None:
    connection.execute(
        insert(proofs).values(
            realname_ref=reference,
            outcome=record.outcome,
            number_mark=record.number_mark,
            mobile_mark=record.mobile_mark,
            client_id=record.client_id,
            at=seconds(now),
        )
    )
