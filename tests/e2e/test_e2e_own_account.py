"""One's own account over HTTP with the real Keycloak: its history, a consent taken back, another name, its end."""

from collections.abc import Iterator

import pytest
from e2e_people import PASSWORD, Administration
from test_e2e_displacement import forget

from deploy.configuration import Configuration
from deploy.form_client import (
    Citizen,
    FormClient,
    prove_by_name,
    set_first_password,
    sign_in_with_password,
)
from idp.keycloak.accounts import AccountSettings, KeycloakAccounts
from idp.settings import Settings
from idp.store.acts import ActKind

pytestmark = pytest.mark.servers
RENAMED = "13911110081"


@pytest.fixture
def owner(
    system: Configuration, people: dict[str, Citizen], admin: Administration
) -> Iterator[tuple[Citizen, FormClient]]:
    """Somebody with an account of this test alone, signed in at a site."""
    citizen = people["郑冬生"]
    for name in (citizen.mobile, RENAMED):
        forget(admin, name)
    client = FormClient()
    client.open(f"{system.sites['site-a'].url}/sign-in")
    client.follow("实名认证登录")
    prove_by_name(client, system.public_url, citizen)
    client.follow("继续")
    set_first_password(client, PASSWORD)
    assert "acr" in client.open(f"{system.sites['site-a'].url}/").by_id
    yield citizen, client
    for name in (citizen.mobile, RENAMED):
        forget(admin, name)


def hand_of(system: Configuration) -> KeycloakAccounts:
    """The real-name room's own hand in the realm."""
    settings = Settings.from_mapping(system.section("idp"))
    return KeycloakAccounts(
        AccountSettings(
            issuer=settings.keycloak_issuer,
            internal_url=settings.keycloak_internal_url,
            key_file=settings.client_keys_dir / "idp-accounts.pem",
        )
    )


def link_of(admin: Administration, mobile: str) -> tuple[str, str]:
    user = admin.user(mobile)
    assert user is not None
    links = admin.connection.get("users", user["id"], "federated-identity")
    return user["id"], next(link["userId"] for link in links if link["identityProvider"] == "realname")


def test_a_person_sees_what_a_site_received_takes_it_back_and_closes_the_account(
    system: Configuration, owner: tuple[Citizen, FormClient], admin: Administration
) -> None:
    citizen, client = owner
    site, account = system.sites["site-a"].url, f"{system.public_url}/idp/account/"
    wrong = FormClient()
    wrong.open(f"{site}/sign-in")
    sign_in_with_password(wrong, citizen.mobile, "not-the-password")
    client.open(account)
    page = client.open(f"{account}history")
    for words in ("登录网站", "登录没有成功", "实名核验", "示例政务网"):
        assert words in page.text
    assert citizen.number not in page.text
    page = client.open(f"{account}sites")
    # What the site's file says, though no scope names it.
    assert page.by_id["received-site-a"] == "本网站专用的编号、脱敏姓名、实名等级、核验时间、核验依据"
    other = FormClient()
    other.open(f"{system.sites['site-b'].url}/sign-in")
    sign_in_with_password(other, citizen.mobile, PASSWORD)
    page = client.press("撤回对“示例政务网”的授权")
    assert "已撤回授权" in page.title
    assert "acr" not in client.open(f"{site}/").by_id
    # A sign-in of another browser that never reached this site goes on.
    assert "acr" in other.open(f"{system.sites['site-b'].url}/").by_id
    user = admin.user(citizen.mobile)
    assert user is not None
    client.open(account)
    sign_in_with_password(client, citizen.mobile, PASSWORD)
    client.open(f"{account}close")
    page = client.fill({"sure": "yes"})
    assert "账号已注销" in page.title
    assert admin.connection.get("users", user["id"])["enabled"] is False
    assert "acr" not in other.open(f"{system.sites['site-b'].url}/").by_id
    admin.connection.delete("users", user["id"])


def test_an_accounts_new_name_signs_in_and_the_old_one_is_free(
    system: Configuration, owner: tuple[Citizen, FormClient], admin: Administration
) -> None:
    citizen, _ = owner
    user_id, link = link_of(admin, citizen.mobile)
    hand = hand_of(system)
    assert hand.name_is_free(RENAMED)
    hand.rename(link, RENAMED)
    assert not hand.name_is_free(RENAMED)
    assert hand.name_is_free(citizen.mobile)
    assert link_of(admin, RENAMED) == (user_id, link)
    client = FormClient()
    client.open(f"{system.sites['site-a'].url}/sign-in")
    sign_in_with_password(client, RENAMED, PASSWORD)
    assert client.page.by_id["realname-level"] == "RN2"
    assert {act.kind for act in hand.history(link)} >= {ActKind.SITE_SIGN_IN, ActKind.SIGN_IN}
    admin.connection.delete("users", user_id)
