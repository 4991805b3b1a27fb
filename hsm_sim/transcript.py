"""The record of what a ceremony did: one JSON file, and its signature by the root key in a file beside it.

The signature (`.sig`, ECDSA P-256 over SHA-256, DER) is over the bytes of the file as they are, so that openssl
alone can check it. A repeated ceremony appends what it added and signs the whole again. Files from before, which
held their signature inside, are read, and replaced by the next ceremony that has the root.
"""

import base64
import json
from collections.abc import Mapping
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
    """Acts in the order in which they happened.

    Attributes:
        heading: What the acts were done under: the plan's digest, the address, the PKCS#11 library.
    """

    path: Path
    acts: list[dict[str, Any]] = field(default_factory=list)
    heading: dict[str, Any] = field(default_factory=dict)
    changed: bool = False

    @classmethod
    def open(cls, path: Path) -> "Transcript":
        """Continue an existing transcript or begin one.

        Raises:
            CeremonyError: The file is not a transcript.
        """
        if not path.is_file():
            return cls(path)
        statement = _read(path)[0]
        heading = {name: value for name, value in statement.items() if name != "acts"}
        return cls(path, statement["acts"], heading)

    def note(self, act: str, *, now: datetime, **details: object) -> None:
        """Append an act."""
        moment = now.astimezone(UTC).replace(microsecond=0).isoformat()
        self.acts.append({"at": moment, "act": act, **details})
        self.changed = True

    def is_signed_by(self, root_public_key: ec.EllipticCurvePublicKey) -> bool:
        """Whether the file as it is carries a good signature in the present form."""
        try:
            check_transcript(self.path, root_public_key)
        except CeremonyError:
            return False
        return signature_file(self.path).is_file()

    def sign_and_write(self, root_key: SigningKey, *, heading: Mapping[str, Any]) -> None:
        """Sign the whole with the root key and write both files durably.

        A power cut between the two leaves a file whose signature does not hold; the next ceremony signs it again.
        """
        self.heading = dict(heading)
        text = json.dumps({**self.heading, "acts": self.acts}, ensure_ascii=False, indent=1)
        content = text.encode() + b"\n"
        write_durably(self.path, content)
        write_durably(signature_file(self.path), root_key.sign(content))
        self.changed = False


def signature_file(path: Path) -> Path:
    """Where the signature of a transcript is."""
    return path.with_suffix(".sig")


def check_transcript(path: Path, root_public_key: ec.EllipticCurvePublicKey) -> list[dict[str, Any]]:
    """Return the acts of a transcript whose signature holds.

    Raises:
        CeremonyError: It does not, or there is none.
    """
    statement, signed, signature = _read(path)
    if signature is None:
        raise CeremonyError(f"{signature_file(path)} is not there: restore it, or repeat the ceremony.")
    try:
        root_public_key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise CeremonyError(f"{path} was not signed by the root key.") from error
    acts: list[dict[str, Any]] = statement["acts"]
    return acts


def _read(path: Path) -> tuple[dict[str, Any], bytes, bytes | None]:
    """The statement, the bytes that are signed, and the signature."""
    try:
        content = path.read_bytes()
        document = json.loads(content)
        if "signature" in document:  # the form from before
            statement = document["statement"]
            inside = base64.b64decode(document["signature"]["value"], validate=True)
            return _statement(statement), rfc8785.dumps(statement), inside
        beside = signature_file(path)
        return _statement(document), content, beside.read_bytes() if beside.is_file() else None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CeremonyError(f"{path} is not a transcript of a ceremony: restore it from backup.") from error


def _statement(document: Any) -> dict[str, Any]:
    acts = document["acts"]
    if not isinstance(acts, list) or not all(isinstance(one, dict) and "act" in one for one in acts):
        raise TypeError("no list of acts")
    statement: dict[str, Any] = document
    return statement
