"""Every refusal of the registry core: one leaf per decision that a caller makes, each with a stable code.

Messages are sentences for the person who caused the error; they never hold an ID number or a face value.
Rooms below (`catalog`, `signing`, `organisations`, …) have their own bases; `problems.py` lists them all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class RegistryError(Exception):
    """Base of the registry core's errors; `code` is stable and safe to show."""

    code: ClassVar[str] = "registry-error"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class ConfigurationError(RegistryError):
    """A setting is missing or wrong; the sentence says which and what to do."""

    code = "configuration"


# ── issuing ──────────────────────────────────────────────────────────────────────────────────────────────


class NotAuthorised(RegistryError):
    """The actor holds no right for this act on this type in this subtree."""

    code = "not-authorised"

    def __init__(self, sentence: str, *, reason: str = "") -> None:
        super().__init__(sentence)
        self.reason = reason  # stable code of the rule that refuses, from the organisations room


class SamePerson(NotAuthorised):
    """制证人 and 签发人 are one person; issuing needs two."""

    code = "same-person"


class SealNotUsable(RegistryError):
    """No active seal of the issuer covers this type."""

    code = "seal-not-usable"


class UnknownCertificateType(RegistryError):
    """No certificate type has this code or slug."""

    code = "unknown-type"


class DraftRefused(RegistryError):
    """The draft breaks rules; `findings` names each broken rule once, never a value."""

    code = "draft-refused"

    def __init__(self, sentence: str, *, findings: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(sentence)
        self.findings = tuple(findings)


class UnprintableCharacter(DraftRefused):
    """A character of the face is in none of the fonts."""

    code = "character-without-glyph"


class IdempotencyConflict(RegistryError):
    """The same case, type and item were already issued with other content."""

    code = "idempotency-conflict"


class DraftStateConflict(RegistryError):
    """The draft is not in the state that this act needs."""

    code = "draft-state"


class UnknownDraft(RegistryError):
    """No draft has this id, or the asker may not see it."""

    code = "unknown-draft"


class UnknownIssuance(RegistryError):
    """No issuance has this id for this client."""

    code = "unknown-issuance"


class SealedFileRejected(RegistryError):
    """The file that came back from sealing did not pass the independent check; nothing was registered."""

    code = "sealed-file-rejected"


class TokenBusyOrGone(RegistryError):
    """The cryptographic token, time stamp or revocation service did not answer; the intent waits."""

    code = "sealing-unavailable"


# ── registry, life cycle, delivery ───────────────────────────────────────────────────────────────────────


class UnknownEcert(RegistryError):
    """No ecert answers to this; a wrong check code gives exactly this too."""

    code = "unknown-ecert"


class LevelNotProved(RegistryError):
    """The holder's real name is proved at a lower level than this type demands of whoever sees it.

    Attributes:
        required: the level demanded, such as `RN3`.
    """

    code = "level-not-proved"

    def __init__(self, sentence: str, *, required: str) -> None:
        super().__init__(sentence)
        self.required = required


class TransitionRefused(RegistryError):
    """The type's status rule does not allow this operation from the present state."""

    code = "transition-refused"


class ReplacementRefused(TransitionRefused):
    """What an order replaces was decided about in the meantime; the order's case ended without an ecert."""

    code = "replacement-refused"
    SENTENCE: ClassVar[str] = "被替换的证照在办理期间已不能换发，本次制证终止；需要换发的，请另立办件。"

    def __init__(self) -> None:
        super().__init__(self.SENTENCE)


class StateChangeConflict(RegistryError):
    """Another state change came first; look again before deciding."""

    code = "state-change-conflict"


class TicketRefused(RegistryError):
    """The download ticket is unknown, used or expired."""

    code = "ticket-refused"


class CheckIncomplete(RegistryError):
    """A check must say who asks, for what purpose, which service item and which case."""

    code = "check-incomplete"


# ── storage ──────────────────────────────────────────────────────────────────────────────────────────────


class StoreUnavailable(RegistryError):
    """The database or the object store did not answer; nothing was changed."""

    code = "store-unavailable"


class ObjectMissing(RegistryError):
    """A stored file is not there or no longer matches its digest."""

    code = "object-missing"


class LogUnavailable(RegistryError):
    """The transparency log could not be written; the leaf stays in the outbox."""

    code = "log-unavailable"


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────


class RequestMalformed(RegistryError):
    """The request does not follow its schema; `findings` names each field."""

    code = "request-malformed"

    def __init__(self, sentence: str, *, findings: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(sentence)
        self.findings = tuple(findings)


class NotSignedIn(RegistryError):
    """The request carries no acceptable access token."""

    code = "token-refused"


class ScopeMissing(RegistryError):
    """The token is good but does not carry the scope of this operation."""

    code = "scope-missing"
