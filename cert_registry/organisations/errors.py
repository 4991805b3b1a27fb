"""What the organisations room refuses."""

from enum import Enum
from typing import ClassVar


class OrganisationsError(Exception):
    """Base of every error of the organisations room; messages are sentences without personal data."""

    code: ClassVar[str] = "organisations-error"


class Refusal(Enum):
    """Why an act is not allowed; the value is stable."""

    UNKNOWN_DEPARTMENT = "unknown-department"
    DEPARTMENT_NOT_IN_FORCE = "department-not-in-force"
    NOT_APPOINTED = "not-appointed"
    ROLE_MISSING = "role-missing"
    UNKNOWN_CLIENT = "unknown-client"
    RIGHT_MISSING = "right-missing"
    RIGHT_ENDED = "right-ended"
    OUTSIDE_SUBTREE = "outside-subtree"
    COMPARE_ONLY = "compare-only"
    FIELD_NOT_GRANTED = "field-not-granted"
    SAME_PERSON = "same-person"


class NotAuthorised(OrganisationsError):
    """The actor may not do this, in this department's name, to this type, on this day.

    Attributes:
        refusal: the rule that refuses.
        reason: its stable code.
    """

    code = "not-authorised"

    def __init__(self, sentence: str, *, refusal: Refusal) -> None:
        """Keep the refusal beside the sentence."""
        super().__init__(sentence)
        self.sentence = sentence
        self.refusal = refusal

    @property
    def reason(self) -> str:
        """The refusal's stable code."""
        return self.refusal.value


class UnknownOrganisation(OrganisationsError):
    """No department, appointment or right has this key."""

    code = "unknown-organisation"


class ChartRefused(OrganisationsError):
    """The description of departments, staff or rights contradicts itself."""

    code = "chart-refused"
