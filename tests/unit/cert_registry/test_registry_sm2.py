"""A certificate type whose profile is SM2: issued, released, found, verified, revoked with its seal."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from registry_rooms import TYPES, food_order, open_rooms
from sqlalchemy import select

from cert_registry.catalog.loading import Catalog
from cert_registry.errors import ConfigurationError, SealNotUsable
from cert_registry.issuance import issue
from cert_registry.signing.pki.issuing import Subject
from cert_registry.signing.pki.register import RevocationReason
from cert_registry.store.tables import INTENTS
from hsm_sim.sm2_ceremony import run
from tests.fixtures_token import PUBLIC_URL
from verify_api.token_adapter import RevocationLists
from verify_api.validation import validate_pdf
from verify_api.validation.trust import own_anchors
from verify_api.validation.verdicts import Verdict

pytestmark = pytest.mark.thorough

SLUG = "food-business-licence"


def _types(directory: Path, **seal: str) -> Path:
    types = directory / "types"
    shutil.copytree(TYPES, types)
    file = types / SLUG / "type.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["seal"] |= seal
    file.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return types


@pytest.fixture(scope="module")
def with_sm2(ceremony_state: Path) -> Path:
    run(ceremony_state, PUBLIC_URL)
    return ceremony_state


def test_an_ecert_of_an_sm2_type_is_issued_and_verifies(with_sm2: Path, tmp_path: Path) -> None:
    rooms = open_rooms(with_sm2, tmp_path, types=_types(tmp_path, signature_profile="sm2"), sm2=True)
    assert rooms.sm2 is not None
    issued = issue(food_order(rooms, "SM2-1"), room=rooms.issuing, now=datetime.now(UTC))
    again = issue(food_order(rooms, "SM2-2"), room=rooms.issuing, now=datetime.now(UTC))
    assert issued.file_digest != again.file_digest
    pdf = rooms.registry.file_of(issued.identifier)
    report = validate_pdf(pdf, trust=own_anchors(with_sm2 / "pki"), at=None, now=datetime.now(UTC))
    assert (report.verdict, report.reason) == (Verdict.PASSED, "签名有效，文件自签名后未被改动。")
    (signature,) = report.signatures
    assert signature.level.value == "PAdES-BASELINE-LT"
    own_alone = validate_pdf(
        pdf, trust=own_anchors(_without_sm2(with_sm2, tmp_path)), at=None, now=datetime.now(UTC)
    )
    assert own_alone.verdict is Verdict.INDETERMINATE
    with rooms.database.reading() as connection:
        assert len(list(connection.execute(select(INTENTS)))) == 2


def test_files_of_both_hierarchies_pass_beside_the_service_s_revocation_lists(
    with_sm2: Path, tmp_path: Path
) -> None:
    """A list that no certificate in the file can vouch for would count as altered evidence."""
    rooms = open_rooms(with_sm2, tmp_path, types=_types(tmp_path, signature_profile="sm2"), sm2=True)
    trust, lists = own_anchors(with_sm2 / "pki"), RevocationLists(rooms)()
    plain = open_rooms(with_sm2, _directory(tmp_path / "plain"), sm2=True)
    for one in (rooms, plain):
        issued = issue(food_order(one, "SM2-6"), room=one.issuing, now=datetime.now(UTC))
        pdf = one.registry.file_of(issued.identifier)
        report = validate_pdf(pdf, trust=trust, at=None, now=datetime.now(UTC), crls=lists)
        assert report.verdict is Verdict.PASSED, report.reason


def _directory(path: Path) -> Path:
    path.mkdir()
    return path


def _without_sm2(state: Path, directory: Path) -> Path:
    shutil.copy(state / "pki" / "trust.pem", directory)
    return directory


def test_the_sm2_certificate_is_like_the_seal_s_other_one_and_ends_with_it(
    with_sm2: Path, tmp_path: Path
) -> None:
    rooms = open_rooms(with_sm2, tmp_path, types=_types(tmp_path, signature_profile="sm2"), sm2=True)
    assert rooms.sm2 is not None
    issue(food_order(rooms, "SM2-3"), room=rooms.issuing, now=datetime.now(UTC))
    other = rooms.pki.pki.certificate("seal-city-market")
    one = rooms.sm2.pki.certificate("seal-city-market")
    assert one.subject == other.subject
    assert one.not_valid_after_utc <= other.not_valid_after_utc
    register = rooms.sm2.pki.register
    assert register.revocation_of("seal-ca", one.serial_number) is None
    # a seal made here, so that the ceremony's shared ones go on
    now = datetime.now(UTC)
    subject = replace(Subject.of(other), common_name="临时章")
    like = rooms.pki.seal_authority.equip("seal-sm2-ending", subject, now=now).certificate
    mine = rooms.sm2.credentials("seal-sm2-ending", now=now, like=like).certificate
    rooms.pki.seal_equipment.revoke(like, reason=RevocationReason.KEY_COMPROMISE, as_of=now, now=now)
    assert register.revocation_of("seal-ca", mine.serial_number) is not None
    assert register.revocation_of("seal-ca", one.serial_number) is None


def test_without_sm2_keys_such_a_type_is_not_issued(with_sm2: Path, tmp_path: Path) -> None:
    rooms = open_rooms(with_sm2, tmp_path, types=_types(tmp_path, signature_profile="sm2"))
    with pytest.raises(SealNotUsable, match="国密"):
        issue(food_order(rooms, "SM2-4"), room=rooms.issuing, now=datetime.now(UTC))


def test_a_seal_of_another_kind_of_key_does_not_seal(with_sm2: Path, tmp_path: Path) -> None:
    rooms = open_rooms(with_sm2, tmp_path, types=_types(tmp_path, signature_profile="rsa-3072"))
    with pytest.raises(SealNotUsable, match="算法"):
        issue(food_order(rooms, "SM2-5"), room=rooms.issuing, now=datetime.now(UTC))


def test_software_keys_are_refused_in_production(with_sm2: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="unfit for production"):
        open_rooms(with_sm2, tmp_path, sm2=True, demo=False)


def test_sm2_files_reach_the_archive_level_at_once_or_later(with_sm2: Path, tmp_path: Path) -> None:
    """Issued at B-LTA; and issued at B-B, as while stamps are away, then raised by the archive."""
    now, trust = datetime.now(UTC), own_anchors(with_sm2 / "pki")
    high = _types(_directory(tmp_path / "high"), signature_profile="sm2", pades_level="B-LTA")
    low = _types(_directory(tmp_path / "low"), signature_profile="sm2", pades_level="B-B")
    rooms = open_rooms(with_sm2, tmp_path, types=high, sm2=True)
    at_once = issue(food_order(rooms, "SM2-7"), room=rooms.issuing, now=now)
    before = open_rooms(with_sm2, tmp_path / "low", types=low, sm2=True)
    later = issue(food_order(before, "SM2-8"), room=before.issuing, now=now)
    first = before.registry.file_of(later.identifier)
    assert validate_pdf(first, trust=trust, at=None, now=now).verdict is Verdict.INDETERMINATE
    archive = replace(before.archive, catalog=Catalog.load(high))
    assert archive.raise_lowered(now=datetime.now(UTC)).renewed == 1
    assert archive.raise_lowered(now=datetime.now(UTC)).renewed == 0
    raised = before.registry.file_of(later.identifier)
    assert raised.startswith(first)
    for pdf in (rooms.registry.file_of(at_once.identifier), raised):
        report = validate_pdf(pdf, trust=trust, at=None, now=datetime.now(UTC))
        assert report.verdict is Verdict.PASSED, report.reason
        assert report.signatures[0].level.value == "PAdES-BASELINE-LTA"
    without = replace(archive, sm2=None, catalog=archive.catalog)
    assert without.renew(now=datetime.now(UTC)).failed == ()  # nothing of SM2 is due


def test_sm2_files_wait_where_there_are_no_sm2_keys(with_sm2: Path, tmp_path: Path) -> None:
    low = _types(_directory(tmp_path / "low"), signature_profile="sm2", pades_level="B-B")
    high = _types(_directory(tmp_path / "high"), signature_profile="sm2", pades_level="B-LTA")
    rooms = open_rooms(with_sm2, tmp_path, types=low, sm2=True)
    issued = issue(food_order(rooms, "SM2-9"), room=rooms.issuing, now=datetime.now(UTC))
    archive = replace(rooms.archive, sm2=None, catalog=Catalog.load(high))
    report = archive.renew(now=datetime.now(UTC))
    assert (report.renewed, [one for one, _ in report.failed]) == (0, [issued.identifier])
