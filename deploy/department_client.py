"""A department's system as a client: an assertion under its key, a token, a call. Also `./longzheng department`.

Source: RFC 7523, section 2.2; RFC 6749, section 4.4.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import Any

import requests
from authlib.oauth2.rfc7523 import private_key_jwt_sign
from joserfc.jwk import ECKey

from deploy.configuration import Configuration, load
from deploy.errors import BadUsage, DeployError, PartUnhealthy
from deploy.locations import state_directory

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TIMEOUT_S = 60


def assertion(configuration: Configuration, client_id: str, *, key_of: str | None = None) -> str:
    """A client assertion that lives a minute; `key_of` names the client whose key signs, when it is another one's.

    Raises:
        BadUsage: There is no such client.
    """
    key_file = configuration.client_key_file(key_of or client_id)
    if not key_file.exists():
        known = ", ".join(sorted(path.stem for path in configuration.client_keys_dir.glob("dept-*.pem")))
        raise BadUsage(f"There is no department client {client_id}; there are {known or 'none yet'}.")
    return str(
        private_key_jwt_sign(
            ECKey.import_key(key_file.read_text()),
            client_id=client_id,
            token_endpoint=token_endpoint(configuration),
            alg="ES256",
            expires_in=60,
        )
    )


def token_endpoint(configuration: Configuration) -> str:
    """Keycloak's token endpoint."""
    return f"{configuration.keycloak.issuer}/protocol/openid-connect/token"


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentClient:
    """One department's system.

    Attributes:
        scopes: Separated by spaces.
    """

    configuration: Configuration
    client_id: str
    scopes: str

    def token(self) -> str:
        """A fresh access token.

        Raises:
            PartUnhealthy: Keycloak gave none.
        """
        answer = requests.post(
            token_endpoint(self.configuration),
            data={
                "grant_type": "client_credentials",
                "scope": self.scopes,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion(self.configuration, self.client_id),
            },
            timeout=_TIMEOUT_S,
        )
        if not answer.ok:
            raise PartUnhealthy(f"Keycloak gave {self.client_id} no token ({answer.status_code}).")
        return str(answer.json()["access_token"])

    def post(self, path: str, **request: Any) -> requests.Response:
        """POST below `/api/v1` with a fresh token; `request` as for `requests.post`."""
        headers = {"Authorization": f"Bearer {self.token()}", **request.pop("headers", {})}
        return requests.post(
            f"{self.configuration.public_url}/api/v1{path}", headers=headers, timeout=_TIMEOUT_S, **request
        )


def main(argv: list[str]) -> int:
    """`./longzheng department assertion CLIENT`: an assertion for curl, on standard output."""
    parser = argparse.ArgumentParser(prog="longzheng department", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    asserting = commands.add_parser("assertion", help="print a client assertion that lives a minute")
    asserting.add_argument("client")
    arguments = parser.parse_args(argv)
    try:
        print(assertion(load(state_directory()), arguments.client))
    except DeployError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return 0
