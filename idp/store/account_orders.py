"""What is to be done at Keycloak's accounts: ordered in the transaction that decides it, carried out until done."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import Connection, Engine, insert, select, update

from idp.store.marks import seconds
from idp.store.tables import account_orders


class OrderKind(Enum):
    """What is done to an account.

    Freeze: end its sessions and take its link away. Refresh: write what it holds of the proof. Reset factors: take
    the second factors away that its owner lost. Sign out: end its sessions everywhere. Rename: give it the name of the
    phone that its link has now. Withdraw: take back what was consented to for one site, and end the sessions there.
    """

    FREEZE = "freeze"
    REFRESH = "refresh"
    RESET_FACTORS = "reset-factors"
    SIGN_OUT = "sign-out"
    RENAME = "rename"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOrder:
    """One order that is not done yet; `subject` is the client id of a site to withdraw from."""

    order_id: int
    realname_ref: str
    kind: OrderKind
    subject: str = ""


def add_order(
    connection: Connection, realname_ref: str, kind: OrderKind, *, subject: str = "", now: datetime
) -> None:
    """Orders within the caller's transaction."""
    connection.execute(
        insert(account_orders).values(
            realname_ref=realname_ref, kind=kind.value, subject=subject, created_at=seconds(now), attempts=0
        )
    )


class AccountOrders:
    """The orders that wait."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def waiting(self) -> tuple[AccountOrder, ...]:
        """Oldest first."""
        query = select(account_orders).where(account_orders.c.done_at.is_(None)).order_by(account_orders.c.id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(
            AccountOrder(
                order_id=row["id"],
                realname_ref=row["realname_ref"],
                kind=OrderKind(row["kind"]),
                subject=row["subject"],
            )
            for row in rows
        )

    def done(self, order: AccountOrder, *, now: datetime) -> None:
        """Notes that an order was carried out."""
        self._set(order, done_at=seconds(now))

    def failed(self, order: AccountOrder) -> None:
        """Counts an attempt; the order waits on."""
        self._set(order, attempts=account_orders.c.attempts + 1)

    def _set(self, order: AccountOrder, **values: object) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                update(account_orders).where(account_orders.c.id == order.order_id).values(**values)
            )
