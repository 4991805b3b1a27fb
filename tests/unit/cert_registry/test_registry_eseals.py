"""Every active seal has its e-seal: made once, valid under our own anchors, downloadable by its custodian."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from registry_rooms import open_rooms, suspend_seal

from cert_registry.composition import RegistryRooms
from cert_registry.errors import ConfigurationError
from cert_registry.eseal.errors import EsealUnavailable
from cert_registry.eseal.export_command import main as export
from cert_registry.eseal.reading import read_seal
from cert_registry.eseal.report import EsealVerdict
from cert_registry.eseal.types import EsealVersion, PictureFormat
from cert_registry.eseal.verifying import verify
from cert_registry.seals.errors import UnknownSeal
from cert_registry.seals.types import SealState
from cert_registry.settings import Settings
from cert_registry.web.officer_eseals import create_eseal_pages
from cert_registry.web.officer_room import OfficerRoom
from cert_registry.web.searches import KeptSearches
from hsm_sim.sm2_ceremony import run
from tests.fixtures_token import CHECKOUT, PUBLIC_URL
from verify_api import eseal_command
from verify_api.eseal_judge import ChainJudge
from verify_api.validation.trust import own_anchors

pytestmark = pytest.mark.thorough

SEAL = "seal-city-market"
_DER = Encoding.DER


@pytest.fixture(scope="module")
def sm2_rooms(ceremony_state: Path, tmp_path_factory: pytest.TempPathFactory) -> RegistryRooms:
    run(ceremony_state, PUBLIC_URL)
    return open_rooms(ceremony_state, tmp_path_factory.mktemp("eseals"), sm2=True)


def _judge(rooms: RegistryRooms, now: datetime) -> ChainJudge:
    pki = rooms.settings.pki_dir
    hierarchies = [rooms.pki] if rooms.sm2 is None else [rooms.pki, rooms.sm2]
    authorities = ("root", "seal-ca", "tsa-ca", "service-ca")
    return ChainJudge(
        trust=own_anchors(pki),
        certificates=[
            h.pki.certificate(name).public_bytes(_DER) for h in hierarchies for name in authorities[1:]
        ],
        crls=[h.crls.current(name, now=now).der for h in hierarchies for name in authorities],
    )


def test_every_active_seal_gets_a_valid_eseal(sm2_rooms: RegistryRooms) -> None:
    now = datetime.now(UTC)
    active = [one for one in sm2_rooms.seals.book.listed() if one.state is SealState.ACTIVE]
    assert sm2_rooms.eseals.make_missing(now=now) == len(active) > 3
    judge = _judge(sm2_rooms, now)
    for seal in active:
        der = sm2_rooms.eseals.eseal(seal.seal_id, now=datetime.now(UTC))
        report = verify(der, judge=judge, now=datetime.now(UTC))
        assert (report.verdict, report.findings) == (EsealVerdict.VALID, ()), seal.seal_id
        read = read_seal(der)
        assert (read.version, read.algorithm) == (EsealVersion.V5, "1.2.156.10197.1.501")
        assert read.time_stamp is not None
        assert read.content.name == seal.name
        assert read.content.holders[0] == seal.certificate
        assert read.content.picture.format is PictureFormat.SVG
        assert read.content.picture.width_mm in range(20, 61)
        assert read.content.seal_id.isascii()


def test_it_is_made_once_and_anew_when_what_it_says_changes(sm2_rooms: RegistryRooms) -> None:
    first = sm2_rooms.eseals.eseal(SEAL, now=datetime.now(UTC))
    assert sm2_rooms.eseals.eseal(SEAL, now=datetime.now(UTC)) == first
    assert sm2_rooms.sm2 is not None
    like = sm2_rooms.pki.pki.certificate(SEAL)
    had_sm2 = sm2_rooms.sm2.pki.has(SEAL)
    sm2_rooms.sm2.credentials(SEAL, now=datetime.now(UTC), like=like)  # as the first SM2 sealing does
    second = sm2_rooms.eseals.eseal(SEAL, now=datetime.now(UTC))
    assert (second == first) is had_sm2
    assert len(read_seal(second).content.holders) == 2


def test_version_4_by_configuration_and_p256_without_sm2_keys(ceremony_state: Path, tmp_path: Path) -> None:
    rooms = open_rooms(ceremony_state, tmp_path, eseal_version=4)
    now = datetime.now(UTC)
    der = rooms.eseals.eseal(SEAL, now=now)
    read = read_seal(der)
    assert (read.version, read.algorithm, read.time_stamp) == (EsealVersion.V4, "1.2.840.10045.4.3.2", None)
    assert verify(der, judge=_judge(rooms, now), now=datetime.now(UTC)).verdict is EsealVerdict.VALID


def test_a_version_that_is_not_made_is_refused() -> None:
    section = {
        "database": "/x",
        "objects_dir": "/x",
        "tlog_dir": "/x",
        "pki_dir": "/x",
        "public_url": PUBLIC_URL,
    }
    for version in (1, 3, "5", True, None):
        with pytest.raises(ConfigurationError):
            Settings.from_mapping({**section, "eseal_version": version})


def test_a_seal_that_is_stopped_has_none(ceremony_state: Path, tmp_path: Path) -> None:
    rooms = open_rooms(ceremony_state, tmp_path)
    assert rooms.eseals.eseal(SEAL, now=datetime.now(UTC))
    suspend_seal(rooms, SEAL)
    with pytest.raises(EsealUnavailable):
        rooms.eseals.eseal(SEAL, now=datetime.now(UTC))
    with pytest.raises(UnknownSeal):
        rooms.eseals.eseal("seal-nobody", now=datetime.now(UTC))
    assert export([SEAL, "--out", str(tmp_path / "x")], open_rooms=lambda: rooms) == 1
    assert export(["seal-nobody", "--out", str(tmp_path / "x")], open_rooms=lambda: rooms) == 2


def test_the_command_line_exports_it(sm2_rooms: RegistryRooms, tmp_path: Path) -> None:
    out = tmp_path / "seal.esl"
    assert export([SEAL, "--out", str(out)], open_rooms=lambda: sm2_rooms) == 0
    assert out.read_bytes() == sm2_rooms.eseals.eseal(SEAL, now=datetime.now(UTC))
    assert export([SEAL, "--out", str(tmp_path)], open_rooms=lambda: sm2_rooms) == 2


def test_what_is_exported_verifies_with_nothing_but_the_service_s_own_lists(
    ceremony_state: Path, sm2_rooms: RegistryRooms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LONGZHENG_VAR", str(ceremony_state))
    by_p256 = open_rooms(ceremony_state, tmp_path)
    for name, rooms in (("sm2", sm2_rooms), ("p256", by_p256)):
        file = tmp_path / name
        file.write_bytes(rooms.eseals.eseal(SEAL, now=datetime.now(UTC)))
        assert eseal_command.main(["verify", str(file)]) == 0, name


@dataclass
class _SignedIn:
    """A sign-in in which one member of staff is signed in already; Keycloak's part is tested end to end elsewhere."""

    staff_id: str

    def current(self) -> Any:
        return SimpleNamespace(content={"staff_id": self.staff_id})


def _get(rooms: RegistryRooms, staff_id: str, seal_id: str) -> Any:
    room = OfficerRoom(
        sign_in=_SignedIn(staff_id),  # type: ignore[arg-type] # the part of it that a page uses
        drafting=rooms.drafting,
        registry=rooms.registry,
        search=rooms.search,
        searches=KeptSearches(rooms.settings.objects_dir.parent / "sessions.db", cipher=rooms.cipher),
        lifecycle=rooms.lifecycle,
        checks=rooms.checks,
        catalog=rooms.catalog,
        chart=rooms.charts.chart,
        clock=lambda: datetime.now(UTC),
    )
    app = Flask("desk", template_folder=str(CHECKOUT / "templates"))
    app.register_blueprint(create_eseal_pages(room, rooms.eseals), url_prefix="/officer/seals")
    return app.test_client().get(f"/officer/seals/{seal_id}/eseal")


def test_the_custodian_downloads_it_and_a_stranger_does_not(sm2_rooms: RegistryRooms) -> None:
    answer = _get(sm2_rooms, "mu.chen", SEAL)
    assert (answer.status_code, answer.mimetype) == (200, "application/octet-stream")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{SEAL}.esl"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.data == sm2_rooms.eseals.eseal(SEAL, now=datetime.now(UTC))
