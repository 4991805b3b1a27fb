"""Counts different failed comparisons: repeating the same mistake tells a guesser nothing and costs nothing."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Engine, delete, func, insert, select

from idp.errors import TooManyTries
from idp.store.marks import DAY_S, seconds
from idp.store.tables import guesses


class GuessThrottle:
    """A ceiling of different guesses per bucket within 24 hours."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def reserve(self, limits: Mapping[str, int], guess_mark: str, *, now: datetime) -> None:
        """Counts a guess in every bucket before it is answered.

        The guess is written first and counted after, so that two at once cannot both be the last.

        Raises:
            TooManyTries: `too-many-tries`; nothing is counted then.
        """
        moment = seconds(now)
        with self._engine.begin() as connection:
            connection.execute(delete(guesses).where(guesses.c.at <= moment - DAY_S))
            for bucket, limit in limits.items():
                same = (guesses.c.bucket == bucket) & (guesses.c.guess_mark == guess_mark)
                connection.execute(delete(guesses).where(same))
                connection.execute(insert(guesses).values(bucket=bucket, guess_mark=guess_mark, at=moment))
                counted = select(func.count()).select_from(guesses).where(guesses.c.bucket == bucket)
                if connection.execute(counted).scalar_one() > limit:
                    raise TooManyTries("今天核对的次数已用完。", code="too-many-tries")

    def forgive(self, guess_mark: str) -> None:
        """Takes a guess back that was right, or that was not answered."""
        with self._engine.begin() as connection:
            connection.execute(delete(guesses).where(guesses.c.guess_mark == guess_mark))
