"""What an account's own person may do, and what an answer of the register means for it. Pure; takes `now`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from idp.identity.assurance import AcrLevel
from idp.ports import Comparison

# A second factor given this long ago stands for the person still being there.
FRESH: Final = timedelta(minutes=10)
# How often the register is asked again about everybody who was proved.
RECHECK_EVERY: Final = timedelta(days=30)
RECHECK_BATCH: Final = 50
# More deaths than these in one batch are believed to be a fault of the register, until an operator says otherwise.
PLAUSIBLE_DEATHS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Strength:
    """How the person of a session signed in; None: it was not said."""

    acr: AcrLevel | None
    signed_in_at: datetime | None


def holds_second_factor(strength: Strength, *, now: datetime) -> bool:
    """Whether a second factor was given just now: it stands for the old phone when that is lost."""
    if strength.acr is None or strength.signed_in_at is None:
        return False
    return strength.acr.meets(AcrLevel.LOA2) and now - strength.signed_in_at <= FRESH


class Verdict(Enum):
    """What a renewed comparison means for a link in force."""

    STANDS = "stands"
    NAME_DIFFERS = "name-differs"
    DECEASED = "deceased"
    UNKNOWN = "unknown"


_VERDICTS: Final = {
    Comparison.MATCH: Verdict.STANDS,
    # The proof was made with a valid document; that it ran out since takes nothing away from who the person is.
    Comparison.DOCUMENT_EXPIRED: Verdict.STANDS,
    Comparison.NAME_DIFFERS: Verdict.NAME_DIFFERS,
    Comparison.DECEASED_OR_CANCELLED: Verdict.DECEASED,
    # A number that was there and is gone is a fault of the register's feed before it is one of the person.
    Comparison.NO_SUCH_NUMBER: Verdict.UNKNOWN,
}


def verdict_of(comparison: Comparison) -> Verdict:
    """What a link's person is told, or what becomes of the link."""
    return _VERDICTS[comparison]


def deaths_are_plausible(deaths: int) -> bool:
    """Whether a batch's reports of death may be believed without asking anybody."""
    return deaths <= PLAUSIBLE_DEATHS
