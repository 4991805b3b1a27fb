"""The command line: exit codes, the JSON contract, its sentences; and never a stack trace."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pyhanko.sign.fields import MDPPerm
from validation_attacks import evil_content
from validation_files import plain_pdf, sign
from validation_honest import encrypted
from validation_pki import NOW, Pki

from verify_api.validation.command import main

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, pki: Pki) -> Path:
    place = tmp_path_factory.mktemp("verify")
    good = sign(plain_pdf(), pki, stamped_at=NOW, lt=True, certify=MDPPerm.NO_CHANGES)
    ofd = io.BytesIO()
    with zipfile.ZipFile(ofd, "w") as package:
        package.writestr("OFD.xml", "<ofd/>")
    files = {
        "good.pdf": good,
        "altered.pdf": evil_content(good),
        "plain.pdf": plain_pdf(),
        "secret.pdf": encrypted(plain_pdf()),
        "empty.pdf": b"",
        "picture.pdf": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
        "paper.ofd": ofd.getvalue(),
        "cut.pdf": good[:2000],
        "trust.pem": pki.root.pem,
        "ca.crl": pki.crl(NOW),
    }
    for name, content in files.items():
        (place / name).write_bytes(content)
    return place


@pytest.fixture(autouse=True)
def no_service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LONGZHENG_VAR", str(tmp_path / "no-such-state"))


def run(capfdbinary: pytest.CaptureFixture[bytes], *argv: str) -> tuple[int, str, str]:
    code = main(list(argv))
    out, err = capfdbinary.readouterr()
    return code, out.decode(), err.decode()


def test_passed_is_zero_and_the_json_is_the_contract(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = str(folder / "good.pdf")
    code, out, err = run(capfdbinary, file, "--trust", str(folder / "trust.pem"), "--offline", "--json")
    (answer,) = json.loads(out)
    assert (code, err) == (0, "")
    assert list(answer) == ["file", "verdict", "reason", "signatures"]
    assert answer["file"] == file
    assert answer["verdict"] == "TOTAL-PASSED"
    (signature,) = answer["signatures"]
    assert list(signature) == [
        "field", "indication", "sub_indication", "level", "coverage", "modifications", "signer", "signed_at",
        "timestamps",
    ]  # fmt: skip
    assert signature["level"] == "PAdES-BASELINE-LT"
    assert signature["sub_indication"] is None
    assert signature["signer"].startswith("CN=示例市试验局")
    assert signature["timestamps"][0]["time"] == "2026-11-22T12:00:00Z"


def test_files_are_answered_in_order_each_with_its_verdict(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    names = ["altered.pdf", "plain.pdf", "empty.pdf", "picture.pdf", "paper.ofd", "cut.pdf", "good.pdf"]
    code, out, _ = run(
        capfdbinary, *(str(folder / n) for n in names), "--trust", str(folder / "trust.pem"), "--json"
    )
    answers = json.loads(out)
    assert code == 1
    assert [Path(a["file"]).name for a in answers] == names
    assert [a["verdict"] for a in answers] == [
        "TOTAL-FAILED", "NO-SIGNATURE", "NOT-A-PDF", "NOT-A-PDF", "NOT-A-PDF", "INDETERMINATE", "TOTAL-PASSED",
    ]  # fmt: skip
    assert "OFD" in answers[4]["reason"]
    assert all(a["reason"].count("。") == 1 and a["reason"].endswith("。") for a in answers)


def test_missing_file_is_two_and_the_others_are_reported(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, err = run(capfdbinary, str(folder / "none.pdf"), str(folder / "plain.pdf"), "--json")
    assert code == 2
    assert "none.pdf" in err
    assert [a["verdict"] for a in json.loads(out)] == ["NO-SIGNATURE"]


def test_an_endless_file_is_read_to_the_limit_and_refused(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, err = run(capfdbinary, "/dev/zero", str(folder / "plain.pdf"), "--json")
    assert code == 2
    assert "100 MiB" in err
    assert [a["verdict"] for a in json.loads(out)] == ["NO-SIGNATURE"]


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["--unknown", "x.pdf"],
        ["{}/good.pdf", "--at", "yesterday"],
        ["{}/good.pdf", "--trust", "{}/none.pem"],
        ["{}/good.pdf", "--trust", "{}/plain.pdf"],
        ["{}/good.pdf", "--crl", "{}/trust.pem"],
    ],
)
def test_bad_usage_is_two_with_one_sentence(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes], argv: list[str]
) -> None:
    code, out, err = run(capfdbinary, *(part.replace("{}", str(folder)) for part in argv))
    assert (code, out) == (2, "")
    assert err.strip()
    assert "Traceback" not in err


def test_without_any_trust_list_nothing_passes(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    code, out, _ = run(capfdbinary, str(folder / "good.pdf"), "--json")
    (answer,) = json.loads(out)
    assert code == 1
    assert answer["signatures"][0]["sub_indication"] == "NO_CERTIFICATE_CHAIN_FOUND"
    assert "信任列表" in answer["reason"]


def test_own_trust_list_is_used_when_it_is_there(
    folder: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    pki: Pki,
) -> None:
    (tmp_path / "pki").mkdir()
    (tmp_path / "pki" / "trust.pem").write_bytes(pki.root.pem)
    monkeypatch.setenv("LONGZHENG_VAR", str(tmp_path))
    assert run(capfdbinary, str(folder / "good.pdf"), "--json")[0] == 0


def test_crl_and_time_are_taken(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    argv = [str(folder / "good.pdf"), "--trust", str(folder / "trust.pem"), "--crl", str(folder / "ca.crl")]
    assert run(capfdbinary, *argv, "--at", "2026-11-23T00:00:00Z", "--json")[0] == 0
    assert run(capfdbinary, *argv, "--at", "2019-01-01", "--json")[0] == 1


def test_people_get_one_sentence_a_file(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    code, out, _ = run(
        capfdbinary,
        str(folder / "good.pdf"),
        str(folder / "altered.pdf"),
        "--trust",
        str(folder / "trust.pem"),
    )
    lines = out.splitlines()
    assert code == 1
    assert len(lines) == 2
    assert "签名有效" in lines[0]
    assert "无效" in lines[1]


def test_it_runs_as_a_program_of_its_own(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "verify_api.validation.command", str(folder / "plain.pdf")],
        cwd=ROOT,
        env={"PATH": os.defpath, "LONGZHENG_VAR": "/nonexistent"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert "没有签名" in done.stdout.decode()
