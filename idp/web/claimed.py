"""What a person typed, parsed: the claim, or a sentence for each field that is wrong."""

from datetime import datetime, timedelta, timezone
from typing import Final

from idp.errors import MalformedMobile
from idp.identity.citizen_number import parse_citizen_number
from idp.identity.errors import MalformedName, MalformedNumber
from idp.identity.person_name import normalise_name
from idp.mobile_number import parse_mobile_number
from idp.proofing import ClaimedIdentity
from idp.store.visits import Typed

BEIJING: Final = timezone(timedelta(hours=8))


def claimed_of(typed: Typed, *, now: datetime) -> tuple[ClaimedIdentity | None, dict[str, str]]:
    """What was typed, parsed; or a sentence for each field that is wrong."""
    errors: dict[str, str] = {}
    name = number = mobile = None
    try:
        name = normalise_name(typed.name)
    except MalformedName as error:
        errors["name"] = str(error)
    try:
        number = parse_citizen_number(typed.number, today=now.astimezone(BEIJING).date())
    except MalformedNumber as error:
        errors["number"] = str(error)
    try:
        mobile = parse_mobile_number(typed.mobile)
    except MalformedMobile as error:
        errors["mobile"] = str(error)
    if name is None or number is None or mobile is None:
        return None, errors
    return ClaimedIdentity(name=name, number=number, mobile=mobile), {}
