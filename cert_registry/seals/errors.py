"""What the seals room refuses; messages are sentences without personal data."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence


class SealsError(Exception):
    """Base of the seals room's errors."""

    code: ClassVar[str] = "seals-error"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class UnknownSeal(SealsError):
    """No seal has this id, or the asker may not see it: one answer."""

    code = "unknown-seal"


class SealRightMissing(SealsError):
    """The actor holds no role for this act that reaches the seal's department."""

    code = "seal-right-missing"


class TwoPersonsNeeded(SealsError):
    """The act needs somebody else: applicant and both approvers are three different persons."""

    code = "seal-two-persons"


class SealStateConflict(SealsError):
    """The seal's present state does not allow this act, or somebody else acted first."""

    code = "seal-state"


class ApplicationRefused(SealsError):
    """An application or a reason breaks rules; `findings` names each field once."""

    code = "seal-application-refused"

    def __init__(self, sentence: str, *, findings: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(sentence)
        self.findings = tuple(findings)


class ImageRefused(ApplicationRefused):
    """The picture of a seal is not what may stand on documents."""

    code = "seal-image-refused"


class SealUnusable(SealsError):
    """The seal may not seal this now: `reason` says which rule (state, dates, type, limit)."""

    code = "seal-unusable"

    def __init__(self, sentence: str, *, reason: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class SealKeyUnavailable(SealsError):
    """Token, certification authority or revocation register did not answer; the seal's state says what is left."""

    code = "seal-key-unavailable"


class SealCertificateRefused(SealsError):
    """A signing certificate does not fit the seal's key, name, usage, time or chain."""

    code = "seal-certificate-refused"
