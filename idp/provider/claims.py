"""What Keycloak is told of a person: a masked name, the proved level, never the number.

`preferred_username` is the mobile number, which Keycloak uses as the account's name and does not hand on
to sites. `verified_claims_str` repeats `verified_claims` as JSON text, since Keycloak stores attributes as text.

Source: OpenID Connect Core 1.0; OpenID Identity Assurance Schema Definition 1.0.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from idp.identity.assurance import AcrLevel
from idp.identity.masking import mask_name
from idp.store.persons import Person

TRUST_FRAMEWORK: Final = "cn_realname"
FRESH_FOR: Final = timedelta(minutes=10)


def person_claims(person: Person) -> dict[str, Any]:
    """Claims of a person, for the ID token and userinfo alike."""
    verified = verified_claims(person)
    return {
        "sub": person.realname_ref,
        "realname_ref": person.realname_ref,
        "name": mask_name(person.name),
        "preferred_username": person.mobile,
        "realname_level": person.level.value,
        "verified_at": iso_time(person.verified_at),
        "verified_claims": verified,
        "verified_claims_str": json.dumps(
            verified, ensure_ascii=False, separators=(",", ":"), sort_keys=True
        ),
    }


def verified_claims(person: Person) -> dict[str, Any]:
    """What was verified and how."""
    time = iso_time(person.verified_at)

    def electronic_record(record_type: str) -> dict[str, Any]:
        return {
            "type": "electronic_record",
            "check_details": [{"check_method": "data", "time": time}],
            "record": {"type": record_type},
        }

    return {
        "verification": {
            "trust_framework": TRUST_FRAMEWORK,
            "assurance_level": person.level.value,
            "time": time,
            "evidence": [
                electronic_record("population_register"),
                electronic_record("mobile_number_register"),
            ],
        },
        "claims": {"name": mask_name(person.name)},
    }


def acr_of(proved_at: datetime, *, now: datetime) -> str | None:
    """`loa3` for a check made just now; an older one is no evidence of presence."""
    return AcrLevel.LOA3.value if timedelta() <= now - proved_at <= FRESH_FOR else None


def iso_time(moment: datetime) -> str:
    """ISO 8601 in UTC with a Z, whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
