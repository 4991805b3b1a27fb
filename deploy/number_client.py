"""How a site with the legal right fetches an ID number: a token of its own, bound to a key of the moment, and one call."""

from __future__ import annotations

from dataclasses import dataclass

import requests
from joserfc.jwk import ECKey

from deploy.configuration import Configuration
from deploy.department_client import ASSERTION_TYPE, assertion, token_endpoint
from deploy.dpop import make_proof
from deploy.errors import PartUnhealthy
from idp.number_release import MACHINE_SUFFIX

_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedNumber:
    """What the real-name room told."""

    release_id: str
    name: str
    number: str

    def __repr__(self) -> str:
        return f"FetchedNumber({self.release_id!r})"


def own_token(configuration: Configuration, client_id: str, key: ECKey) -> str:
    """The site's own access token for the real-name room, bound to `key`.

    Raises:
        PartUnhealthy: Keycloak gave none.
    """
    address = token_endpoint(configuration)
    answer = requests.post(
        address,
        data={
            "grant_type": "client_credentials",
            "scope": "id-number",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion(configuration, f"{client_id}{MACHINE_SUFFIX}", key_of=client_id),
        },
        headers={"DPoP": make_proof(key, "POST", address)},
        timeout=_TIMEOUT_S,
    )
    if not answer.ok:
        raise PartUnhealthy(f"Keycloak gave {client_id} no token ({answer.status_code}).")
    return str(answer.json()["access_token"])


def ask_number(
    configuration: Configuration, client_id: str, person_token: str, purpose: str
) -> requests.Response:
    """The real-name room's answer to this site, about the person whose access token it holds."""
    key = ECKey.generate_key("P-256")
    token = own_token(configuration, client_id, key)
    address = f"{configuration.section('idp')['issuer']}/v1/id-number"
    return requests.post(
        address,
        data={"person_token": person_token, "purpose": purpose},
        headers={
            "Authorization": f"DPoP {token}",
            "DPoP": make_proof(key, "POST", address, access_token=token),
        },
        timeout=_TIMEOUT_S,
    )


def fetch_number(
    configuration: Configuration, client_id: str, person_token: str, purpose: str
) -> FetchedNumber | None:
    """The number, or None when it was not released."""
    answer = ask_number(configuration, client_id, person_token, purpose)
    if not answer.ok:
        return None
    body = answer.json()
    return FetchedNumber(release_id=body["release_id"], name=body["name"], number=body["number"])
