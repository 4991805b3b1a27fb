"""What stands on record about a person beside the acts of the link: proofs by their number, acts of officers."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Engine, select

from idp.store.tables import counter_acts, proofs


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofLine:
    """One attempt to prove a person, by whomever.

    Attributes:
        outcome: value of `idp.proofing.Outcome`.
        client_id: through which client, or `counter`.
        own: whether it led into this link.
    """

    outcome: str
    client_id: str
    own: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficerLine:
    """One act of an officer at a counter about this link."""

    office: str
    document_kind: str
    decision: str
    at: datetime


class Histories:
    """Reads records of one person; never lists people."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def proofs_of(self, number_mark: str, realname_ref: str, *, limit: int) -> tuple[ProofLine, ...]:
        """Every attempt with a person's number, newest first; those of strangers too."""
        query = select(proofs).where(proofs.c.number_mark == number_mark)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(proofs.c.id.desc()).limit(limit)).mappings().all()
        return tuple(
            ProofLine(
                outcome=row["outcome"],
                client_id=row["client_id"],
                own=row["realname_ref"] == realname_ref,
                at=datetime.fromtimestamp(row["at"], UTC),
            )
            for row in rows
        )

    def officers_of(self, realname_ref: str, *, limit: int) -> tuple[OfficerLine, ...]:
        """What officers did with a link, newest first."""
        query = select(counter_acts).where(counter_acts.c.realname_ref == realname_ref)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(counter_acts.c.id.desc()).limit(limit)).mappings().all()
        return tuple(
            OfficerLine(
                office=row["office"],
                document_kind=row["document_kind"],
                decision=row["decision"] or "",
                at=datetime.fromtimestamp(row["at"], UTC),
            )
            for row in rows
        )
