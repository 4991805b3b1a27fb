"""What Keycloak is told of a person: a masked name, the proved level, never the number.

`preferred_username` is the mobile number, which Keycloak uses as the account's name and does not hand on
to sites. `verified_claims_str` repeats `verified_claims` as JSON text, since Keycloak stores attributes as text.

Source: OpenID Connect Core 1.0; OpenID Identity Assurance Schema Definition 1.0.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from idp.displacement import Evidence
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


def account_attributes(person: Person) -> dict[str, str]:
    """What Keycloak's mappers write of a proof into an account, by the names of its attributes."""
    claims = person_claims(person)
    return {
        "realname_ref": claims["realname_ref"],
        "realname_name": claims["name"],
        "realname_level": claims["realname_level"],
        "realname_verified_at": claims["verified_at"],
        "realname_verified_claims": claims["verified_claims_str"],
    }


def verified_claims(person: Person) -> dict[str, Any]:
    """What was verified and how: one piece of evidence for each thing that was really checked."""
    time = iso_time(person.verified_at)
    ordered = sorted(person.evidence, key=lambda one: one.strength)
    return {
        "verification": {
            "trust_framework": TRUST_FRAMEWORK,
            "assurance_level": person.level.value,
            "time": time,
            "evidence": [_evidence(one, time) for one in ordered],
        },
        "claims": {"name": mask_name(person.name)},
    }


def _evidence(evidence: Evidence, time: str) -> dict[str, Any]:
    """An element of `evidence`, with check methods of the schema's register.

    vpip: the document seen in person; pvp: the person compared with it in person; bvr: the face compared remotely;
    data: compared with a record.
    """
    if evidence is Evidence.DOCUMENT_AT_COUNTER:
        return {
            "type": "document",
            "check_details": [
                {"check_method": "vpip", "time": time},
                {"check_method": "pvp", "time": time},
            ],
            "document_details": {"type": "idcard"},
        }
    method, record = (
        ("bvr", "population_register_photo") if evidence is Evidence.FACE else ("data", evidence.value)
    )
    return {
        "type": "electronic_record",
        "check_details": [{"check_method": method, "time": time}],
        "record": {"type": record},
    }


def acr_of(proved_at: datetime, *, now: datetime) -> str | None:
    """`loa3` for a check made just now; an older one is no evidence of presence."""
    return AcrLevel.LOA3.value if timedelta() <= now - proved_at <= FRESH_FOR else None


def iso_time(moment: datetime) -> str:
    """ISO 8601 in UTC with a Z, whole seconds."""
    return moment.astimezone(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
