"""What the use cases need from outside, as Protocols; `composition.py` wires the adapters.

Every write that `issuance.issue` relies on is one method here, so that a test can break each of them once
before it landed and once after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime

    from cert_registry.issuance_forms import (
        CheckedDraft,
        Intent,
        IntentSecrets,
        PreparedEcert,
        PrintedPage,
        RegisteredEcert,
        RenderedIntent,
        Reservation,
        SealedFile,
        SealedIntent,
        SealGrant,
        SealPlace,
    )
    from cert_registry.types import (
        DepartmentCode,
        EcertIdentifier,
        EcertState,
        FileDigest,
        Holder,
        IssueOrder,
        LogLeaf,
        StateOperation,
    )
    from idp.identity.holder import HolderReference


class DataCipher(Protocol):
    """Encrypts what is kept at rest; keys are wrapped by the token."""

    def encrypt(self, plaintext: bytes, *, associated_data: bytes) -> bytes:
        """Ciphertext that only opens with the same associated data."""
        ...

    def decrypt(self, ciphertext: bytes, *, associated_data: bytes) -> bytes:
        """The plaintext.

        Raises:
            ObjectMissing: Damaged, or bound to other associated data.
        """
        ...


class ObjectStore(Protocol):
    """Files by digest, encrypted at rest."""

    def put(self, content: bytes, *, media_type: str, now: datetime) -> FileDigest:
        """Keep a file; durable when this returns; the same content twice is one object."""
        ...

    def put_all(self, files: Sequence[tuple[bytes, str]], *, now: datetime) -> tuple[FileDigest, ...]:
        """Keep files (content and media type), all durable when this returns; digests in the order given."""
        ...

    def get(self, digest: FileDigest) -> bytes:
        """The file's bytes, their digest checked.

        Raises:
            ObjectMissing: Not there, damaged, or no longer that content.
        """
        ...


class WriteGroups(Protocol):
    """Lets many writes of one thread become one commit: the database."""

    def together(self) -> AbstractContextManager[None]:
        """What is written inside is durable as a whole when the block ends, and nothing when it raises.

        Raises:
            StoreUnavailable: The commit was not taken; nothing was written.
        """
        ...


class IssuingAuthority(Protocol):
    """Who may issue what: the organisations room."""

    def authorise(self, order: IssueOrder, *, now: datetime) -> None:
        """Evidence that the actors of the order hold their rights now.

        Raises:
            NotAuthorised: A right is missing, ended, or in another subtree.
            SamePerson: Drafter and signer are one person.
        """
        ...

    def seal_for(self, order: IssueOrder, *, now: datetime, taking: bool = False) -> SealGrant:
        """The active seal of the issuer for this type.

        Args:
            order: Its issuer and type are asked for.
            now: The instant of the act.
            taking: A use is taken next, and that looks at the usage limit.

        Raises:
            SealNotUsable: None is active.
        """
        ...

    def department_name(self, code: DepartmentCode) -> str:
        """The department's name on documents."""
        ...


class DraftChecker(Protocol):
    """Catalogue and lints: from an order to a checked draft."""

    def check(self, order: IssueOrder, *, now: datetime) -> CheckedDraft:
        """The draft with its face checked and every lint passed.

        Raises:
            UnknownCertificateType: No such type.
            DraftRefused: Fields or lints; all findings at once.
        """
        ...

    def number(self, order: IssueOrder, *, now: datetime) -> None:
        """Give the case its running number, where its type makes one; `check` finds it again.

        Raises:
            UnknownCertificateType: No such type.
        """
        ...


class SecretSource(Protocol):
    """Random values of one issue."""

    def draw(self, identifier: EcertIdentifier) -> IntentSecrets:
        """A fresh check code with its MAC, and a fresh salt."""
        ...


class IntentBook(Protocol):
    """Durable record of every intent and how far it came.

    Each `record…`, `register`, `make_effective` and `deliver` is one transaction, done at most once for an
    intent: whoever comes second gets what the first recorded.
    """

    def reserve(self, order: IssueOrder, *, now: datetime) -> Reservation:
        """The reservation of the order's key, made now or found.

        Raises:
            TransitionRefused: What the order replaces is being replaced in another case.
            ReplacementRefused: The case ended without an ecert.
        """
        ...

    def store(
        self, reservation: Reservation, draft: CheckedDraft, secrets: IntentSecrets, *, now: datetime
    ) -> Intent:
        """Bind the reservation to its content, once.

        Raises:
            IdempotencyConflict: It is bound to other content.
        """
        ...

    def rendered(self, intent: Intent) -> RenderedIntent | None:
        """What step 5 recorded."""
        ...

    def record_rendered(
        self, intent: Intent, *, page_digest: FileDigest, twin_digest: FileDigest, seal_place: SealPlace
    ) -> RenderedIntent:
        """Record page and twin."""
        ...

    def release(self, intent: Intent) -> None:
        """Take the content off an intent of which no page was recorded: it is only reserved again."""
        ...

    def record_seal_use(self, rendered: RenderedIntent, grant: SealGrant, *, now: datetime) -> int:
        """Look at the seal once more, count the document, record the use; returns the use's number.

        Raises:
            SealNotUsable: The seal was stopped since, does not fit, or has reached its limit.
        """
        ...

    def require_seal(self, grant: SealGrant, *, now: datetime) -> None:
        """Evidence that a seal whose use was counted may still be used at this moment.

        Raises:
            SealNotUsable: It was stopped since.
        """
        ...

    def withdraw_seal_use(self, rendered: RenderedIntent, grant: SealGrant, use: int) -> None:
        """Take back a use that was counted for a group and did not come to a signature."""
        ...

    def progress(
        self, intents: Sequence[Intent]
    ) -> tuple[tuple[RenderedIntent | None, SealedIntent | None], ...]:
        """What steps 5 and 7 recorded of each."""
        ...

    def sealed(self, rendered: RenderedIntent) -> SealedIntent | None:
        """What step 7 recorded."""
        ...

    def record_sealed(
        self, rendered: RenderedIntent, *, file_digest: FileDigest, level: str, grant: SealGrant, use: int
    ) -> SealedIntent:
        """Record the sealed file."""
        ...


class ReplacementRules(Protocol):
    """What the type's data says of replacing."""

    def allows(self, type_code: str, operation: StateOperation, *, state: EcertState) -> bool:
        """Whether the operation is possible from this state."""
        ...

    def legal_basis(self, type_code: str, operation: StateOperation) -> str:
        """The usual legal bases of the operation."""
        ...


class ActingDepartments(Protocol):
    """In whose name an order's actors act."""

    def acting_department(self, order: IssueOrder, *, now: datetime) -> DepartmentCode:
        """The department of the system, or of the signer, which may stand above the issuer."""
        ...


class ReplacementBook(Protocol):
    """What an order replaces; an order that replaces nothing passes."""

    def require_open(
        self, order: IssueOrder, *, holders: Sequence[Holder] | None = None, now: datetime
    ) -> None:
        """Evidence that what the order replaces may be replaced by it; or was, by this very order.

        Args:
            order: Names the ecert that it replaces.
            holders: The new holders, once the face is checked.
            now: The instant of the act.

        Raises:
            NotAuthorised: It is not there, of another issuer, or of another type: one answer.
            TransitionRefused: Its state does not allow it, or it has other holders.
        """
        ...

    def refuse(self, intent: Intent, *, now: datetime) -> None:
        """End an intent whose replacement cannot be; final."""
        ...


class RegistrationBook(Protocol):
    """The registry's side of issuing: rows, leaves, delivery (steps 8 to 10).

    Each method raises `ReplacementRefused` when the intent ended because what it replaces was decided about.
    """

    def registered(self, sealed: SealedIntent) -> RegisteredEcert | None:
        """What step 8 recorded."""
        ...

    def prepare(self, sealed: SealedIntent, *, now: datetime) -> PreparedEcert:
        """What step 8 writes, made before its transaction: this asks the token.

        Raises:
            TokenBusyOrGone: The token does not answer.
        """
        ...

    def register(
        self, sealed: SealedIntent, *, now: datetime, prepared: PreparedEcert | None = None
    ) -> RegisteredEcert:
        """In one transaction: the ecert's row `pending`, its holders, its first event, its leaf."""
        ...

    def make_effective(self, registered: RegisteredEcert, *, leaf_index: int, now: datetime) -> None:
        """The row `effective`, the leaf sequenced; a replaced version is closed."""
        ...

    def deliver(self, registered: RegisteredEcert, *, now: datetime) -> bool:
        """Notices for the holders and the intent `delivered`; False when that was done before."""
        ...


class Press(Protocol):
    """Twin, QR and page: from an intent to the PDF that will be sealed."""

    def print_intent(self, intent: Intent) -> PrintedPage:
        """The page (PDF, unsealed) and its twin.

        Raises:
            UnprintableCharacter: A character has no glyph.
            TokenBusyOrGone: The QR could not be signed.
        """
        ...

    def preview(self, draft: CheckedDraft, *, now: datetime) -> bytes:
        """The page with a 预览 mark; it can never become an ecert.

        Raises:
            UnprintableCharacter: A character has no glyph.
        """
        ...


class SealDesk(Protocol):
    """Applies seals; takes stored intents only."""

    def seal(self, rendered: RenderedIntent, grant: SealGrant, page: bytes, *, now: datetime) -> SealedFile:
        """The sealed PDF, not yet checked.

        Raises:
            TokenBusyOrGone: Token, time stamp or revocation service did not answer.
        """
        ...


class ReleaseCheck(Protocol):
    """The independent path over a sealed file."""

    def check(
        self, sealed: SealedFile, rendered: RenderedIntent, *, page: bytes, grant: SealGrant, now: datetime
    ) -> None:
        """Evidence that the file is whole, sealed by this seal, and holds the rendered page and nothing else.

        Raises:
            SealedFileRejected: It is not.
        """
        ...


class TransparencyLog(Protocol):
    """The log of tiles, as the outbox uses it."""

    def sequence(self, leaf_entries: tuple[bytes, ...]) -> tuple[int, ...]:
        """Append each entry once, sign a checkpoint, return their indexes in order.

        Raises:
            LogUnavailable: Nothing or a part was appended; calling again is right.
        """
        ...


class Outbox(Protocol):
    """Leaves that wait for the log."""

    def waiting(self, limit: int) -> tuple[LogLeaf, ...]:
        """Leaves without an index, oldest first."""
        ...

    def mark_sequenced(self, indexes: Mapping[int, int], *, now: datetime) -> None:
        """Record the index of each leaf by its id."""
        ...


class HolderIndex(Protocol):
    """From a holder to the reference that the registry keeps."""

    def reference(self, holder: Holder) -> HolderReference:
        """The keyed reference; the number is not kept."""
        ...


class TermSource(Protocol):
    """From a face to the keyed terms that its ecert is found by: `ecert_search.SearchTerms`."""

    def terms_of(self, *, issuer_code: str, type_code: str, face: Mapping[str, object]) -> tuple[bytes, ...]:
        """Every term that an ecert can be found by.

        Raises:
            TokenBusyOrGone: A key was due and the token does not answer.
        """
        ...


class Representation(Protocol):
    """For whom a person may act: the legal-person room."""

    def represented_by(self, person: HolderReference, *, today: date) -> tuple[HolderReference, ...]:
        """Legal persons that this person represents on that day."""
        ...


class StateLeafWriter(Protocol):
    """Pushes waiting leaves to the log; a failure leaves them waiting."""

    def push(self, *, now: datetime) -> int:
        """How many leaves were sequenced."""
        ...
