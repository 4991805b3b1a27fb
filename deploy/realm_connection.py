"""The only door to Keycloak's admin interface: python-keycloak's connection, with typed errors and paths of one realm."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from keycloak import KeycloakOpenIDConnection
from keycloak.exceptions import KeycloakError

from deploy.configuration import Configuration
from deploy.errors import DeployError


class KeycloakUnreachable(DeployError):
    """Keycloak's admin interface does not answer, or does not know our service account."""

    code = "keycloak-unreachable"


class KeycloakRefused(DeployError):
    """Keycloak refused a request that realm-config/ led to.

    Attributes:
        status: HTTP status of the answer.
    """

    code = "keycloak-refused"

    def __init__(self, sentence: str, *, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One path of the realm: a collection or an item of it."""

    connection: "RealmConnection"
    steps: tuple[str, ...]

    def __truediv__(self, step: str) -> "Place":
        return Place(connection=self.connection, steps=(*self.steps, step))

    def get(self) -> Any:
        """The JSON here, or None."""
        return self.connection.get(*self.steps)

    def named(self) -> dict[str, Any]:
        """The collection here by the names of its items."""
        return {item["name"]: item for item in self.get() or []}

    def post(self, body: Any) -> None:
        """Creates an item."""
        self.connection.post(*self.steps, body=body)

    def put(self, body: Any = None) -> None:
        """Replaces the item."""
        self.connection.put(*self.steps, body=body)

    def delete(self, body: Any = None) -> None:
        """Removes the item, or the listed ones of the collection."""
        self.connection.delete(*self.steps, body=body)


class RealmConnection:
    """Requests below `/admin/realms`, as the service account of the realm master."""

    def __init__(self, configuration: Configuration) -> None:
        keycloak = configuration.keycloak
        self.realm = keycloak.realm
        self._http = KeycloakOpenIDConnection(
            server_url=keycloak.internal_url,
            realm_name="master",
            user_realm_name="master",
            client_id=keycloak.admin_client_id,
            client_secret_key=keycloak.admin_secret_file.read_text(encoding="utf-8").strip(),
            timeout=30,
        )

    def get(self, *steps: str, **query: str) -> Any:
        """The JSON at a path of the realm, or None when there is nothing."""
        return self._ask("GET", self._path(steps), None, query)

    def post(self, *steps: str, body: Any) -> None:
        """Creates."""
        self._ask("POST", self._path(steps), body, {})

    def put(self, *steps: str, body: Any = None) -> None:
        """Replaces."""
        self._ask("PUT", self._path(steps), body, {})

    def delete(self, *steps: str, body: Any = None) -> None:
        """Removes."""
        self._ask("DELETE", self._path(steps), body, {})

    def at(self, *steps: str) -> "Place":
        """A path of the realm, to be passed around."""
        return Place(connection=self, steps=steps)

    def create_realm(self, representation: dict[str, Any]) -> None:
        """Creates the realm itself, whose scopes and roles our service account then also holds."""
        self._ask("POST", "admin/realms", representation, {})
        self._http.get_token()  # the rights over the new realm are in new tokens only

    def _path(self, steps: tuple[str, ...]) -> str:
        return "/".join(["admin/realms", quote(self.realm, safe=""), *(quote(s, safe="") for s in steps)])

    def _ask(self, method: str, path: str, body: Any, query: dict[str, str]) -> Any:
        try:
            match method:
                case "GET":
                    response = self._http.raw_get(path, **query)
                case "POST":
                    response = self._http.raw_post(path, data=json.dumps(body))
                case "PUT":
                    response = self._http.raw_put(path, data=json.dumps(body))
                case _:
                    response = self._http.raw_delete(path, data=json.dumps(body))
        except KeycloakError as error:
            raise KeycloakUnreachable(
                f"Keycloak's admin interface does not answer ({error}): see its log, then run ./longzheng up."
            ) from error
        if method == "GET" and response.status_code == 404:
            return None
        if response.status_code >= 400:
            raise KeycloakRefused(
                f"Keycloak refused {method} {path} with {response.status_code}: {response.text[:300]}",
                status=response.status_code,
            )
        return response.json() if method == "GET" else None
