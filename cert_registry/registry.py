"""The read side of the registry: what verifying and the pages ask.

A row that is `pending` (its leaf is not yet in the log) is never answered: to the outside it does not exist.
"""

from __future__ import annotations

import hmac
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, final

from cert_registry.catalog.errors import CatalogError
from cert_registry.check_code import CheckCode, check_code_mac, parse_check_code
from cert_registry.civil_date import civil_date_at
from cert_registry.errors import ObjectMissing, UnknownEcert
from cert_registry.identifier import MAXIMUM_LENGTH
from cert_registry.lifecycle_states import state_at
from cert_registry.types import EcertIdentifier, FileDigest, Registration

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from cert_registry.checks import CheckRecord, Checks
    from cert_registry.lifecycle_states import StateAt
    from cert_registry.ports import ObjectStore, Representation
    from cert_registry.types import EcertSummary, LogLeaf, StateEvent
    from idp.identity.holder import HolderReference

_NOBODY = "1.2.156.3005.2.none"
_NO_CODE = CheckCode("2" * 16)


class EcertBook(Protocol):
    """Rows, faces and history; `store.ecerts.SqlEcerts`."""

    def find(self, identifier: EcertIdentifier) -> EcertSummary | None:
        """One row, pending ones included."""
        ...

    def find_with_code(self, identifier: EcertIdentifier) -> tuple[EcertSummary, bytes | None] | None:
        """One row and the MAC of its check code."""
        ...

    def find_by_file(self, digest: FileDigest) -> EcertSummary | None:
        """The ecert whose sealed file has this digest."""
        ...

    def held_by(
        self, references: Sequence[HolderReference], *, type_code: str | None = None
    ) -> tuple[EcertSummary, ...]:
        """Effective ecerts of any of these holders, newest first."""
        ...

    def issued_by(self, issuer_codes: Sequence[str], *, limit: int = 100) -> tuple[EcertSummary, ...]:
        """Effective ecerts of these issuers, newest first."""
        ...

    def history(self, identifier: EcertIdentifier) -> tuple[StateEvent, ...]:
        """Every event of the ecert, oldest first."""
        ...

    def face(self, identifier: EcertIdentifier) -> Mapping[str, object]:
        """The face in clear."""
        ...

    def check_code(self, identifier: EcertIdentifier) -> str | None:
        """The check code in clear; None for stock."""
        ...

    def known_as_sealed(self, digest: FileDigest) -> bool:
        """Whether an intent or a seal use names this file."""
        ...

    def raise_alarm(self, *, kind: str, digest: FileDigest, signer: str, now: datetime) -> bool:
        """Record an alarm once for a file."""
        ...


class LeafBook(Protocol):
    """Leaves by ecert; `store.outbox.SqlOutbox`."""

    def leaves_of(self, subject: EcertIdentifier) -> tuple[LogLeaf, ...]:
        """Every leaf about one ecert, oldest first."""
        ...


class ProofSource(Protocol):
    """Inclusion proofs from the log."""

    def proof_text(self, leaf_entry: bytes) -> str:
        """A C2SP tlog-proof of the entry under the newest checkpoint.

        Raises:
            LogUnavailable: The log cannot be read.
            UnknownEcert: The entry is not in the log.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafProof:
    """What somebody needs to prove that an event was logged.

    Attributes:
        proof: C2SP tlog-proof text with the checkpoint; None while the leaf waits for the log.
    """

    kind: str
    sequence: int
    event: str
    salt: bytes
    leaf_entry: bytes
    leaf_index: int | None
    proof: str | None


@final
class Registry:
    """Questions about ecerts; holds no rights of its own, the callers' rooms decide who may ask.

    Args:
        mac: HMAC-SHA-256 under the check-code key.
    """

    def __init__(  # one argument a part that answers are made of
        self,
        *,
        ecerts: EcertBook,
        leaves: LeafBook,
        objects: ObjectStore,
        proofs: ProofSource,
        representation: Representation,
        checks: Checks,
        mac: Callable[[bytes], bytes],
    ) -> None:
        self._ecerts = ecerts
        self._leaves = leaves
        self._objects = objects
        self._proofs = proofs
        self._representation = representation
        self._checks = checks
        self._mac = mac

    def by_identifier(self, identifier: str, check_code: str) -> EcertSummary:
        """The ecert with this identifier and check code.

        A wrong code, a malformed code and an unknown identifier do the same work and give the same error.

        Raises:
            UnknownEcert: No effective ecert answers to the pair.
        """
        unverified_identifier = EcertIdentifier(identifier.strip()[:MAXIMUM_LENGTH])
        found = self._ecerts.find_with_code(unverified_identifier)
        code, well_formed = _NO_CODE, False
        with suppress(CatalogError):
            code, well_formed = parse_check_code(check_code), True
        stored = found[1] if found is not None else None
        offered = check_code_mac(code, identifier=unverified_identifier or _NOBODY, mac=self._mac)
        same = hmac.compare_digest(offered, stored if stored is not None else bytes(32))
        if found is None or stored is None or not well_formed or not same:
            raise UnknownEcert("没有查到相符的证照，请核对证照标识和查验码。")
        return _effective(found[0])

    def by_file_digest(self, digest: str) -> EcertSummary:
        """The ecert whose sealed file has this SHA-256 (hex).

        Raises:
            UnknownEcert: None, or its row is not effective.
        """
        return _effective(self._ecerts.find_by_file(FileDigest(digest.lower())))

    def find(self, identifier: str) -> EcertSummary:
        """The ecert with this identifier, for callers whose right does not rest on a check code.

        Raises:
            UnknownEcert: None, or its row is not effective.
        """
        return _effective(self._ecerts.find(EcertIdentifier(identifier)))

    def by_holder(
        self,
        holder_reference: HolderReference,
        *,
        now: datetime,
        with_represented: bool = True,
        type_code: str | None = None,
    ) -> tuple[EcertSummary, ...]:
        """Ecerts of a holder and, for a person, of the legal persons that they represent today."""
        return self._ecerts.held_by(
            self.references_of(holder_reference, now=now, with_represented=with_represented),
            type_code=type_code,
        )

    def references_of(
        self, holder_reference: HolderReference, *, now: datetime, with_represented: bool = True
    ) -> tuple[HolderReference, ...]:
        """The holder and whom they represent today."""
        if not with_represented:
            return (holder_reference,)
        represented = self._representation.represented_by(holder_reference, today=civil_date_at(now))
        return (holder_reference, *represented)

    def held_ecert(
        self, identifier: str, holder_reference: HolderReference, *, now: datetime
    ) -> EcertSummary:
        """The ecert, if this holder or somebody they represent holds it.

        Raises:
            UnknownEcert: It is not theirs, or does not exist: the same answer.
        """
        ecert = self._ecerts.find(EcertIdentifier(identifier))
        references = self.references_of(holder_reference, now=now)
        if ecert is None or not set(references) & set(ecert.holder_references):
            raise UnknownEcert("没有查到相符的证照。")
        return _effective(ecert)

    def issued_by(self, issuer_codes: Sequence[str], *, limit: int = 100) -> tuple[EcertSummary, ...]:
        """Effective ecerts of these issuers, newest first."""
        return self._ecerts.issued_by(issuer_codes, limit=limit)

    def state_at(self, identifier: str, at: datetime, *, known_at: datetime | None = None) -> StateAt:
        """The state at an instant, from history ("was it valid on day T?").

        Raises:
            UnknownEcert: No effective ecert has this identifier.
        """
        ecert = self.find(identifier)
        state = state_at(
            self._ecerts.history(ecert.identifier),
            valid_from=ecert.valid_from,
            valid_until=ecert.valid_until,
            at=at,
            known_at=known_at,
        )
        return replace(state, replaced_by=ecert.replaced_by, frozen=ecert.frozen)

    def history_of(self, identifier: str) -> tuple[StateEvent, ...]:
        """Every event, oldest first.

        Raises:
            UnknownEcert: No effective ecert has this identifier.
        """
        return self._ecerts.history(self.find(identifier).identifier)

    def face_of(self, identifier: str) -> Mapping[str, object]:
        """The face in clear; for comparing, and for the holder's own pages.

        Raises:
            UnknownEcert: No effective ecert has this identifier.
        """
        return self._ecerts.face(self.find(identifier).identifier)

    def check_code_of(self, identifier: str) -> str | None:
        """The check code in clear, for the holder's own pages; None for stock.

        Raises:
            UnknownEcert: No effective ecert has this identifier.
        """
        return self._ecerts.check_code(self.find(identifier).identifier)

    def file_of(self, identifier: str) -> bytes:
        """The sealed PDF.

        Raises:
            UnknownEcert: No effective ecert has this identifier.
            ObjectMissing: It has no file (unsealed stock), or the file is damaged.
        """
        ecert = self.find(identifier)
        if ecert.file_digest is None:
            raise ObjectMissing("这份存量证照没有电子文件。")
        return self._objects.get(ecert.file_digest)

    def twin_of(self, identifier: str) -> bytes:
        """`ecert.json` as attached to the PDF.

        Raises:
            UnknownEcert: No effective ecert has this identifier.
            ObjectMissing: It has none, or it is damaged.
        """
        ecert = self.find(identifier)
        if ecert.twin_digest is None:
            raise ObjectMissing("这份存量证照没有数据文件。")
        return self._objects.get(ecert.twin_digest)

    def log_proof(self, identifier: str) -> tuple[LeafProof, ...]:
        """A proof for each event of the ecert, oldest first: issue or registration, then state changes.

        Raises:
            UnknownEcert: No effective ecert has this identifier.
            LogUnavailable: The log cannot be read.
        """
        return tuple(
            LeafProof(
                kind=leaf.kind,
                sequence=leaf.sequence,
                event=leaf.event,
                salt=leaf.salt,
                leaf_entry=leaf.leaf_entry,
                leaf_index=leaf.leaf_index,
                proof=None if leaf.leaf_index is None else self._proofs.proof_text(leaf.leaf_entry),
            )
            for leaf in self._leaves.leaves_of(self.find(identifier).identifier)
        )

    def alarm_unknown_sealed(self, digest: str, *, signer: str, now: datetime) -> bool:
        """Record that a file sealed by our keys is not in the registry; True when the alarm is new.

        A file that an intent or a seal use names is no alarm (it was sealed here and is not yet effective,
        or was discarded), but it is not valid either.
        """
        if self._ecerts.known_as_sealed(FileDigest(digest)):
            return False
        return self._ecerts.raise_alarm(
            kind="sealed-but-unknown", digest=FileDigest(digest), signer=signer, now=now
        )

    def checks_of(self, identifier: str) -> tuple[CheckRecord, ...]:
        """Who checked this ecert, newest first.

        Raises:
            UnknownEcert: No effective ecert has this identifier.
        """
        return self._checks.checks_of(self.find(identifier).identifier)


def _effective(ecert: EcertSummary | None) -> EcertSummary:
    if ecert is None or ecert.registration is not Registration.EFFECTIVE:
        raise UnknownEcert("没有查到相符的证照，请核对证照标识和查验码。")
    return ecert
