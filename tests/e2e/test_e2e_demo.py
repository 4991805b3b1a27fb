"""`./longzheng demo` and what it leaves behind; `./longzheng verify` on it; what other people's tools say of it."""

import json
import os
import re
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from e2e_departments import EDUCATION, chain_of, decoded, receipt_of
from e2e_people import Administration

from cert_registry.qr import key_id, verify_qr
from cert_registry.signing.pki.directory import PkiDirectory
from deploy.configuration import Configuration
from deploy.demo.accounts import person
from deploy.demo.acts_identity import CITIZEN

pytestmark = pytest.mark.servers

Longzheng = Callable[..., subprocess.CompletedProcess[str]]
FILES = {"ecert.pdf", "revoked.pdf", "trust.pem", "receipt.jws", "jwks.json", "qr.txt", "report.json"}
SIGNATURE_MEMBERS = {
    "field",
    "indication",
    "sub_indication",
    "level",
    "coverage",
    "modifications",
    "signer",
    "signed_at",
    "timestamps",
}
TIMESTAMP_MEMBERS = {"time", "kind", "indication", "sub_indication", "signer"}


def verified(longzheng: Longzheng, *arguments: str | Path) -> tuple[int, list[dict[str, Any]]]:
    """Exit code and JSON of `./longzheng verify … --json`."""
    done = longzheng("verify", *arguments, "--json")
    return done.returncode, json.loads(done.stdout)


# ── the story ──


def test_the_story_leaves_its_files(told: Path, system: Configuration) -> None:
    assert {path.name for path in told.iterdir()} >= FILES
    report = json.loads((told / "report.json").read_text(encoding="utf-8"))
    assert report["succeeded"] is True
    assert report["addresses"]["service"] == system.public_url
    assert len(report["acts"]) == 9
    assert all(step["holds"] for act in report["acts"] for step in act["steps"])


def test_the_story_can_be_told_again(told: Path, longzheng: Longzheng, tmp_path: Path) -> None:
    before = json.loads((told / "report.json").read_text(encoding="utf-8"))
    done = longzheng("demo", "--out", tmp_path, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report == json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert {path.name for path in tmp_path.iterdir()} >= FILES
    assert [act["title"] for act in report["acts"]] == [act["title"] for act in before["acts"]]
    assert report["ecert"]["identifier"] != before["ecert"]["identifier"]


@pytest.fixture
def citizen_locked_out(told: Path, admin: Administration) -> Iterator[None]:
    """The citizen's account is disabled for a while, so that the story goes otherwise than told."""
    assert told.is_dir()
    user = admin.user(person(CITIZEN).mobile)
    assert user is not None
    admin.connection.put("users", user["id"], body=user | {"enabled": False})
    yield
    admin.connection.put("users", user["id"], body=user | {"enabled": True})


@pytest.mark.usefixtures("citizen_locked_out")
def test_a_step_that_differs_ends_the_story_with_1(longzheng: Longzheng, tmp_path: Path) -> None:
    done = longzheng("demo", "--out", tmp_path, "--json")
    assert done.returncode == 1, done.stderr
    report = json.loads(done.stdout)
    assert report["succeeded"] is False
    last = report["acts"][-1]["steps"][-1]
    assert last["holds"] is False
    assert last["sentence"].startswith(f"{CITIZEN}在示例政务网登录")
    assert f"✗ 不符：{last['sentence']}" in done.stderr


# ── `./longzheng verify` (design section 8) ──


def test_a_sealed_file_passes_and_says_everything(told: Path, longzheng: Longzheng) -> None:
    code, answers = verified(longzheng, told / "ecert.pdf", "--trust", told / "trust.pem", "--offline")
    assert code == 0
    [answer] = answers
    assert set(answer) == {"file", "verdict", "reason", "signatures"}
    assert (answer["file"], answer["verdict"]) == (str(told / "ecert.pdf"), "TOTAL-PASSED")
    [signature] = answer["signatures"]
    assert set(signature) == SIGNATURE_MEMBERS
    expected = {
        "indication": "TOTAL-PASSED",
        "sub_indication": None,
        "level": "PAdES-BASELINE-LT",
        "coverage": "whole-file",
        "modifications": "none",
    }
    assert {name: signature[name] for name in expected} == expected
    assert signature["signer"].startswith("CN=示例市市场监督管理局证照专用章,")
    assert datetime.fromisoformat(signature["signed_at"]).tzinfo is not None
    [stamp] = signature["timestamps"]
    assert set(stamp) == TIMESTAMP_MEMBERS
    assert (stamp["kind"], stamp["indication"]) == ("signature", "TOTAL-PASSED")


def test_the_services_own_list_is_the_default(told: Path, longzheng: Longzheng) -> None:
    """Revoking a licence is the registry's affair: the seal on it stays good."""
    code, [answer] = verified(longzheng, told / "revoked.pdf")
    assert (code, answer["verdict"]) == (0, "TOTAL-PASSED")


def test_several_files_are_told_in_their_order(told: Path, longzheng: Longzheng, tmp_path: Path) -> None:
    unsigned, text, ofd = tmp_path / "unsigned.pdf", tmp_path / "text.txt", tmp_path / "page.ofd"
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.save(unsigned)
    text.write_text("not a PDF\n", encoding="utf-8")
    with zipfile.ZipFile(ofd, "w") as package:
        package.writestr("OFD.xml", '<ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016" Version="1.1"/>')
    longer, shorter = tmp_path / "longer.pdf", tmp_path / "shorter.pdf"
    content = (told / "ecert.pdf").read_bytes()
    longer.write_bytes(content + b"\n%")
    shorter.write_bytes(content[:-1])
    files = [
        text,
        told / "altered.pdf",
        unsigned,
        told / "ecert.pdf",
        ofd,
        longer,
        shorter,
        told / "revoked.pdf",
    ]
    code, answers = verified(longzheng, *files, "--trust", told / "trust.pem")
    assert code == 1
    assert [answer["file"] for answer in answers] == [str(file) for file in files]
    verdicts = [answer["verdict"] for answer in answers]
    assert verdicts[:5] == ["NOT-A-PDF", "TOTAL-FAILED", "NO-SIGNATURE", "TOTAL-PASSED", "NOT-A-PDF"]
    assert "TOTAL-PASSED" not in verdicts[5:7]
    assert verdicts[7] == "TOTAL-PASSED"
    assert "OFD" in answers[4]["reason"]
    assert all(answer["reason"].endswith("。") for answer in answers)
    assert answers[0]["signatures"] == []


def test_a_foreign_list_replaces_our_own(told: Path, longzheng: Longzheng, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.pem"
    foreign.write_bytes(stranger().public_bytes(Encoding.PEM))
    code, [answer] = verified(longzheng, told / "ecert.pdf", "--trust", foreign)
    assert (code, answer["verdict"]) == (1, "INDETERMINATE")
    assert answer["signatures"][0]["sub_indication"] == "NO_CERTIFICATE_CHAIN_FOUND"


def stranger() -> x509.Certificate:
    """An authority that nobody here trusts."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Nobody's root")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )


def test_a_missing_file_and_wrong_usage_exit_2(told: Path, longzheng: Longzheng, tmp_path: Path) -> None:
    done = longzheng("verify", tmp_path / "missing.pdf", told / "ecert.pdf", "--json")
    assert done.returncode == 2
    assert "missing.pdf" in done.stderr
    assert [answer["verdict"] for answer in json.loads(done.stdout)] == ["TOTAL-PASSED"]
    for arguments in ([], ["--trust"], [told / "ecert.pdf", "--at", "some day"]):
        done = longzheng("verify", *arguments)
        assert done.returncode == 2
        assert done.stderr.strip()
        assert "Traceback" not in done.stderr


# ── the receipt and the QR code ──


def test_the_receipt_holds_under_the_published_key_and_its_chain_ends_at_our_anchor(told: Path) -> None:
    receipt = (told / "receipt.jws").read_text(encoding="ascii").strip()
    claims = receipt_of(receipt)
    assert (claims["aud"], claims["outcome"]) == (EDUCATION, "valid")
    assert claims["seal"]["verdict"] == "TOTAL-PASSED"
    chain = chain_of(receipt)
    numbers = chain[0].public_key().public_numbers()
    [key] = json.loads((told / "jwks.json").read_text(encoding="utf-8"))["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    assert int.from_bytes(decoded(key["x"]), "big") == numbers.x
    assert int.from_bytes(decoded(key["y"]), "big") == numbers.y
    anchors = x509.load_pem_x509_certificates((told / "trust.pem").read_bytes())
    for issued, issuer in pairwise(chain):
        issued.verify_directly_issued_by(issuer)
    assert any(is_issued_by(chain[-1], anchor) for anchor in anchors)


def is_issued_by(certificate: x509.Certificate, anchor: x509.Certificate) -> bool:
    if certificate.issuer != anchor.subject:
        return False
    certificate.verify_directly_issued_by(anchor)
    return True


def test_the_qr_code_holds_without_a_connection(told: Path, system: Configuration) -> None:
    text = (told / "qr.txt").read_text(encoding="utf-8").strip()
    assert text.startswith(f"{system.public_url.upper()}/VERIFY#LZ1:")
    signing_certificate = PkiDirectory(system.pki_dir).certificate("qr")
    public_key = signing_certificate.public_key()
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    kid = key_id(signing_certificate.public_bytes(Encoding.DER))
    opened = verify_qr(text, {kid: public_key}, now=datetime.now(UTC))
    report = json.loads((told / "report.json").read_text(encoding="utf-8"))
    assert opened.claims.identifier == report["ecert"]["identifier"]
    assert opened.ended is False


# ── other people's tools ──


def run(*arguments: str | Path) -> str:
    done = subprocess.run([str(one) for one in arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_poppler_calls_the_seal_valid(told: Path) -> None:
    shown = run("pdfsig", told / "ecert.pdf")
    assert "Signature Validation: Signature is Valid." in shown
    assert "Total document signed" in shown


def test_openssl_accepts_the_signature_under_our_anchor(told: Path, tmp_path: Path) -> None:
    content = (told / "ecert.pdf").read_bytes()
    found = re.search(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]", content)
    assert found is not None
    begin, first, second, length = (int(number) for number in found.groups())
    signed, cms = tmp_path / "signed", tmp_path / "cms.der"
    signed.write_bytes(content[begin : begin + first] + content[second : second + length])
    cms.write_bytes(bytes.fromhex(content[begin + first + 1 : second - 1].decode("ascii")))
    trust = ("-CAfile", told / "trust.pem", "-purpose", "any")
    detached = ("-inform", "DER", "-in", cms, "-binary", "-content", signed, "-out", os.devnull)
    assert "successful" in run("openssl", "cms", "-verify", *detached, *trust)
