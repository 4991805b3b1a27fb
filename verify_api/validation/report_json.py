"""Carries a report between the worker process and its caller, without loss."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from verify_api.validation import sentences
from verify_api.validation.verdicts import (
    Coverage,
    DocumentReport,
    Indication,
    Level,
    Modifications,
    SignatureReport,
    SubIndication,
    TimestampReport,
    Verdict,
)


def report_to_wire(report: DocumentReport) -> dict[str, Any]:
    """Return the report as JSON values: the public JSON and each signature's sentence."""
    wire = report.to_json()
    for members, signature in zip(wire["signatures"], report.signatures, strict=True):
        members["reason"] = signature.reason
    return wire


def report_from_wire(wire: dict[str, Any]) -> DocumentReport:
    """Rebuild a report.

    Raises:
        KeyError, ValueError, TypeError: The values are not what `report_to_wire` makes.
    """
    return DocumentReport(
        verdict=Verdict(wire["verdict"]),
        reason=sentences.remembered(str(wire["reason"])),
        signatures=tuple(_signature(members) for members in wire["signatures"]),
    )


def _signature(members: dict[str, Any]) -> SignatureReport:
    return SignatureReport(
        field=str(members["field"]),
        indication=Indication(members["indication"]),
        sub_indication=_sub(members),
        level=Level(members["level"]),
        coverage=Coverage(members["coverage"]),
        modifications=Modifications(members["modifications"]),
        signer=members["signer"],
        signed_at=_time(members["signed_at"]),
        timestamps=tuple(
            TimestampReport(
                time=_time(stamp["time"]),
                kind=str(stamp["kind"]),
                indication=Indication(stamp["indication"]),
                sub_indication=_sub(stamp),
                signer=stamp["signer"],
            )
            for stamp in members["timestamps"]
        ),
        reason=sentences.remembered(str(members["reason"])),
    )


def _sub(members: dict[str, Any]) -> SubIndication | None:
    return SubIndication(members["sub_indication"]) if members["sub_indication"] else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
