"""The life of seals on real parts: four eyes, stops between documents, limits, kills, and what revoking means."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from breaking_ports import PowerCut, broken
from cryptography import x509
from dying_seal_office import application_of, applied, approved
from fixtures_token import CHECKOUT, token_settings
from registry_rooms import CITY_MARKET, food_order, on_page, open_rooms, resume_seal, suspend_seal
from sqlalchemy import select, update

from cert_registry.civil_date import CHINA
from cert_registry.composition import RegistryRooms
from cert_registry.errors import SealNotUsable
from cert_registry.issuance import issue
from cert_registry.issuance_drafts import DraftContent
from cert_registry.seals.bootstrapping import found_seals
from cert_registry.seals.errors import (
    ApplicationRefused,
    SealRightMissing,
    SealStateConflict,
    TwoPersonsNeeded,
    UnknownSeal,
)
from cert_registry.seals.tables import SEALS
from cert_registry.seals.types import Channel, Seal, SealAct, SealState
from cert_registry.seals.using import UseFilter
from cert_registry.store.tables import OUTBOX, SEAL_USES
from cert_registry.types import DepartmentCode, IssueOrder, StaffId, TwoPersons
from verify_api.validation import TrustAnchors, validate_pdf

pytestmark = pytest.mark.thorough

COUNTY_MARKET = DepartmentCode("1199012100000030XT")
CITY_LAND = DepartmentCode("119901000000002112")
MARKET_SEAL = "seal-city-market"
# Each kill has a department of its own: the token is shared, and keys are never made twice.
KILLED_AT = [
    ("11990100000000238R", "ensure_key", "after"),
    ("11990100000000246L", "sign_certificate", "after"),
    ("11990000000000107Q", "keep_certificate", "after"),
    ("11990100000000027A", "install", "after"),
    ("11990121000000035J", "record_activation", "before"),
    ("11990000000000019A", "record_activation", "after"),
]


def now() -> datetime:
    return datetime.now(UTC)


def used(rooms: RegistryRooms, seal_id: str = MARKET_SEAL) -> int:
    return rooms.seals.book.find(seal_id).used


def limit(rooms: RegistryRooms, value: int | None, seal_id: str = MARKET_SEAL) -> None:
    """What an application would have asked for."""
    with rooms.database.writing() as connection:
        connection.execute(update(SEALS).where(SEALS.c.seal_id == seal_id).values(usage_limit=value))


def issued_in_log(name: str, state: Path) -> list[str]:
    """Serial numbers that the register has under a name."""
    with closing(sqlite3.connect(state / "pki" / "authority.db")) as db:
        return [row[0] for row in db.execute("SELECT serial FROM issued WHERE name = ?", (name,))]


# ── four eyes, reach ──


def test_a_seal_comes_into_being_by_three_people(ceremony_state: Path, tmp_path: Path) -> None:
    rooms = open_rooms(ceremony_state, tmp_path)  # of its own: others' acts would stand in its history
    seal = rooms.seals.book.find(MARKET_SEAL)
    assert seal.state is SealState.ACTIVE
    events = rooms.seals.book.events(seal.seal_id)
    assert [(event.act, event.actor_id, event.channel) for event in events] == [
        (SealAct.APPLY, "wen.tao", Channel.BOOTSTRAP),
        (SealAct.APPROVE, "ji.lan", Channel.BOOTSTRAP),
        (SealAct.APPROVE, "xie.qiu", Channel.BOOTSTRAP),
        (SealAct.ACTIVATE, "", Channel.SYSTEM),
    ]
    with rooms.database.reading() as connection:
        leaves = connection.execute(select(OUTBOX).where(OUTBOX.c.subject == MARKET_SEAL)).all()
    assert [leaf.leaf_index is not None for leaf in leaves] == [True] * 4
    assert not any("wen.tao" in leaf.event or "ji.lan" in leaf.event for leaf in leaves)
    assert found_seals(rooms.seals, CHECKOUT / "deploy/demo/organisations.yaml", now=now()) == 0


def test_applicant_and_approvers_are_three_persons(rooms: RegistryRooms) -> None:
    seal = applied(rooms, CITY_LAND)
    with pytest.raises(SealRightMissing):
        rooms.seals.approve(seal.seal_id, "同意", by=on_page("wen.tao"), now=now())
    assert (
        rooms.seals.approve(seal.seal_id, "同意", by=on_page("ji.lan"), now=now()).state is SealState.ENDORSED
    )
    with pytest.raises(TwoPersonsNeeded):
        rooms.seals.approve(seal.seal_id, "同意", by=on_page("ji.lan"), now=now())
    with pytest.raises(ApplicationRefused):
        rooms.seals.refuse(seal.seal_id, "", by=on_page("cen.yu"), now=now())
    refused = rooms.seals.refuse(seal.seal_id, "备案号不符", by=on_page("cen.yu"), now=now())
    assert refused.state is SealState.REFUSED
    with pytest.raises(SealStateConflict):
        rooms.seals.approve(seal.seal_id, "同意", by=on_page("xie.qiu"), now=now())


def test_an_approver_who_also_applies_cannot_approve_the_own_application(
    ceremony_state: Path, tmp_path: Path
) -> None:
    rooms = open_rooms(ceremony_state, tmp_path)
    with rooms.database.writing() as connection:
        connection.exec_driver_sql(
            "INSERT INTO org_appointments (staff_id, department, role, valid_from, name)"
            " SELECT 'wen.tao', department, 'seal-approver', valid_from, name FROM org_appointments"
            " WHERE staff_id = 'wen.tao'"
        )
        connection.exec_driver_sql("UPDATE org_revisions SET revision = revision + 1")
    seal = applied(rooms, CITY_LAND)
    with pytest.raises(TwoPersonsNeeded, match="申请人"):
        rooms.seals.approve(seal.seal_id, "同意", by=on_page("wen.tao"), now=now())
    rooms.database.dispose()


@pytest.mark.parametrize(
    ("who", "department"),
    [
        ("mu.chen", COUNTY_MARKET),  # appointed in the city's bureau: that bureau alone
        ("li.wenjing", CITY_MARKET),  # drafts, but has no part in seals
        ("nobody", CITY_MARKET),
    ],
)
def test_roles_reach_a_subtree_and_no_further(rooms: RegistryRooms, who: str, department: str) -> None:
    with pytest.raises(SealRightMissing):
        rooms.seals.apply(application_of(department), by=on_page(who), now=now())
    with pytest.raises(SealRightMissing):
        rooms.seals.suspend("seal-county-market", "试验", by=on_page(who), now=now())


def test_an_unknown_seal_is_said_so(rooms: RegistryRooms) -> None:
    with pytest.raises(UnknownSeal):
        rooms.seals.suspend("seal-nobody", "试验", by=on_page("ji.lan"), now=now())


# ── stopping ──


def test_a_stop_between_two_documents_of_a_batch_stops_the_second(rooms: RegistryRooms) -> None:
    orders = [food_order(rooms, f"S-batch-{number}") for number in range(3)]
    issue(orders[0], room=rooms.issuing, now=now())
    before = used(rooms)
    rooms.seals.suspend(MARKET_SEAL, "疑似泄露，先停用", by=on_page("mu.chen"), now=now())
    for order in orders[1:]:
        with pytest.raises(SealNotUsable, match="停用"):
            issue(order, room=rooms.issuing, now=now())
    assert used(rooms) == before
    with pytest.raises(SealRightMissing):  # the custodian may stop, not resume
        rooms.seals.resume(MARKET_SEAL, "无事", by=on_page("mu.chen"), now=now())
    rooms.seals.resume(MARKET_SEAL, "排除", by=on_page("ji.lan"), now=now())
    with pytest.raises(SealNotUsable):
        issue(orders[1], room=rooms.issuing, now=now())
    with pytest.raises(TwoPersonsNeeded):
        rooms.seals.resume(MARKET_SEAL, "排除", by=on_page("ji.lan"), now=now())
    rooms.seals.resume(MARKET_SEAL, "排除", by=on_page("xie.qiu"), now=now())
    assert len(rooms.recover().finished) == 2
    assert used(rooms) == before + 2


@pytest.mark.parametrize("call", [("objects", "get", 1), ("authority", "seal_for", 1)])
def test_a_stop_after_the_page_was_made_is_seen_before_the_signature(
    rooms: RegistryRooms, call: tuple[str, str, int]
) -> None:
    signatures = []

    class Watched:
        def seal(self, *args: object, **kwargs: object) -> object:
            signatures.append(args)
            return rooms.issuing.seals.seal(*args, **kwargs)  # type: ignore[arg-type] # handed on

    room = broken(
        replace(rooms.issuing, seals=Watched()),  # type: ignore[arg-type] # the port's one method
        *call,
        after=True,
        blow=lambda: suspend_seal(rooms, MARKET_SEAL),
    )
    case = f"S-race-{call[1]}"
    with pytest.raises(SealNotUsable):
        issue(food_order(rooms, case), room=room, now=now())
    assert signatures == []
    report = rooms.recover()
    assert list(report.waiting.values()) == ["seal-not-usable"]
    resume_seal(rooms, MARKET_SEAL)
    assert len(rooms.recover().finished) == 1


def test_a_draft_needs_a_seal_that_may_seal_it(rooms: RegistryRooms) -> None:
    order = food_order(rooms, "S-draft")
    content = DraftContent(
        type_code=order.type_code,
        issuer_code=order.issuer_code,
        case_number=order.case_number,
        service_item=order.service_item,
        unverified_face=order.unverified_face,
    )
    suspend_seal(rooms, MARKET_SEAL)
    with pytest.raises(SealNotUsable):
        rooms.drafting.create_draft(content, drafter_id=StaffId("li.wenjing"), now=now())
    resume_seal(rooms, MARKET_SEAL)
    rooms.drafting.create_draft(content, drafter_id=StaffId("li.wenjing"), now=now())


# ── counting ──


def test_the_limit_is_not_overshot_by_many_at_once(rooms: RegistryRooms) -> None:
    limit(rooms, used(rooms) + 3)
    outcomes: list[str] = []

    def work(number: int) -> None:
        try:
            issue(food_order(rooms, f"S-limit-{number}"), room=rooms.issuing, now=now())
        except SealNotUsable as error:
            outcomes.append(error.sentence)
        else:
            outcomes.append("issued")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("issued") == 3
    assert set(outcomes) == {"issued", "该部门的印章已达到使用次数上限。"}
    assert used(rooms) == rooms.seals.book.find(MARKET_SEAL).usage_limit
    limit(rooms, None)
    assert len(rooms.recover().finished) == 5


@pytest.mark.parametrize(
    "call", [("intents", "record_seal_use", 1), ("seals", "seal", 1), ("objects", "put", 3)]
)
def test_a_document_counts_once_however_often_it_was_cut_off(
    rooms: RegistryRooms, call: tuple[str, str, int]
) -> None:
    before = used(rooms)
    limit(rooms, before + 1)
    order = food_order(rooms, f"S-cut-{call[1]}")
    for cut in (call, ("seals", "seal", 1)):
        with pytest.raises(PowerCut):
            issue(order, room=broken(rooms.issuing, *cut, after=True), now=now())
    issue(order, room=rooms.issuing, now=now())
    assert used(rooms) == before + 1
    with rooms.database.reading() as connection:
        attempts = connection.execute(select(SEAL_USES).where(SEAL_USES.c.seal_id == MARKET_SEAL)).all()
    assert [row.outcome for row in attempts][-3:] == ["started", "started", "sealed"]
    limit(rooms, None)


def test_uses_are_listed_with_what_was_sealed(rooms: RegistryRooms) -> None:
    case = "S-listed"
    done = issue(food_order(rooms, case), room=rooms.issuing, now=now())
    seal = rooms.seals.book.find(MARKET_SEAL)
    (use,) = rooms.seal_uses.listed(seal.seal_id, UseFilter(identifier=case))
    assert (use.identifier, use.outcome, use.sealed_digest) == (done.identifier, "sealed", done.file_digest)
    assert rooms.seal_uses.count(seal.seal_id, UseFilter(identifier=case, until=use.started_at)) == 0
    assert rooms.seal_uses.count(seal.seal_id, UseFilter(since=use.started_at)) == 1
    assert rooms.seal_uses.count(seal.seal_id, UseFilter(identifier="%")) == 0


# ── key and certificate ──


@pytest.mark.parametrize(("department", "method", "when"), KILLED_AT, ids=lambda value: str(value)[:20])
def test_a_kill_leaves_one_key_and_one_certificate(
    ceremony_state: Path, tmp_path: Path, department: str, method: str, when: str
) -> None:
    script = Path(__file__).with_name("dying_seal_office.py")
    arguments = [str(ceremony_state), str(tmp_path), department, method, when]
    died = subprocess.run(
        [sys.executable, str(script), *arguments],
        check=False,
        timeout=300,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)},
    )
    assert died.returncode == -signal.SIGKILL
    rooms = open_rooms(ceremony_state, tmp_path)
    rooms.recover()
    (seal,) = rooms.seals.book.of_department(DepartmentCode(department))
    assert seal.state is SealState.ACTIVE
    certificate = x509.load_der_x509_certificate(seal.certificate or b"")
    assert certificate.serial_number == seal.certificate_serial
    assert issued_in_log(seal.seal_id, ceremony_state) == [f"{certificate.serial_number:x}"]
    assert rooms.pki.pki.certificate(seal.key_label) == certificate
    key = token_settings(ceremony_state).open_token("seals").signing_key(seal.key_label)
    assert key.public_key == certificate.public_key()
    acts = [event.act for event in rooms.seals.book.events(seal.seal_id)]
    assert acts == [SealAct.APPLY, SealAct.APPROVE, SealAct.APPROVE, SealAct.ACTIVATE]
    assert rooms.seals.finish(now=now()) == 0
    rooms.database.dispose()


# ── replacing and revoking ──


def county_order(rooms: RegistryRooms, case: str) -> IssueOrder:
    return food_order(
        rooms,
        case,
        issuer_code=COUNTY_MARKET,
        authority=TwoPersons(drafter_id=StaffId("he.ping"), signer_id=StaffId("song.an")),
    )


def verdict(rooms: RegistryRooms, state: Path, identifier: str) -> tuple[str, str | None]:
    """What validation says with the newest lists."""
    lists = [rooms.pki.crls.current(name, now=now()).der for name in ("seal-ca", "tsa-ca")]
    trust = TrustAnchors.own_only((state / "pki" / "trust.pem").read_bytes())
    file = rooms.registry.file_of(identifier)  # type: ignore[arg-type] # an identifier
    report = validate_pdf(file, trust=trust, at=None, now=now(), crls=lists)
    sub = report.signatures[0].sub_indication
    return report.verdict.value, sub.value if sub else None


def test_replaced_suspended_compromised_and_what_stays_valid(ceremony_state: Path, tmp_path: Path) -> None:
    rooms = open_rooms(ceremony_state, tmp_path)
    old = rooms.seals.book.find("seal-county-market")
    first = issue(county_order(rooms, "C-1"), room=rooms.issuing, now=now())
    successor = approved(rooms, applied(rooms, COUNTY_MARKET, replaces=old.seal_id))
    assert (successor.seal_id, successor.state) == ("seal-county-market-2", SealState.ACTIVE)
    old = rooms.seals.book.find(old.seal_id)
    assert (old.state, old.replaced_by) == (SealState.REPLACED, successor.seal_id)
    assert verdict(rooms, ceremony_state, first.identifier) == ("TOTAL-PASSED", None)

    second = issue(county_order(rooms, "C-2"), room=rooms.issuing, now=now())
    assert rooms.seals.book.find(successor.seal_id).used == 1
    suspend_seal(rooms, successor.seal_id)
    assert verdict(rooms, ceremony_state, second.identifier) == ("TOTAL-PASSED", None)
    resume_seal(rooms, successor.seal_id)

    # the key was in other hands from between the second and the third document on
    since = now() + timedelta(seconds=1)
    time.sleep(2)  # whole seconds stand in certificates and stamps
    third = issue(county_order(rooms, "C-3"), room=rooms.issuing, now=now())
    with pytest.raises(ApplicationRefused):
        rooms.seals.compromised(
            successor.seal_id, "口令外泄", since=now() + timedelta(days=1), by=on_page("ji.lan"), now=now()
        )
    ended = rooms.seals.revoke(successor.seal_id, "机构撤并", by=on_page("ji.lan"), now=now())
    assert (ended.state, ended.revocation_pending) == (SealState.REVOKED, False)
    assert verdict(rooms, ceremony_state, third.identifier) == ("TOTAL-PASSED", None)
    ended = rooms.seals.compromised(
        successor.seal_id, "口令外泄", since=since, by=on_page("ji.lan"), now=now()
    )
    assert verdict(rooms, ceremony_state, second.identifier) == ("TOTAL-PASSED", None)
    assert verdict(rooms, ceremony_state, third.identifier) == ("TOTAL-FAILED", "REVOKED")
    affected = rooms.seal_uses.sealed_since(successor.seal_id, since)
    assert [(one.identifier, one.is_to_be_resealed) for one in affected] == [(third.identifier, True)]
    with pytest.raises(SealNotUsable):
        issue(county_order(rooms, "C-4"), room=rooms.issuing, now=now())
    with pytest.raises(SealStateConflict):
        rooms.seals.compromised(successor.seal_id, "口令外泄", since=since, by=on_page("ji.lan"), now=now())
    rooms.database.dispose()


@pytest.mark.parametrize("year", [1, 1949, 1999])
def test_a_time_that_no_list_can_name_ends_no_seal(rooms: RegistryRooms, year: int) -> None:
    """X.509 has no revocation before 1950: such an entry would keep the CA from ever publishing a list again."""
    before = rooms.seals.book.find(MARKET_SEAL)
    since = datetime(year, 1, 1, tzinfo=CHINA)
    with pytest.raises(ApplicationRefused) as refused:
        rooms.seals.compromised(MARKET_SEAL, "口令外泄", since=since, by=on_page("ji.lan"), now=now())
    assert [field for field, _ in refused.value.findings] == ["since"]
    assert rooms.seals.book.find(MARKET_SEAL) == before


def test_a_revocation_that_was_cut_off_is_finished_by_the_sweep(rooms: RegistryRooms) -> None:
    seal: Seal = approved(rooms, applied(rooms, CITY_LAND, name="示例市自然资源局证照专用章"))
    assert seal.state is SealState.ACTIVE

    class Cut:
        def __getattr__(self, name: str) -> object:
            return getattr(rooms.seals.equipment, name)

        def revoke(self, *_: object, **__: object) -> None:
            raise PowerCut

    with pytest.raises(PowerCut):
        replace(rooms.seals, equipment=Cut()).revoke(  # type: ignore[arg-type] # stands in for the port
            seal.seal_id, "不再使用", by=on_page("xie.qiu"), now=now()
        )
    waiting = rooms.seals.book.find(seal.seal_id)
    assert (waiting.state, waiting.revocation_pending) == (SealState.REVOKED, True)
    assert rooms.seals.finish(now=now()) == 0
    assert not rooms.seals.book.find(seal.seal_id).revocation_pending
    serial = x509.load_der_x509_certificate(seal.certificate or b"").serial_number
    listed = x509.load_der_x509_crl(rooms.pki.crls.current("seal-ca", now=now()).der)
    assert listed.get_revoked_certificate_by_serial_number(serial) is not None
    assert rooms.pki.pki.register.revocation_of("seal-ca", serial) is not None


def test_a_seal_taken_over_without_its_certificate_gets_it_back(ceremony_state: Path, tmp_path: Path) -> None:
    rooms = open_rooms(ceremony_state, tmp_path)
    with rooms.database.writing() as connection:
        connection.execute(update(SEALS).where(SEALS.c.seal_id == MARKET_SEAL).values(certificate=None))
    assert [one.seal_id for one in rooms.seals.book.unfinished()] == [MARKET_SEAL]
    assert rooms.seals.finish(now=now()) == 0
    kept = x509.load_der_x509_certificate(rooms.seals.book.find(MARKET_SEAL).certificate or b"")
    assert kept == rooms.pki.pki.certificate(MARKET_SEAL)
    rooms.database.dispose()
