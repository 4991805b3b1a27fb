"""A registry over a copy of the PKI, so that rollovers and moved time stay in one test."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cert_registry"))

from fixtures_token import PUBLIC_URL, token_settings
from registry_rooms import ORGANISATIONS, food_order

from cert_registry.composition import RegistryRooms, build_registry
from cert_registry.issuance import issue
from cert_registry.organisations.loader import load_organisations
from cert_registry.seals.bootstrapping import found_seals
from cert_registry.settings import Settings
from cert_registry.signing.pki.crl import CrlPublisher
from cert_registry.signing.pki.directory import ROOT, PkiDirectory
from cert_registry.signing.pki.issuing import Issuer, Subject, issue_certificate
from cert_registry.signing.pki.profiles import PROFILES
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.signing.settings import Settings as SigningSettings
from cert_registry.signing.token import Token
from cert_registry.types import EcertIdentifier
from hsm_sim.softhsm import module_path

DAY = timedelta(days=1)


def signing_over_copy(state: Path, directory: Path) -> SigningSettings:
    """The token of the state directory, and a copy of its certificates."""
    copy = directory / "pki"
    if not copy.exists():
        shutil.copytree(state / "pki", copy)
    return replace(token_settings(state), pki_directory=copy)


def open_archive(
    state: Path, directory: Path, *, tsa_url: str | None = None, **registry: Any
) -> RegistryRooms:
    signing = replace(signing_over_copy(state, directory), tsa_url=tsa_url)
    section = {
        "database": str(directory / "registry.db"),
        "objects_dir": str(directory / "objects"),
        "tlog_dir": str(directory / "tlog"),
        "pki_dir": str(directory / "pki"),
        "public_url": PUBLIC_URL,
        "demo": True,
    }
    fresh = not (directory / "registry.db").exists()
    settings = Settings.from_mapping(section | registry)
    rooms = build_registry(settings, signing=signing, clock=lambda: datetime.now(UTC))
    if fresh:
        with rooms.database.writing() as connection:
            load_organisations(connection, ORGANISATIONS)
        found_seals(rooms.seals, ORGANISATIONS, now=datetime.now(UTC))
    return rooms


def issue_some(rooms: RegistryRooms, count: int, *, prefix: str = "归档") -> list[EcertIdentifier]:
    now = datetime.now(UTC)
    return [
        issue(food_order(rooms, f"{prefix}〔2026〕{number}号"), room=rooms.issuing, now=now).identifier
        for number in range(count)
    ]


def renew_root_list(state: Path, directory: Path, *, now: datetime) -> None:
    """What a repeated ceremony does once half of the list's life is over."""
    root = Token(module_path(), "lz-root", state / "secrets" / "pin-lz-root")
    publisher = CrlPublisher(PkiDirectory(directory / "pki"), {ROOT: root.signing_key("root")})
    publisher.publish(ROOT, life=timedelta(days=1096), now=now)


def add_unit(state: Path, directory: Path, name: str, *, issuer: str, now: datetime) -> None:
    """A new time-stamp unit, as two more lines in the ceremony's plan make it."""
    pki = PkiDirectory(directory / "pki")
    token = token_settings(state).open_token("pki")
    if not token.has_key(name):
        token.generate(name, KeyAlgorithm.ECDSA_P256)
    certificate = issue_certificate(
        profile=PROFILES["time-stamp-unit"],
        subject=Subject(common_name=f"示例时间戳单元{name}", organisation="示例省政务服务管理局"),
        public_key=token.public_key(name),
        issuer=Issuer(name=issuer, key=token.signing_key(issuer), certificate=pki.certificate(issuer)),
        public_url=PUBLIC_URL,
        valid_for=timedelta(days=1827),
        now=now,
    )
    pki.add(name, certificate, issuer=issuer)


def add_authority(state: Path, directory: Path, name: str, *, now: datetime) -> None:
    """A successor of the TSA CA, certified by the root."""
    pki = PkiDirectory(directory / "pki")
    token = token_settings(state).open_token("pki")
    if not token.has_key(name):
        token.generate(name, KeyAlgorithm.ECDSA_P256)
    root = Token(module_path(), "lz-root", state / "secrets" / "pin-lz-root")
    certificate = issue_certificate(
        profile=PROFILES["issuing-ca"],
        subject=Subject(common_name="陇政示例时间戳CA", organisation="示例省政务服务管理局"),
        public_key=token.public_key(name),
        issuer=Issuer(name=ROOT, key=root.signing_key("root"), certificate=pki.certificate(ROOT)),
        public_url=PUBLIC_URL,
        valid_for=timedelta(days=3653),
        now=now,
    )
    pki.add(name, certificate, issuer=ROOT)
