"""The commands of the documents, run as they are written, and the documents' links.

A block that begins with ```sh is run; one that must not (it installs, stops or deletes) begins with ```sh no-run.
"""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from deploy.configuration import Configuration

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "docs/ceremony.md",
    "docs/check-a-certificate.md",
    "docs/contribute.md",
    "docs/levels.md",
    "docs/operate.md",
    "docs/seals.md",
)
FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")
MARK = "@@ block "


@dataclass(frozen=True, slots=True)
class Ran:
    """What one document's blocks printed, in their order."""

    outputs: list[str]
    errors: str
    exit_code: int


def blocks_of(document: str) -> list[str]:
    """The blocks that are run."""
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    return [body for kind, body in FENCE.findall(text) if kind.strip() == "sh"]


def run_blocks(system: Configuration, document: str) -> Ran:
    """Runs a document's blocks in one shell, as a reader would paste them."""
    script = "set -euo pipefail\n"
    for number, block in enumerate(blocks_of(document)):
        script += f"echo; echo '{MARK}{number}'\n{block}"
    environment = os.environ | {
        "LONGZHENG": system.public_url,
        "ISSUER": system.keycloak.issuer,
        "LONGZHENG_VAR": str(system.state_dir),
    }
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    outputs = re.split(rf"^{MARK}\d+$", done.stdout, flags=re.MULTILINE)[1:]
    return Ran(outputs=[output.strip() for output in outputs], errors=done.stderr, exit_code=done.returncode)


def answers_in(ran: Ran) -> list[dict[str, Any]]:
    """The answers of the verify API among the outputs."""
    documents = [json.loads(output) for output in ran.outputs if output.startswith("{")]
    return [document for document in documents if "outcome" in document]


@pytest.mark.servers
@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_command_of_the_document_works(system: Configuration, told: Path, document: str) -> None:
    assert told.is_dir()
    blocks = blocks_of(document)
    assert blocks, "no block to run"
    ran = run_blocks(system, document)
    last = blocks[len(ran.outputs) - 1] if ran.outputs else ""
    assert ran.exit_code == 0, (
        f"{document}: exit {ran.exit_code} at\n{last}\n{ran.outputs[-1:]}\n{ran.errors}"
    )
    assert len(ran.outputs) == len(blocks)
    if document == "docs/check-a-certificate.md":
        answers = answers_in(ran)
        assert [answer["outcome"] for answer in answers] == ["valid"] * 4
        assert [answer["seal"]["basis"] for answer in answers[:3]] == ["digest", "digest", "none"]
        assert [one["result"] for one in answers[3]["comparison"]] == ["match"]


@pytest.mark.servers
def test_the_problem_codes_that_developers_are_told_exist(system: Configuration) -> None:
    """Those that one request can show; the others have tests of their own."""
    text = (CHECKOUT / "docs" / "check-a-certificate.md").read_text(encoding="utf-8")
    answer = requests.post(f"{system.public_url}/api/v1/verifications", json={}, timeout=30)
    assert f"`{answer.json()['code']}`" in text


@pytest.mark.parametrize(
    "document",
    [str(path.relative_to(CHECKOUT)) for path in [*CHECKOUT.glob("*.md"), *CHECKOUT.glob("docs/*.md")]],
)
def test_links_lead_somewhere(document: str) -> None:
    text = (CHECKOUT / document).read_text(encoding="utf-8")
    for target in LINK.findall(text):
        assert ((CHECKOUT / document).parent / target).exists(), target


def test_blocks_are_marked_in_the_one_way_that_is_known() -> None:
    for document in DOCUMENTS:
        kinds = {kind.strip() for kind, _ in FENCE.findall((CHECKOUT / document).read_text(encoding="utf-8"))}
        assert kinds <= {"", "sh", "sh no-run", "json", "yaml", "python"}, document
