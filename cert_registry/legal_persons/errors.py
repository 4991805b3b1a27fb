"""What the legal-person room refuses."""

from typing import ClassVar


class LegalPersonsError(Exception):
    """Base of every error of the legal-person room; messages hold no number and no person's name."""

    code: ClassVar[str] = "legal-persons-error"


class UnknownLegalPerson(LegalPersonsError):
    """No legal person has this credit code."""

    code = "unknown-legal-person"


class LegalPersonRefused(LegalPersonsError):
    """An entry has a malformed code or number, or a kind or state that nobody knows.

    Attributes:
        reason: the rule broken, stable.
    """

    code = "legal-person-refused"

    def __init__(self, sentence: str, *, reason: str) -> None:
        """Keep the rule beside the sentence."""
        super().__init__(sentence)
        self.reason = reason
