"""What a person typed, parsed: the claim, or a sentence for each field that is wrong."""

from datetime import datetime

from idp.civil_time import civil_day
from idp.errors import MalformedMobile
from idp.identity.citizen_number import parse_citizen_number
from idp.identity.errors import MalformedName, MalformedNumber
from idp.identity.person_name import normalise_name
from idp.mobile_number import parse_mobile_number
from idp.proofing import ClaimedIdentity
from idp.store.visits import Typed
from idp.strong_proof import UnheldClaim


def claimed_of(typed: Typed, *, now: datetime) -> tuple[ClaimedIdentity | None, dict[str, str]]:
    """What was typed, parsed; or a sentence for each field that is wrong."""
    person, errors = person_of(typed, now=now)
    mobile = None
    try:
        mobile = parse_mobile_number(typed.mobile)
    except MalformedMobile as error:
        errors["mobile"] = str(error)
    if person is None or mobile is None:
        return None, errors
    return ClaimedIdentity(name=person.name, number=person.number, mobile=mobile), {}


def person_of(typed: Typed, *, now: datetime) -> tuple[UnheldClaim | None, dict[str, str]]:
    """Name and number, parsed; or a sentence for each that is wrong."""
    errors: dict[str, str] = {}
    name = number = None
    try:
        name = normalise_name(typed.name)
    except MalformedName as error:
        errors["name"] = str(error)
    try:
        number = parse_citizen_number(typed.number, today=civil_day(now))
    except MalformedNumber as error:
        errors["number"] = str(error)
    if name is None or number is None:
        return None, errors
    return UnheldClaim(name=name, number=number), {}
