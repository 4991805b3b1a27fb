"""The time-stamp authority behind a real port goes away and comes back: what each type's policy says is done."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from archive_rooms import issue_some, open_archive, signing_over_copy
from flask import Flask
from werkzeug.serving import BaseWSGIServer, make_server

from cert_registry.catalog.loading import TYPES_DIRECTORY
from cert_registry.errors import TokenBusyOrGone
from cert_registry.log_events import FILE_RENEWED
from cert_registry.signing.file_evidence import evidence_of
from cert_registry.signing.pki.blueprint import create_blueprint
from cert_registry.signing.pki.services import open_pki
from cert_registry.types import EcertIdentifier
from verify_api.validation import DocumentReport, TrustAnchors, Verdict, validate_pdf

pytestmark = pytest.mark.thorough

if TYPE_CHECKING:
    from cert_registry.composition import RegistryRooms


class StampServer:
    """Our own `/pki` on a port of its own, started and stopped at will."""

    def __init__(self, state: Path, directory: Path) -> None:
        services = open_pki(signing_over_copy(state, directory))
        self._app = Flask("pki")
        self._app.register_blueprint(create_blueprint(services, lambda: datetime.now(UTC)), url_prefix="/pki")
        self._server: BaseWSGIServer | None = None
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/pki/tsa"

    def start(self) -> None:
        self._server = make_server("127.0.0.1", self._port, self._app, threaded=True)
        self._port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None


@pytest.fixture
def server(ceremony_state: Path, tmp_path: Path) -> Iterator[StampServer]:
    one = StampServer(ceremony_state, tmp_path)
    yield one
    one.stop()


def types_that_raise_later(directory: Path) -> Path:
    """The catalogue with the other policy for the food licence: one line of data."""
    copy = directory / "types"
    shutil.copytree(TYPES_DIRECTORY, copy)
    file = copy / "food-business-licence" / "type.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count("  pades_level: B-LT\n") == 1
    file.write_text(
        text.replace("  pades_level: B-LT\n", "  pades_level: B-LT\n  when_unstamped: raise-later\n"),
        encoding="utf-8",
    )
    return copy


def judged(rooms: RegistryRooms, identifier: EcertIdentifier) -> DocumentReport:
    trust = TrustAnchors.own_only((rooms.settings.pki_dir / "trust.pem").read_bytes())
    pdf = rooms.registry.file_of(identifier)
    return validate_pdf(pdf, trust=trust, at=None, now=datetime.now(UTC))


def test_a_type_that_waits_has_its_intent_stored_and_is_issued_when_stamps_are_back(
    ceremony_state: Path, tmp_path: Path, server: StampServer
) -> None:
    rooms = open_archive(ceremony_state, tmp_path, tsa_url=server.url)
    (before,) = issue_some(rooms, 1, prefix="先")
    server.stop()
    with pytest.raises(TokenBusyOrGone):
        issue_some(rooms, 1, prefix="停")
    ((_, waiting),) = rooms.intents.unfinished()  # the intent is stored, nothing is sealed
    assert rooms.registry.find(before).sealed_level == "B-LT"
    report = rooms.recover()
    assert dict(report.waiting) == {waiting: "sealing-unavailable"}
    server.start()
    report = rooms.recover()
    assert report.finished == (waiting,)
    assert rooms.registry.find(waiting).sealed_level == "B-LT"
    assert evidence_of(rooms.registry.file_of(waiting)).level == "B-LT"
    assert judged(rooms, waiting).verdict is Verdict.PASSED


def test_a_type_that_is_raised_later_says_so_until_it_is(
    ceremony_state: Path, tmp_path: Path, server: StampServer
) -> None:
    types = types_that_raise_later(tmp_path)
    rooms = open_archive(ceremony_state, tmp_path, tsa_url=server.url, types_dir=str(types))
    (before,) = issue_some(rooms, 1, prefix="先")
    assert rooms.registry.find(before).sealed_level == "B-LT"  # with stamps, the type's own level
    server.stop()
    (lowered,) = issue_some(rooms, 1, prefix="停")
    assert rooms.registry.find(lowered).sealed_level == "B-B"
    report = judged(rooms, lowered)
    assert report.signatures[0].level.value == "PAdES-BASELINE-B"  # what answers name
    assert report.verdict is not Verdict.PASSED  # offline, by itself, it proves nothing yet
    first = rooms.registry.find(lowered).file_digest
    rooms.recover()  # stamps are still away: it waits, and nothing else is held up
    assert rooms.registry.find(lowered).sealed_level == "B-B"
    server.start()
    rooms.recover()
    after = rooms.registry.find(lowered)
    assert after.sealed_level == "B-LTA"
    report = judged(rooms, lowered)
    assert report.verdict is Verdict.PASSED
    assert report.signatures[0].level.value == "PAdES-BASELINE-LTA"
    assert first is not None
    assert rooms.registry.by_file_digest(first).identifier == lowered  # the copy handed out before
    assert [leaf.kind for leaf in rooms.registry.log_proof(lowered)][-1] == FILE_RENEWED
    assert rooms.registry.find(before).file_digest != after.file_digest
    assert rooms.recover().failures == 0
    assert rooms.registry.find(lowered).file_digest == after.file_digest  # once


@pytest.mark.parametrize("answer", [b"", b"garbage", b"\x30\x05\x30\x03\x02\x01\x02"])
def test_a_stamp_that_is_refused_or_nonsense_is_as_good_as_none(
    ceremony_state: Path, tmp_path: Path, answer: bytes
) -> None:
    """An authority that answers, but grants nothing (the last one is a rejection)."""
    app = Flask("nonsense")

    @app.post("/tsa")
    def refuse() -> tuple[bytes, int, dict[str, str]]:
        return answer, 200, {"Content-Type": "application/timestamp-reply"}

    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/tsa"
        rooms = open_archive(ceremony_state, tmp_path, tsa_url=url)
        with pytest.raises(TokenBusyOrGone):
            issue_some(rooms, 1)
        assert len(rooms.intents.unfinished()) == 1
    finally:
        server.shutdown()
        server.server_close()
