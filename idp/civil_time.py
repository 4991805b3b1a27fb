"""The time of day in which people and laws count: Beijing time, without summer time."""

from datetime import date, datetime, timedelta, timezone
from typing import Final

BEIJING: Final = timezone(timedelta(hours=8))


def civil_day(now: datetime) -> date:
    """The day on which `now` (aware) falls."""
    return now.astimezone(BEIJING).date()
