"""The record of what a ceremony did, signed by the root key.

`{"statement": {...}, "signature": {...}}`; the signature is ECDSA P-256 over SHA-256 of the statement in
canonical JSON (RFC 8785), DER, base64.
"""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from cert_registry.signing.durable_files import write_durably
from cert_registry.signing.token import SigningKey
from hsm_sim.errors import CeremonyError


@dataclass(slots=True)
class Transcript:
    """Acts in the order in which they happened; a repeated ceremony appends what it added."""

    path: Path
    acts: list[dict[str, Any]] = field(default_factory=list)
    changed: bool = False

    @classmethod
    def open(cls, path: Path) -> "Transcript":
        """Continue an existing transcript or begin one."""
        if not path.is_file():
            return cls(path)
        return cls(path, json.loads(path.read_text(encoding="utf-8"))["statement"]["acts"])

    def note(self, act: str, *, now: datetime, **details: str | int) -> None:
        """Append an act."""
        moment = now.astimezone(UTC).replace(microsecond=0).isoformat()
        self.acts.append({"at": moment, "act": act, **details})
        self.changed = True

    def sign_and_write(self, root_key: SigningKey, *, plan_sha256: str, public_url: str) -> None:
        """Sign the whole statement with the root key and write it durably."""
        statement: dict[str, Any] = {"plan_sha256": plan_sha256, "public_url": public_url, "acts": self.acts}
        signature = root_key.sign(rfc8785.dumps(statement))
        document = {
            "statement": statement,
            "signature": {
                "key": "root",
                "algorithm": "ecdsa-p256-sha256-der over RFC 8785",
                "value": base64.b64encode(signature).decode(),
            },
        }
        text = json.dumps(document, ensure_ascii=False, indent=1)
        write_durably(self.path, text.encode() + b"\n")
        self.changed = False


def check_transcript(path: Path, root_public_key: ec.EllipticCurvePublicKey) -> list[dict[str, Any]]:
    """Return the acts of a transcript whose signature holds.

    Raises:
        CeremonyError: It does not.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    signature = base64.b64decode(document["signature"]["value"], validate=True)
    try:
        root_public_key.verify(signature, rfc8785.dumps(document["statement"]), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise CeremonyError(f"{path} was not signed by the root key.") from error
    acts: list[dict[str, Any]] = document["statement"]["acts"]
    return acts
