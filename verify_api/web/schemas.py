"""Wire formats of the verify API. Unknown fields are refused; nothing here leaks inward."""

from __future__ import annotations

import base64
import binascii
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from verify_api.receipts import b64url
from verify_api.types import (
    Answer,
    ByDigest,
    ByDocument,
    ByIdentifier,
    ByQr,
    ComparedField,
    LogPart,
    Purpose,
    Question,
    RegistryPart,
    SealPart,
    Way,
)

_ShortText = Annotated[str, Field(min_length=1, max_length=200)]
_Code = Annotated[str, Field(min_length=1, max_length=64)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class QuestionBody(_Strict):
    """A check or a comparison. Exactly one way of pointing at the certificate is given."""

    purpose: _ShortText = Field(description="What the answer is used for; shown to the holder.")
    service_item: _Code = Field(description="Code of the service item.")
    case_number: _Code = Field(description="The asker's own case number.")
    officer: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="Who asks, when a person does."
    )
    legal_basis: Annotated[str, Field(max_length=200)] | None = None
    at: date | None = Field(default=None, description="Day of interest (UTC+8); today when left out.")
    sha256: Annotated[str, Field(pattern=r"^[0-9a-fA-F]{64}$")] | None = Field(
        default=None, description="SHA-256 of the PDF; the file stays with the caller."
    )
    identifier: Annotated[str, Field(max_length=200)] | None = None
    check_code: Annotated[str, Field(max_length=64)] | None = Field(
        default=None, description="查验码, printed beside the identifier."
    )
    qr: Annotated[str, Field(max_length=4096)] | None = Field(
        default=None, description="Text of the QR code."
    )
    document: Annotated[str, Field(max_length=28 * 1024 * 1024)] | None = Field(
        default=None, description="The PDF in base64; multipart/form-data carries it as the part `document`."
    )
    compare: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=2000)]] | None = (
        Field(default=None, description="Face field to the value that the asker holds.")
    )

    @model_validator(mode="after")
    def _identifier_with_code(self) -> QuestionBody:
        if (self.identifier is None) != (self.check_code is None):
            raise ValueError("identifier 和 check_code 要一起给出。")
        return self

    def question(self, attached: bytes | None) -> Question:
        """Return the domain's question.

        Args:
            attached: The PDF from the multipart body, if there was one.

        Raises:
            ValueError: Not exactly one way is given, or the base64 is not valid.
        """
        ways: list[Way] = []
        if attached is not None:
            ways.append(ByDocument(document=attached))
        if self.document is not None:
            ways.append(ByDocument(document=_decoded(self.document)))
        if self.sha256 is not None:
            ways.append(ByDigest(sha256=bytes.fromhex(self.sha256)))
        if self.identifier is not None and self.check_code is not None:
            ways.append(ByIdentifier(identifier=self.identifier, check_code=self.check_code))
        if self.qr is not None:
            ways.append(ByQr(text=self.qr))
        if len(ways) != 1:
            raise ValueError("document、sha256、identifier 加 check_code、qr，四种方式须恰好给出一种。")
        return Question(
            way=ways[0],
            purpose=Purpose(
                purpose=self.purpose,
                service_item=self.service_item,
                case_number=self.case_number,
                officer=self.officer,
                legal_basis=self.legal_basis,
            ),
            at=self.at,
            compare=self.compare,
        )


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError("document 不是有效的 base64。") from error


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return the answer as it stands in the API, its parts apart."""
    return {
        "answer_id": answer.answer_id,
        "outcome": answer.outcome.value,
        "sentence": answer.sentence,
        "asked_at": answer.asked_at.isoformat(),
        "seal": _seal_json(answer.seal),
        "registry": _registry_json(answer.registry),
        "comparison": [_compared_json(one) for one in answer.comparison],
        "log": _log_json(answer.log),
        "receipt": answer.receipt,
    }


def _seal_json(seal: SealPart) -> dict[str, Any]:
    return {
        "verdict": seal.verdict,
        "basis": seal.basis,
        "reason": seal.reason,
        "signatures": [dict(one) for one in seal.signatures],
    }


def _registry_json(part: RegistryPart) -> dict[str, Any]:
    ecert = part.ecert
    if ecert is None:
        return {"found": False, "at": part.at.isoformat(), "sentence": part.sentence}
    state = ecert.state
    return {
        "found": True,
        "at": part.at.isoformat(),
        "sentence": part.sentence,
        "identifier": ecert.identifier,
        "type_code": ecert.type_code,
        "type": ecert.type_slug,
        "type_name": ecert.type_name,
        "issuer_code": ecert.issuer_code,
        "issuer_name": ecert.issuer_name,
        "issued_on": ecert.issued_on.isoformat(),
        "expires_on": ecert.expires_on.isoformat() if ecert.expires_on else "长期",
        "origin": ecert.origin,
        "state": state.outcome.value,
        "state_name": state.state,
        "reason": state.reason,
        "legal_basis": state.legal_basis,
        "since": state.since.isoformat() if state.since else None,
        "recorded_at": state.recorded_at.isoformat() if state.recorded_at else None,
        "replaced_by": state.replaced_by,
    }


def _compared_json(one: ComparedField) -> dict[str, Any]:
    return {
        "field": one.field,
        "title": one.title,
        "result": one.result.value,
        "salt": b64url(one.salt),
        "commitment": b64url(one.commitment),
    }


def _log_json(log: LogPart | None) -> dict[str, Any] | None:
    if log is None:
        return None
    return {
        "leaf": b64url(log.leaf),
        "index": log.index,
        "proof": [b64url(node) for node in log.proof],
        "checkpoint": log.checkpoint,
    }
