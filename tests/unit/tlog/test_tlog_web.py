"""The log's doors: HTTP and the command line."""

import hashlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from flask.testing import FlaskClient

from cert_registry.tlog.command import main
from cert_registry.tlog.leaf import LeafEntry
from cert_registry.tlog.log import Log
from cert_registry.tlog.note import NoteVerifier, TokenNoteSigner
from cert_registry.tlog.tiles import tile_path
from cert_registry.tlog.web import create_blueprint

ORIGIN = "log.example/web"
KEY = Ed25519PrivateKey.generate()
SIGNER = TokenNoteSigner(
    verifier=NoteVerifier(name=ORIGIN, public_key=KEY.public_key().public_bytes_raw()), sign_bytes=KEY.sign
)


def leaves(start: int, end: int) -> list[LeafEntry]:
    return [LeafEntry(hashlib.sha256(number.to_bytes(8, "big")).digest()) for number in range(start, end)]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(tmp_path / "tlog", ORIGIN, SIGNER)
    log.append(leaves(0, 300))
    return log


@pytest.fixture
def client(log: Log, tmp_path: Path) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(create_blueprint(log, tmp_path / "tlog"))
    return app.test_client()


def test_checkpoint_and_tiles_are_served_as_the_specification_says(client: FlaskClient, log: Log) -> None:
    checkpoint = client.get("/log/checkpoint")
    assert checkpoint.data == log.checkpoint()
    assert checkpoint.content_type == "text/plain; charset=utf-8"
    assert checkpoint.headers["Cache-Control"] == "no-cache"
    assert client.get("/log/vkey").text.strip() == SIGNER.vkey
    full = client.get("/log/tile/0/000")
    assert len(full.data) == 8192
    assert "immutable" in full.headers["Cache-Control"]
    assert len(client.get("/log/tile/0/001.p/44").data) == 44 * 32
    assert len(client.get("/log/tile/entries/001.p/44").data) == 44 * 34
    assert len(client.get("/log/tile/1/000.p/1").data) == 32


@pytest.mark.parametrize(
    "place",
    [
        "0/001",
        "0/001.p/45",
        "0/001.p/44/",
        "0/001.p/044",
        "0/000.p/256",
        "0/x000/000",
        "0/1",
        "6/000",
        "0/002.p/1",
        "../.state/newest",
        "entries/../../.state/lock",
    ],
)
def test_nothing_else_is_served(client: FlaskClient, place: str) -> None:
    assert client.get(f"/log/tile/{place}").status_code == 404


def test_what_a_crash_left_beyond_the_checkpoint_is_not_served(client: FlaskClient, tmp_path: Path) -> None:
    path = tmp_path / "tlog" / tile_path(0, 1)
    path.write_bytes(bytes(8192))
    assert client.get("/log/tile/0/001").status_code == 404


@pytest.mark.parametrize(
    ("number", "path"), [(0, "000"), (67, "067"), (1000, "x001/000"), (1234067, "x001/x234/067")]
)
def test_tile_numbers_are_written_in_groups_of_three(number: int, path: str) -> None:
    assert tile_path(0, number) == f"tile/0/{path}"
    assert tile_path("entries", number, 5) == f"tile/entries/{path}.p/5"


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, object]]:
    code = main(["verify", "--json", *(str(argument) for argument in arguments)])
    document = json.loads(capsys.readouterr().out)
    assert isinstance(document, dict)
    return code, document


def test_log_verify_finds_a_whole_log_whole(
    log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    older = tmp_path / "older"
    older.write_bytes(log.checkpoint())
    log.append(leaves(300, 70000))
    code, said = run(capsys, "--directory", tmp_path / "tlog", "--vkey", SIGNER.vkey, "--older", older)
    assert code == 0
    assert said == {
        "verdict": "whole",
        "origin": ORIGIN,
        "size": 70000,
        "root": log.newest().root.hex(),
        "tiles": 274 + 274 + 2 + 1,
        "continues": 300,
    }
    assert main(["verify", "--directory", str(tmp_path / "tlog")]) == 0
    assert "70000 entries" in capsys.readouterr().out


@pytest.mark.usefixtures("log")
@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/000"])
def test_log_verify_finds_one_altered_byte_anywhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    tile = tmp_path / "tlog" / path
    content = bytearray(tile.read_bytes())
    content[5] ^= 1
    tile.write_bytes(bytes(content))
    code, said = run(capsys, "--directory", tmp_path / "tlog")
    assert (code, said["verdict"], said["code"]) == (1, "damaged", "tlog-damaged")


def test_log_verify_finds_a_rollback_a_fork_and_a_missing_file(
    log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "tlog"
    small = log.checkpoint()
    log.append(leaves(300, 310))
    (tmp_path / "later").write_bytes(log.checkpoint())
    (directory / "checkpoint").write_bytes(small)
    code, said = run(capsys, "--directory", directory, "--older", tmp_path / "later")
    assert (code, said["code"]) == (1, "tlog-rolled-back")

    fork = Log(tmp_path / "fork", ORIGIN, SIGNER)
    fork.append(leaves(1, 400))
    code, said = run(capsys, "--directory", tmp_path / "fork", "--older", tmp_path / "later")
    assert (code, said["code"]) == (1, "tlog-damaged")

    (directory / "tile/0/000").unlink()
    assert run(capsys, "--directory", directory)[0] == 3
    (directory / "checkpoint").unlink()
    assert run(capsys, "--directory", directory)[0] == 3
    assert run(capsys, "--directory", tmp_path / "nowhere")[0] == 3


def test_log_verify_refuses_bad_usage(log: Log, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    directory = tmp_path / "tlog"
    assert log.newest().size == 300
    assert run(capsys, "--directory", directory, "--vkey", "a+b")[0] == 2
    assert run(capsys, "--directory", directory, "--older", tmp_path / "none")[0] == 2
    with pytest.raises(SystemExit) as caught:
        main(["check"])
    assert caught.value.code == 2
    other = NoteVerifier(name=ORIGIN, public_key=Ed25519PrivateKey.generate().public_key().public_bytes_raw())
    assert run(capsys, "--directory", directory, "--vkey", other.vkey)[0] == 1
    (directory / "vkey").write_bytes(b"\xff\xfe")
    assert main(["verify", "--directory", str(directory)]) == 2
    assert "key" in capsys.readouterr().err
