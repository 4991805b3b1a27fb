"""What ``./longzheng seal`` prints: JSON documents, and the same as lines for a person."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cert_registry.seals.types import Seal, SealEvent, SealUse


def seal_document(seal: Seal) -> dict[str, Any]:
    """A seal as JSON values."""
    return {
        "seal": seal.seal_id,
        "department": seal.department,
        "name": seal.name,
        "kind": seal.kind.value,
        "filing_number": seal.filing_number,
        "state": seal.state.value,
        "state_name": seal.state.title,
        "types": sorted(seal.types),
        "valid_from": seal.valid_from.isoformat(),
        "valid_to": None if seal.valid_to is None else seal.valid_to.isoformat(),
        "used": seal.used,
        "usage_limit": seal.usage_limit,
        "certificate_source": seal.certificate_source.value,
        "certificate_sha256": (
            None if seal.certificate is None else hashlib.sha256(seal.certificate).hexdigest()
        ),
        "replaces": seal.replaces,
        "replaced_by": seal.replaced_by,
        "revoked_as_of": None if seal.revoked_as_of is None else seal.revoked_as_of.isoformat(),
    }


def event_document(event: SealEvent) -> dict[str, Any]:
    """A step of its life as JSON values."""
    return {
        "sequence": event.sequence,
        "act": event.act.value,
        "act_name": event.act.title,
        "state": event.state.value,
        "actor": event.actor_id,
        "channel": event.channel.value,
        "reason": event.reason,
        "detail": event.detail,
        "recorded_at": event.recorded_at.isoformat(),
    }


def use_document(use: SealUse) -> dict[str, Any]:
    """A use as JSON values."""
    return {
        "use": use.use_id,
        "identifier": use.identifier,
        "type": use.type_code,
        "case_number": use.case_number,
        "started_at": use.started_at.isoformat(),
        "outcome": use.outcome,
        "file_sha256": use.sealed_digest,
    }


def lines_of(document: Mapping[str, Any]) -> Iterator[str]:
    """A document as lines."""
    if "seals" in document:
        yield from (_line(one) for one in document["seals"])
        yield f"共 {len(document['seals'])} 枚。"
    elif "uses" in document:
        limit = document["usage_limit"]
        yield f"{document['seal']}：已用于 {document['used']} 份文件" + (
            f"，上限 {limit}。" if limit else "。"
        )
        for use in document["uses"]:
            yield f"{use['started_at']}  {use['outcome']:<9}  {use['identifier']}  {use['case_number']}"
    else:
        yield _line(document)
        if document["revoked_as_of"]:
            yield f"  吊销日期：{document['revoked_as_of']}"
        for event in document.get("events", ()):
            who = event["actor"] or "系统"
            yield f"  {event['recorded_at']}  {event['act_name']}  {who}  {event['reason']}"
        if "sealed_since" in document:
            yield from _drill(document["sealed_since"])


def _line(seal: Mapping[str, Any]) -> str:
    used = f"{seal['used']}/{seal['usage_limit'] or '不限'}"
    return f"{seal['seal']:<32} {seal['state_name']}  {seal['name']}（{seal['department']}）  用量 {used}"


def _drill(sealed: list[Mapping[str, Any]]) -> Iterator[str]:
    again = [one for one in sealed if one["reseal"]]
    yield f"  自泄露时间起加盖 {len(sealed)} 份，其中 {len(again)} 份仍在使用，须换发并加盖新印章："
    yield from (f"  {one['sealed_at']}  {one['identifier']}" for one in again)
