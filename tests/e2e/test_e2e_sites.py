"""A site from its file to the realm: planned, applied as planned, held to, and taken out again."""

import json
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import parse_qsl, urlsplit

import pytest
import yaml
from e2e_people import Accounts, Administration, location_after

from deploy import realm
from deploy.configuration import Configuration
from deploy.form_client import Citizen, FormClient, prove_by_name
from deploy.realm_changes import Action
from deploy.realm_settings import DIRECTORY

pytestmark = pytest.mark.servers

NAME = "strict-site"
URL = "http://localhost:15999"
Run = Callable[..., CompletedProcess[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """A realm-config/ of the test's own."""

    system: Configuration
    directory: Path

    def write(self, **changed: object) -> None:
        document = {
            "site": NAME,
            "name": "严格的网站",
            "url": URL,
            "redirect_uris": [f"{URL}/auth/callback"],
            "log_out": {"notify": f"{URL}/out", "return_to": [f"{URL}/"]},
            "claims": ["realname_level"],
            "minimum": {"assurance": "RN2", "strength": "loa1"},
            "contact": "端到端测试",
            "legal_basis": "端到端测试用的依据",
        } | changed
        path = self.directory / "sites" / f"{NAME}.yaml"
        path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")

    def plan(self) -> list[realm.Change]:
        return realm.reconcile_sites(self.system, write=False, directory=self.directory)

    def apply(self) -> list[realm.Change]:
        return realm.reconcile_sites(self.system, write=True, directory=self.directory)


@pytest.fixture
def files(system: Configuration, tmp_path: Path) -> Iterator[Files]:
    shutil.copytree(DIRECTORY, tmp_path / "realm-config")
    yield Files(system=system, directory=tmp_path / "realm-config")
    realm.reconcile_sites(system, write=True)  # the site came from no file of the checkout: it goes


@pytest.fixture
def stranger(admin: Administration) -> Iterator[tuple[str, str]]:
    """An account that proved nothing, as one taken over from elsewhere is: user name and password."""
    username, password = f"unproved-{secrets.token_hex(4)}", secrets.token_hex(12)
    credentials = [{"type": "password", "value": password, "temporary": False}]
    admin.connection.post("users", body={"username": username, "enabled": True, "credentials": credentials})
    yield username, password
    found = admin.user(username)
    if found is not None:
        admin.connection.delete("users", found["id"])


def ask(system: Configuration, browser: FormClient, **parameters: str) -> None:
    """The site's authorisation request; with S256 of a verifier that nobody needs here."""
    browser.open(
        f"{system.keycloak.issuer}/protocol/openid-connect/auth",
        client_id=NAME,
        response_type="code",
        scope="openid",
        redirect_uri=f"{URL}/auth/callback",
        state="s",
        code_challenge="A" * 43,
        code_challenge_method="S256",
        **parameters,
    )


def answer_to(browser: FormClient, system: Configuration, **parameters: str) -> dict[str, str]:
    """What the site is answered at once, without a page."""
    query = {
        "client_id": NAME,
        "response_type": "code",
        "scope": "openid",
        "redirect_uri": f"{URL}/auth/callback",
        "code_challenge": "A" * 43,
        "code_challenge_method": "S256",
    } | parameters
    answer = browser.http.get(
        f"{system.keycloak.issuer}/protocol/openid-connect/auth",
        params=query,
        allow_redirects=False,
        timeout=60,
    )
    return dict(parse_qsl(urlsplit(answer.headers.get("Location", "")).query))


def test_a_plan_says_what_apply_does_and_a_removed_file_takes_the_site_out(
    files: Files, admin: Administration
) -> None:
    files.write()
    planned = files.plan()
    assert (planned[0].action, planned[0].kind, planned[0].name) == (Action.CREATE, "client", NAME)
    shown = {one.place: one.then for one in planned[0].shown}
    assert shown["redirectUris"] == f"{URL}/auth/callback"
    assert shown["attributes.longzheng.minimum.assurance"] == "RN2"
    assert admin.connection.get("clients", clientId=NAME) == []
    files.apply()
    assert files.plan() == []
    (client,) = admin.connection.get("clients", clientId=NAME)
    assert client["redirectUris"] == [f"{URL}/auth/callback"]
    assert [
        scope["name"] for scope in admin.connection.get("clients", client["id"], "default-client-scopes")
    ] == [
        "acr",
        "basic",
    ]
    mappers = admin.connection.get("clients", client["id"], "protocol-mappers", "models")
    assert {mapper["name"] for mapper in mappers} == {"subject", "realname_level"}
    files.write(minimum={"assurance": "RN3", "strength": "loa2"})
    (change,) = files.plan()
    assert {(one.place, one.now, one.then) for one in change.shown} == {
        ("attributes.longzheng.minimum.assurance", "RN2", "RN3"),
        ("attributes.minimum.acr.value", "", "loa2"),
    }
    (files.directory / "sites" / f"{NAME}.yaml").unlink()
    (change,) = files.plan()
    assert (change.action, change.name) == (Action.DELETE, NAME)
    files.apply()
    assert admin.connection.get("clients", clientId=NAME) == []


def test_drift_is_told_and_a_plan_that_is_outdated_changes_nothing(
    system: Configuration, admin: Administration, longzheng: Run
) -> None:
    assert longzheng("sites", "drift").returncode == 0
    (client,) = admin.connection.get("clients", clientId="my-site")
    original = client["redirectUris"]
    flows = {flow["alias"]: flow["id"] for flow in admin.connection.get("authentication", "flows")}
    changed = {
        "redirectUris": ["http://localhost:1/elsewhere"],
        "attributes": client["attributes"] | {"exclude.issuer.from.auth.response": "true"},
        "authenticationFlowBindingOverrides": {"browser": flows["browser"]},
    }
    admin.connection.put("clients", client["id"], body=client | changed)
    admin.connection.post("clients", body={"clientId": "from-nowhere", "enabled": False})
    try:
        drift = longzheng("sites", "drift", "--json")
        assert drift.returncode == 1, drift.stderr
        told = json.loads(drift.stdout)
        assert told["in_no_file"] == ["from-nowhere"]
        (differs,) = told["differs"]
        assert set(differs["fields"]) == {
            "redirectUris",
            "attributes.exclude.issuer.from.auth.response",
            "authenticationFlowBindingOverrides.browser",
        }
        assert {
            "place": "redirectUris",
            "now": "http://localhost:1/elsewhere",
            "then": original[0],
        } in differs["values"]
        digest = json.loads(longzheng("sites", "plan", "--json").stdout)["digest"]
        admin.connection.put(
            "clients", client["id"], body=client | changed | {"redirectUris": ["http://localhost:2/x"]}
        )
        outdated = longzheng("sites", "apply", "--plan", digest)
        assert (outdated.returncode, "outdated" in outdated.stderr) == (1, True)
        (still,) = admin.connection.get("clients", clientId="my-site")
        assert still["redirectUris"] == ["http://localhost:2/x"]
        digest = json.loads(longzheng("sites", "plan", "--json").stdout)["digest"]
        assert longzheng("sites", "apply", "--plan", digest).returncode == 0
    finally:
        for one in admin.connection.get("clients", clientId="from-nowhere"):
            admin.connection.delete("clients", one["id"])
        realm.reconcile_sites(system, write=True)
    assert longzheng("sites", "drift").returncode == 0
    (mended,) = admin.connection.get("clients", clientId="my-site")
    assert (mended["redirectUris"], mended["authenticationFlowBindingOverrides"]) == (original, {})


def test_a_person_without_proof_is_led_to_it_and_does_not_get_in_without(
    files: Files, system: Configuration, stranger: tuple[str, str], browser: FormClient
) -> None:
    files.write()
    files.apply()
    ask(system, browser)
    page = browser.fill({"username": stranger[0], "password": stranger[1]})
    assert page.title.startswith("实名认证")
    # Whoever does not go on, but starts anew in the same browser, is where they were before.
    assert "code" not in answer_to(browser, system)
    assert answer_to(browser, system, prompt="none")["error"] in {"interaction_required", "login_required"}
    assert "code" not in answer_to(browser, system, kc_action="idp_link:realname")
    # Another site, which demands nothing, lets the same person in, and that session opens nothing here either.
    browser.open(f"{system.sites['site-a'].url}/sign-in")
    if browser.page.has_field("username"):
        browser.fill({"username": stranger[0], "password": stranger[1]})
    assert browser.page.by_id["acr"] == "loa1"
    assert answer_to(browser, system, prompt="none")["error"] == "interaction_required"
    assert "code" not in answer_to(browser, system)


def test_who_leaves_the_real_name_check_stays_outside(
    files: Files, system: Configuration, stranger: tuple[str, str], browser: FormClient
) -> None:
    files.write()
    files.apply()
    ask(system, browser)
    browser.fill({"username": stranger[0], "password": stranger[1]})
    browser.press("continue")
    assert browser.page.has_field("number")
    browser.open(f"{system.public_url}/idp/proof/leave")
    assert browser.page.by_id["kc-error-message"].startswith("没有完成实名核验")
    assert "code" not in answer_to(browser, system)
    assert answer_to(browser, system, prompt="none")["error"] in {"interaction_required", "login_required"}


def test_a_person_with_the_level_gets_in_and_rn3_is_more_than_rn2(
    files: Files, system: Configuration, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    files.write()
    files.apply()
    ask(system, browser)
    location = location_after(browser, {"username": account.citizen.mobile, "password": account.password})
    assert "code" in dict(parse_qsl(urlsplit(location).query))
    assert "code" in answer_to(browser, system, prompt="none")
    files.write(minimum={"assurance": "RN3", "strength": "loa1"})
    files.apply()
    assert answer_to(browser, system, prompt="none")["error"] == "interaction_required"
    ask(system, browser)
    assert browser.page.title.startswith("还不能进入这个网站")
    (form,) = browser.page.forms
    answer = browser.http.post(form.action, data=form.fields, allow_redirects=False, timeout=60)
    assert answer.headers["Location"].startswith(f"{URL}/auth/callback")
    told = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    assert (told["error"], told["iss"]) == ("access_denied", system.keycloak.issuer)
    assert "code" not in told


def test_a_proof_on_the_way_opens_the_site(
    files: Files,
    system: Configuration,
    admin: Administration,
    people: dict[str, Citizen],
    browser: FormClient,
) -> None:
    citizen = people["钱芳"]
    known = admin.user(citizen.mobile)
    if known is not None:
        admin.connection.delete("users", known["id"])
    username, password = f"to-be-proved-{secrets.token_hex(4)}", secrets.token_hex(12)
    credentials = [{"type": "password", "value": password, "temporary": False}]
    admin.connection.post("users", body={"username": username, "enabled": True, "credentials": credentials})
    try:
        files.write()
        files.apply()
        ask(system, browser)
        browser.fill({"username": username, "password": password})
        browser.press("continue")
        prove_by_name(browser, system.public_url, citizen)
        back = browser.http.get(browser.page.link("继续"), allow_redirects=False, timeout=60)
        for _ in range(8):
            address = back.headers["Location"]
            if address.startswith(URL):
                break
            back = browser.http.get(address, allow_redirects=False, timeout=60)
        assert "code" in dict(parse_qsl(urlsplit(address).query)), address
    finally:
        for name in (username, citizen.mobile):
            if (found := admin.user(name)) is not None:
                admin.connection.delete("users", found["id"])
