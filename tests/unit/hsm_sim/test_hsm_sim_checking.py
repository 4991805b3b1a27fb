"""The transcript compared with real tokens; each run against SoftHSM in a process of its own."""

import base64
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import rfc8785

pytestmark = pytest.mark.thorough

CHECKOUT = Path(__file__).resolve().parents[3]
IN_TOKENS = """
import sys
from pathlib import Path
from hsm_sim.softhsm import configure, module_path, pin_file
from cert_registry.signing.pkcs11_module import module
from cert_registry.signing.token import Token
from cert_registry.signing.seal_key import KeyAlgorithm
state = Path(sys.argv[1])
configure(state)
def token(label):
    return Token(module_path(), label, pin_file(state, label))
"""


def python(*arguments: str, script: str | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *(["-c", script] if script else []), *arguments]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def perform(state: Path, *witnesses: str) -> subprocess.CompletedProcess[str]:
    arguments = [
        "-m",
        "hsm_sim.ceremony",
        "--state-dir",
        str(state),
        "--public-url",
        "http://localhost:18080",
    ]
    for name in witnesses:
        arguments += ["--witness", name]
    return python(*arguments)


def check(state: Path, *, expected: int = 0) -> dict[str, Any]:
    done = python("-m", "hsm_sim.checking", "--state-dir", str(state), "--json")
    assert done.returncode == expected, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("ceremony")
    done = perform(state, "甲", "乙")
    assert done.returncode == 0, done.stderr
    return state


@pytest.fixture
def state(finished: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage; SoftHSM's configuration names its tokens by path and is written anew."""
    copy = tmp_path / "state"
    shutil.copytree(finished, copy)
    (copy / "softhsm" / "softhsm2.conf").unlink()
    return copy


def test_a_finished_ceremony_fits_its_transcript(finished: Path) -> None:
    document = check(finished)
    assert (document["fits"], document["keys"], document["certificates"]) == (True, 12, 9)
    assert (document["witnesses"], document["seal_keys"], document["root_away"]) == (["甲", "乙"], 0, False)
    transcript = json.loads((finished / "pki/ceremony-transcript.json").read_text())
    made = [act for act in transcript["acts"] if act["act"] == "key made"]
    assert {json.dumps(act["protection"], sort_keys=True) for act in made} == {
        '{"always_sensitive": true, "extractable": false, "local": true, "never_extractable": true, "sensitive": true}'
    }


def test_without_the_root_the_rest_is_compared(state: Path) -> None:
    (state / "secrets" / "pin-lz-root").unlink()
    document = check(state)
    assert (document["fits"], document["root_away"]) == (True, True)
    text = python("-m", "hsm_sim.checking", "--state-dir", str(state)).stdout
    assert "its PIN is away" in text
    assert perform(state).returncode == 0


def test_a_key_made_anew_is_told(state: Path) -> None:
    script = IN_TOKENS + (
        "import pkcs11\n"
        "with module(module_path()).in_use():\n"
        "    pin = pin_file(state, 'lz-receipts').read_text().strip()\n"
        "    with module(module_path()).find_token('lz-receipts').open(rw=True, user_pin=pin) as session:\n"
        "        for one in list(session.get_objects({pkcs11.Attribute.LABEL: 'qr'})):\n"
        "            one.destroy()\n"
        "token('lz-receipts').generate('qr', KeyAlgorithm.ECDSA_P256)\n"
    )
    done = python(str(state), script=script)
    assert done.returncode == 0, done.stderr
    assert check(state, expected=1)["faults"] == [
        "The key lz-receipts/qr is another one than the transcript tells of."
    ]


def test_a_key_that_could_leave_and_a_stray_key_are_told(state: Path) -> None:
    script = IN_TOKENS + (
        "import pkcs11\n"
        "token('lz-log').probe()\n"
        "with module(module_path()).in_use():\n"
        "    with module(module_path()).find_token('lz-seals').open(\n"
        "        rw=True, user_pin=pin_file(state, 'lz-seals').read_text().strip()\n"
        "    ) as session:\n"
        "        session.generate_key(pkcs11.KeyType.AES, 256, label='loose', store=True, template={\n"
        "            pkcs11.Attribute.SENSITIVE: False, pkcs11.Attribute.EXTRACTABLE: True})\n"
    )
    done = python(str(state), script=script)
    assert done.returncode == 0, done.stderr
    (fault,) = check(state, expected=1)["faults"]
    assert fault.startswith("The key lz-seals/loose is nobody's")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda state: (state / "pki/qr.pem").unlink(), "The certificate qr is not there."),
        (
            lambda state: shutil.copy(state / "pki/receipt.pem", state / "pki/qr.pem"),
            "The certificate qr is another one",
        ),
        (
            lambda state: (state / "pki/ceremony-transcript.sig").unlink(),
            "ceremony-transcript.sig is not there",
        ),
        (
            lambda state: (state / "pki/ceremony-transcript.sig").write_bytes(b"\x30\x00"),
            "was not signed by the root key",
        ),
        (
            lambda state: (state / "pki/ceremony-transcript.json").write_text(
                (state / "pki/ceremony-transcript.json")
                .read_text()
                .replace('"plan_sha256": "', '"plan_sha256": "0')
            ),
            "under another plan",
        ),
    ],
)
def test_what_does_not_fit_is_told(state: Path, damage: Any, words: str) -> None:
    damage(state)
    assert any(words in fault for fault in check(state, expected=1)["faults"])


def test_a_transcript_that_is_none_and_no_ceremony_at_all(state: Path, tmp_path: Path) -> None:
    (state / "pki/ceremony-transcript.json").write_text('{"acts": [1]}')
    assert check(state, expected=3)["error"] == "ceremony-error"
    (tmp_path / "empty" / "pki").mkdir(parents=True)
    assert "run ./longzheng up" in check(tmp_path / "empty", expected=3)["reason"]


def test_a_signature_lost_to_a_power_cut_is_made_again(state: Path) -> None:
    signature = state / "pki/ceremony-transcript.sig"
    signature.unlink()
    assert perform(state).returncode == 0
    assert check(state)["fits"]


def test_a_transcript_from_before_is_kept_until_the_root_signs_again(state: Path) -> None:
    transcript = state / "pki/ceremony-transcript.json"
    document = json.loads(transcript.read_text())
    (state / "pki/ceremony-transcript.sig").unlink()
    script = IN_TOKENS + (
        "import base64\n"
        "print(base64.b64encode(token('lz-root').sign_ecdsa_p256('root', sys.stdin.buffer.read())).decode())\n"
    )
    statement = {name: document[name] for name in ("plan_sha256", "public_url", "acts")}
    signed = subprocess.run(
        [sys.executable, "-c", script, str(state)],
        cwd=CHECKOUT,
        input=rfc8785.dumps(statement),
        capture_output=True,
        check=True,
    ).stdout.decode()
    assert base64.b64decode(signed)
    old = {"statement": statement, "signature": {"key": "root", "value": signed.strip()}}
    transcript.write_text(json.dumps(old))
    assert check(state)["fits"]
    pin = state / "secrets" / "pin-lz-root"
    away = pin.rename(state / "pin")
    assert perform(state).returncode == 0  # nothing to do without the root
    assert json.loads(transcript.read_text()) == old
    away.rename(pin)
    assert perform(state).returncode == 0
    assert "acts" in json.loads(transcript.read_text())
    assert check(state)["fits"]
