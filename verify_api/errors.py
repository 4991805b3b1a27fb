"""What can go wrong in a check, one leaf for each decision that a caller makes.

A forged or revoked certificate is an answer, never an error (``docs/architecture.md``).
"""

from __future__ import annotations


class CheckError(Exception):
    """Base of the verify room's errors.

    Attributes:
        code: Stable word for machines.
        sentence: Plain sentence for the person who asked.
    """

    code = "check-failed"

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class QuestionRefused(CheckError):
    """The question is malformed: the caller changes it and asks again."""

    code = "question-refused"


class DocumentTooLarge(QuestionRefused):
    """The document is over the size that is taken: the caller sends its digest instead."""

    code = "document-too-large"


class QrRefused(QuestionRefused):
    """The QR text is not one of ours, or its signature does not hold."""

    code = "qr-refused"


class NotEntitled(CheckError):
    """The department has no right to this operation on this certificate type."""

    code = "not-entitled"


class ProbingSuspected(CheckError):
    """Too many wrong comparisons of one certificate: the caller waits until tomorrow or comes in person."""

    code = "probing-suspected"


class TooManyQuestions(CheckError):
    """The address asks faster than a person does: the caller waits.

    Attributes:
        retry_after_s: Seconds until the next question is taken.
    """

    code = "too-many-questions"

    def __init__(self, sentence: str, *, retry_after_s: int) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class PartUnavailable(CheckError):
    """A part that an honest answer needs (registry, log, receipt key) does not answer: try again later."""

    code = "part-unavailable"
