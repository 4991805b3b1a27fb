"""Persons who proved who they are, one link in force each, and the history of proofs."""

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from sqlalchemy import Connection, Engine, RowMapping, Select, insert, select, update

from idp.displacement import Decision, Evidence, Standing, decide, level_of, may_enter_remotely, strength_of
from idp.identity.assurance import RealnameLevel
from idp.identity.holder import HolderReference
from idp.mobile_number import MobileNumber
from idp.ports import Cipher
from idp.store.account_orders import OrderKind, add_order
from idp.store.acts import Act, ActKind, add_act
from idp.store.marks import seconds
from idp.store.tables import persons, proofs


class PersonState(Enum):
    """Whether a person's link is in force."""

    ACTIVE = "active"
    UNLINKED = "unlinked"
    FROZEN = "frozen"
    DISPLACED = "displaced"
    CLOSED = "closed"
    DECEASED = "deceased"


# Links that stay as history only: their person may have another one in force.
OVER: Final = (PersonState.DISPLACED.value, PersonState.CLOSED.value)
# Only a proof at a counter opens these again.
_BLOCKED: Final = frozenset({PersonState.FROZEN, PersonState.DECEASED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person who proved their identity; the number stays in the store.

    Attributes:
        realname_ref: random, the `sub` towards Keycloak: one account's link with a person.
        holder_reference: towards the registry.
        name: in clear.
        mobile: in clear, with which the account was opened.
        level: proved.
        verified_at: when that level was proved last, UTC.
        state: whether it counts.
        created_at: when the link began, UTC.
        evidence: on which the level rests.
        displaced_at: when a stronger proof took its place, or its person closed it, UTC.
    """

    realname_ref: str
    holder_reference: HolderReference
    name: str
    mobile: MobileNumber
    level: RealnameLevel
    verified_at: datetime
    state: PersonState
    created_at: datetime
    evidence: frozenset[Evidence]
    displaced_at: datetime | None

    def __repr__(self) -> str:
        return f"Person(realname_ref={self.realname_ref!r}, level={self.level.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvedIdentity:
    """What a successful proof stores."""

    holder_reference: HolderReference
    name: str
    number: str
    mobile: MobileNumber
    evidence: frozenset[Evidence]

    def __repr__(self) -> str:
        return f"ProvedIdentity(level={level_of(self.evidence).name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRecord:
    """One line of the history.

    Attributes:
        name_notes: what was normalised of the name as typed.
    """

    outcome: str
    number_mark: str
    mobile_mark: str
    client_id: str
    name_notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What a strong proof led to.

    Attributes:
        realname_ref: the link now in force; None when refused.
        displaced_ref: the link that was frozen.
    """

    decision: Decision
    realname_ref: str | None
    displaced_ref: str | None


class PersonStore:
    """Reads and writes persons; what names them is encrypted, bound to their reference and column."""

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._engine = engine
        self._cipher = cipher

    def state_of(self, holder: HolderReference) -> PersonState | None:
        """The state of a person's link, None when there is none."""
        person = self.in_force(holder)
        return None if person is None else person.state

    def in_force(self, holder: HolderReference) -> Person | None:
        """The person's link that was not displaced."""
        return self._one(_in_force(holder))

    def person(self, realname_ref: str) -> Person | None:
        """The person behind a reference, displaced or not."""
        return self._one(select(persons).where(persons.c.realname_ref == realname_ref))

    def displaced_by(self, realname_ref: str) -> tuple[Person, ...]:
        """The links that this one took the place of, newest first."""
        query = select(persons).where(persons.c.displaced_by == realname_ref)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(persons.c.displaced_at.desc())).mappings().all()
        return tuple(self._person(row) for row in rows)

    def record_failure(self, record: ProofRecord, *, now: datetime) -> None:
        """Writes an attempt that proved nothing."""
        with self._engine.begin() as connection:
            _write_history(connection, None, record, now)

    def record_proof(self, proved: ProvedIdentity, record: ProofRecord, *, now: datetime) -> str | None:
        """Writes a remote success in one transaction: the person, new or renewed, and the history.

        A stronger level stays with its time and evidence, and so does the phone of the account.

        Returns:
            The person's `realname_ref`, the same for every proof of one person; None when the link in force
            is stronger and has another phone, or is frozen: then nothing but the history was written.
        """
        with self._engine.begin() as connection:
            known = self._locked(connection, proved.holder_reference)
            if known is not None and not _may_enter(known, proved.mobile):
                _write_history(connection, None, record, now)
                return None
            reference = self._renew(connection, known, proved, now)
            _write_history(connection, reference, record, now)
        return reference

    def settle(
        self,
        proved: ProvedIdentity,
        record: ProofRecord,
        *,
        says_own: bool,
        lost_factors: bool = False,
        now: datetime,
    ) -> Settled:
        """Writes a proof at RN3 in one transaction, and what becomes of the link in force.

        A displaced link counts no more when this returns; what is to be done at Keycloak is ordered in the
        same transaction.
        """
        with self._engine.begin() as connection:
            known = self._locked(connection, proved.holder_reference)
            standing = None if known is None else _standing(known)
            decision = decide(standing, proved.evidence, mobile=proved.mobile, says_own=says_own)
            if decision is Decision.REFUSED:
                _write_history(connection, None, record, now)
                return Settled(decision=decision, realname_ref=None, displaced_ref=None)
            displaced = known if decision is Decision.DISPLACED else None
            reference = _new_reference()
            if displaced is not None:
                self._displace(connection, displaced, reference, now)
            kept = None if displaced is not None else known
            reference = self._renew(connection, kept, proved, now, reference=reference)
            if decision is Decision.RAISED:
                add_order(connection, reference, OrderKind.REFRESH, now=now)
                if lost_factors:
                    add_order(connection, reference, OrderKind.RESET_FACTORS, now=now)
            _write_history(connection, reference, record, now)
        return Settled(
            decision=decision,
            realname_ref=reference,
            displaced_ref=None if displaced is None else displaced.realname_ref,
        )

    def number_of(self, realname_ref: str) -> str:
        """The ID number of a person, in clear; only for a release that the law demands (`idp.number_release`)."""
        query = select(persons.c.number_sealed).where(persons.c.realname_ref == realname_ref)
        with self._engine.connect() as connection:
            sealed = connection.execute(query).scalar_one()
        return self._open(realname_ref, "number", sealed)

    def freeze(self, realname_ref: str, *, now: datetime) -> bool:
        """Freezes a link in force at once, and orders the same at Keycloak; False when it was not in force."""
        active = (persons.c.realname_ref == realname_ref) & (persons.c.state == PersonState.ACTIVE.value)
        with self._engine.begin() as connection:
            done = connection.execute(
                update(persons).where(active).values(state=PersonState.FROZEN.value)
            ).rowcount
            if done:
                add_act(connection, realname_ref, Act(kind=ActKind.REPORTED, subject="", at=now))
                add_order(connection, realname_ref, OrderKind.FREEZE, now=now)
        return done == 1

    def order_sign_out(self, realname_ref: str, *, now: datetime) -> None:
        """Orders the end of all sessions of an account."""
        with self._engine.begin() as connection:
            add_order(connection, realname_ref, OrderKind.SIGN_OUT, now=now)

    def set_state(self, realname_ref: str, state: PersonState) -> None:
        """Unlinks or freezes a person; a new proof makes an unlinked person active, never a frozen one."""
        with self._engine.begin() as connection:
            connection.execute(
                update(persons).where(persons.c.realname_ref == realname_ref).values(state=state.value)
            )

    def _renew(
        self,
        connection: Connection,
        known: Person | None,
        proved: ProvedIdentity,
        now: datetime,
        *,
        reference: str | None = None,
    ) -> str:
        """Writes the link in force, a new one when `known` is None."""
        if known is not None:
            values = self._sealed_names(known.realname_ref, proved)
            if strength_of(proved.evidence) >= strength_of(known.evidence):
                values |= _assurance(proved.evidence, now)
            connection.execute(
                update(persons).where(persons.c.realname_ref == known.realname_ref).values(values)
            )
            if known.name != proved.name:
                act = Act(kind=ActKind.NAME_CHANGED, subject="", at=now)
                add_act(connection, known.realname_ref, act)
            return known.realname_ref
        reference = reference or _new_reference()
        connection.execute(
            insert(persons).values(
                realname_ref=reference,
                holder_reference=proved.holder_reference,
                mobile_sealed=self._seal(reference, "mobile", proved.mobile),
                created_at=seconds(now),
                **self._sealed_names(reference, proved),
                **_assurance(proved.evidence, now),
            )
        )
        return reference

    def _displace(self, connection: Connection, person: Person, by: str, now: datetime) -> None:
        values = {"state": PersonState.DISPLACED.value, "displaced_at": seconds(now), "displaced_by": by}
        connection.execute(
            update(persons).where(persons.c.realname_ref == person.realname_ref).values(values)
        )
        add_order(connection, person.realname_ref, OrderKind.FREEZE, now=now)

    def _sealed_names(self, reference: str, proved: ProvedIdentity) -> dict[str, object]:
        return {
            "name_sealed": self._seal(reference, "name", proved.name),
            "number_sealed": self._seal(reference, "number", proved.number),
            "state": PersonState.ACTIVE.value,
        }

    def _locked(self, connection: Connection, holder: HolderReference) -> Person | None:
        # Writing first takes the lock, so that two proofs of one person at once come one after the other.
        mine = (persons.c.holder_reference == holder) & persons.c.state.not_in(OVER)
        connection.execute(update(persons).where(mine).values(holder_reference=holder))
        row = connection.execute(_in_force(holder)).mappings().one_or_none()
        return None if row is None else self._person(row)

    def _one(self, query: Select[tuple[object, ...]]) -> Person | None:
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else self._person(row)

    def _person(self, row: RowMapping) -> Person:
        reference = str(row["realname_ref"])
        return Person(
            realname_ref=reference,
            holder_reference=HolderReference(row["holder_reference"]),
            name=self._open(reference, "name", row["name_sealed"]),
            mobile=MobileNumber(self._open(reference, "mobile", row["mobile_sealed"])),
            level=RealnameLevel(row["level"]),
            verified_at=datetime.fromtimestamp(row["verified_at"], UTC),
            state=PersonState(row["state"]),
            created_at=datetime.fromtimestamp(row["created_at"], UTC),
            evidence=frozenset(Evidence(one) for one in json.loads(row["evidence"])),
            displaced_at=None
            if row["displaced_at"] is None
            else datetime.fromtimestamp(row["displaced_at"], UTC),
        )

    def _seal(self, reference: str, column: str, text: str) -> bytes:
        return self._cipher.encrypt(text.encode("utf-8"), bound_to(reference, column))

    def _open(self, reference: str, column: str, sealed: bytes) -> str:
        return self._cipher.decrypt(sealed, bound_to(reference, column)).decode("utf-8")


def _in_force(holder: HolderReference) -> Select[tuple[object, ...]]:
    return select(persons).where(persons.c.holder_reference == holder, persons.c.state.not_in(OVER))


def _standing(person: Person) -> Standing:
    return Standing(mobile=person.mobile, evidence=person.evidence)


def _may_enter(known: Person, mobile: MobileNumber) -> bool:
    return known.state not in _BLOCKED and may_enter_remotely(_standing(known), mobile=mobile)


def _assurance(evidence: Iterable[Evidence], now: datetime) -> dict[str, object]:
    listed = sorted(one.value for one in evidence)
    return {
        "level": level_of(evidence).value,
        "evidence": json.dumps(listed),
        "verified_at": seconds(now),
    }


def _new_reference() -> str:
    return f"rn-{secrets.token_urlsafe(24)}"


def bound_to(reference: str, column: str) -> bytes:
    """The associated data under which one column of one person is encrypted."""
    return f"longzheng idp person v1\0{reference}\0{column}".encode()


def _write_history(connection: Connection, reference: str | None, record: ProofRecord, now: datetime) -> None:
    connection.execute(
        insert(proofs).values(
            realname_ref=reference,
            outcome=record.outcome,
            number_mark=record.number_mark,
            mobile_mark=record.mobile_mark,
            client_id=record.client_id,
            name_notes=json.dumps(record.name_notes),
            at=seconds(now),
        )
    )
