"""What `/api/v1` of the registry takes and gives: unknown fields are refused."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from cert_registry.free_text import CONTROL_SENTENCE, CONTROL_SENTENCE_LINES, has_control


def _one_line(text: str) -> str:
    if has_control(text):
        raise ValueError(CONTROL_SENTENCE)
    return text


def _lines(text: str) -> str:
    if has_control(text.replace("\r\n", "\n"), lines=True):
        raise ValueError(CONTROL_SENTENCE_LINES)
    return text


_Text = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_one_line)]
_Case = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_one_line)]
_Basis = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_one_line)]
_Reason = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_lines)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class IssuanceBody(_Strict):
    """An approval system asks for an ecert.

    The same issuer, case, type and service item are the same issuance: repeating it changes nothing, other
    content under the same key is refused.
    """

    type: Annotated[str, Field(min_length=1, max_length=64, description="slug or 21-character code")]
    case_number: _Case
    decision: Annotated[
        str,
        Field(min_length=1, max_length=200, description="number or words of the approval's decision"),
        AfterValidator(_one_line),
    ]
    service_item: _Case
    face: dict[str, Any]
    issuer_code: Annotated[str, Field(min_length=18, max_length=18)] | None = None
    replaces: Annotated[str, Field(min_length=1, max_length=160)] | None = None


class StateChangeBody(_Strict):
    """A decision about one certificate."""

    operation: Literal["suspend", "return", "revoke", "penal-revoke", "cancel"]
    reason: _Reason
    legal_basis: _Basis
    case_number: _Case
    effective_at: datetime | None = None
    expected_sequence: Annotated[int, Field(ge=1)] | None = None


class HolderBody(_Strict):
    """Somebody whose certificates may stand in; the number is used for this answer and not kept."""

    code_type: Annotated[str, Field(pattern=r"^[0-9]{3}$")]
    number: Annotated[str, Field(min_length=1, max_length=40)]


class RequirementBody(_Strict):
    """Which of an item's documents are already held by these applicants."""

    holders: Annotated[list[HolderBody], Field(min_length=1, max_length=5)]
    purpose: _Text
    case_number: _Case
    officer: Annotated[str, Field(max_length=64), AfterValidator(_one_line)] = ""
    legal_basis: Annotated[str, Field(max_length=200), AfterValidator(_one_line)] = ""
