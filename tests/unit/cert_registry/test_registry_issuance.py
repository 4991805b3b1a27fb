import hashlib
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from registry_rooms import DRAFTER, SIGNER, approval_system, food_order, open_rooms, sample_face
from sqlalchemy import func, select

from cert_registry.composition import RegistryRooms
from cert_registry.errors import (
    DraftRefused,
    DraftStateConflict,
    IdempotencyConflict,
    NotAuthorised,
    SamePerson,
    UnknownCertificateType,
    UnknownEcert,
    UnprintableCharacter,
)
from cert_registry.issuance import issue
from cert_registry.issuance_drafts import DraftContent
from cert_registry.log_events import event_document
from cert_registry.store.tables import ECERTS, INTENTS, NOTICES, SEAL_USES
from cert_registry.tlog.leaf import leaf_entry
from cert_registry.types import DraftStage, IssuedEcert, StaffId, TwoPersons


def now() -> datetime:
    return datetime.now(UTC)


def test_an_issued_ecert_is_found_by_its_pair_and_its_file_and_proved_by_the_log(
    rooms: RegistryRooms,
) -> None:
    issued = issue(food_order(rooms, "I-1"), room=rooms.issuing, now=now())
    by_pair = rooms.registry.by_identifier(issued.identifier, issued.check_code.lower())
    assert by_pair == rooms.registry.by_file_digest(issued.file_digest)
    file = rooms.registry.file_of(issued.identifier)
    assert hashlib.sha256(file).hexdigest() == issued.file_digest
    assert hashlib.sha256(rooms.registry.twin_of(issued.identifier)).hexdigest() == by_pair.twin_digest
    (proof,) = rooms.registry.log_proof(issued.identifier)
    assert proof.proof is not None
    assert proof.leaf_entry == leaf_entry(
        "longzheng ecert-issued v1", proof.salt, event_document(proof.event)
    )
    assert rooms.registry.state_at(issued.identifier, now()).is_valid


def test_the_same_order_again_is_the_same_ecert(rooms: RegistryRooms) -> None:
    first = issue(food_order(rooms, "I-2"), room=rooms.issuing, now=now())
    again = issue(food_order(rooms, "I-2"), room=rooms.issuing, now=now())
    assert again == replace(first, already_issued=True)


def test_the_same_case_with_other_content_is_refused_and_nothing_changes(rooms: RegistryRooms) -> None:
    first = issue(food_order(rooms, "I-3"), room=rooms.issuing, now=now())
    other = sample_face() | {"premises": "示例市和平路2号"}
    with pytest.raises(IdempotencyConflict):
        issue(food_order(rooms, "I-3", unverified_face=other), room=rooms.issuing, now=now())
    assert rooms.registry.find(first.identifier).file_digest == first.file_digest


def test_many_threads_with_one_key_make_one_ecert(rooms: RegistryRooms) -> None:
    results: list[IssuedEcert] = []
    start = threading.Barrier(8)

    def work() -> None:
        start.wait()
        results.append(issue(food_order(rooms, "I-4"), room=rooms.issuing, now=now()))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert len({(one.identifier, one.file_digest, one.check_code) for one in results}) == 1
    assert sum(not one.already_issued for one in results) == 1
    with rooms.database.reading() as connection:
        of_case = select(INTENTS.c.intent_id).where(INTENTS.c.case_number == "I-4")
        uses = select(func.count()).select_from(SEAL_USES).where(SEAL_USES.c.intent_id.in_(of_case))
        assert connection.scalar(uses) == 1


@pytest.mark.parametrize(
    ("authority", "error"),
    [
        (TwoPersons(drafter_id=DRAFTER, signer_id=DRAFTER), NotAuthorised),
        (TwoPersons(drafter_id=SIGNER, signer_id=SIGNER), NotAuthorised),
        (TwoPersons(drafter_id=DRAFTER, signer_id=StaffId("shi.lei")), NotAuthorised),
        (TwoPersons(drafter_id=DRAFTER, signer_id=StaffId("song.an")), NotAuthorised),
        (approval_system(decision=" "), NotAuthorised),
        (replace(approval_system(), client_id="dept-city-education"), NotAuthorised),
    ],
)
def test_whoever_lacks_a_right_issues_nothing(
    rooms: RegistryRooms, authority: object, error: type[Exception]
) -> None:
    with pytest.raises(error):
        issue(food_order(rooms, "I-5", authority=authority), room=rooms.issuing, now=now())
    with rooms.database.reading() as connection:
        assert connection.scalar(select(func.count()).where(INTENTS.c.case_number == "I-5")) == 0


def test_an_approval_system_issues_with_case_and_decision(rooms: RegistryRooms) -> None:
    order = food_order(rooms, "I-6", authority=approval_system())
    assert issue(order, room=rooms.issuing, now=now()).leaf_index >= 0


def test_a_refused_draft_names_every_field_and_may_come_back_mended(rooms: RegistryRooms) -> None:
    bad = sample_face() | {"credit_code": "91990100C000000167", "effective_date": "2026-02-30"}
    with pytest.raises(DraftRefused) as refused:
        issue(food_order(rooms, "I-7", unverified_face=bad), room=rooms.issuing, now=now())
    assert {field for field, _ in refused.value.findings} == {"credit_code", "effective_date"}
    issue(food_order(rooms, "I-7"), room=rooms.issuing, now=now())


def test_a_character_without_a_glyph_is_named_before_anything_is_stored(rooms: RegistryRooms) -> None:
    bad = sample_face() | {"operation_items": "热食类\U0003134a"}
    with pytest.raises(UnprintableCharacter) as refused:
        issue(food_order(rooms, "I-8", unverified_face=bad), room=rooms.issuing, now=now())
    assert refused.value.findings[0][0] == "operation_items"
    assert "U+3134A" in refused.value.findings[0][1]


def test_an_unknown_type_is_refused(rooms: RegistryRooms) -> None:
    with pytest.raises(UnknownCertificateType):
        issue(food_order(rooms, "I-9", type_code="11990000000000107Q999"), room=rooms.issuing, now=now())


def test_a_wrong_pair_looks_like_an_unknown_one(rooms: RegistryRooms) -> None:
    issued = issue(food_order(rooms, "I-2"), room=rooms.issuing, now=now())
    pairs = [
        (issued.identifier, "2" * 16),
        (issued.identifier, "no code"),
        (issued.identifier[:-1] + "x", issued.check_code),
        ("", ""),
    ]
    sentences = set()
    for identifier, code in pairs:
        with pytest.raises(UnknownEcert) as refused:
            rooms.registry.by_identifier(identifier, code)
        sentences.add(refused.value.sentence)
    assert len(sentences) == 1


def test_no_number_name_or_check_code_lies_in_the_database_in_clear(
    ceremony_state: Path, tmp_path: Path
) -> None:
    rooms = open_rooms(ceremony_state, tmp_path)
    issued = issue(food_order(rooms, "I-12"), room=rooms.issuing, now=now())
    rooms.database.dispose()
    content = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for secret in ("91990100C000000166", "林晓雯", issued.check_code):
        assert secret.encode() not in content


def test_a_new_version_replaces_the_old_one(rooms: RegistryRooms) -> None:
    old = issue(food_order(rooms, "I-10"), room=rooms.issuing, now=now())
    order = food_order(rooms, "I-10-变更", replaces=old.identifier)
    new = issue(order, room=rooms.issuing, now=now())
    assert new.identifier.split(".")[-3:-1] == [old.identifier.split(".")[-3], "002"]
    state = rooms.registry.state_at(old.identifier, now())
    assert (state.state.title, state.file_state.value, state.replaced_by) == (
        "注销",
        "voided",
        new.identifier,
    )


def test_two_officers_draft_preview_return_revise_and_sign_off(rooms: RegistryRooms) -> None:
    content = DraftContent(
        type_code=rooms.catalog.by_slug("food-business-licence").type_code,
        issuer_code=food_order(rooms, "x").issuer_code,
        case_number="I-11",
        service_item="SL-002",
        unverified_face=sample_face(),
    )
    desk = rooms.drafting
    draft = desk.create_draft(content, drafter_id=DRAFTER, now=now())
    assert desk.preview(draft.draft_id, now=now()).startswith(b"%PDF-")
    with pytest.raises(SamePerson):
        desk.sign_off(draft.draft_id, signer_id=DRAFTER, expected_revision=1, now=now())
    returned = desk.return_to_drafter(
        draft.draft_id, "经营项目不全", signer_id=SIGNER, expected_revision=1, now=now()
    )
    assert returned.stage is DraftStage.RETURNED
    with pytest.raises(DraftStateConflict):
        desk.sign_off(draft.draft_id, signer_id=SIGNER, expected_revision=2, now=now())
    desk.revise_draft(draft.draft_id, content, drafter_id=DRAFTER, expected_revision=2, now=now())
    with pytest.raises(DraftStateConflict):
        desk.sign_off(draft.draft_id, signer_id=SIGNER, expected_revision=2, now=now())
    issued = desk.sign_off(draft.draft_id, signer_id=SIGNER, expected_revision=3, now=now())
    done = desk.draft(draft.draft_id)
    assert (done.stage, done.identifier) == (DraftStage.ISSUED, issued.identifier)
    again = desk.sign_off(draft.draft_id, signer_id=SIGNER, expected_revision=4, now=now())
    assert again.identifier == issued.identifier


def test_holders_get_one_notice_each(rooms: RegistryRooms) -> None:
    issued = issue(food_order(rooms, "I-2"), room=rooms.issuing, now=now())
    with rooms.database.reading() as connection:
        count = select(func.count()).select_from(NOTICES).where(NOTICES.c.identifier == issued.identifier)
        assert connection.scalar(count) == 1
        assert connection.scalar(select(func.count()).select_from(ECERTS)) >= 1
