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


def test_unlinking_takes_the_level_and_the_fresh_link_away(
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
    sign_in_with_password(browser, username, password)
    link(browser, system, site, free_citizen)
    assert "realname_level" in proved(admin, user_id)
    admin.connection.delete("users", user_id, "federated-identity", "realname")
    assert proved(admin, user_id) == []
    assert admin.links(user_id) == set()
    assert browser.open(f"{site}/sign-in").by_id["realname-level"] == "RN0"


@pytest.mark.parametrize("path", ["", "linked-accounts/realname", "sessions/devices", "credentials"])
def test_keycloaks_account_pages_are_not_offered(
    system: Configuration, browser: FormClient, path: str
) -> None:
    answer = browser.http.get(
        f"{system.keycloak.issuer}/account/{path}", headers={"Accept": "application/json"}, timeout=30
    )
    assert answer.status_code == 404


def test_their_script_gets_no_token(system: Configuration, browser: FormClient) -> None:
    page = open_keycloak(browser, system, "account-console", f"{system.keycloak.issuer}/account/")
    assert page.status == 400
    assert "没有办成" in page.text
    assert not page.has_field("username")


def test_a_person_cannot_write_what_a_proof_writes(
    system: Configuration,
    plain_account: tuple[str, str, str],
    admin: Administration,
    browser: FormClient,
    site: str,
) -> None:
    user_id, username, password = plain_account
    open_keycloak(browser, system, "site-a", f"{site}/auth/callback", kc_action="UPDATE_PROFILE")
    sign_in_with_password(browser, username, password)
    browser.fill({"email": "somebody@example.com"}, button="保存")
    assert (
        admin.connection.get("users", user_id)["email"] == "somebody@example.com"
    )  # what is theirs, they can
    open_keycloak(browser, system, "site-a", f"{site}/auth/callback", kc_action="UPDATE_PROFILE")
    form = browser.page.form_with("email")
    forged = {"email": "other@example.com", "realname_level": "RN3", "staff_id": "li.wenjing"}
    forged["username"] = "13900000001"
    browser.http.post(form.action, data=form.fields | forged, allow_redirects=False, timeout=30)
    stored = admin.connection.get("users", user_id)
    assert stored["email"] == "somebody@example.com"
    assert stored["username"] == username
    assert {"realname_level", "staff_id"} & stored.get("attributes", {}).keys() == set()


def open_keycloak(
    client: FormClient, system: Configuration, client_id: str, redirect: str, **more: str
) -> Page:
    """Opens Keycloak's sign-in for a client as a crafted address would."""
    challenge = hashlib.sha256(b"v" * 43).digest()
    return client.open(
        f"{system.keycloak.issuer}/protocol/openid-connect/auth",
        client_id=client_id,
        response_type="code",
        scope="openid",
        redirect_uri=redirect,
        code_challenge=base64.urlsafe_b64encode(challenge).rstrip(b"=").decode(),
        code_challenge_method="S256",
        **more,
    )
