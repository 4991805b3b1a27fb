"""The peer in Java: EU DSS, fetched by Maven when the benchmark runs with it, never in the normal start."""

import json
import subprocess
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
from cryptography.x509.oid import NameOID

from bench.workbench import Workbench
from tests.peers.dss.harness import fetch_dss

_SOURCE = Path(__file__).parent / "dss" / "SealWithDss.java"
_VALIDATE = Path(__file__).parent / "dss" / "ValidateWithDss.java"
_PASSWORD = "bench"  # noqa: S105 - of a key that lives as long as one run
_PAGE_HEIGHT_PT = 595.2756


def seal_with_dss(bench: Workbench, *, seconds: float) -> dict[str, dict[str, float]]:
    """CPU and wall milliseconds for one B-B seal, visible and invisible; each for `seconds` after a warm-up."""
    dss = fetch_dss()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        dss.compile(_SOURCE, directory)
        (directory / "page.pdf").write_bytes(bench.page.pdf)
        (directory / "key.p12").write_bytes(_key())
        (directory / "picture.pdf").write_bytes(bench.appearance.image_pdf)
        subprocess.run(
            ["pdftocairo", "-png", "-singlefile", "-transp", "-r", "150", "picture.pdf", "picture"],
            cwd=directory,
            check=True,
            timeout=60,
        )
        place = bench.page.place
        top = _PAGE_HEIGHT_PT - place.bottom - place.height
        numbers = [place.page, place.left, top, place.width, place.height, seconds]
        done = subprocess.run(
            ["java", "-XX:+UseSerialGC", "-cp", dss.class_path(directory), "SealWithDss"]
            + [
                str(directory / "page.pdf"),
                str(directory / "key.p12"),
                _PASSWORD,
                str(directory / "picture.png"),
            ]
            + [str(number) for number in numbers],
            capture_output=True,
            text=True,
            check=True,
            timeout=60 + 40 * seconds,
        )
    answer: dict[str, dict[str, float]] = json.loads(done.stdout)
    return answer


def validate_with_dss(folder: Path, *, seconds: float) -> dict[str, float]:
    """CPU and wall milliseconds for one full validation of a folder's files, after a warm-up of the same length."""
    dss = fetch_dss()
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        dss.compile(_VALIDATE, directory)
        java = ["java", "-XX:+UseSerialGC", "-cp", dss.class_path(directory), "ValidateWithDss"]
        done = subprocess.run(
            [*java, str(folder), str(seconds)],
            capture_output=True,
            text=True,
            check=True,
            timeout=120 + 40 * seconds,
        )
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _key() -> bytes:
    """A P-256 key with a certificate of its own, as PKCS #12."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    protection = BestAvailableEncryption(_PASSWORD.encode())
    return pkcs12.serialize_key_and_certificates(b"bench", key, certificate, None, protection)
