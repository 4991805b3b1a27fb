from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import rooms
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey

from verify_api.comparison import commitment, comparable
from verify_api.errors import (
    DocumentTooLarge,
    NotEntitled,
    PartUnavailable,
    ProbingSuspected,
    QrRefused,
    QuestionRefused,
    TooManyQuestions,
)
from verify_api.throttle import AddressThrottle
from verify_api.types import (
    Answer,
    ByDigest,
    ByDocument,
    ByIdentifier,
    ByQr,
    FieldResult,
    Operation,
    Outcome,
    Purpose,
    Question,
    RegisteredState,
    Way,
)
from verify_api.verification import MAXIMUM_DOCUMENT_BYTES, VerifyRoom, verify

PURPOSE = Purpose(purpose="办理学校食堂备案", service_item="edu-canteen", case_number="2026-17")
BY_CODE = ByIdentifier(identifier=rooms.IDENTIFIER, check_code=rooms.CODE)


def ask(room: VerifyRoom, way: Way = BY_CODE, compare: dict[str, str] | None = None) -> Answer:
    operation = Operation.COMPARE if compare else Operation.VERIFY
    question = Question(way=way, purpose=PURPOSE, compare=compare)
    return verify(room, question, asker=rooms.EDUCATION, operation=operation, now=rooms.NOW)


def test_a_registered_ecert_is_valid_and_its_parts_stay_apart() -> None:
    answer = ask(rooms.make_room(), ByDocument(document=rooms.DOCUMENT))
    assert answer.outcome is Outcome.VALID
    assert (answer.seal.verdict, answer.seal.basis) == ("TOTAL-PASSED", "digest")
    assert answer.registry.found
    assert answer.log is not None
    assert answer.log.index == 4


@pytest.mark.parametrize("way", [ByDigest(sha256=rooms.DIGEST), BY_CODE, ByQr(text="LZ1:GOOD")])
def test_every_way_in_finds_it(way: Way) -> None:
    assert ask(rooms.make_room(), way).registry.found


def test_a_wrong_check_code_looks_like_an_unknown_identifier() -> None:
    room = rooms.make_room()
    wrong = ask(room, ByIdentifier(identifier=rooms.IDENTIFIER, check_code="00000-00000-000"))
    unknown = ask(room, ByIdentifier(identifier="1.2.3", check_code=rooms.CODE))
    assert wrong.outcome is unknown.outcome is Outcome.UNKNOWN
    assert (wrong.sentence, wrong.registry, wrong.seal) == (unknown.sentence, unknown.registry, unknown.seal)


def test_an_altered_copy_is_altered_whatever_the_registry_holds() -> None:
    room = rooms.make_room(validator=rooms.Verdicts(verdict="TOTAL-FAILED"))
    answer = ask(room, ByDocument(document=rooms.DOCUMENT + b" "))
    assert answer.outcome is Outcome.ALTERED
    assert not answer.registry.found


def test_a_sealed_file_that_the_registry_does_not_know_is_an_alarm_and_never_valid() -> None:
    registry = rooms.OneEcert(ecert=None)
    answer = ask(rooms.make_room(registry=registry), ByDocument(document=rooms.DOCUMENT))
    assert answer.outcome is Outcome.UNREGISTERED
    assert registry.alarms == [rooms.DIGEST]


def test_a_known_file_whose_seal_no_longer_holds_is_not_called_valid() -> None:
    answer = ask(
        rooms.make_room(validator=rooms.Verdicts(verdict="TOTAL-FAILED")), ByDigest(sha256=rooms.DIGEST)
    )
    assert answer.outcome is Outcome.NOT_CHECKED


def test_a_revoked_licence_says_so_with_reason_and_legal_basis() -> None:
    state = RegisteredState(
        outcome=Outcome.REVOKED,
        state="吊销",
        reason="使用过期原料",
        legal_basis="食品安全法第一百二十四条",
        since=rooms.NOW,
        recorded_at=rooms.NOW,
        replaced_by=None,
    )
    answer = ask(rooms.make_room(registry=rooms.OneEcert(ecert=replace(rooms.ECERT, state=state))))
    assert answer.outcome is Outcome.REVOKED
    for word in ("吊销", "使用过期原料", "食品安全法第一百二十四条"):
        assert word in answer.sentence


def test_comparison_says_yes_no_or_not_held_and_gives_no_value_back() -> None:
    compared = ask(
        rooms.make_room(),
        compare={
            "operatorName": " 示例市春风餐饮有限公司 ",
            "creditCode": "wrong",
            "premises": "一号",
            "scope": "热食",
        },
    ).comparison
    assert [one.result for one in compared] == [
        FieldResult.MATCH,
        FieldResult.MISMATCH,
        FieldResult.NOT_HELD,
        FieldResult.NOT_HELD,  # held, but the type does not offer it for comparison
    ]
    assert all(not hasattr(one, "value") for one in compared)


def test_the_receipt_is_a_jws_under_its_x5c_that_binds_the_answer() -> None:
    room = rooms.make_room()
    answer = ask(room, compare={"operatorName": "示例市春风餐饮有限公司"})
    assert isinstance(room.receipts, rooms.KeyOfReceipts)
    key = ECKey.import_key(room.receipts.key.public_key())
    registry = jws.JWSRegistry(algorithms=["ES256"])
    registry.max_header_length = 8192  # x5c holds a chain
    payload = json.loads(jws.deserialize_compact(answer.receipt, key, registry=registry).payload)
    assert payload["jti"] == answer.answer_id
    assert payload["asked"]["case_number"] == "2026-17"
    one = answer.comparison[0]
    opened = commitment(one.salt, "operatorName", "示例市春风餐饮有限公司")
    assert base64.urlsafe_b64decode(payload["comparison"]["fields"][0]["commitment"] + "=") == opened
    assert "春风" not in answer.receipt
    assert "春风" not in json.dumps(payload, ensure_ascii=False)


def test_every_answer_is_recorded_with_its_purpose() -> None:
    book = rooms.Book()
    answer = ask(rooms.make_room(recorder=book))
    assert [(q.purpose, asker, a) for q, asker, a in book.answers] == [(PURPOSE, rooms.EDUCATION, answer)]


def test_a_department_without_the_right_gets_nothing_and_nothing_is_told() -> None:
    book = rooms.Book()
    with pytest.raises(NotEntitled):
        ask(rooms.make_room(rights=rooms.Entitled(types=()), recorder=book))
    assert not book.answers


def test_probing_ends_after_five_wrong_comparisons() -> None:
    room = rooms.make_room()
    for _ in range(5):
        ask(room, compare={"creditCode": "guess"})
    with pytest.raises(ProbingSuspected):
        ask(room, compare={"creditCode": "guess"})


def test_parallel_guesses_are_counted_too() -> None:
    room = rooms.make_room()

    def guess(number: int) -> str:
        try:
            return ask(room, compare={"creditCode": f"guess {number}"}).comparison[0].result.value
        except ProbingSuspected as refused:
            return refused.code

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(guess, range(16)))
    assert answers.count("mismatch") == 5
    assert answers.count("probing-suspected") == 11


def test_comparing_needs_the_right_to_compare() -> None:
    question = Question(way=BY_CODE, purpose=PURPOSE, compare={"creditCode": "guess"})
    with pytest.raises(QuestionRefused):
        verify(rooms.make_room(), question, asker=rooms.EDUCATION, operation=Operation.VERIFY, now=rooms.NOW)


def test_no_answer_leaves_without_its_receipt() -> None:
    class Away(rooms.KeyOfReceipts):
        def sign(self, signing_input: bytes) -> bytes:
            raise PartUnavailable(f"回执密钥不可用（{len(signing_input)}）。")

    book = rooms.Book()
    with pytest.raises(PartUnavailable):
        ask(rooms.make_room(receipts=Away(), recorder=book))
    assert not book.answers


def test_questions_that_cannot_be_asked_are_refused() -> None:
    room = rooms.make_room()
    with pytest.raises(DocumentTooLarge):
        ask(room, ByDocument(document=bytes(MAXIMUM_DOCUMENT_BYTES + 1)))
    with pytest.raises(QrRefused):
        ask(room, ByQr(text="https://example.org"))
    with pytest.raises(QuestionRefused):
        verify(
            room,
            Question(way=BY_CODE, purpose=PURPOSE),
            asker=rooms.EDUCATION,
            operation=Operation.COMPARE,
            now=rooms.NOW,
        )


@given(st.text(max_size=40))
@settings(max_examples=1000)
@example("ŉ")
@example("ΐ")
def test_the_compared_form_is_stable(text: str) -> None:
    assert comparable(comparable(text)) == comparable(text)


def test_the_compared_form_forgives_width_space_and_dots_only() -> None:
    assert comparable("阿依古丽・买买提") == comparable("阿依古丽·买买提 ")
    assert comparable("９１a") == "91A"
    assert comparable("王五") != comparable("王武")


def test_the_throttle_tells_how_long_to_wait_and_forgets_afterwards() -> None:
    throttle = AddressThrottle(questions=2)
    throttle.take("a", now=rooms.NOW)
    throttle.take("a", now=rooms.NOW)
    throttle.take("b", now=rooms.NOW)
    with pytest.raises(TooManyQuestions) as caught:
        throttle.take("a", now=rooms.NOW)
    assert 0 < caught.value.retry_after_s <= 61
    throttle.take("a", now=rooms.NOW + dt.timedelta(seconds=61))


def test_a_commitment_is_a_plain_sha256() -> None:
    assert commitment(b"s", "f", "v") == hashlib.sha256(b"sf\0v").digest()
