"""Agreements of people that a site be told their ID number, each used once at most, and what was released."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.store.acts import ActKind
from idp.store.marks import DAY_S, mark_of_random, seconds
from idp.store.tables import acts, number_releases, used_proofs

AGREED_FOR_S: Final = 600
# What was never fetched is no release: it goes after a day.
_KEPT_UNUSED_S: Final = DAY_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One agreement that waits to be used."""

    release_id: str
    realname_ref: str


class NumberReleases:
    """Keeps agreements by session, site and purpose."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def agree(
        self,
        realname_ref: str,
        *,
        session_id: str,
        site_id: str,
        purpose: str,
        case_number: str,
        now: datetime,
    ) -> str:
        """Writes an agreement and returns its id; an earlier one of the same session, site and purpose is void."""
        release_id, moment = f"nr-{secrets.token_urlsafe(12)}", seconds(now)
        same = _same(session_id, site_id, purpose) & number_releases.c.released_at.is_(None)
        stale = number_releases.c.released_at.is_(None) & (
            number_releases.c.agreed_at < moment - _KEPT_UNUSED_S
        )
        with self._engine.begin() as connection:
            connection.execute(delete(number_releases).where(same | stale))
            connection.execute(
                insert(number_releases).values(
                    release_id=release_id,
                    realname_ref=realname_ref,
                    session_mark=mark_of_random(session_id),
                    site_id=site_id,
                    purpose=purpose,
                    case_number=case_number,
                    agreed_at=moment,
                )
            )
        return release_id

    def find(self, session_id: str, site_id: str, purpose: str, *, now: datetime) -> Agreement | None:
        """The agreement that may be used now."""
        query = select(number_releases).where(
            _same(session_id, site_id, purpose),
            number_releases.c.released_at.is_(None),
            number_releases.c.agreed_at > seconds(now) - AGREED_FOR_S,
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return (
            None if row is None else Agreement(release_id=row["release_id"], realname_ref=row["realname_ref"])
        )

    def use(self, agreement: Agreement, *, record: str, now: datetime) -> bool:
        """Uses an agreement up and writes the release into the person's record, both or neither.

        Returns:
            False when somebody was faster.
        """
        unused = (number_releases.c.release_id == agreement.release_id) & number_releases.c.released_at.is_(
            None
        )
        with self._engine.begin() as connection:
            done = connection.execute(
                update(number_releases).where(unused).values(released_at=seconds(now))
            ).rowcount
            if done:
                connection.execute(
                    insert(acts).values(
                        realname_ref=agreement.realname_ref,
                        kind=ActKind.NUMBER_RELEASED.value,
                        subject=record[:200],
                        source_id=agreement.release_id,
                        at=seconds(now),
                    )
                )
        return done == 1


def _same(session_id: str, site_id: str, purpose: str) -> ColumnElement[bool]:
    return (
        (number_releases.c.session_mark == mark_of_random(session_id))
        & (number_releases.c.site_id == site_id)
        & (number_releases.c.purpose == purpose)
    )


class StoredProofs:
    """`idp.identity.dpop.UsedProofs` in the database, so that all processes of this room notice a second use."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def first_use(self, mark: str, *, until: datetime, now: datetime) -> bool:
        """Notes a mark; False when it was there already."""
        with self._engine.begin() as connection:
            connection.execute(delete(used_proofs).where(used_proofs.c.expires_at <= seconds(now)))
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(used_proofs).values(proof_mark=mark, expires_at=seconds(until) + 1))
        except IntegrityError:
            return False
        return True
