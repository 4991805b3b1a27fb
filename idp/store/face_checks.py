"""The face check of a visit: one at a time, good for the person that the visit had proved and for ten minutes after."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine, delete, insert, select, update

from idp.errors import InteractionLost
from idp.store.marks import seconds
from idp.store.tables import face_checks, visits
from idp.store.visits import LIFE_S

GOOD_FOR: Final = timedelta(minutes=10)


class FaceChecks:
    """Keeps which check belongs to which visit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def new_nonce(self) -> str:
        """What ties the provider's answer to one visit."""
        return secrets.token_urlsafe(32)

    def begin(
        self, visit_mark: str, check_id: str, nonce: str, *, proved_at: datetime | None, now: datetime
    ) -> None:
        """Keeps a check; an earlier one of the visit is void.

        Args:
            visit_mark: Of the visit.
            check_id: The provider's id of the check.
            nonce: As sent to the provider.
            now: Aware UTC time.
            proved_at: When the visit proved the person whose face is asked for.

        Raises:
            InteractionLost: `no-proof`: the visit has gone on to somebody else meanwhile.
        """
        moment = seconds(now)
        old = (face_checks.c.visit_mark == visit_mark) | (face_checks.c.expires_at <= moment)
        with self._engine.begin() as connection:
            connection.execute(delete(face_checks).where(old))
            of_visit = select(visits.c.proved_at).where(visits.c.visit_mark == visit_mark)
            standing = connection.scalar(of_visit)
            if proved_at is None or standing != seconds(proved_at):
                raise InteractionLost("这一步不能从这里开始。", code="no-proof")
            connection.execute(
                insert(face_checks).values(
                    visit_mark=visit_mark, check_id=check_id, nonce=nonce, expires_at=moment + LIFE_S
                )
            )

    def open_check(self, visit_mark: str, *, now: datetime) -> tuple[str, str] | None:
        """Id and nonce of the visit's check that was not answered yet."""
        query = select(face_checks.c.check_id, face_checks.c.nonce).where(
            face_checks.c.visit_mark == visit_mark,
            face_checks.c.passed_at.is_(None),
            face_checks.c.expires_at > seconds(now),
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return None if row is None else (row[0], row[1])

    def passed(self, visit_mark: str, check_id: str, *, now: datetime) -> None:
        """Notes that the provider confirmed the person of this check; nothing when another has begun."""
        with self._engine.begin() as connection:
            connection.execute(
                update(face_checks)
                .where(face_checks.c.visit_mark == visit_mark, face_checks.c.check_id == check_id)
                .values(passed_at=seconds(now))
            )

    def use_passed(self, visit_mark: str, *, now: datetime) -> bool:
        """Uses up a confirmation of the last ten minutes; False when there is none."""
        fresh = (
            (face_checks.c.visit_mark == visit_mark)
            & face_checks.c.passed_at.is_not(None)
            & (face_checks.c.passed_at > seconds(now - GOOD_FOR))
        )
        with self._engine.begin() as connection:
            return connection.execute(delete(face_checks).where(fresh)).rowcount == 1
