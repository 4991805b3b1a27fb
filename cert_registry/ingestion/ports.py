"""What ingestion needs from outside."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from cert_registry.ingestion.types import ExistingStock, RowKey, RowOutcome, StockEcert
from idp.identity.holder import HolderReference


class StockRegistrar(Protocol):
    """Writes stock into the registry; every call runs inside the caller's transaction.

    The batch's cursor moves in the same transaction: a kill between the two cannot double a row.
    """

    def find_existing(
        self, row_keys: Sequence[RowKey], *, source: str, connection: Connection
    ) -> Mapping[RowKey, ExistingStock]:
        """Ecerts of this source with these keys that did not come through this room; usually none.

        The room keeps what it registered itself. An ecert named here makes its row conflicting.
        """

    def register(
        self, rows: Sequence[StockEcert], *, connection: Connection, now: datetime
    ) -> Sequence[RowOutcome]:
        """Write rows of which none exists: row, holders, history and leaf, marked ingested and unsealed.

        Returns:
            One outcome a row, in order; `REGISTERED` with its identifier, or `REFUSED` with a reason.

        Raises:
            RegistrarFailed: the database did not take them; the caller's transaction ends without effect.
        """


class KnownHolders(Protocol):
    """The legal-person store, or another register that knows holders."""

    def known(self, references: Sequence[HolderReference]) -> frozenset[HolderReference]:
        """Those of the references that are known."""


class KnownIssuers(Protocol):
    """The organisations room."""

    def is_department(self, code: str) -> bool:
        """Whether a department with this code is or was in the tree."""


class LeafWriter(Protocol):
    """The outbox's way into the transparency log."""

    def push(self, *, now: datetime) -> int:
        """Sequence waiting leaves; a failure leaves them waiting. Returns how many were sequenced."""
