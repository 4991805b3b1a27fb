"""The link with the real-name provider: made from an account, and what goes when it goes."""

import base64
import hashlib
from collections.abc import Iterator

import pytest
from e2e_people import Accounts, Administration

from deploy.configuration import Configuration
from deploy.form_client import Citizen, FormClient, Page, prove_by_name, sign_in_with_password

pytestmark = pytest.mark.servers


@pytest.fixture
def site(system: Configuration) -> str:
    return system.sites["site-a"].url


@pytest.fixture
def plain_account(admin: Administration) -> Iterator[tuple[str, str, str]]:
    """An account that existed before its owner proved who they are."""
    username, password = "plain-account", "invented-passphrase-9"
    if (old := admin.user(username)) is not None:
        admin.connection.delete("users", old["id"])
    credential = {"type": "password", "value": password, "temporary": False}
    admin.connection.post("users", body={"username": username, "enabled": True, "credentials": [credential]})
    user_id = admin.user(username)["id"]
    yield user_id, username, password
    admin.connection.delete("users", user_id)


@pytest.fixture
def free_citizen(people: dict[str, Citizen], admin: Administration) -> Citizen:
    """Somebody whom no account is linked to."""
    citizen = people["赵明"]
    for user in admin.connection.get("users", max="500"):
        if "realname" in admin.links(user["id"]) and user["username"] == citizen.mobile:
            admin.connection.delete("users", user["id"])
    return citizen


def proved(admin: Administration, user_id: str) -> list[str]:
    attributes = admin.connection.get("users", user_id).get("attributes", {})
    return sorted(name for name in attributes if name.startswith("realname_"))


def link(client: FormClient, system: Configuration, site: str, citizen: Citizen) -> Page:
    client.open(f"{site}/sign-in?action=link")
    while client.page.url.startswith(system.keycloak.base_url) and not client.page.has_field("number"):
        client.press(client.page.forms[0].buttons[0][2])  # Keycloak asks whether to link
    prove_by_name(client, system.public_url, citizen)
    return client.follow("继续")


def test_an_account_links_by_action_and_gets_its_level_at_once(
    *,
    system: Configuration,
    site: str,
    plain_account: tuple[str, str, str],
    free_citizen: Citizen,
    admin: Administration,
    browser: FormClient,
) -> None:
    user_id, username, password = plain_account
    browser.open(f"{site}/sign-in")
    assert sign_in_with_password(browser, username, password).by_id["realname-level"] == "RN0"
    page = link(browser, system, site, free_citizen)
    assert page.by_id["realname-level"] == "RN2"
    assert admin.links(user_id) == {"realname", "realname-fresh"}


def test_one_person_has_one_account(
    *,
    system: Configuration,
    site: str,
    plain_account: tuple[str, str, str],
    accounts: Accounts,
    admin: Administration,
    browser: FormClient,
) -> None:
    user_id, username, password = plain_account
    taken = accounts.of("林晓雯")
    browser.open(f"{site}/sign-in")
    sign_in_with_password(browser, username, password)
    link(browser, system, site, taken.citizen)
    assert admin.links(user_id) == set()
    assert proved(admin, user_id) == []


@pytest.mark.parametrize("by", ["administrator", "person"])
def test_unlinking_takes_the_level_and_the_fresh_link_away(
    *,
    by: str,
    system: Configuration,
    site: str,
    plain_account: tuple[str, str, str],
    free_citizen: Citizen,
    admin: Administration,
    browser: FormClient,
) -> None:
    user_id, username, password = plain_account
    browser.open(f"{site}/sign-in")
    sign_in_with_password(browser, username, password)
    link(browser, system, site, free_citizen)
    assert "realname_level" in proved(admin, user_id)
    if by == "administrator":
        admin.connection.delete("users", user_id, "federated-identity", "realname")
    else:
        unlink_as_person(system, username, password)
    assert proved(admin, user_id) == []
    assert admin.links(user_id) == set()
    assert browser.open(f"{site}/sign-in").by_id["realname-level"] == "RN0"


def unlink_as_person(system: Configuration, username: str, password: str) -> None:
    """The account pages' own interface, with the token that those pages get."""
    token = account_token(system, username, password)
    answer = token.http.delete(
        f"{system.keycloak.issuer}/account/linked-accounts/realname", headers=token.headers, timeout=30
    )
    assert answer.status_code == 204


class AccountToken:
    def __init__(self, client: FormClient, token: str) -> None:
        self.http = client.http
        self.headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}


def account_token(system: Configuration, username: str, password: str) -> "AccountToken":
    """Signs in to Keycloak's account pages as their script does (public client, PKCE)."""
    verifier = "v" * 43
    redirect = f"{system.keycloak.issuer}/account/"
    client = FormClient()
    client.open(
        f"{system.keycloak.issuer}/protocol/openid-connect/auth",
        client_id="account-console",
        response_type="code",
        scope="openid",
        redirect_uri=redirect,
        code_challenge=_challenge(verifier),
        code_challenge_method="S256",
        response_mode="query",
    )
    sign_in_with_password(client, username, password)
    code = client.page.url.split("code=")[1].split("&")[0]
    answer = client.http.post(
        f"{system.keycloak.issuer}/protocol/openid-connect/token",
        data={
            "grant_type": "authorization_code",
            "client_id": "account-console",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
        },
        timeout=30,
    )
    return AccountToken(client, answer.json()["access_token"])


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def test_a_person_cannot_write_what_a_proof_writes(
    system: Configuration, plain_account: tuple[str, str, str], admin: Administration
) -> None:
    user_id, username, password = plain_account
    token = account_token(system, username, password)
    address = f"{system.keycloak.issuer}/account/"
    shown = token.http.get(address, headers=token.headers, timeout=30).json()
    shown["attributes"] = {
        **shown.get("attributes", {}),
        "realname_level": ["RN3"],
        "staff_id": ["li.wenjing"],
    }
    token.http.post(address, json=shown, headers=token.headers, timeout=30)
    stored = admin.connection.get("users", user_id).get("attributes", {})
    assert "realname_level" not in stored
    assert "staff_id" not in stored
