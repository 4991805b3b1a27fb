"""The realm stays what realm-config/ says: a second apply changes nothing, drift is told and mended."""

import pytest
from e2e_people import Administration

from deploy import realm
from deploy.configuration import Configuration
from deploy.form_client import FormClient
from deploy.realm_changes import Action

pytestmark = pytest.mark.servers


def test_a_second_apply_has_nothing_to_do(system: Configuration) -> None:
    realm.apply(system)
    assert realm.plan(system) == []


def test_a_client_changed_by_hand_is_told_and_mended(system: Configuration, admin: Administration) -> None:
    (client,) = admin.connection.get("clients", clientId="site-b")
    client["redirectUris"] = ["http://localhost:1/*"]
    admin.connection.put("clients", client["id"], body=client)
    (change,) = realm.plan(system)
    assert (change.kind, change.name, change.action, change.fields) == (
        "client",
        "site-b",
        Action.UPDATE,
        ("redirectUris",),
    )
    realm.apply(system)
    assert realm.plan(system) == []
    (mended,) = admin.connection.get("clients", clientId="site-b")
    assert mended["id"] == client["id"]


def test_a_mapper_and_a_scope_added_by_hand_are_taken_out(
    system: Configuration, admin: Administration
) -> None:
    (client,) = admin.connection.get("clients", clientId="site-b")
    leak = {
        "name": "leak",
        "protocol": "openid-connect",
        "protocolMapper": "oidc-usermodel-property-mapper",
        "config": {"user.attribute": "username", "claim.name": "leak", "id.token.claim": "true"},
    }
    admin.connection.post("clients", client["id"], "protocol-mappers", "models", body=leak)
    scopes = {scope["name"]: scope["id"] for scope in admin.connection.get("client-scopes")}
    admin.connection.put("clients", client["id"], "default-client-scopes", scopes["profile"])
    assert {(change.name, change.action) for change in realm.plan(system)} == {
        ("leak", Action.DELETE),
        ("profile", Action.DELETE),
    }
    realm.apply(system)
    assert realm.plan(system) == []


def test_a_sentence_changed_by_hand_is_told_and_mended(system: Configuration, admin: Administration) -> None:
    admin.connection.post("localization", "zh-CN", body={"username": "用户名"})
    (change,) = realm.plan(system)
    assert (change.kind, change.name, change.fields) == ("localization", "zh-CN", ("username",))
    realm.apply(system)
    assert realm.plan(system) == []


def test_the_sign_in_page_says_what_the_user_name_is(system: Configuration, browser: FormClient) -> None:
    page = browser.open(f"{system.sites['site-a'].url}/sign-in")
    assert "手机号（工作人员填工号）" in page.text
    assert "实名认证登录" in page.text


def test_a_flow_weakened_by_hand_is_built_anew_and_bound(
    system: Configuration, admin: Administration
) -> None:
    provider = admin.connection.get("identity-provider", "instances", "realname-fresh")
    alias = provider["postBrokerLoginFlowAlias"]
    first = admin.connection.get("authentication", "flows", alias, "executions")[0]
    assert first["providerId"] == "longzheng-same-user"
    weakened = first | {"requirement": "DISABLED"}
    admin.connection.put("authentication", "flows", alias, "executions", body=weakened)
    assert {(change.kind, change.action) for change in realm.plan(system)} >= {("flow", Action.CREATE)}
    realm.apply(system)
    assert realm.plan(system) == []
    bound = admin.connection.get("identity-provider", "instances", "realname-fresh")[
        "postBrokerLoginFlowAlias"
    ]
    assert bound != alias
    assert (
        admin.connection.get("authentication", "flows", bound, "executions")[0]["requirement"] == "REQUIRED"
    )


def test_the_keys_of_the_realm_sign_with_p256(system: Configuration, admin: Administration) -> None:
    assert admin.connection.get()["defaultSignatureAlgorithm"] == "ES256"
    assert admin.connection.get()["bruteForceProtected"] is True
    assert system.keycloak.realm == "gov"
