"""What was done with a link and what became of it: sign-ins, certificates, consents, changes. No personal data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from sqlalchemy import Connection, Engine, insert, select
from sqlalchemy.exc import IntegrityError

from idp.store.marks import seconds
from idp.store.tables import acts


class ActKind(Enum):
    """Kinds of acts."""

    SITE_SIGN_IN = "site-sign-in"
    ECERT_SHOWN = "ecert-shown"
    ECERT_DOWNLOADED = "ecert-downloaded"
    CONSENT = "consent"
    NUMBER_RELEASED = "number-released"
    CONSENT_WITHDRAWN = "consent-withdrawn"
    SIGN_IN = "sign-in"
    SIGN_IN_FAILED = "sign-in-failed"
    SIGNED_OUT = "signed-out"
    FACTOR_CHANGED = "factor-changed"
    PHONE_CHANGED = "phone-changed"
    NAME_CHANGED = "name-changed"
    NAME_DIFFERS_NOW = "name-differs-now"
    REPORTED = "reported"
    CLOSED = "closed"
    DEATH_REPORTED = "death-reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act.

    Attributes:
        subject: of what: a site's client id, a certificate type's name.
        at: UTC.
        source_id: the event it was taken from, so that it is taken once.
        detail: more of it: the scopes and claims that a site was given at a sign-in, separated by spaces.
    """

    kind: ActKind
    subject: str
    at: datetime
    source_id: str | None = None
    detail: str = ""


def add_act(connection: Connection, realname_ref: str, act: Act) -> None:
    """Writes an act within the caller's transaction."""
    connection.execute(
        insert(acts).values(
            realname_ref=realname_ref,
            kind=act.kind.value,
            subject=act.subject[:200],
            source_id=act.source_id,
            detail=act.detail[:200],
            at=seconds(act.at),
        )
    )


class ActBook:
    """Keeps acts by link."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, realname_ref: str, act: Act) -> None:
        """Writes an act, once per source."""
        try:
            with self._engine.begin() as connection:
                add_act(connection, realname_ref, act)
        except IntegrityError:
            return  # taken over before

    def take_over(self, realname_ref: str, found: Sequence[Act]) -> int:
        """Writes those acts of another room that are not here yet; how many were new."""
        known = select(acts.c.source_id).where(acts.c.realname_ref == realname_ref)
        with self._engine.connect() as connection:
            there = set(connection.execute(known.where(acts.c.source_id.is_not(None))).scalars())
        new = [act for act in found if act.source_id not in there]
        for act in new:
            self.record(realname_ref, act)
        return len(new)

    def of(self, realname_ref: str, *, limit: int = 500) -> tuple[Act, ...]:
        """The acts of a link, newest first."""
        query = select(acts).where(acts.c.realname_ref == realname_ref)
        query = query.order_by(acts.c.at.desc(), acts.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(
            Act(
                kind=ActKind(row["kind"]),
                subject=row["subject"],
                at=datetime.fromtimestamp(row["at"], UTC),
                source_id=row["source_id"],
                detail=row["detail"],
            )
            for row in rows
        )
