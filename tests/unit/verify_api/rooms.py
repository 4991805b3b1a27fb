"""A verify room over a registry of one ecert and a real receipt key, for the unit tests."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from verify_api.errors import NotEntitled, QrRefused
from verify_api.types import (
    Answer,
    Asker,
    LogPart,
    Operation,
    Outcome,
    Question,
    RegisteredEcert,
    RegisteredState,
    SealPart,
)
from verify_api.verification import VerifyRoom, differs

NOW = dt.datetime(2026, 11, 22, 4, 0, tzinfo=dt.UTC)
IDENTIFIER = "1.2.156.3005.2.11990000000000109X002.119901000000002044.ABCDEFGHJK0123456789.001.7"
CODE = "7KQ2M-9XW4R-3FT"
DOCUMENT = b"%PDF-1.7 the delivered file"
DIGEST = __import__("hashlib").sha256(DOCUMENT).digest()
EDUCATION = Asker(client_id="dept-city-education", department_code="11990100000000233R", name="示例市教育局")

VALID = RegisteredState(
    outcome=Outcome.VALID,
    state="有效",
    reason=None,
    legal_basis=None,
    since=None,
    recorded_at=None,
    replaced_by=None,
)
ECERT = RegisteredEcert(
    identifier=IDENTIFIER,
    type_code="11990000000000109X002",
    type_slug="food-business-licence",
    type_name="食品经营许可证",
    issuer_code="119901000000002044",
    issuer_name="示例市市场监督管理局",
    holder_names=("示例市春风餐饮有限公司",),
    issued_on=dt.date(2026, 11, 20),
    expires_on=dt.date(2031, 11, 19),
    origin="issued",
    file_sha256=DIGEST,
    sealed_at=NOW,
    face={
        "operatorName": "示例市春风餐饮有限公司",
        "creditCode": "91990100C0000001XX",
        "scope": "热食类食品制售",
    },
    field_titles={"operatorName": "经营者名称", "creditCode": "统一社会信用代码", "premises": "经营场所"},
    state=VALID,
)


@dataclass
class OneEcert:
    """A registry that holds one ecert."""

    ecert: RegisteredEcert | None = ECERT
    alarms: list[bytes] = field(default_factory=list)

    def by_digest(self, sha256: bytes, *, at: dt.date, now: dt.datetime) -> RegisteredEcert | None:
        del at, now
        return self.ecert if self.ecert and self.ecert.file_sha256 == sha256 else None

    def by_identifier(
        self, identifier: str, check_code: str, *, at: dt.date, now: dt.datetime
    ) -> RegisteredEcert | None:
        del at, now
        return (
            self.ecert if self.ecert and (identifier, check_code) == (self.ecert.identifier, CODE) else None
        )

    def log_proof(self, identifier: str) -> LogPart | None:
        assert identifier == IDENTIFIER
        return LogPart(leaf=b"\1" * 32, index=4, proof=(b"\2" * 32,), checkpoint="log\n5\nAAAA\n")

    def document(self, identifier: str) -> bytes | None:
        assert identifier == IDENTIFIER
        return DOCUMENT

    def raise_alarm(self, *, sha256: bytes, now: dt.datetime) -> None:
        del now
        self.alarms.append(sha256)


@dataclass
class Entitled:
    """Rights of one department."""

    types: Sequence[str] = ("food-business-licence",)

    def require(
        self,
        asker: Asker,
        operation: Operation,
        ecert: RegisteredEcert,
        fields: Sequence[str],
        *,
        on: dt.date,
    ) -> None:
        del asker, operation, fields, on
        if ecert.type_slug not in self.types:
            raise NotEntitled("没有权限。")


@dataclass
class Book:
    """The checks recorded."""

    answers: list[tuple[Question, Asker, Answer]] = field(default_factory=list)

    def record(
        self, *, question: Question, asker: Asker, answer: Answer, operation: Operation, now: dt.datetime
    ) -> None:
        del operation, now
        self.answers.append((question, asker, answer))

    def refused_comparisons(self, *, department: str, identifier: str, since: dt.datetime) -> int:
        del identifier, since
        return sum(
            differs(answer) for _, asker, answer in self.answers if asker.department_code == department
        )


@dataclass
class Verdicts:
    """A validator that answers what the test says; what it is told is kept."""

    verdict: str = "TOTAL-PASSED"
    asked: list[bytes] = field(default_factory=list)

    def unknown(self, document: bytes, *, now: dt.datetime) -> SealPart:
        del now
        self.asked.append(document)
        return SealPart(verdict=self.verdict, basis="document", reason=f"结论为 {self.verdict}。")

    def known(self, ecert: RegisteredEcert, document: bytes, *, now: dt.datetime) -> SealPart:
        del ecert, document, now
        return SealPart(verdict=self.verdict, basis="digest", reason=f"结论为 {self.verdict}。")


class KeyOfReceipts:
    """A real P-256 key with a self-signed certificate."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "receipts")])
        self.signing_certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(NOW)
            .not_valid_after(NOW + dt.timedelta(days=1))
            .sign(self.key, hashes.SHA256())
        )

    @property
    def x5c(self) -> Sequence[bytes]:
        return (self.signing_certificate.public_bytes(serialization.Encoding.DER),)

    def sign(self, signing_input: bytes) -> bytes:
        r, s = decode_dss_signature(self.key.sign(signing_input, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32) + s.to_bytes(32)


class OneQr:
    """Reads one QR text."""

    def open(self, text: str) -> Mapping[str, str]:
        if text != "LZ1:GOOD":
            raise QrRefused("这不是本系统的二维码。")
        return {"identifier": IDENTIFIER, "check_code": CODE}


def make_room(**changes: object) -> VerifyRoom:
    """A room with every part in order; pass parts to change them."""
    room = VerifyRoom(
        issuer="http://localhost:9",
        registry=OneEcert(),
        rights=Entitled(),
        recorder=Book(),
        validator=Verdicts(),
        receipts=KeyOfReceipts(),
        qr=OneQr(),
    )
    return replace(room, **changes)  # type: ignore[arg-type]
