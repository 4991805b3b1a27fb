"""The ceremony against real SoftHSM, each run in a process of its own."""

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from hsm_sim.errors import CeremonyError
from hsm_sim.transcript import check_transcript

pytestmark = pytest.mark.thorough

CHECKOUT = Path(__file__).resolve().parents[3]


def perform(state: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hsm_sim.ceremony", "--state-dir", str(state)]
    command += ["--public-url", "http://localhost:18080"]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)


def files_of(state: Path) -> dict[str, bytes]:
    return {str(p.relative_to(state)): p.read_bytes() for p in sorted((state / "pki").iterdir())}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("ceremony")
    done = perform(state)
    assert done.returncode == 0, done.stderr
    return state


def test_a_second_ceremony_changes_nothing(finished: Path) -> None:
    before = files_of(finished)
    assert perform(finished).returncode == 0
    assert files_of(finished) == before


def test_pins_are_for_the_owner_alone(finished: Path) -> None:
    assert stat.S_IMODE((finished / "secrets").stat().st_mode) == 0o700
    pins = [p.read_text() for p in (finished / "secrets").iterdir()]
    assert len(pins) == len(set(pins)) == 12
    for file in (finished / "secrets").iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_transcript_is_signed_by_the_root_and_notices_changes(finished: Path, tmp_path: Path) -> None:
    root = x509.load_pem_x509_certificate((finished / "pki/root.pem").read_bytes()).public_key()
    assert isinstance(root, ec.EllipticCurvePublicKey)
    transcript = finished / "pki/ceremony-transcript.json"
    acts = check_transcript(transcript, root)
    assert next(a["certificate"] for a in acts if a["act"] == "certificate issued") == "root"
    altered = tmp_path / "t.json"
    altered.write_bytes(transcript.read_bytes().replace(b"lz-root", b"lz-r00t", 1))
    shutil.copy(transcript.with_suffix(".sig"), tmp_path / "t.sig")
    with pytest.raises(CeremonyError):
        check_transcript(altered, root)


def test_openssl_alone_can_check_the_transcript(finished: Path, tmp_path: Path) -> None:
    pki, key = finished / "pki", tmp_path / "root.pub"
    subprocess.run(["openssl", "x509", "-in", pki / "root.pem", "-pubkey", "-noout", "-out", key], check=True)
    command = ["openssl", "dgst", "-sha256", "-verify", key]
    command += ["-signature", pki / "ceremony-transcript.sig", pki / "ceremony-transcript.json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "Verified OK"


def test_time_stamp_and_ocsp_certificates_have_their_profiles(finished: Path) -> None:
    tsa = x509.load_pem_x509_certificate((finished / "pki/tsa.pem").read_bytes())
    usage = tsa.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert usage.critical
    assert list(usage.value) == [ExtendedKeyUsageOID.TIME_STAMPING]
    ocsp = x509.load_pem_x509_certificate((finished / "pki/ocsp.pem").read_bytes())
    assert ocsp.extensions.get_extension_for_class(x509.OCSPNoCheck)


def test_a_ceremony_that_was_broken_off_is_finished(finished: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert perform(state).returncode == 0
    kept = (state / "pki/root.pem").read_bytes()
    for name in ("receipt.pem", "root.crl", "trust.pem", "ceremony-transcript.json"):
        (state / "pki" / name).unlink()
    assert perform(state).returncode == 0
    assert {p.name for p in (state / "pki").iterdir()} == {p.name for p in (finished / "pki").iterdir()}
    assert (state / "pki/root.pem").read_bytes() == kept


def test_lost_pins_and_lost_tokens_are_said_so(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert perform(state).returncode == 0
    (state / "secrets/pin-lz-log").rename(tmp_path / "pin")
    done = perform(state)
    assert done.returncode == 1
    assert "pin-lz-log" in done.stderr
    (tmp_path / "pin").rename(state / "secrets/pin-lz-log")
    shutil.rmtree(state / "softhsm")
    done = perform(state)
    assert done.returncode == 1
    assert "restore the token" in done.stderr
