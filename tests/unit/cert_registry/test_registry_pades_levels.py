"""The level that a type's file names is the level of what is issued, by the fast path, before our own validator."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from registry_rooms import ORGANISATIONS, PUBLIC_URL, TYPES, ceremony_state, food_order, token_settings

from cert_registry.composition import build_registry
from cert_registry.issuance import issue
from cert_registry.organisations.loader import load_organisations
from cert_registry.seals.bootstrapping import found_seals
from cert_registry.settings import Settings
from verify_api.validation import TrustAnchors, Verdict, validate_pdf

pytestmark = pytest.mark.thorough

__all__ = ["ceremony_state"]


@pytest.mark.parametrize(
    ("level", "told"),
    [
        ("B-B", "PAdES-BASELINE-B"),
        ("B-T", "PAdES-BASELINE-T"),
        ("B-LT", "PAdES-BASELINE-LT"),
        ("B-LTA", "PAdES-BASELINE-LTA"),
    ],
)
def test_a_type_s_level_is_what_is_issued(
    ceremony_state: Path, tmp_path: Path, level: str, told: str
) -> None:
    types = tmp_path / "types"
    shutil.copytree(TYPES, types)
    file = types / "food-business-licence" / "type.yaml"
    text = file.read_text(encoding="utf-8")
    assert "pades_level: B-LT\n" in text
    file.write_text(text.replace("pades_level: B-LT\n", f"pades_level: {level}\n"), encoding="utf-8")
    settings = Settings.from_mapping(
        {
            "database": str(tmp_path / "registry.db"),
            "objects_dir": str(tmp_path / "objects"),
            "tlog_dir": str(tmp_path / "tlog"),
            "pki_dir": str(ceremony_state / "pki"),
            "public_url": PUBLIC_URL,
            "types_dir": str(types),
            "demo": True,
        }
    )
    rooms = build_registry(settings, signing=token_settings(ceremony_state), clock=lambda: datetime.now(UTC))
    with rooms.database.writing() as connection:
        load_organisations(connection, ORGANISATIONS)
    found_seals(rooms.seals, ORGANISATIONS, now=datetime.now(UTC))
    issued = issue(food_order(rooms, "2026-LEVEL"), room=rooms.issuing, now=datetime.now(UTC))
    pdf = rooms.issuing.objects.get(issued.file_digest)
    now = datetime.now(UTC)
    names = ("root", "seal-ca") if level == "B-B" else ("root", "seal-ca", "tsa-ca")
    report = validate_pdf(
        pdf,
        trust=TrustAnchors.own_only((ceremony_state / "pki" / "trust.pem").read_bytes()),
        at=None,
        now=now,
        crls=[rooms.pki.crls.current(name, now=now).der for name in names],
    )
    assert report.verdict is Verdict.PASSED, report
    assert report.signatures[0].level.value == told
