"""Proofs that could not be made because a register did not answer; encrypted, and forgotten after a week."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Engine, delete, insert, select

from idp.ports import Cipher
from idp.store.marks import seconds
from idp.store.tables import waiting_proofs
from idp.store.visits import Typed

KEPT_S: Final = 7 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingProof:
    """What a person claimed, with possession of the phone proved at the time."""

    claim_mark: str
    typed: Typed
    client_id: str


class WaitingProofs:
    """Keeps them, one for each claim."""

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._engine = engine
        self._cipher = cipher

    def add(self, waiting: WaitingProof, *, now: datetime) -> None:
        """Keeps a claim; the same claim again waits no longer."""
        typed, moment = waiting.typed, seconds(now)
        plain = json.dumps([typed.name, typed.number, typed.mobile]).encode("utf-8")
        values: Mapping[str, object] = {
            "claim_mark": waiting.claim_mark,
            "claim_sealed": self._cipher.encrypt(plain, _bound_to(waiting.claim_mark)),
            "client_id": waiting.client_id,
            "created_at": moment,
            "expires_at": moment + KEPT_S,
        }
        with self._engine.begin() as connection:
            connection.execute(delete(waiting_proofs).where(waiting_proofs.c.expires_at <= moment))
            this = waiting_proofs.c.claim_mark == waiting.claim_mark
            connection.execute(delete(waiting_proofs).where(this))
            connection.execute(insert(waiting_proofs).values(**values))

    def all(self, *, now: datetime, limit: int = 200) -> tuple[WaitingProof, ...]:
        """Those that wait, oldest first."""
        query = select(waiting_proofs).where(waiting_proofs.c.expires_at > seconds(now))
        query = query.order_by(waiting_proofs.c.created_at).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        found = []
        for row in rows:
            mark = str(row["claim_mark"])
            name, number, mobile = json.loads(self._cipher.decrypt(row["claim_sealed"], _bound_to(mark)))
            typed = Typed(name=name, number=number, mobile=mobile)
            found.append(WaitingProof(claim_mark=mark, typed=typed, client_id=row["client_id"]))
        return tuple(found)

    def take(self, claim_mark: str) -> bool:
        """Forgets a claim; False when somebody else just did, so that people are told once."""
        with self._engine.begin() as connection:
            return (
                connection.execute(
                    delete(waiting_proofs).where(waiting_proofs.c.claim_mark == claim_mark)
                ).rowcount
                == 1
            )


def _bound_to(mark: str) -> bytes:
    return f"longzheng idp waiting proof v1\0{mark}".encode()
