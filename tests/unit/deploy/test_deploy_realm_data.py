"""realm-config/ as data: read, filled, merged, compared; and the rules that no edit of it may break."""

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy import first_configuration, stored_secrets
from deploy.client_names import write_client_names
from deploy.configuration import Configuration, Mode, Ports, load
from deploy.realm_changes import Action, Reconciler, differences
from deploy.realm_clients import strangers
from deploy.realm_flows import FlowStep, _same, _wanted
from deploy.realm_keys import ClientKeys, ClientKeyUnusable, public_jwk
from deploy.realm_settings import DIRECTORY, RealmConfigWrong, RealmSettings, fill, merge, read
from idp.accounts.client_names import ClientNames

PORTS = Ports(service=1001, keycloak=1002, keycloak_management=1003, directory=1004, site_a=1005, site_b=1006)


@pytest.fixture
def configuration(tmp_path: Path) -> Configuration:
    first_configuration.complete(tmp_path, ports=PORTS, mode=Mode.DEMO)
    loaded = load(tmp_path)
    stored_secrets.make_missing(loaded)
    return loaded


@pytest.fixture
def realm(configuration: Configuration) -> RealmSettings:
    return read(configuration, ClientKeys.of(configuration))


def clients(realm: RealmSettings) -> dict[str, dict]:
    return {client["clientId"]: client for client in realm.clients}


def test_every_client_signs_with_its_own_key_and_no_secret(realm: RealmSettings) -> None:
    machines = [client for client in realm.clients if client["clientId"].endswith("-machine")]
    for client in machines:  # a second client of the same site, with the same key
        site = clients(realm)[client["clientId"].removesuffix("-machine")]
        assert client["attributes"]["jwks.string"] == site["attributes"]["jwks.string"]
    keys = [one["attributes"]["jwks.string"] for one in realm.clients if one not in machines]
    assert len(set(keys)) == len(keys)
    for client in realm.clients:
        assert client["clientAuthenticatorType"] == "client-jwt"
        assert client["publicClient"] is False
        assert client["fullScopeAllowed"] is False
        assert client["directAccessGrantsEnabled"] is False
        assert client["implicitFlowEnabled"] is False
        assert '"d"' not in client["attributes"]["jwks.string"]


def test_every_site_has_pkce_a_subject_of_its_own_and_exact_addresses(realm: RealmSettings) -> None:
    sites = [client for client in realm.clients if client["standardFlowEnabled"]]
    assert {client["clientId"] for client in sites} == {
        "portal",
        "officer-desk",
        "site-a",
        "site-b",
        "my-site",
        "idp-account",
        "idp-counter",
    }
    salts = set()
    for client in sites:
        assert client["attributes"]["pkce.code.challenge.method"] == "S256"
        assert all("*" not in address for address in client["redirectUris"])
        assert "*" not in client["attributes"]["post.logout.redirect.uris"]
        assert not {"profile", "email", "roles"} & set(client["defaultClientScopes"])
        (subject,) = (one for one in client["mappers"] if "pairwise" in one["protocolMapper"])
        salts.add(subject["config"]["pairwiseSubAlgorithmSalt"])
    assert len(salts) == len(sites)


def test_the_person_reads_of_each_site_what_its_file_gives_it(
    configuration: Configuration, realm: RealmSettings
) -> None:
    write_client_names(configuration, realm.clients)
    told = ClientNames(Path(str(configuration.section("idp")["client_names_file"])))
    sites = {
        path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (DIRECTORY / "sites").glob("*.yaml")
    }
    assert sites
    for site_id, file in sites.items():
        assert list(told.claims_of(site_id)) == file["claims"]
        assert told.all()[site_id] == file["name"]
    assert told.claims_of("portal") == ("name", "realname_level", "verified_at", "verified_claims")
    assert told.claims_of("officer-desk") == ()


def test_machines_carry_no_acr(realm: RealmSettings) -> None:
    machines = [client for client in realm.clients if client["serviceAccountsEnabled"]]
    assert machines
    for client in machines:
        assert client["defaultClientScopes"] == ["basic"]
        assert re.fullmatch(r"dept-.+|.+-machine|idp-accounts", client["clientId"])


def test_department_clients_are_those_of_the_organisations(realm: RealmSettings) -> None:
    listed = yaml.safe_load((DIRECTORY.parent / "deploy/demo/organisations.yaml").read_text(encoding="utf-8"))
    wanted = {one["client_id"]: set(one["scopes"]) for one in listed["department_clients"]}
    given = {
        client["clientId"]: set(client["optionalClientScopes"])
        for client in realm.clients
        if client["clientId"].startswith("dept-")
    }
    assert given == wanted


def test_only_our_own_pages_get_the_reference(realm: RealmSettings) -> None:
    assert [
        one for one, client in clients(realm).items() if "realname-ref" in client["defaultClientScopes"]
    ] == ["idp-account", "portal"]


def test_only_the_real_name_room_has_a_hand_in_the_realm_and_no_way_to_change_it(
    realm: RealmSettings,
) -> None:
    hands = {
        one: client["realm_management_roles"]
        for one, client in clients(realm).items()
        if "realm_management_roles" in client
    }
    assert hands == {"idp-accounts": ["manage-users", "query-users", "view-events", "view-users"]}
    assert not clients(realm)["idp-accounts"]["standardFlowEnabled"]


def test_officers_need_a_second_factor(realm: RealmSettings) -> None:
    for one in ("officer-desk", "idp-counter"):
        assert clients(realm)[one]["attributes"]["minimum.acr.value"] == "loa2"


def test_no_person_can_edit_what_a_proof_or_the_directory_wrote(realm: RealmSettings) -> None:
    assert "unmanagedAttributePolicy" not in realm.user_profile
    for attribute in realm.user_profile["attributes"]:
        if attribute["name"] != "email":
            assert attribute["permissions"]["edit"] == ["admin"], attribute["name"]


def test_all_that_the_provider_writes_has_the_prefix_that_unlinking_clears(realm: RealmSettings) -> None:
    for provider in realm.identity_providers:
        for mapper in provider["mappers"]:
            target = mapper["config"].get("user.attribute", "realname_")
            assert target.startswith("realname_")


def test_every_level_after_the_hop_stands_in_the_browser_flow_with_the_same_age(realm: RealmSettings) -> None:
    def ages(alias: str) -> dict[str, str]:
        flow = next(flow for flow in realm.flows if flow["alias"] == alias)
        found = [
            dict(step.config) for step in _wanted(flow["steps"]) if step.step.startswith("conditional-level")
        ]
        return {one["loa-condition-level"]: one["loa-max-age"] for one in found}

    browser = ages("gov-browser")
    assert browser["3"] == "0"
    assert ages("gov-after-fresh").items() <= browser.items()
    assert ages("gov-after-realname").items() <= browser.items()
    assert "3" not in ages("gov-after-realname")


@pytest.mark.parametrize("alias", ["gov-after-realname", "gov-after-fresh"])
def test_the_same_person_check_stands_first_after_the_hop(realm: RealmSettings, alias: str) -> None:
    flow = next(flow for flow in realm.flows if flow["alias"] == alias)
    first = flow["steps"][0]
    assert (first["step"], first["requirement"], first["config"]) == (
        "longzheng-same-user",
        "REQUIRED",
        {"mode": "check"},
    )


def test_the_fresh_check_demands_the_upstream_level_and_lets_nobody_new_in(realm: RealmSettings) -> None:
    fresh = next(one for one in realm.identity_providers if one["alias"] == "realname-fresh")
    assert (fresh["config"]["claimFilterName"], fresh["config"]["claimFilterValue"]) == ("acr", "loa3")
    assert fresh["config"]["filteredByClaim"] == "true"
    assert fresh["firstBrokerLoginFlow"] == "gov-first-fresh"
    flow = next(flow for flow in realm.flows if flow["alias"] == "gov-first-fresh")
    assert [step["step"] for step in flow["steps"]] == ["deny-access-authenticator"]


def test_production_has_no_demo_sites(tmp_path: Path) -> None:
    first_configuration.complete(tmp_path, ports=PORTS, mode=Mode.PRODUCTION)
    configuration = load(tmp_path)
    stored_secrets.make_missing(configuration)
    found = {client["clientId"] for client in read(configuration, ClientKeys.of(configuration)).clients}
    assert found == {"portal", "officer-desk", "idp-account", "idp-accounts", "idp-counter"}


def test_a_placeholder_that_names_nothing_is_named(configuration: Configuration, tmp_path: Path) -> None:
    copy = tmp_path / "wrong"
    copy.mkdir()
    (copy / "realm.yaml").write_text("realm: ${no.such.key}\n", encoding="utf-8")
    with pytest.raises(RealmConfigWrong, match=r"no\.such\.key"):
        read(configuration, ClientKeys.of(configuration), directory=copy)


def test_placeholders_are_filled_and_escaped_ones_stay() -> None:
    assert fill({"a": ["${x}/y", "$${CLAIM.sub}"]}, {"x": "1"}.__getitem__) == {"a": ["1/y", "${CLAIM.sub}"]}


def test_keys_and_salts_are_made_once_and_private(tmp_path: Path) -> None:
    keys = ClientKeys(keys_dir=tmp_path / "keys", salts_dir=tmp_path / "salts")
    assert keys.public_jwks("a") == keys.public_jwks("a") != keys.public_jwks("b")
    assert keys.subject_salt("a") == keys.subject_salt("a") != keys.subject_salt("b")
    for path in (*keys.keys_dir.iterdir(), *keys.salts_dir.iterdir()):
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_none_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("no key", encoding="ascii")
    with pytest.raises(ClientKeyUnusable):
        public_jwk(tmp_path / "x.pem")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5).filter(lambda text: text != "**********"),
    lambda inner: st.dictionaries(st.text(min_size=1, max_size=4), inner, max_size=3),
    max_leaves=8,
)
mappings = st.dictionaries(st.text(min_size=1, max_size=4), json_values, max_size=4)


@settings(max_examples=100, deadline=None)
@given(current=mappings, wanted=mappings)
def test_what_was_merged_differs_no_more(current: dict, wanted: dict) -> None:
    assert differences(wanted, merge(current, wanted)) == []


def test_differences_name_fields_and_never_values() -> None:
    found = differences(
        {"config": {"clientSecret": "s", "x": "1"}}, {"config": {"clientSecret": "**********", "x": "2"}}
    )
    assert found == ["config.x"]


def test_lists_of_texts_are_compared_as_sets_and_named_things_by_name() -> None:
    assert differences({"a": ["x", "y"]}, {"a": ["y", "x"]}) == []
    assert differences({"a": ["x"]}, {"a": []}) == ["a"]
    assert differences({"a": [{"name": "n", "v": 1}]}, {"a": [{"name": "n", "v": 2, "id": "i"}]}) == [
        "a[n].v"
    ]
    assert differences({"a": [{"name": "n"}]}, {"a": [{"name": "n"}, {"name": "more"}]}) == ["a"]


def test_a_plan_changes_nothing() -> None:
    done: list[object] = []
    planning = Reconciler(write=False)
    planning.ensure("client", "x", current=None, wanted={"a": 1}, create=done.append, update=done.append)
    planning.ensure("client", "y", current={"a": 0}, wanted={"a": 1}, create=done.append, update=done.append)
    planning.ensure("client", "z", current={"a": 1}, wanted={"a": 1}, create=done.append, update=done.append)
    assert done == []
    assert [(change.name, change.action, change.fields) for change in planning.changes] == [
        ("x", Action.CREATE, ()),
        ("y", Action.UPDATE, ("a",)),
    ]


def test_a_flow_edited_by_hand_is_not_the_same() -> None:
    step = FlowStep(level=0, step="s", is_subflow=False, requirement="REQUIRED", config=(("k", "v"),))
    masked = FlowStep(
        level=0, step="s", is_subflow=False, requirement="REQUIRED", config=(("k", "**********"),)
    )
    weaker = FlowStep(level=0, step="s", is_subflow=False, requirement="DISABLED", config=(("k", "v"),))
    assert _same((masked,), (step,))
    assert not _same((weaker,), (step,))
    assert not _same((), (step,))


class RealmOf:
    """A realm that answers which clients it has."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def get(self, *path: str) -> list[dict[str, object]]:
        assert path == ("clients",)
        return [{"clientId": name} for name in self.names]


def test_only_a_client_that_neither_a_file_nor_keycloak_made_is_strange() -> None:
    realm = RealmOf("account", "_system", "portal", "from-nowhere")
    assert strangers(({"clientId": "portal"},), realm) == ("from-nowhere",)  # type: ignore[arg-type] # answers alone
