"""The signed receipt that a department files instead of a paper copy.

A JWS (RFC 7515, compact, ES256) whose header carries the chain in ``x5c`` and whose payload binds the
document's digest, what was compared, why, the answer, the time and the log's checkpoint. Values appear only as
commitments that the asker can open.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import rfc8785

from verify_api.comparison import RULE_VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from verify_api.ports import ReceiptSigner
    from verify_api.types import Asker, ComparedField, LogPart, Outcome, Purpose, RegistryPart, SealPart

RECEIPT_TYPE = "longzheng-receipt+jwt"


def b64url(octets: bytes) -> str:
    """Return base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def receipt_payload(
    *,
    issuer: str,
    answer_id: str,
    asker: Asker,
    purpose: Purpose,
    way: str,
    sha256: bytes | None,
    outcome: Outcome,
    seal: SealPart,
    registry: RegistryPart,
    comparison: Sequence[ComparedField],
    log: LogPart | None,
    now: datetime,
) -> dict[str, Any]:
    """Return the receipt's claims.

    Args:
        issuer: Public address of the service.
        answer_id: Identifier of the answer (``jti``).
        asker: Who asked (``aud`` is its client).
        purpose: Why.
        way: ``document``, ``digest``, ``identifier`` or ``qr``.
        sha256: Digest of the document, where one was shown or is held.
        outcome: First word of the answer.
        seal: Seal part.
        registry: Registry part.
        comparison: Compared fields.
        log: Log part.
        now: Time of the answer.
    """
    ecert = registry.ecert
    return {
        "iss": issuer,
        "aud": asker.client_id,
        "iat": int(now.timestamp()),
        "jti": answer_id,
        "asked": {
            "way": way,
            "department": asker.department_code,
            "purpose": purpose.purpose,
            "service_item": purpose.service_item,
            "case_number": purpose.case_number,
            "officer": purpose.officer,
            "legal_basis": purpose.legal_basis,
            "at": registry.at.isoformat(),
        },
        "document_sha256": sha256.hex() if sha256 else None,
        "identifier": ecert.identifier if ecert else None,
        "outcome": outcome.value,
        "seal": {"verdict": seal.verdict, "basis": seal.basis},
        "registry": {
            "found": registry.found,
            "state": ecert.state.state if ecert else None,
            "since": ecert.state.since.isoformat() if ecert and ecert.state.since else None,
        },
        "comparison": {
            "rules": RULE_VERSION,
            "fields": [
                {"field": one.field, "result": one.result.value, "commitment": b64url(one.commitment)}
                for one in comparison
            ],
        },
        "log": {
            "index": log.index,
            "leaf": b64url(log.leaf),
            "checkpoint_sha256": b64url(hashlib.sha256(log.checkpoint.encode()).digest()),
            "checkpoint": log.checkpoint,
        }
        if log
        else None,
    }


def sign_receipt(payload: Mapping[str, Any], signer: ReceiptSigner) -> str:
    """Return the receipt as a compact JWS.

    Raises:
        PartUnavailable: When the receipt key's token does not answer; no answer leaves without its receipt.
    """
    header = {
        "alg": "ES256",
        "typ": RECEIPT_TYPE,
        "x5c": [base64.b64encode(der).decode() for der in signer.x5c],
    }
    signing_input = f"{b64url(rfc8785.dumps(header))}.{b64url(rfc8785.dumps(dict(payload)))}"
    return f"{signing_input}.{b64url(signer.sign(signing_input.encode()))}"
