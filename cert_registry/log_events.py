"""What the transparency log is told: events without personal data, hidden behind a 256-bit salt.

An event is hashed as SHA-256(domain ‖ 00 ‖ salt ‖ JCS(event)); see `tlog.leaf`. Whoever holds an ecert has
the issue's salt in its twin; later salts stand in answers, so that everybody can recompute their leaf.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import rfc8785

from cert_registry.tlog.leaf import leaf_entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from cert_registry.issuance_forms import SealedIntent
    from cert_registry.seals.types import SealEvent
    from cert_registry.types import DepartmentCode, EcertIdentifier, Origin, StateEvent

ISSUED = "ecert-issued"
REGISTERED = "ecert-registered"  # stock and pushed ecerts, which were not sealed here
STATE_CHANGED = "ecert-state-changed"
SEAL_CHANGED = "seal-changed"
FILE_RENEWED = "ecert-file-renewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLeaf:
    """A leaf that is about to be put into the outbox."""

    kind: str
    sequence: int
    event: str  # RFC 8785
    salt: bytes
    entry: bytes


def issued_leaf(sealed: SealedIntent) -> NewLeaf:
    """The leaf of an issue; its salt is the one in the twin."""
    intent = sealed.rendered.intent
    event = {
        "event": ISSUED,
        "identifier": intent.identifier,
        "file_sha256": sealed.file_digest,
        "twin_sha256": sealed.rendered.twin_digest,
        "seal_id": sealed.seal_id,
        "recorded_at": instant_text(intent.stored_at),
    }
    return _leaf(ISSUED, 1, event, intent.secrets.salt)


def registered_leaf(
    identifier: EcertIdentifier, *, origin: Origin, source: str, recorded_at: datetime, salt: bytes
) -> NewLeaf:
    """The leaf of an ecert that came from another registry."""
    event = {
        "event": REGISTERED,
        "identifier": identifier,
        "origin": origin.value,
        "source": source,
        "recorded_at": instant_text(recorded_at),
    }
    return _leaf(REGISTERED, 1, event, salt)


def state_leaf(event: StateEvent, *, salt: bytes) -> NewLeaf:
    """The leaf of a state change."""
    return _leaf(
        STATE_CHANGED,
        event.sequence,
        {
            "event": STATE_CHANGED,
            "identifier": event.identifier,
            "sequence": event.sequence,
            "operation": event.operation.value,
            "state": event.state.value,
            "file_state": event.file_state.value,
            "reason": event.reason,
            "legal_basis": event.legal_basis,
            "department": event.actor_department,
            "effective_at": instant_text(event.effective_at),
            "recorded_at": instant_text(event.recorded_at),
        },
        salt,
    )


def seal_leaf(event: SealEvent, *, department: DepartmentCode, salt: bytes) -> NewLeaf:
    """The leaf of a step in a seal's life; who acted and why stay in the registry."""
    return _leaf(
        SEAL_CHANGED,
        event.sequence,
        {
            "event": SEAL_CHANGED,
            "seal_id": event.seal_id,
            "sequence": event.sequence,
            "act": event.act.value,
            "state": event.state.value,
            "department": department,
            "detail": event.detail,
            "recorded_at": instant_text(event.recorded_at),
        },
        salt,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewedFile:
    """A new version of an ecert's file: the one before it with a time stamp more."""

    identifier: EcertIdentifier
    sequence: int
    file_digest: str
    previous_digest: str
    level: str
    stamped_at: datetime
    recorded_at: datetime


def renewed_leaf(renewed: RenewedFile, *, salt: bytes) -> NewLeaf:
    """The leaf of a new version of a file."""
    return _leaf(
        FILE_RENEWED,
        renewed.sequence,
        {
            "event": FILE_RENEWED,
            "identifier": renewed.identifier,
            "sequence": renewed.sequence,
            "file_sha256": renewed.file_digest,
            "previous_sha256": renewed.previous_digest,
            "level": renewed.level,
            "stamped_at": instant_text(renewed.stamped_at),
            "recorded_at": instant_text(renewed.recorded_at),
        },
        salt,
    )


def domain_of(kind: str) -> str:
    """The hash domain of a kind of event."""
    return f"longzheng {kind} v1"


def instant_text(instant: datetime) -> str:
    """An instant as it stands in events and twins: UTC, microseconds, `Z`."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def event_document(event: str) -> Mapping[str, Any]:
    """The event that an outbox row holds."""
    document: Mapping[str, Any] = json.loads(event)
    return document


def _leaf(kind: str, sequence: int, event: Mapping[str, Any], salt: bytes) -> NewLeaf:
    return NewLeaf(
        kind=kind,
        sequence=sequence,
        event=rfc8785.dumps(dict(event)).decode(),
        salt=salt,
        entry=leaf_entry(domain_of(kind), salt, event),
    )
