"""What the verify room needs of others; ``flask_app.py`` wires the adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

from verify_api.types import Answer, Asker, LogPart, Operation, Question, RegisteredEcert, SealPart


class RegistryReader(Protocol):
    """The registry's read side."""

    def by_digest(self, sha256: bytes, *, at: date, now: datetime) -> RegisteredEcert | None:
        """Return the ecert whose delivered file has this digest (32 bytes), with its state on day ``at``."""

    def by_identifier(
        self, identifier: str, check_code: str, *, at: date, now: datetime
    ) -> RegisteredEcert | None:
        """Return the ecert, or None alike for an unknown identifier and a wrong check code."""

    def log_proof(self, identifier: str) -> LogPart | None:
        """Return the inclusion proof of the issue against the newest checkpoint."""

    def document(self, identifier: str) -> bytes | None:
        """Return the delivered file, decrypted, or None for unsealed stock."""

    def raise_alarm(self, *, sha256: bytes, now: datetime) -> None:
        """Record that a file carries our seal and is not in the registry."""


class Rights(Protocol):
    """Department × type × operation × field."""

    def require(
        self, asker: Asker, operation: Operation, ecert: RegisteredEcert, fields: Sequence[str], *, on: date
    ) -> None:
        """Return when the department is entitled; raise ``NotEntitled`` otherwise."""


class CheckRecorder(Protocol):
    """Who asked what, why and when: the holder's view of it."""

    def record(
        self, *, question: Question, asker: Asker, answer: Answer, operation: Operation, now: datetime
    ) -> None:
        """Record one answered question durably before the answer leaves."""

    def refused_comparisons(self, *, department: str, identifier: str, since: datetime) -> int:
        """Count comparisons of this ecert by this department since a time in which some field differed."""


class SealValidator(Protocol):
    """Full validation of a document under our own anchors."""

    def unknown(self, document: bytes, *, now: datetime) -> SealPart:
        """Validate bytes that the registry does not know: isolated, with limits.

        Raises:
            PartUnavailable: Every worker is busy.
        """

    def known(self, ecert: RegisteredEcert, document: bytes, *, now: datetime) -> SealPart:
        """Evaluate the seal of a delivered file now: seal, CA and algorithm state."""


class ReceiptSigner(Protocol):
    """Signs receipts with the receipt key in the token."""

    @property
    def x5c(self) -> Sequence[bytes]:
        """Chain of the receipt key, DER, leaf first."""

    def sign(self, signing_input: bytes) -> bytes:
        """Return the ES256 signature, r ‖ s, 64 bytes. Raises ``PartUnavailable`` when the token is away."""


class QrReader(Protocol):
    """Reads and checks the signed QR text."""

    def open(self, text: str) -> Mapping[str, str]:
        """Return ``identifier`` and ``check_code``; raise ``QrRefused`` when it is not ours."""
