"""Who may set up a second factor: not whoever knows only the password."""

import pytest
from e2e_people import Account, Accounts, Administration

from deploy.configuration import Configuration
from deploy.form_client import (
    FormClient,
    enrol_phone,
    give_code,
    prove_by_name,
    sign_in_with_password,
)

pytestmark = pytest.mark.servers


@pytest.fixture
def site(system: Configuration) -> str:
    return system.sites["site-a"].url


@pytest.fixture
def bare(accounts: Accounts, admin: Administration) -> Account:
    """An account with a password and no second factor."""
    account = accounts.of("王𠮷")
    user = admin.user(account.citizen.mobile)
    assert user is not None
    admin.forget_phone(user["id"])
    return account


def password_only(site: str, account: Account, action: str = "totp") -> FormClient:
    client = FormClient()
    client.open(f"{site}/sign-in?action={action}")
    sign_in_with_password(client, account.citizen.mobile, account.password)
    return client


def factors(admin: Administration, account: Account) -> set[str]:
    user = admin.user(account.citizen.mobile)
    assert user is not None
    held = {one["type"] for one in admin.connection.get("users", user["id"], "credentials")}
    return held - {"password", "password-history"}


@pytest.mark.parametrize("action", ["totp", "passkey", "codes"])
def test_the_password_alone_sets_up_no_second_factor(
    site: str, bare: Account, admin: Administration, action: str
) -> None:
    client = password_only(site, bare, action)
    assert client.page.has_field("number")  # led to the real-name check
    assert "totp" not in client.page.by_id
    client.follow("不核验")
    assert factors(admin, bare) == set()


def test_after_a_fresh_check_the_person_goes_on_where_they_were(
    system: Configuration, site: str, bare: Account, admin: Administration
) -> None:
    client = password_only(site, bare)
    prove_by_name(client, system.public_url, bare.citizen)
    client.follow("继续")
    bare.phone = enrol_phone(client)
    assert client.page.url.startswith(site)
    assert factors(admin, bare) == {"otp"}
    other = FormClient()
    other.open(f"{site}/sign-in?level=loa2")
    sign_in_with_password(other, bare.citizen.mobile, bare.password)
    assert give_code(other, bare.phone).by_id["acr"] == "loa2"


def test_somebody_elses_check_sets_up_nothing(
    system: Configuration, site: str, bare: Account, accounts: Accounts, admin: Administration
) -> None:
    other = accounts.of("周大伟")
    client = password_only(site, bare)
    prove_by_name(client, system.public_url, other.citizen)
    page = client.follow("继续")
    assert page.status == 400
    assert factors(admin, bare) == set()


def test_a_further_factor_needs_one_that_is_there(
    system: Configuration, site: str, accounts: Accounts, admin: Administration
) -> None:
    account = accounts.of("王𠮷")
    accounts.change_phone(account)
    before = factors(admin, account)
    assert before == {"otp"}
    # by the password, and by a remote check, which yields loa1 only
    for action in ("totp", "codes", "passkey"):
        assert password_only(site, account, action).page.has_field(
            "otp"
        )  # the one that is there is asked for
    remote = FormClient()
    remote.open(f"{site}/sign-in?action=codes")
    remote.follow("实名认证登录")
    prove_by_name(remote, system.public_url, account.citizen)
    remote.follow("继续")
    assert remote.page.has_field("otp") or "已有二次验证" in remote.page.text
    assert factors(admin, account) == before
    # with the phone
    own = FormClient()
    own.open(f"{site}/sign-in?level=loa2")
    sign_in_with_password(own, account.citizen.mobile, account.password)
    give_code(own, account.phone)
    own.open(f"{site}/sign-in?action=codes&level=loa2")
    assert own.page.status == 200
    assert own.page.url.startswith(system.keycloak.base_url)


def test_an_account_without_a_proof_is_told_what_to_do_first(site: str, admin: Administration) -> None:
    username, password = "plain-enrolment", "invented-passphrase-9"
    if (old := admin.user(username)) is not None:
        admin.connection.delete("users", old["id"])
    credential = {"type": "password", "value": password, "temporary": False}
    admin.connection.post("users", body={"username": username, "enabled": True, "credentials": [credential]})
    client = FormClient()
    client.open(f"{site}/sign-in?action=totp")
    sign_in_with_password(client, username, password)
    assert client.page.status == 403
    assert "完成实名核验" in client.page.text
    user = admin.user(username)
    assert user is not None
    admin.connection.delete("users", user["id"])
