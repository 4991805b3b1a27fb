"""What changes about a link after its proof: its phone, what it agreed to, its end. Each with its record and its order."""

from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, select, update

from idp.mobile_number import MobileNumber
from idp.ports import Cipher
from idp.store.account_orders import OrderKind, add_order
from idp.store.acts import Act, ActKind, add_act
from idp.store.marks import seconds
from idp.store.persons import PersonState, bound_to
from idp.store.tables import number_releases, persons

# What a closed link keeps of its person: nothing but the holder reference, which only the number itself leads to.
_ERASED = ("name", "number", "mobile")


class AccountLifeStore:
    """Writes a change, its record and the order for Keycloak in one transaction; only of links in force."""

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._engine = engine
        self._cipher = cipher

    def change_mobile(self, realname_ref: str, mobile: MobileNumber, *, now: datetime) -> bool:
        """The link's phone is another one from now on; False when the link does not count."""
        sealed = self._seal(realname_ref, "mobile", mobile)
        with self._engine.begin() as connection:
            if not _changed(connection, realname_ref, mobile_sealed=sealed):
                return False
            add_act(connection, realname_ref, Act(kind=ActKind.PHONE_CHANGED, subject="", at=now))
            add_order(connection, realname_ref, OrderKind.RENAME, now=now)
        return True

    def withdraw(self, realname_ref: str, client_id: str, *, now: datetime) -> bool:
        """Takes back what was agreed to for one site; what was not fetched yet of the number is void."""
        unused = (
            (number_releases.c.realname_ref == realname_ref)
            & (number_releases.c.site_id == client_id)
            & number_releases.c.released_at.is_(None)
        )
        with self._engine.begin() as connection:
            if not _changed(connection, realname_ref, state=PersonState.ACTIVE.value):
                return False
            connection.execute(delete(number_releases).where(unused))
            act = Act(kind=ActKind.CONSENT_WITHDRAWN, subject=client_id, at=now)
            add_act(connection, realname_ref, act)
            add_order(connection, realname_ref, OrderKind.WITHDRAW, subject=client_id, now=now)
        return True

    def close(self, realname_ref: str, *, now: datetime) -> bool:
        """Ends a link at its person's wish and erases what names them; the record stays.

        A new proof opens a new link, which has nothing of this one.
        """
        erased = {f"{column}_sealed": self._seal(realname_ref, column, "") for column in _ERASED}
        return self._end(realname_ref, ActKind.CLOSED, now, state=PersonState.CLOSED, values=erased)

    def end_deceased(self, realname_ref: str, *, now: datetime) -> bool:
        """Blocks the link of a person whom the register reports dead; only a proof at a counter opens it again."""
        return self._end(realname_ref, ActKind.DEATH_REPORTED, now, state=PersonState.DECEASED, values={})

    def due_for_recheck(self, *, before: datetime, limit: int) -> tuple[str, ...]:
        """Links in force about which the register was last asked before a moment, the longest ago first."""
        asked_at = func.coalesce(persons.c.rechecked_at, persons.c.verified_at)
        query = (
            select(persons.c.realname_ref)
            .where(persons.c.state == PersonState.ACTIVE.value, asked_at < seconds(before))
            .order_by(asked_at)
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return tuple(connection.execute(query).scalars())

    def rechecked(self, realname_ref: str, *, name_differs: bool, now: datetime) -> None:
        """Notes that the register was asked again; that its name is another one now goes on record."""
        with self._engine.begin() as connection:
            _changed(connection, realname_ref, rechecked_at=seconds(now))
            if name_differs:
                act = Act(kind=ActKind.NAME_DIFFERS_NOW, subject="", at=now)
                add_act(connection, realname_ref, act)

    def _end(
        self,
        realname_ref: str,
        kind: ActKind,
        now: datetime,
        *,
        state: PersonState,
        values: dict[str, bytes],
    ) -> bool:
        with self._engine.begin() as connection:
            ended = {"state": state.value, "displaced_at": seconds(now), **values}
            if not _changed(connection, realname_ref, **ended):
                return False
            connection.execute(
                delete(number_releases).where(
                    number_releases.c.realname_ref == realname_ref, number_releases.c.released_at.is_(None)
                )
            )
            add_act(connection, realname_ref, Act(kind=kind, subject="", at=now))
            add_order(connection, realname_ref, OrderKind.FREEZE, now=now)
        return True

    def _seal(self, reference: str, column: str, text: str) -> bytes:
        return self._cipher.encrypt(text.encode("utf-8"), bound_to(reference, column))


def _changed(connection: Connection, realname_ref: str, **values: object) -> bool:
    active = (persons.c.realname_ref == realname_ref) & (persons.c.state == PersonState.ACTIVE.value)
    return connection.execute(update(persons).where(active).values(**values)).rowcount == 1
