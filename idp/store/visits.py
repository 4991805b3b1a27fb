"""Visits: one browser's way from a site's request to its outcome; the browser holds a random handle."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from sqlalchemy import Engine, RowMapping, delete, insert, select, update

from idp.errors import InteractionLost
from idp.ports import Cipher
from idp.store.marks import mark_of_random, seconds
from idp.store.tables import face_checks, sms_codes, visits

LIFE_S: Final = 1800


class Step(Enum):
    """Where a visit stands."""

    FORM = "form"
    CODE = "code"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What the person typed, as typed."""

    name: str
    number: str
    mobile: str

    def __repr__(self) -> str:
        return "Typed()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A visit that is not over.

    Attributes:
        mark: its key here.
        request: parameters of the site's authorization request.
        typed: None before the form was sent.
        step: where it stands.
        outcome: after a proof was tried.
        realname_ref: after it succeeded.
        proved_at: when it succeeded, UTC.
    """

    mark: str
    request: Mapping[str, str]
    typed: Typed | None
    step: Step
    outcome: str | None
    realname_ref: str | None
    proved_at: datetime | None


class VisitStore:
    """Keeps visits; typed data is encrypted and deleted with the visit."""

    def __init__(self, engine: Engine, cipher: Cipher) -> None:
        self._engine = engine
        self._cipher = cipher

    def begin(self, request: Mapping[str, str], *, now: datetime) -> str:
        """Opens a visit and returns the handle for the browser's cookie."""
        handle = secrets.token_urlsafe(32)
        with self._engine.begin() as connection:
            moment = seconds(now)
            connection.execute(delete(visits).where(visits.c.expires_at <= moment))
            connection.execute(delete(sms_codes).where(sms_codes.c.expires_at <= moment))
            connection.execute(
                insert(visits).values(
                    visit_mark=mark_of_random(handle),
                    request=json.dumps(dict(request)),
                    step=Step.FORM.value,
                    expires_at=moment + LIFE_S,
                )
            )
        return handle

    def visit(self, handle: str | None, *, now: datetime) -> Visit:
        """The visit of a handle.

        Raises:
            InteractionLost: `visit-lost`, unknown or over.
        """
        if not handle:
            raise _lost()
        query = select(visits).where(
            visits.c.visit_mark == mark_of_random(handle), visits.c.expires_at > seconds(now)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None:
            raise _lost()
        return self._visit(row)

    def keep_typed(self, mark: str, typed: Typed, *, step: Step) -> None:
        """Keeps what was typed and moves the visit to `step`; an earlier outcome and face check are forgotten."""
        plain = json.dumps([typed.name, typed.number, typed.mobile]).encode("utf-8")
        sealed = self._cipher.encrypt(plain, _bound_to(mark))
        values = {"typed_sealed": sealed, "step": step.value, "outcome": None, "realname_ref": None}
        with self._engine.begin() as connection:
            connection.execute(
                update(visits).where(visits.c.visit_mark == mark).values(proved_at=None, **values)
            )
            connection.execute(delete(face_checks).where(face_checks.c.visit_mark == mark))

    def finish(
        self,
        mark: str,
        outcome: str,
        *,
        realname_ref: str | None,
        keep_typed: bool = False,
        now: datetime,
    ) -> None:
        """Writes the outcome; after a success nothing typed is kept, unless a further check may follow."""
        values: dict[str, object] = {"step": Step.DONE.value, "outcome": outcome}
        if realname_ref is not None:
            values |= {"realname_ref": realname_ref, "proved_at": seconds(now)}
            if not keep_typed:
                values["typed_sealed"] = None
        with self._engine.begin() as connection:
            connection.execute(update(visits).where(visits.c.visit_mark == mark).values(values))

    def end(self, mark: str) -> None:
        """Ends a visit.

        Raises:
            InteractionLost: somebody else just did; a visit yields one answer to the site.
        """
        with self._engine.begin() as connection:
            ended = connection.execute(delete(visits).where(visits.c.visit_mark == mark)).rowcount
        if not ended:
            raise _lost()

    def _visit(self, row: RowMapping) -> Visit:
        mark = str(row["visit_mark"])
        typed = None
        if row["typed_sealed"] is not None:
            name, number, mobile = json.loads(self._cipher.decrypt(row["typed_sealed"], _bound_to(mark)))
            typed = Typed(name=name, number=number, mobile=mobile)
        proved_at = row["proved_at"]
        return Visit(
            mark=mark,
            request=json.loads(row["request"]),
            typed=typed,
            step=Step(row["step"]),
            outcome=row["outcome"],
            realname_ref=row["realname_ref"],
            proved_at=None if proved_at is None else datetime.fromtimestamp(proved_at, UTC),
        )


def _bound_to(mark: str) -> bytes:
    return f"longzheng idp visit v1\0{mark}".encode()


def _lost() -> InteractionLost:
    return InteractionLost("本次核验已结束或已超时，请回到原来的网站重新开始。", code="visit-lost")
