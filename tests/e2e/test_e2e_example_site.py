"""docs/examples/site.py as it stands, against the real Keycloak."""

import importlib.util
from pathlib import Path

import pytest
from e2e_people import Accounts, location_after

from deploy.configuration import Configuration
from deploy.form_client import FormClient

pytestmark = pytest.mark.servers
EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "site.py"


def test_the_thirty_lines_of_the_documentation_sign_a_person_in(
    system: Configuration, accounts: Accounts, browser: FormClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = system.sites["site-a"]
    monkeypatch.setenv("SITE_SECRET", "of this test only")
    monkeypatch.setenv("SITE_CLIENT_ID", site.client_id)
    monkeypatch.setenv("SITE_KEY_FILE", str(site.key_file))
    monkeypatch.setenv("SITE_ISSUER", system.keycloak.issuer)
    specification = importlib.util.spec_from_file_location("example_site", EXAMPLE)
    assert specification is not None
    assert specification.loader is not None
    example = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(example)
    visitor = example.app.test_client()
    account = accounts.of("林晓雯")

    browser.open(visitor.get("/sign-in", base_url=site.url).headers["Location"])
    back = location_after(browser, {"username": account.citizen.mobile, "password": account.password})
    assert back.startswith(f"{site.url}/auth/callback?")
    assert visitor.get(back.removeprefix(site.url), base_url=site.url).status_code == 302
    assert visitor.get("/", base_url=site.url).text == "您好，林****，认证强度 loa1"
