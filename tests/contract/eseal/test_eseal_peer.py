"""E-seals between this service and ofdrw: each reads and verifies what the other made."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cert_registry.eseal.making import make_seal, make_signature
from cert_registry.eseal.ports import Judgement, Standing
from cert_registry.eseal.reading import read_seal
from cert_registry.eseal.report import EsealVerdict, Severity, Step
from cert_registry.eseal.types import EsealVersion
from cert_registry.eseal.verifying import verify
from tests.peers.ofdrw.harness import Ofdrw
from tests.unit.eseal.eseal_world import MADE, NOW, P256Key, a_judge, a_signer, content_for, sm2_key

pytestmark = pytest.mark.thorough

DATA = b"the protected data"
SIGNED = MADE + timedelta(days=3)


def test_ofdrw_verifies_what_is_made_here(ofdrw: Ofdrw, tmp_path: Path) -> None:
    kinds = [(v, k) for v in (EsealVersion.V4, EsealVersion.V5) for k in ("sm2", "p256")]
    made = [_make(version, kind) for version, kind in kinds]
    seals, signatures, altered = ([one[i] for one in made] for i in range(3))
    read = ofdrw.read("seal", *_write(tmp_path, "seal", seals))
    for (version, _), seal, answer in zip(kinds, seals, read, strict=True):
        content = read_seal(seal).content
        assert answer == {
            "holds": "true",
            "version": str(version.value),
            "id": content.seal_id,
            "name": content.name,
            "holder": base64.b64encode(hashlib.sha256(content.holders[0]).digest()).decode(),
            "created": "2026-07-02T01:02:03Z",
            "until": "2027-07-02T01:02:03Z",
            "picture": "SVG42",
        }
    files = _write(tmp_path, "signature", signatures) + _write(tmp_path, "altered", altered)
    answers = ofdrw.read("signature", *files)
    for (_, kind), answer in zip(kinds, answers[:4], strict=True):
        digest = hashlib.new("sm3" if kind == "sm2" else "sha256", DATA).digest()
        assert (answer["holds"], answer["seal-holds"]) == ("true", "true")
        assert (answer["time"], answer["property"]) == ("2026-07-05T01:02:03Z", "/a.xml")
        assert answer["hash"] == base64.b64encode(digest).decode()
    assert {(a["holds"], a["seal-holds"], a["property"]) for a in answers[4:]} == {
        ("false", "true", "/b.xml")
    }
    for der in altered:
        assert verify(der, judge=a_judge(), now=NOW, data=DATA).verdict is EsealVerdict.INVALID


def _make(version: EsealVersion, kind: str) -> tuple[bytes, bytes, bytes]:
    """A seal, a signature with it, and the signature altered."""
    new = sm2_key if kind == "sm2" else P256Key
    maker, holder = a_signer(new(), "maker"), a_signer(new(), "holder")
    seal = make_seal(content_for(holder.certificate), maker=maker, version=version)
    signature = make_signature(seal, signer=holder, data=DATA, property_info="/a.xml", signed_at=SIGNED)
    return seal, signature, signature.replace(b"/a.xml", b"/b.xml")


def _write(directory: Path, word: str, contents: list[bytes]) -> list[Path]:
    files = [directory / f"{word}-{number}" for number in range(len(contents))]
    for file, content in zip(files, contents, strict=True):
        file.write_bytes(content)
    return files


def test_what_ofdrw_makes_is_verified_here(ofdrw: Ofdrw, tmp_path: Path) -> None:
    ofdrw.make(tmp_path)
    for name in ("seal-v4.esl", "signature-v4.dat", "seal-v1.esl"):
        der = (tmp_path / name).read_bytes()
        report = verify(der, judge=a_judge(), now=NOW, data=DATA)
        assert (report.verdict, report.findings) == (EsealVerdict.VALID, ()), name
    report = verify((tmp_path / "signature-v1.dat").read_bytes(), judge=a_judge(), now=NOW, data=DATA)
    assert [(f.step, f.severity) for f in report.findings] == [(Step.SIGNING_TIME, Severity.UNDECIDED)]
    for name in ("seal-v4.esl", "signature-v4.dat", "seal-v1.esl", "signature-v1.dat"):
        der = (tmp_path / name).read_bytes().replace("示例章".encode(), "示例张".encode())
        assert verify(der, judge=a_judge(), now=NOW, data=DATA).verdict is EsealVerdict.INVALID, name


def test_the_stored_vectors_are_answered_as_written() -> None:
    """`tests/vectors/eseal`: made once by this service and by ofdrw, see its README."""
    directory = Path(__file__).resolve().parents[2] / "vectors" / "eseal"
    judge = a_judge()
    judge.standings[datetime(2026, 7, 2, 1, 2, 3, tzinfo=UTC)] = Judgement(standing=Standing.GOOD)
    answers = {}
    for line in (directory / "expected.txt").read_text(encoding="utf-8").splitlines():
        name, version, verdict = line.split()
        report = verify((directory / name).read_bytes(), judge=judge, now=NOW, data=DATA)
        answers[name] = (str(report.version.value if report.version else "-"), report.verdict.value)
        assert answers[name] == (version, verdict), name
    assert set(answers) == {f.name for f in directory.iterdir() if f.suffix in {".esl", ".dat"}}
