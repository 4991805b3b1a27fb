"""What the seals room needs; `book.SqlSeals` and `signing.seal_equipment.SealEquipment` are behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta

    from cryptography import x509

    from cert_registry.seals.types import (
        Channel,
        Seal,
        SealApplication,
        SealEvent,
        SealId,
        SealPicture,
    )
    from cert_registry.signing.own_signatures import PublicKey
    from cert_registry.signing.pki.issuing import Subject
    from cert_registry.signing.pki.register import RevocationReason
    from cert_registry.types import DepartmentCode, StaffId


class SealBook(Protocol):
    """Rows and history; each act is one transaction with its leaf."""

    def find(self, seal_id: str) -> Seal:
        """One seal.

        Raises:
            UnknownSeal: None has this id.
        """
        ...

    def of_department(self, department: DepartmentCode) -> tuple[Seal, ...]:
        """Every seal of a department, by id."""
        ...

    def listed(self, departments: Sequence[str] | None = None) -> tuple[Seal, ...]:
        """The seals of these departments, or all, by id."""
        ...

    def unfinished(self) -> tuple[Seal, ...]:
        """Seals whose key, certificate or revocation is still to be made."""
        ...

    def events(self, seal_id: SealId) -> tuple[SealEvent, ...]:
        """The life of a seal, oldest first."""
        ...

    def picture(self, sha256: str) -> SealPicture:
        """A picture that some seal has."""
        ...

    def log_places(self, seal_id: SealId) -> dict[int, int]:
        """The index in the transparency log of each step that is in it."""
        ...

    def keep_picture(self, picture: SealPicture, *, now: datetime) -> None:
        """Keep a checked picture while its application is being filled in."""
        ...

    def add(
        self, application: SealApplication, *, slug: str, applicant: StaffId, channel: Channel, now: datetime
    ) -> Seal:
        """Keep an application under the next free id of its department."""
        ...

    def record(self, seal: Seal, event: SealEvent, **changes: object) -> Seal:
        """Put an act on record.

        Raises:
            SealStateConflict: Somebody acted in between.
        """
        ...

    def record_activation(self, seal: Seal, event: SealEvent, *, replaced: SealEvent | None) -> Seal:
        """The seal becomes active, and the one that it replaces ends, in one transaction."""
        ...

    def keep_certificate(self, seal: Seal, certificate: bytes) -> Seal:
        """Keep the signing certificate (DER), once."""
        ...

    def revocation_done(self, seal: Seal) -> None:
        """The certification authority's register has the revocation."""
        ...


class Equipment(Protocol):
    """Keys in the token, certificates of the seal CA."""

    def locked(self) -> AbstractContextManager[None]:
        """One process at a time makes or takes back."""
        ...

    def ensure_key(self, key_label: str) -> PublicKey:
        """The seal's public key, its pair made if it is not there."""
        ...

    def existing_certificate(self, key_label: str, subject: Subject) -> x509.Certificate | None:
        """A certificate that was made for this key and subject before."""
        ...

    def sign_certificate(
        self, key_label: str, subject: Subject, *, serial_number: int, valid_for: timedelta, now: datetime
    ) -> x509.Certificate:
        """A certificate that is not on record yet."""
        ...

    def install(self, key_label: str, certificate: x509.Certificate) -> None:
        """Put a stored certificate on record; twice changes nothing."""
        ...

    def revoke(
        self, certificate: x509.Certificate, *, reason: RevocationReason, as_of: datetime, now: datetime
    ) -> None:
        """Revoke it, and publish."""
        ...


class LicensedEquipment(Equipment, Protocol):
    """And what a licensed CA's certificate takes."""

    def request(self, key_label: str, subject: Subject) -> bytes:
        """A certificate request (PEM)."""
        ...

    def require_fit(
        self, key_label: str, subject: Subject, certificate: x509.Certificate, *, now: datetime
    ) -> None:
        """Evidence that a licensed CA's certificate fits the seal."""
        ...

    def install_licensed(self, key_label: str, certificate: x509.Certificate) -> None:
        """Put it into the directory."""
        ...


class LeafWriter(Protocol):
    """Pushes waiting leaves to the log."""

    def push(self, *, now: datetime) -> int:
        """How many leaves were sequenced."""
        ...
