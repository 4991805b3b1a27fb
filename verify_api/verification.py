"""Checking a certificate: one question, one answer, in the numbered steps of ``docs/verifying.md``."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cert_registry.turnstile import Turnstile
from idp.identity.sentence import said
from verify_api.comparison import compare_fields
from verify_api.errors import DocumentTooLarge, ProbingSuspected, QuestionRefused
from verify_api.outcome import conclude
from verify_api.receipts import receipt_payload, sign_receipt
from verify_api.types import (
    CIVIL_TIME,
    Answer,
    Asker,
    ByDigest,
    ByDocument,
    ByIdentifier,
    ByQr,
    FieldResult,
    Operation,
    Outcome,
    Question,
    RegisteredEcert,
    RegistryPart,
    SealPart,
)

if TYPE_CHECKING:
    from datetime import date

    from verify_api.ports import CheckRecorder, QrReader, ReceiptSigner, RegistryReader, Rights, SealValidator

MAXIMUM_DOCUMENT_BYTES = 20 * 1024 * 1024
MAXIMUM_COMPARED_FIELDS = 20
WRONG_COMPARISONS_A_DAY = 5
_NOT_SHOWN = SealPart(verdict="NOT-CHECKED", basis="none", reason="没有提交文件，未检查电子印章。")
_WAYS = {ByDocument: "document", ByDigest: "digest", ByIdentifier: "identifier", ByQr: "qr"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRoom:
    """The parts that a check needs, wired once.

    Attributes:
        issuer: Public address of the service, the receipts' ``iss``.
        random_bytes: Source of salts.
    """

    issuer: str
    registry: RegistryReader
    rights: Rights
    recorder: CheckRecorder
    validator: SealValidator
    receipts: ReceiptSigner
    qr: QrReader
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    turnstile: Turnstile = field(default_factory=Turnstile)


def verify(
    room: VerifyRoom, question: Question, *, asker: Asker, operation: Operation, now: datetime
) -> Answer:
    """Answer one question.

    Invariant: no answer leaves that is not recorded and signed, and what could not be checked is never said to
    be valid.

    Args:
        room: The wired parts.
        question: What is asked, how and why.
        asker: Who asks; already authenticated, not yet authorised.
        operation: ``verify`` or ``compare``.
        now: Time of asking, UTC.

    Raises:
        QuestionRefused: The question is malformed or too large.
        NotEntitled: The department has no right to ask this.
        ProbingSuspected: Too many wrong comparisons of this certificate today.
        PartUnavailable: The registry, the log or the receipt key does not answer.
    """
    # (1) Take the question in: sizes and shape.
    at = question.at or now.astimezone(CIVIL_TIME).date()
    _check_shape(question, operation)

    # (2) Find the certificate. A wrong check code looks like an unknown identifier.
    sha256, ecert = _find(room, question, at=at, now=now)

    # One comparison of a certificate by a department at a time, so that parallel guesses are counted too.
    with _one_guess_at_a_time(room, question, asker, ecert, now=now):
        # (3) Authorise, now that the type is known: department × type × operation × field.
        if ecert is not None and asker.department_code is not None:
            room.rights.require(asker, operation, ecert, tuple(question.compare or ()), on=at_today(now))

        # (4) Evaluate the seal as of now: from the digest where the file is known, in full and apart where not.
        seal = _seal(room, question, ecert, now=now)
        if ecert is None and seal.verdict == "TOTAL-PASSED" and sha256 is not None:
            room.registry.raise_alarm(sha256=sha256, now=now)

        # (5) Ask the registry's state on the day of interest.
        registry = RegistryPart(
            found=ecert is not None,
            sentence=_registry_sentence(ecert),
            at=at,
            ecert=ecert,
        )

        # (6) Compare: match, mismatch or not held, and nothing else back.
        compared = (
            compare_fields(question.compare, ecert, random_bytes=room.random_bytes)
            if ecert is not None and question.compare
            else ()
        )

        # (7) Prove that the issue was logged.
        log = room.registry.log_proof(ecert.identifier) if ecert is not None else None

        # (8) Conclude in one sentence, bind everything in a receipt.
        outcome, sentence = conclude(seal, registry, compared)
        answer_id = str(uuid.uuid4())
        payload = receipt_payload(
            issuer=room.issuer,
            answer_id=answer_id,
            asker=asker,
            purpose=question.purpose,
            way=_WAYS[type(question.way)],
            sha256=sha256 or (ecert.file_sha256 if ecert else None),
            outcome=outcome,
            seal=seal,
            registry=registry,
            comparison=compared,
            log=log,
            now=now,
        )
        answer = Answer(
            answer_id=answer_id,
            outcome=outcome,
            sentence=sentence,
            asked_at=now,
            seal=seal,
            registry=registry,
            comparison=compared,
            log=log,
            receipt=sign_receipt(payload, room.receipts),
        )

        # (9) Record who asked what and why before the answer leaves.
        room.recorder.record(question=question, asker=asker, answer=answer, operation=operation, now=now)
        return answer


def at_today(now: datetime) -> date:
    """Return the civil date (UTC+8) of a time."""
    return now.astimezone(CIVIL_TIME).date()


def _check_shape(question: Question, operation: Operation) -> None:
    if isinstance(question.way, ByDocument) and len(question.way.document) > MAXIMUM_DOCUMENT_BYTES:
        raise DocumentTooLarge("文件超过 20 MB，请改用文件的 SHA-256 值查验。")
    if operation is Operation.COMPARE and not question.compare:
        raise QuestionRefused("比对请求里没有要比对的字段。")
    if operation is not Operation.COMPARE and question.compare:
        raise QuestionRefused("查验请求里不能带比对字段；比对是另一项权限，请用 /api/v1/comparisons。")
    if question.compare and len(question.compare) > MAXIMUM_COMPARED_FIELDS:
        raise QuestionRefused(said("一次最多比对 %(most)s 个字段。", most=MAXIMUM_COMPARED_FIELDS))


def _find(
    room: VerifyRoom, question: Question, *, at: date, now: datetime
) -> tuple[bytes | None, RegisteredEcert | None]:
    way = question.way
    if isinstance(way, ByDocument):
        sha256 = hashlib.sha256(way.document).digest()
        return sha256, room.registry.by_digest(sha256, at=at, now=now)
    if isinstance(way, ByDigest):
        return way.sha256, room.registry.by_digest(way.sha256, at=at, now=now)
    if isinstance(way, ByQr):
        opened = room.qr.open(way.text)
        way = ByIdentifier(identifier=opened["identifier"], check_code=opened["check_code"])
    return None, room.registry.by_identifier(way.identifier, way.check_code, at=at, now=now)


def _seal(room: VerifyRoom, question: Question, ecert: RegisteredEcert | None, *, now: datetime) -> SealPart:
    way = question.way
    if isinstance(way, ByDocument) and ecert is None:
        return room.validator.unknown(way.document, now=now)
    if isinstance(way, ByDocument | ByDigest) and ecert is not None:
        document = way.document if isinstance(way, ByDocument) else room.registry.document(ecert.identifier)
        if document is not None:
            return room.validator.known(ecert, document, now=now)
    return _NOT_SHOWN


def _registry_sentence(ecert: RegisteredEcert | None) -> str:
    if ecert is None:
        return "登记中没有与所提交内容一致的证照。"
    state = ecert.state
    if state.outcome is Outcome.REVOKED:
        return said("登记状态：%(state)s。", state=state.state)
    return said("登记状态：%(state)s，签发日期 %(day)s。", state=state.state, day=ecert.issued_on.isoformat())


@contextmanager
def _one_guess_at_a_time(
    room: VerifyRoom, question: Question, asker: Asker, ecert: RegisteredEcert | None, *, now: datetime
) -> Iterator[None]:
    """Hold the turnstile of a comparison and refuse who has guessed too often; nothing for other questions.

    Raises:
        ProbingSuspected: The department has compared this certificate wrongly too often today.
    """
    if ecert is None or not question.compare:
        yield
        return
    department = asker.department_code or asker.client_id
    with room.turnstile.alone(f"{department} {ecert.identifier}"):
        wrong = room.recorder.refused_comparisons(
            department=department, identifier=ecert.identifier, since=now - timedelta(days=1)
        )
        if wrong >= WRONG_COMPARISONS_A_DAY:
            raise ProbingSuspected(
                "这份证照今天比对不一致的次数太多，已暂停比对；请核对材料，明天再试或到窗口办理。"
            )
        yield


def differs(answer: Answer) -> bool:
    """Return whether some compared field differed, which the probing guard counts."""
    return any(one.result is FieldResult.MISMATCH for one in answer.comparison)
