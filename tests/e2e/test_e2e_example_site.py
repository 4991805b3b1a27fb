"""The example site of docs/integrate-a-site.md: the document's own command line, against the real Keycloak."""

import os
import signal
import subprocess
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import yaml
from e2e_people import Accounts
from test_e2e_documents import CHECKOUT, blocks_of

from deploy.configuration import Configuration
from deploy.form_client import FormClient, sign_in_with_password

pytestmark = pytest.mark.servers
DOCUMENT = "docs/integrate-a-site.md"
SITE_FILE = CHECKOUT / "realm-config" / "sites" / "my-site.yaml"
URL = str(yaml.safe_load(SITE_FILE.read_text(encoding="utf-8"))["url"])


@pytest.fixture
def example_site(system: Configuration, tmp_path: Path) -> Iterator[str]:
    """The site, started as a reader of the document starts it, and ended as by Ctrl-C."""
    (block,) = (block for block in blocks_of(DOCUMENT) if "SITE_ISSUER" in block)
    environment = os.environ | {
        "ISSUER": system.keycloak.issuer,
        "LONGZHENG_VAR": str(system.state_dir),
    }
    output = tmp_path / "output"
    with output.open("wb") as file:
        shell = subprocess.Popen(
            ["bash", "-c", f"set -euo pipefail\n{block}"],
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_for_page(shell, output)
        yield URL
    finally:
        if shell.poll() is None:
            os.killpg(shell.pid, signal.SIGINT)
        try:
            shell.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            shell.wait()


def _wait_for_page(shell: "subprocess.Popen[bytes]", output: Path) -> None:
    """Until the page answers; a command that ended before (a taken port, a missing file) is told with its output."""
    for _ in range(300):
        assert shell.poll() is None, output.read_text(encoding="utf-8")
        try:
            if requests.get(URL, timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.1)
    raise AssertionError(f"{URL} does not answer\n{output.read_text(encoding='utf-8')}")


def test_the_command_of_the_document_runs_a_site_that_signs_a_person_in(
    example_site: str, accounts: Accounts, browser: FormClient
) -> None:
    account = accounts.of("林晓雯")
    browser.open(example_site)
    browser.follow("登录")
    sign_in_with_password(browser, account.citizen.mobile, account.password)
    assert browser.page.url.rstrip("/") == example_site
    assert "您好，林****，认证强度 loa1" in browser.page.text


def test_the_document_shows_the_file_of_that_site() -> None:
    text = (CHECKOUT / DOCUMENT).read_text(encoding="utf-8")
    shown = yaml.safe_load(textwrap.dedent(text.split("```yaml\n", 1)[1].split("```", 1)[0]))
    listed = yaml.safe_load(SITE_FILE.read_text(encoding="utf-8"))
    assert shown | {"demo": True} == listed


def test_the_commands_about_sites_work(
    longzheng: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    (block,) = (block for block in blocks_of(DOCUMENT) if "sites plan" in block)
    for line in block.splitlines():
        done = longzheng(*line.removeprefix("./longzheng ").split())
        assert done.returncode == 0, (line, done.stderr)
        assert done.stdout, line
