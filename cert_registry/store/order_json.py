"""Orders and checked drafts as JSON: what is encrypted into `order_sealed` columns and nothing else reads."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from cert_registry.issuance_forms import CheckedDraft
from cert_registry.types import (
    ApprovalSystem,
    DepartmentCode,
    EcertIdentifier,
    Holder,
    IssueOrder,
    StaffId,
    TwoPersons,
)


def dump_order(order: IssueOrder) -> bytes:
    """An order as canonical UTF-8 JSON."""
    return _dump(_order_document(order))


def load_order(text: bytes) -> IssueOrder:
    """The order that `dump_order` wrote."""
    return _order(json.loads(text))


def dump_draft(draft: CheckedDraft) -> bytes:
    """A checked draft as canonical UTF-8 JSON."""
    return _dump(
        {
            "order": _order_document(draft.order),
            "type_name": draft.type_name,
            "issuer_name": draft.issuer_name,
            "holders": [
                {"code_type": holder.code_type, "number": holder.number, "name": holder.name}
                for holder in draft.holders
            ],
            "face": dict(draft.face),
            "valid_from": draft.valid_from.isoformat(),
            "valid_until": None if draft.valid_until is None else draft.valid_until.isoformat(),
            "content_mac": draft.content_mac,
        }
    )


def load_draft(text: bytes) -> CheckedDraft:
    """The draft that `dump_draft` wrote."""
    document = json.loads(text)
    until = document["valid_until"]
    return CheckedDraft(
        order=_order(document["order"]),
        type_name=document["type_name"],
        issuer_name=document["issuer_name"],
        holders=tuple(Holder(**holder) for holder in document["holders"]),
        face=document["face"],
        valid_from=date.fromisoformat(document["valid_from"]),
        valid_until=None if until is None else date.fromisoformat(until),
        content_mac=document["content_mac"],
    )


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _order_document(order: IssueOrder) -> dict[str, Any]:
    authority = order.authority
    by: dict[str, str]
    if isinstance(authority, TwoPersons):
        by = {"drafter_id": authority.drafter_id, "signer_id": authority.signer_id}
    else:
        by = {
            "client_id": authority.client_id,
            "department_code": authority.department_code,
            "decision": authority.decision,
        }
    return {
        "type_code": order.type_code,
        "issuer_code": order.issuer_code,
        "case_number": order.case_number,
        "service_item": order.service_item,
        "face": dict(order.unverified_face),
        "authority": by,
        "replaces": order.replaces,
    }


def _order(document: dict[str, Any]) -> IssueOrder:
    by = document["authority"]
    authority: TwoPersons | ApprovalSystem
    if "drafter_id" in by:
        authority = TwoPersons(drafter_id=StaffId(by["drafter_id"]), signer_id=StaffId(by["signer_id"]))
    else:
        authority = ApprovalSystem(
            client_id=by["client_id"],
            department_code=DepartmentCode(by["department_code"]),
            decision=by["decision"],
        )
    replaces = document["replaces"]
    return IssueOrder(
        type_code=document["type_code"],
        issuer_code=DepartmentCode(document["issuer_code"]),
        case_number=document["case_number"],
        service_item=document["service_item"],
        unverified_face=document["face"],
        authority=authority,
        replaces=None if replaces is None else EcertIdentifier(replaces),
    )
