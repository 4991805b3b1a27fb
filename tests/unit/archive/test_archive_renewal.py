"""An archive that is about to age, renewed: over kills, rollovers of unit and CA, and an old copy at home."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from archive_rooms import (
    DAY,
    add_authority,
    add_unit,
    issue_some,
    open_archive,
    renew_root_list,
)
from pyhanko.pdf_utils.reader import PdfFileReader
from registry_rooms import food_order, sample_face
from sqlalchemy import select

from cert_registry.archive.command import main
from cert_registry.archive.errors import NothingGained, RenewalRunning, StampsUnavailable
from cert_registry.archive.types import DueReason, RenewalPolicy
from cert_registry.issuance import issue
from cert_registry.log_events import FILE_RENEWED
from cert_registry.signing.file_evidence import evidence_of
from cert_registry.store.tables import ECERTS, FILE_VERSIONS, OUTBOX
from cert_registry.types import DepartmentCode, StaffId, TwoPersons
from verify_api.registry_adapter import RegistryAdapter
from verify_api.seal_adapter import OwnSealValidator
from verify_api.token_adapter import RevocationLists
from verify_api.validation import Limits, TrustAnchors, Verdict, validate_pdf

pytestmark = pytest.mark.thorough

CITY_LAND = DepartmentCode("119901000000002112")

if TYPE_CHECKING:
    from cert_registry.composition import RegistryRooms

_CHECKOUT = Path(__file__).resolve().parents[3]
#: The lists that seals carry end after 1096 days, the unit after 1827, its CA after 3653.
_SOON = timedelta(days=1000)


def passes(rooms: RegistryRooms, pdf: bytes, *, at: datetime) -> bool:
    trust = TrustAnchors.own_only((rooms.settings.pki_dir / "trust.pem").read_bytes())
    return validate_pdf(pdf, trust=trust, at=at, now=at).verdict is Verdict.PASSED


def versions(rooms: RegistryRooms) -> Counter[str]:
    with rooms.database.reading() as connection:
        return Counter(connection.scalars(select(FILE_VERSIONS.c.identifier)).all())


def sequenced_renewals(rooms: RegistryRooms) -> Counter[str]:
    query = select(OUTBOX.c.subject).where(OUTBOX.c.kind == FILE_RENEWED, OUTBOX.c.leaf_index.is_not(None))
    with rooms.database.reading() as connection:
        return Counter(connection.scalars(query).all())


def test_an_archive_is_renewed_before_it_ages_and_old_copies_stay_known(
    ceremony_state: Path, tmp_path: Path
) -> None:
    rooms = open_archive(ceremony_state, tmp_path)
    identifiers = issue_some(rooms, 3)
    old = {one: rooms.registry.file_of(one) for one in identifiers}
    then = datetime.now(UTC) + _SOON
    assert rooms.archive.renew(now=datetime.now(UTC)).due == 0
    renew_root_list(ceremony_state, tmp_path, now=then)
    report = rooms.archive.renew(now=then)
    assert (report.due, report.renewed, report.failed) == (3, 3, ())
    assert versions(rooms) == Counter(dict.fromkeys(identifiers, 2))
    assert sequenced_renewals(rooms) == Counter(identifiers)
    later = then + timedelta(days=700)
    for identifier in identifiers:
        new = rooms.registry.file_of(identifier)
        assert new.startswith(old[identifier])
        assert evidence_of(new).level == "B-LTA"
        # the new file holds where the old one does not, and the registry knows both
        assert passes(rooms, new, at=later)
        assert not passes(rooms, old[identifier], at=later)
        for pdf in (old[identifier], new):
            found = rooms.registry.by_file_digest(hashlib.sha256(pdf).hexdigest())
            assert found.identifier == identifier
            assert found.sealed_level == "B-LTA"
            assert not rooms.registry.alarm_unknown_sealed(
                hashlib.sha256(pdf).hexdigest(), signer="x", now=then
            )
        kinds = [leaf.kind for leaf in rooms.registry.log_proof(identifier)]
        assert kinds[-1] == FILE_RENEWED
        assert rooms.registry.log_proof(identifier)[-1].proof is not None
    # the verify room judges each copy as what it is
    validator = OwnSealValidator(
        trust=TrustAnchors.own_only((rooms.settings.pki_dir / "trust.pem").read_bytes()),
        revocation_lists=RevocationLists(rooms),
        limits=Limits(),
    )
    known = RegistryAdapter(registry=rooms.registry, catalog=rooms.catalog)
    for pdf, level in ((new, "LTA"), (old[identifier], "LT")):
        found_again = known.by_digest(
            hashlib.sha256(pdf).digest(), at=datetime.now(UTC).date(), now=datetime.now(UTC)
        )
        assert found_again is not None
        part = validator.known(found_again, pdf, now=datetime.now(UTC))
        assert part.signatures[0]["level"] == f"PAdES-BASELINE-{level}"
    # again: nothing is due, nothing is done
    again = rooms.archive.renew(now=then)
    assert (again.due, again.renewed) == (0, 0)
    assert versions(rooms) == Counter(dict.fromkeys(identifiers, 2))


@pytest.mark.parametrize(
    ("point", "when", "at"),
    [
        ("put", "before", 1),
        ("put", "after", 2),
        ("record", "before", 2),
        ("record", "after", 1),
        ("record", "after", 3),
        ("pushed", "before", 1),
        ("pushed", "after", 1),
    ],
)
def test_a_run_that_is_killed_is_continued_without_double_work_or_a_lost_file(
    ceremony_state: Path, tmp_path: Path, point: str, when: str, at: int
) -> None:
    rooms = open_archive(ceremony_state, tmp_path)
    identifiers = issue_some(rooms, 3)
    old = {one: rooms.registry.file_of(one) for one in identifiers}
    then = datetime.now(UTC) + _SOON
    renew_root_list(ceremony_state, tmp_path, now=then)
    killed = subprocess.run(
        [
            sys.executable,
            str(Path(__file__).parent / "renewing_process.py"),
            *map(str, (ceremony_state, tmp_path, then.isoformat(), point, when, at)),
        ],
        cwd=_CHECKOUT,
        env={**os.environ, "PYTHONPATH": f"{_CHECKOUT}:{_CHECKOUT / 'tests'}"},
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert killed.returncode == -9, killed.stderr.decode()
    done_before = sum(count == 2 for count in versions(rooms).values())
    for identifier in identifiers:  # at every moment, each file can be had
        assert rooms.registry.file_of(identifier).startswith(old[identifier])
    report = rooms.archive.renew(now=then)
    assert report.renewed == 3 - done_before
    assert versions(rooms) == Counter(dict.fromkeys(identifiers, 2))
    assert sequenced_renewals(rooms) == Counter(identifiers)
    for identifier in identifiers:
        assert passes(rooms, rooms.registry.file_of(identifier), at=then + timedelta(days=700))


def test_units_and_cas_may_be_replaced_while_old_stamps_stay_valid(
    ceremony_state: Path, tmp_path: Path
) -> None:
    """Stamp by stamp over twelve years: unit 1, unit 2 of the same CA, unit 3 of a new CA of the same name."""
    (identifier,) = issue_some(open_archive(ceremony_state, tmp_path), 1)
    moment = datetime.now(UTC) + _SOON
    for step, days in enumerate((0, 730, 1825, 2555, 3510)):
        now = moment + timedelta(days=days)
        renew_root_list(ceremony_state, tmp_path, now=now)
        if step == 1:
            add_unit(ceremony_state, tmp_path, "tsa-2", issuer="tsa-ca", now=now)
        if step == 3:
            add_authority(ceremony_state, tmp_path, "tsa-ca-2", now=now)
            add_unit(ceremony_state, tmp_path, "tsa-3", issuer="tsa-ca-2", now=now)
        rooms = open_archive(ceremony_state, tmp_path)
        report = rooms.archive.renew(now=now)
        assert report.renewed == 1, (step, report)
        pdf = rooms.registry.file_of(identifier)
        assert evidence_of(pdf).stamps == step + 1
        assert passes(rooms, pdf, at=now + timedelta(days=120)), step
    assert rooms.pki.pki.current_unit() == "tsa-3"
    end = evidence_of(pdf).holds_until
    assert end is not None
    assert passes(rooms, pdf, at=end - DAY)
    assert not passes(rooms, pdf, at=end + DAY)


def test_seals_made_after_a_rollover_carry_the_evidence_of_the_new_ca(
    ceremony_state: Path, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    (before,) = issue_some(open_archive(ceremony_state, tmp_path), 1, prefix="前")
    add_authority(ceremony_state, tmp_path, "tsa-ca-2", now=now)
    add_unit(ceremony_state, tmp_path, "tsa-2", issuer="tsa-ca-2", now=now + DAY)
    rooms = open_archive(ceremony_state, tmp_path)
    assert rooms.pki.pki.current_unit() == "tsa-2"
    moved = replace(rooms, clock=lambda: now + 2 * DAY)
    after = issue(food_order(moved, "后〔2026〕1号"), room=moved.issuing, now=moved.clock()).identifier
    units = {_unit_of(rooms.registry.file_of(one)) for one in (before, after)}
    assert units == {"陇政示例时间戳单元1", "示例时间戳单元tsa-2"}
    for one in (before, after):
        assert passes(rooms, rooms.registry.file_of(one), at=now + 3 * DAY)


def _unit_of(pdf: bytes) -> str:
    reader = PdfFileReader(io.BytesIO(pdf))
    (attribute,) = reader.embedded_signatures[0].signer_info["unsigned_attrs"]
    token = attribute["values"][0]["content"]
    serial_number = token["signer_infos"][0]["sid"].chosen["serial_number"].native
    (unit,) = [c.chosen for c in token["certificates"] if c.chosen.serial_number == serial_number]
    return str(unit.subject.native["common_name"])


def test_a_type_for_the_long_term_is_sealed_at_its_level(ceremony_state: Path, tmp_path: Path) -> None:
    """Titles to real estate are for good: their type asks for B-LTA."""
    rooms = open_archive(ceremony_state, tmp_path)
    title = rooms.catalog.by_slug("real-estate-title")
    face = sample_face("real-estate-title")
    del face["certificate_number"]  # the type's rule makes it
    land = TwoPersons(drafter_id=StaffId("tian.hui"), signer_id=StaffId("shi.lei"))
    order = food_order(
        rooms,
        "不动产〔2026〕1号",
        type_code=title.type_code,
        issuer_code=CITY_LAND,
        service_item="BDC-001",
        unverified_face=face,
        authority=land,
    )
    issued = issue(order, room=rooms.issuing, now=datetime.now(UTC)).identifier
    pdf = rooms.registry.file_of(issued)
    assert rooms.registry.find(issued).sealed_level == evidence_of(pdf).level == "B-LTA"
    assert passes(rooms, pdf, at=datetime.now(UTC))


def test_what_would_gain_nothing_is_not_stamped(ceremony_state: Path, tmp_path: Path) -> None:
    """The root's list was not renewed: a new stamp would end with the old list, and be due again at once."""
    rooms = open_archive(ceremony_state, tmp_path)
    issue_some(rooms, 2)
    then = datetime.now(UTC) + _SOON
    with pytest.raises(NothingGained):
        rooms.archive.renew(now=then)
    assert set(versions(rooms).values()) == {1}
    with pytest.raises(StampsUnavailable):  # and when that list has ended, there is no evidence to add
        rooms.archive.renew(now=datetime.now(UTC) + timedelta(days=1200))
    assert set(versions(rooms).values()) == {1}


def test_what_cannot_be_saved_is_told(ceremony_state: Path, tmp_path: Path) -> None:
    rooms = open_archive(ceremony_state, tmp_path)
    (identifier,) = issue_some(rooms, 1)
    then = datetime.now(UTC) + timedelta(days=1900)  # the unit that stamped has ended
    renew_root_list(ceremony_state, tmp_path, now=then)
    report = rooms.archive.renew(now=then)
    assert report.too_late == (identifier,)
    assert report.renewed == 0
    assert rooms.archive.forecast(now=then).too_late == 1


def test_an_algorithm_with_a_last_day_makes_files_due(ceremony_state: Path, tmp_path: Path) -> None:
    rooms = open_archive(ceremony_state, tmp_path)
    issue_some(rooms, 1)
    now = datetime.now(UTC)
    last_day = (now + timedelta(days=100)).date()
    policy = RenewalPolicy(lead=timedelta(days=180), algorithms_end=(("sha256_ecdsa", last_day),))
    aged = replace(rooms.archive, policy=policy)
    (month,) = aged.forecast(now=now).months
    assert (month.month, month.reasons) == ("now", ((DueReason.ALGORITHM, 1),))
    with pytest.raises(NothingGained):  # the unit still signs with it
        aged.renew(now=now)


def test_a_damaged_file_does_not_hold_up_the_others(ceremony_state: Path, tmp_path: Path) -> None:
    rooms = open_archive(ceremony_state, tmp_path)
    identifiers = issue_some(rooms, 3)
    digest = rooms.registry.find(identifiers[1]).file_digest
    assert digest is not None
    (tmp_path / "objects" / digest[:2] / digest).write_bytes(b"damaged")
    then = datetime.now(UTC) + _SOON
    renew_root_list(ceremony_state, tmp_path, now=then)
    report = rooms.archive.renew(now=then)
    assert report.renewed == 2
    assert [name for name, _ in report.unreadable] == [identifiers[1]]


def test_one_run_at_a_time(ceremony_state: Path, tmp_path: Path) -> None:
    rooms = open_archive(ceremony_state, tmp_path)
    with rooms.archive.gate.alone(), pytest.raises(RenewalRunning):
        open_archive(ceremony_state, tmp_path).archive.renew(now=datetime.now(UTC))
    assert rooms.archive.renew(now=datetime.now(UTC)).due == 0


def test_a_row_that_moved_on_is_not_overwritten(ceremony_state: Path, tmp_path: Path) -> None:
    rooms = open_archive(ceremony_state, tmp_path)
    issue_some(rooms, 1)
    rooms.archive.examine(now=datetime.now(UTC))
    (stale,) = rooms.archive.book.newest()
    then = datetime.now(UTC) + _SOON
    renew_root_list(ceremony_state, tmp_path, now=then)
    assert rooms.archive.renew(now=then).renewed == 1

    class _StaleBook:
        def __getattr__(self, name: str) -> object:
            return getattr(rooms.archive.book, name)

        def newest(self) -> object:
            return iter([stale])

    behind = replace(rooms.archive, book=_StaleBook())
    assert behind.renew(now=then).already == 1
    assert set(versions(rooms).values()) == {2}
    with rooms.database.reading() as connection:
        assert connection.scalar(select(ECERTS.c.file_digest)) != stale.file_digest


def test_the_command_tells_and_continues(
    ceremony_state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rooms = open_archive(ceremony_state, tmp_path)
    issue_some(rooms, 3)
    then = datetime.now(UTC) + _SOON

    def run(*arguments: str, at: datetime) -> tuple[int, str]:
        code = main(arguments, open_rooms=lambda: rooms, clock=lambda: at)
        return code, capsys.readouterr().out

    code, out = run("forecast", "--json", at=datetime.now(UTC))
    (month,) = json.loads(out)["months"]
    assert code == 0
    assert (month["files"], list(month["reasons"])) == (3, ["list"])
    assert date.fromisoformat(f"{month['month']}-01") > datetime.now(UTC).date() + timedelta(days=850)
    code, out = run("forecast", at=then)
    assert code == 0
    assert "已到期" in out
    assert "共 3 份" in out
    assert run("renew", at=then)[0] == 3  # nothing would be gained
    renew_root_list(ceremony_state, tmp_path, now=then)
    code, out = run("renew", "--limit", "2", "--json", at=then)
    assert (code, json.loads(out)["renewed"]) == (0, 2)
    code, out = run("renew", "--json", at=then)
    assert (code, json.loads(out)["renewed"]) == (0, 1)
    code, out = run("renew", at=then)
    assert "应续期 0 份" in out
    for wrong in (["renew", "--limit", "0"], [], ["renew", "now"]):
        with pytest.raises(SystemExit) as stop:
            main(wrong, open_rooms=lambda: rooms)
        assert stop.value.code == 2
