"""Accounts of invented people, and a look behind the pages."""

import secrets
from dataclasses import dataclass
from typing import Any

from deploy.configuration import Configuration
from deploy.form_client import (
    Citizen,
    FormClient,
    Phone,
    enrol_phone,
    prove_by_name,
    set_first_password,
    sign_in_with_password,
)
from deploy.realm_connection import RealmConnection

PASSWORD = f"invented-{secrets.token_hex(8)}"  # new each time: old ones may not come back


class Administration:
    """Keycloak's admin interface, as the tests look behind the pages."""

    def __init__(self, system: Configuration) -> None:
        self.connection = RealmConnection(system)

    def user(self, username: str) -> dict[str, Any] | None:
        """An account by user name."""
        found = self.connection.get("users", username=username, exact="true")
        return self.connection.get("users", found[0]["id"]) if found else None

    def start_over(self, user_id: str, password: str) -> None:
        """A new password, no second factor, no locks."""
        self.forget_phone(user_id)
        body = {"type": "password", "value": password, "temporary": False}
        self.connection.put("users", user_id, "reset-password", body=body)
        self.forget_failures(user_id)

    def forget_failures(self, user_id: str) -> None:
        """Takes away what Keycloak counts against an account: two refusals at once lock it for a minute."""
        self.connection.delete("attack-detection", "brute-force", "users", user_id)

    def forget_phone(self, user_id: str) -> None:
        """Takes the second factor away."""
        for credential in self.connection.get("users", user_id, "credentials"):
            if credential["type"] == "otp":
                self.connection.delete("users", user_id, "credentials", credential["id"])

    def links(self, user_id: str) -> set[str]:
        """Aliases of the providers that an account is linked to."""
        return {
            link["identityProvider"] for link in self.connection.get("users", user_id, "federated-identity")
        }


@dataclass(slots=True, kw_only=True)
class Account:
    """An account that a test may sign in to."""

    citizen: Citizen
    password: str
    phone: Phone


class Accounts:
    """Accounts made by real name when first asked for; one made by an earlier run is taken over at the counter.

    The administrator sets the password anew and takes the old phone away, as a counter would.
    """

    def __init__(self, system: Configuration, people: dict[str, Citizen], admin: Administration) -> None:
        self._system, self._people, self._admin = system, people, admin
        self._made: dict[str, Account] = {}

    def of(self, name: str) -> Account:
        """The account of an invented person, with a phone that has codes to give (waiting for new ones takes 30 s)."""
        if name not in self._made:
            self._made[name] = self._make(self._people[name])
        account = self._made[name]
        user = self._admin.user(account.citizen.mobile)
        assert user is not None
        self._admin.forget_failures(user["id"])  # of a test before, such as coming back as this person
        if len(account.phone.unused_steps()) < 2:
            self.change_phone(account)
        return account

    def change_phone(self, account: Account) -> None:
        """Takes the phone away and enrols a new one."""
        user = self._admin.user(account.citizen.mobile)
        assert user is not None
        self._admin.forget_phone(user["id"])
        client = FormClient()
        client.open(f"{self._system.sites['site-a'].url}/sign-in?action=totp")
        sign_in_with_password(client, account.citizen.mobile, account.password)
        account.phone = enrol_after_proof(client, self._system, account.citizen)

    def _make(self, citizen: Citizen) -> Account:
        site = self._system.sites["site-a"].url
        client = FormClient()
        user = self._admin.user(citizen.mobile)
        client.open(f"{site}/sign-in")
        if user is None:
            client.follow("实名认证登录")
            prove_by_name(client, self._system.public_url, citizen)
            client.follow("继续")
            set_first_password(client, PASSWORD)
        else:
            self._admin.start_over(user["id"], PASSWORD)
            sign_in_with_password(client, citizen.mobile, PASSWORD)
        client.open(f"{site}/sign-in?action=totp")
        phone = enrol_after_proof(client, self._system, citizen)
        return Account(citizen=citizen, password=PASSWORD, phone=phone)


def enrol_after_proof(client: FormClient, system: Configuration, citizen: Citizen) -> Phone:
    """Sets up a phone, through the real-name check that Keycloak leads to when the last one is not fresh."""
    if client.page.has_field("number"):
        prove_by_name(client, system.public_url, citizen)
        client.follow("继续")
    return enrol_phone(client)


def location_after(client: FormClient, values: dict[str, str]) -> str:
    """Fills the open form and catches the redirect that answers, before the site behind it uses the code up."""
    form = client.page.form_with(*values)
    answer = client.http.post(form.action, data=form.fields | values, allow_redirects=False, timeout=30)
    return answer.headers["Location"]
