"""Officers' and citizens' pages over a whole registry on real parts; only Keycloak is left out: a session is given."""

from __future__ import annotations

import csv
import io
import re
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from flask import Flask, Response, make_response
from flask_wtf.csrf import CSRFProtect

from cert_registry.composition import RegistryRooms
from cert_registry.web.citizen import CitizenRoom, create_citizen_pages
from cert_registry.web.frame import add_errors, add_headers
from cert_registry.web.officer import OfficerRoom, create_officer_pages
from cert_registry.web.seal_pages import create_seal_pages
from cert_registry.web.seal_room import SealPagesRoom
from cert_registry.web.searches import KeptSearches
from cert_registry.web.sessions import WebSession
from cert_registry.web.sign_in import SignIn
from idp.identity.assurance import RealnameLevel
from idp.identity.holder import HolderReference
from idp.web.language import install_language

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / "tests" / "unit" / "cert_registry"))


def utc_now() -> datetime:
    return datetime.now(UTC)


class GivenSession:
    """Stands where `SignIn` stands: whoever the test says is signed in."""

    def __init__(self) -> None:
        self.content: Mapping[str, Any] | None = None
        self.before: Mapping[str, Any] | None = None

    def current(self) -> WebSession | None:
        if self.content is None:
            return None
        return WebSession(client_id="test", subject="test", sid=None, content=self.content)

    def lately(self) -> WebSession | None:
        if self.before is None:
            return None
        return WebSession(client_id="test", subject="test", sid=None, content=self.before)

    def ask(self, *, acr: str | None = None, action: str | None = None, then: str = "") -> Response:
        return make_response(f"sign in {acr} {action} {then}", 302)


class GivenLinks:
    """Every link counts, at the level that the test says; acts are kept."""

    def __init__(self) -> None:
        self.level = RealnameLevel.RN2
        self.acts: list[tuple[str, str]] = []

    def in_force(self, link: str, *, now: datetime) -> RealnameLevel:
        del link, now
        return self.level

    def record(self, link: str, kind: str, subject: str, *, now: datetime) -> None:
        del link, now
        self.acts.append((kind, subject))


class Desk:
    """The pages with a browser that has no screen."""

    def __init__(self, rooms: RegistryRooms, directory: Path) -> None:
        self.rooms = rooms
        self.officer, self.person, self.links = GivenSession(), GivenSession(), GivenLinks()
        app = Flask(
            "test", template_folder=str(CHECKOUT / "templates"), static_folder=str(CHECKOUT / "static")
        )
        app.config.update(SECRET_KEY=b"test", WTF_CSRF_CHECK_DEFAULT=False, TESTING=False)
        install_language(app)
        csrf = CSRFProtect()
        csrf.init_app(app)
        add_headers(app, keycloak="http://localhost")
        add_errors(app)
        officers = OfficerRoom(
            sign_in=cast("SignIn", self.officer),
            drafting=rooms.drafting,
            registry=rooms.registry,
            search=rooms.search,
            searches=KeptSearches(directory / "sessions.db", cipher=rooms.cipher),
            lifecycle=rooms.lifecycle,
            checks=rooms.checks,
            catalog=rooms.catalog,
            chart=rooms.charts.chart,
            clock=utc_now,
        )
        app.register_blueprint(create_officer_pages(officers), url_prefix="/officer")
        seals = SealPagesRoom(
            seals=rooms.seals,
            uses=rooms.seal_uses,
            catalog=rooms.catalog,
            chart=rooms.charts.chart,
            clock=utc_now,
            mark="样例",
        )
        app.register_blueprint(create_seal_pages(officers, seals), url_prefix="/officer/seals")
        app.register_blueprint(
            create_citizen_pages(
                CitizenRoom(
                    sign_in=cast("SignIn", self.person),
                    registry=rooms.registry,
                    delivery=rooms.delivery,
                    checks=rooms.checks,
                    catalog=rooms.catalog,
                    represented=rooms.legal_persons.represented_by,
                    links=self.links,
                    clock=utc_now,
                )
            )
        )
        self.application = app
        self.browser = app.test_client()

    def sit(self, staff_id: str) -> None:
        self.officer.content = {"staff_id": staff_id, "acr": "loa2"}

    def come(self, holder: HolderReference, *, level: str = "RN2") -> None:
        self.links.level = RealnameLevel(level)
        self.person.content = {
            "name": "甘****",
            "holder_reference": holder,
            "level": level,
            "acr": "loa1",
            "link": "test",
        }

    def get(self, address: str) -> str:
        answer = self.browser.get(address)
        assert answer.status_code == 200, answer.text
        return answer.text

    def post(self, address: str, **form: str) -> Any:
        return self.browser.post(address, data=form)

    def csv(self, address: str) -> list[list[str]]:
        return rows_of(self.browser.get(address))


def rows_of(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200, answer.text
    assert answer.content_type.startswith("text/csv")
    return list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline="")))


def link(shown: str, words: str) -> str:
    """Where a link with these words leads."""
    found = re.search(rf'<a href="([^"]*)"[^>]*>{re.escape(words)}', shown)
    assert found, words
    return found[1].replace("&amp;", "&")


def counted(shown: str) -> int:
    found = re.search(r"共 (\d+) 条", shown)
    assert found
    return int(found[1])


MakeDesk = Callable[[], Desk]
