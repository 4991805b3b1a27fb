"""Days and times as pages print them, in civil time (UTC+8)."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

from flask import Blueprint

from idp.identity.sentence import Sentence, said

_CIVIL_TIME = timezone(timedelta(hours=8))


def civil(moment: datetime) -> str:
    """Return an aware time to the second, such as 2026-11-23 07:15:19."""
    return moment.astimezone(_CIVIL_TIME).strftime("%Y-%m-%d %H:%M:%S")


def day(on: date) -> Sentence:
    """Return a civil date such as 2026年11月23日, which `said` tells in the page's language."""
    return said("%(day)s", day=on)


def add_filters(pages: Blueprint) -> None:
    """Let templates write ``{{ moment | civil }}`` and ``{{ on | day }}``, whichever rooms are mounted."""
    pages.add_app_template_filter(civil, "civil")
    pages.add_app_template_filter(day, "day")
