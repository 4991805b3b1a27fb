"""Keycloak's accounts over its admin interface, as the client `idp-accounts` with a key of its own.

The account of a link is found by the link itself, never by listing people. The token of a call lives a minute and
is asked for anew after each use of five.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import requests

from idp.errors import AccountsUnavailable
from idp.keycloak.client_key import ClientKey
from idp.store.acts import Act, ActKind

PROVIDER: Final = "realname"
SECOND_FACTORS: Final = frozenset({"otp", "webauthn", "webauthn-passwordless", "recovery-authn-codes"})
_TIMEOUT_S: Final = 10.0
_TOKEN_KEPT_S: Final = 40
_EVENTS: Final = 500
# Keycloak's names of events, and what they are here.
EVENT_KINDS: Final = {
    "CODE_TO_TOKEN": ActKind.SITE_SIGN_IN,
    "LOGIN": ActKind.SIGN_IN,
    "LOGIN_ERROR": ActKind.SIGN_IN_FAILED,
    "LOGOUT": ActKind.SIGNED_OUT,
    "UPDATE_CREDENTIAL": ActKind.FACTOR_CHANGED,
    "REMOVE_CREDENTIAL": ActKind.FACTOR_CHANGED,
    "GRANT_CONSENT": ActKind.CONSENT,
    "REVOKE_GRANT": ActKind.CONSENT_WITHDRAWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """Where Keycloak is, and who asks.

    Attributes:
        issuer: of the realm.
        internal_url: where this process reaches Keycloak.
        key_file: of `idp-accounts`.
    """

    issuer: str
    internal_url: str
    key_file: Path


class KeycloakAccounts:
    """An `AccountDirectory` at Keycloak's admin interface."""

    def __init__(
        self,
        settings: AccountSettings,
        *,
        claims_of: Callable[[str], Iterable[str]] = lambda _: (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Asks nothing yet.

        Args:
            settings: where Keycloak is.
            claims_of: which claims a client is told at a sign-in; Keycloak's events name scopes alone.
            monotonic: seconds.
        """
        self._claims_of = claims_of
        path = urlsplit(settings.issuer).path
        self._realm = path.rsplit("/", 1)[1]
        self._token_url = f"{settings.internal_url}{path}/protocol/openid-connect/token"
        self._admin_url = f"{settings.internal_url}/admin{path}"
        self._key = ClientKey("idp-accounts", settings.key_file, audience=settings.issuer)
        self._monotonic = monotonic
        self._token = ""
        self._token_until = 0.0

    def freeze(self, realname_ref: str) -> tuple[Act, ...]:
        """Disables and renames the account, ends its sessions, takes its link away; what it did at sites.

        The link goes last: as long as it is there, an order that was broken off finds the account again.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        user = self._user_of(realname_ref)
        if user is None:
            return ()
        acts = self.history(realname_ref)
        # The phone's number is free again for the account of whoever was proved.
        changed = user | {"enabled": False, "username": f"displaced-{user['id']}"}
        self._ask("PUT", f"/users/{user['id']}", changed)
        self._ask("POST", f"/users/{user['id']}/logout")
        self._ask("DELETE", f"/users/{user['id']}/federated-identity/{PROVIDER}")
        return acts

    def refresh(self, realname_ref: str, attributes: dict[str, str]) -> None:
        """Writes what the proof says into the account and ends its sessions.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        user = self._user_of(realname_ref)
        if user is None:
            return
        kept = {name: [value] for name, value in attributes.items()}
        changed = user | {"attributes": (user.get("attributes") or {}) | kept}
        self._ask("PUT", f"/users/{user['id']}", changed)
        self._ask("POST", f"/users/{user['id']}/logout")

    def reset_factors(self, realname_ref: str) -> None:
        """Takes the account's second factors away and ends its sessions.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        user = self._user_of(realname_ref)
        if user is None:
            return
        for credential in self._ask("GET", f"/users/{user['id']}/credentials"):
            if credential["type"] in SECOND_FACTORS:
                self._ask("DELETE", f"/users/{user['id']}/credentials/{credential['id']}")
        self._ask("POST", f"/users/{user['id']}/logout")

    def sign_out(self, realname_ref: str) -> None:
        """Ends all sessions of the account, at Keycloak and by its notices at every site.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        user = self._user_of(realname_ref)
        if user is not None:
            self._ask("POST", f"/users/{user['id']}/logout")

    def rename(self, realname_ref: str, username: str) -> None:
        """Gives the account another name, with which its person signs in from now on.

        Raises:
            AccountsUnavailable: no answer can be had, or another account took the name meanwhile.
        """
        user = self._user_of(realname_ref)
        if user is not None:
            self._ask("PUT", f"/users/{user['id']}", user | {"username": username})

    def name_is_free(self, username: str) -> bool:
        """Whether no account has this name.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        return not self._ask("GET", "/users", query={"username": username, "exact": "true"})

    def withdraw(self, realname_ref: str, client_id: str) -> None:
        """Revokes what was consented to for one site, and ends every session that reached it.

        Keycloak ends sessions whole: what else was opened in the same sign-in ends with it.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        user = self._user_of(realname_ref)
        if user is None:
            return
        consents = self._ask("GET", f"/users/{user['id']}/consents")
        if any(consent["clientId"] == client_id for consent in consents):
            self._ask("DELETE", f"/users/{user['id']}/consents/{quote(client_id, safe='')}")
        for session in self._ask("GET", f"/users/{user['id']}/sessions"):
            if client_id in (session.get("clients") or {}).values():
                self._ask("DELETE", f"/sessions/{session['id']}")

    def history(self, realname_ref: str) -> tuple[Act, ...]:
        """What Keycloak recorded of the account: sign-ins, failed ones, what sites were given, its factors.

        Raises:
            AccountsUnavailable: no answer can be had.
        """
        user = self._user_of(realname_ref)
        if user is None:
            return ()
        query = {"user": user["id"], "type": list(EVENT_KINDS), "max": str(_EVENTS)}
        return tuple(self._act(event) for event in self._ask("GET", "/events", query=query))

    def _act(self, event: Mapping[str, Any]) -> Act:
        kind, details = EVENT_KINDS[event["type"]], event.get("details") or {}
        of_a_factor = kind is ActKind.FACTOR_CHANGED
        subject = str((details.get("credential_type") if of_a_factor else event.get("clientId")) or "?")
        given = (
            (*str(details.get("scope") or "").split(), *self._claims_of(subject))
            if kind is ActKind.SITE_SIGN_IN
            else ()
        )
        return Act(
            kind=kind,
            subject=subject,
            at=datetime.fromtimestamp(event["time"] / 1000, UTC),
            source_id=event.get("id"),
            detail=" ".join(dict.fromkeys(given)),
        )

    def _user_of(self, realname_ref: str) -> dict[str, Any] | None:
        found = self._ask("GET", "/users", query={"idpAlias": PROVIDER, "idpUserId": realname_ref})
        if not found:
            return None
        user: dict[str, Any] = self._ask("GET", f"/users/{found[0]['id']}")
        return user

    def _ask(
        self, method: str, path: str, body: Any = None, *, query: Mapping[str, str | list[str]] | None = None
    ) -> Any:
        try:
            response = requests.request(
                method,
                f"{self._admin_url}{path}",
                params=query,
                json=body,
                headers={"Authorization": f"Bearer {self._access_token()}"},
                timeout=_TIMEOUT_S,
                allow_redirects=False,
            )
            if response.status_code >= 400 and not (method == "DELETE" and response.status_code == 404):
                raise AccountsUnavailable(
                    f"Keycloak 拒绝了 {method}（{response.status_code}）。",
                    code=f"keycloak-{response.status_code}",
                )
            return response.json() if method == "GET" else None
        except (requests.RequestException, ValueError) as error:
            self._token = ""
            raise AccountsUnavailable("统一身份认证暂时不能应答。", code="keycloak-unreachable") from error

    def _access_token(self) -> str:
        if not self._token or self._monotonic() >= self._token_until:
            answer = requests.post(
                self._token_url,
                data={"grant_type": "client_credentials", **self._key.assertion(now=datetime.now(UTC))},
                timeout=_TIMEOUT_S,
                allow_redirects=False,
            )
            if answer.status_code != 200:
                raise AccountsUnavailable("统一身份认证不认可本服务。", code=f"token-{answer.status_code}")
            self._token = str(answer.json()["access_token"])
            self._token_until = self._monotonic() + _TOKEN_KEPT_S
        return self._token
