"""`./longzheng eseal verify` over seals of the real SM2 hierarchy, with time stamps, revocation and foreign trust."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import tsp
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.eseal.making import Signer, make_seal, make_signature
from cert_registry.eseal.types import SealContent
from cert_registry.signing.pki.issuing import Subject
from cert_registry.signing.pki.register import RevocationReason
from cert_registry.signing.settings import Settings
from cert_registry.signing.sm2_services import ESEAL_MAKER, Sm2Services, open_sm2
from hsm_sim.sm2_ceremony import Sm2Hierarchy, run
from tests.fixtures_token import CHECKOUT, PUBLIC_URL
from tests.fixtures_token import ceremony_state as ceremony_state  # noqa: PLC0414 - a fixture to hand on
from tests.fixtures_token import signing_settings as signing_settings  # noqa: PLC0414 - likewise
from tests.unit.eseal.eseal_world import content_for
from verify_api.eseal_command import main

LABEL = "seal-eseal-command"
DATA = b"the protected data"


@pytest.fixture(scope="module")
def sm2(ceremony_state: Path, signing_settings: Settings) -> Sm2Services:
    run(ceremony_state, PUBLIC_URL)
    subject = Subject(
        common_name="测试章", organisation="示例市市场监督管理局", credit_code="119901000000002037"
    )
    Sm2Hierarchy(ceremony_state, PUBLIC_URL).equip_seal(LABEL, subject)
    services = open_sm2(signing_settings, key_directory=ceremony_state / "sm2-keys")
    for authority in ("seal-ca", "tsa-ca", "service-ca"):
        services.crls.current(authority, now=datetime.now(UTC))
    return services


@pytest.fixture
def maker(sm2: Sm2Services) -> Signer:
    return Signer(key=sm2.eseal_maker, certificate=_der(sm2, ESEAL_MAKER))


@pytest.fixture
def content(sm2: Sm2Services) -> SealContent:
    now = datetime.now(UTC).replace(microsecond=0)
    return replace(
        content_for(_der(sm2, LABEL)), created_at=now, valid_from=now, valid_until=now + timedelta(days=300)
    )


def _der(sm2: Sm2Services, name: str) -> bytes:
    return sm2.pki.certificate(name).public_bytes(Encoding.DER)


def _stamp(sm2: Sm2Services, at: datetime) -> Callable[[bytes], bytes]:
    def stamp(signature: bytes) -> bytes:
        imprint = {
            "hash_algorithm": {"algorithm": "sm3"},
            "hashed_message": hashlib.new("sm3", signature).digest(),
        }
        request = tsp.TimeStampReq({"version": "v1", "message_imprint": imprint, "cert_req": True})
        return bytes(
            tsp.TimeStampResp.load(sm2.tsa.respond(request.dump(), now=at))["time_stamp_token"].dump()
        )

    return stamp


def _verify(
    sm2: Sm2Services, capsys: pytest.CaptureFixture[str], *arguments: str
) -> tuple[int, list[dict[str, object]]]:
    pki = sm2.pki.path
    known = ["--trust", str(pki / "trust.pem")]
    for name in ("seal-ca", "tsa-ca", "service-ca"):
        known += ["--untrusted", str(pki / f"{name}.pem")]
    for name in ("root", "seal-ca", "tsa-ca", "service-ca"):
        known += ["--crl", str(pki / f"{name}.crl")]
    code = main(["verify", *known, "--json", *arguments])
    document: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return code, document


def test_a_stamped_seal_and_a_signature_with_it_are_valid(
    sm2: Sm2Services,
    maker: Signer,
    content: SealContent,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    now = datetime.now(UTC)
    seal = make_seal(content, maker=maker, stamp=_stamp(sm2, now))
    holder = Signer(key=sm2.keys.signing_key(LABEL), certificate=_der(sm2, LABEL))
    signature = make_signature(
        seal, signer=holder, data=DATA, property_info="/a", signed_at=now, stamp=_stamp(sm2, now)
    )
    for name, data in (("seal", seal), ("signature", signature), ("data", DATA), ("cut", seal[:-1])):
        (tmp_path / name).write_bytes(data)
    protected = ["--data", str(tmp_path / "data")]
    code, answers = _verify(sm2, capsys, str(tmp_path / "seal"), str(tmp_path / "signature"), *protected)
    assert [(a["verdict"], a["kind"], a["version"], a["findings"]) for a in answers] == [
        ("VALID", "seal", 5, []),
        ("VALID", "signature", 5, []),
    ]
    assert code == 0
    code, answers = _verify(sm2, capsys, str(tmp_path / "cut"))
    assert (code, answers[0]["verdict"]) == (1, "INVALID")
    late = (now + timedelta(days=301)).isoformat()
    code, answers = _verify(sm2, capsys, str(tmp_path / "seal"), "--at", late)
    assert (code, answers[0]["verdict"]) == (1, "INVALID")


def test_a_seal_made_after_its_time_stamp_is_refused(
    sm2: Sm2Services,
    maker: Signer,
    content: SealContent,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    early = content.created_at - timedelta(minutes=1)
    (tmp_path / "seal").write_bytes(make_seal(content, maker=maker, stamp=_stamp(sm2, early)))
    code, answers = _verify(sm2, capsys, str(tmp_path / "seal"))
    assert (code, answers[0]["verdict"]) == (1, "INVALID")
    assert "时间戳" in json.dumps(answers, ensure_ascii=False)


def test_without_the_way_up_nothing_is_called_valid(
    sm2: Sm2Services, maker: Signer, content: SealContent, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "seal"
    file.write_bytes(make_seal(content, maker=maker))
    trust = str(sm2.pki.path / "trust.pem")
    assert main(["verify", "--trust", trust, str(file)]) == 1
    assert "不能确定" in capsys.readouterr().out
    above = str(sm2.pki.path / "service-ca.pem")
    assert main(["verify", "--trust", trust, "--untrusted", above, str(file)]) == 1  # no revocation data
    assert "没有吊销信息" in capsys.readouterr().out


def test_a_maker_revoked_later_is_a_warning_and_before_an_error(
    sm2: Sm2Services,
    content: SealContent,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    ceremony_state: Path,
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    hierarchy = Sm2Hierarchy(ceremony_state, PUBLIC_URL)
    certificate = hierarchy.equip_maker(
        "eseal-maker-for-revoking", Subject(common_name="临时制章", organisation="示例")
    )
    maker = Signer(
        key=sm2.keys.signing_key("eseal-maker-for-revoking"),
        certificate=certificate.public_bytes(Encoding.DER),
    )
    made = {"before": now - timedelta(minutes=2), "after": now}
    revoked = now - timedelta(minutes=1)
    for name, at in made.items():
        seal = make_seal(replace(content, created_at=at, valid_from=at), maker=maker)
        (tmp_path / name).write_bytes(seal)
    sm2.pki.register.revoke(
        "service-ca", certificate.serial_number, reason=RevocationReason.KEY_COMPROMISE, now=revoked
    )
    sm2.crls.current("service-ca", now=now)
    code, answers = _verify(
        sm2, capsys, str(tmp_path / "before"), "--at", (now + timedelta(seconds=5)).isoformat()
    )
    assert (code, answers[0]["verdict"]) == (0, "VALID")
    assert "在制章之后吊销" in json.dumps(answers, ensure_ascii=False)
    code, answers = _verify(
        sm2, capsys, str(tmp_path / "after"), "--at", (now + timedelta(seconds=5)).isoformat()
    )
    assert (code, answers[0]["verdict"]) == (1, "INVALID")


def test_wrong_usage_is_told_apart_from_a_bad_seal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(tmp_path / "none")]) == 2
    assert main(["verify"]) == 2
    assert main(["verify", "--at", "gestern", str(tmp_path)]) == 2
    assert capsys.readouterr().out == ""


def test_the_launcher_has_the_command(tmp_path: Path) -> None:
    (tmp_path / "seal").write_bytes(b"\x30\x00")
    done = subprocess.run(
        [sys.executable, str(CHECKOUT / "longzheng"), "eseal", "verify", str(tmp_path / "seal")],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stdout.split("：")[1].split("\n")[0]) == (1, "无效")
