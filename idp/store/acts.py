"""What was done with a link: sign-ins at sites, certificates shown and downloaded, consents. No personal data."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum

from sqlalchemy import Engine, insert, select
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One act.

    Attributes:
        subject: of what: a site's client id, a certificate type's name.
        at: UTC.
        source_id: the event it was taken from, so that it is taken once.
    """

    kind: ActKind
    subject: str
    at: datetime
    source_id: str | None = None


class ActBook:
    """Keeps acts by link."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def record(self, realname_ref: str, act: Act) -> None:
        """Writes an act, once per source."""
        values = {
            "realname_ref": realname_ref,
            "kind": act.kind.value,
            "subject": act.subject[:200],
            "source_id": act.source_id,
            "at": seconds(act.at),
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(acts).values(values))
        except IntegrityError:
            return  # taken over before

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
            )
            for row in rows
        )
