"""Two scales that are never mixed: what was proved of a person, and how the person signed in."""

from __future__ import annotations

from enum import Enum


class RealnameLevel(Enum):
    """Identity assurance: what has been proved of a person.

    RN0 nothing; RN1 a mobile number; RN2 name, number and mobile number as one person's; RN3 RN2 and a
    document seen by an officer.
    """

    RN0 = "RN0"
    RN1 = "RN1"
    RN2 = "RN2"
    RN3 = "RN3"

    def meets(self, other: RealnameLevel) -> bool:
        """Whether this level is at least the other."""
        return self.value >= other.value


class AcrLevel(Enum):
    """Authentication strength, the `acr` of a token.

    loa1 a password; loa2 with a second factor; loa3 loa2 and a fresh real-name check.
    """

    LOA1 = "loa1"
    LOA2 = "loa2"
    LOA3 = "loa3"

    def meets(self, other: AcrLevel) -> bool:
        """Whether this level is at least the other."""
        return self.value >= other.value
