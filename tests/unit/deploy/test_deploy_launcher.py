import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import cli, control, first_configuration, launcher, ports, processes
from deploy.configuration import Mode

pytestmark = pytest.mark.thorough

CHECKOUT = Path(__file__).resolve().parents[3]


def run(state_dir: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(CHECKOUT / "longzheng"), *arguments],
        env={**os.environ, "LONGZHENG_VAR": str(state_dir), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    directory = tmp_path / "state"
    yield directory
    control.shut_down(directory)


def test_without_a_command_it_lists_those_that_are_there(state_dir: Path) -> None:
    done = run(state_dir)
    assert done.returncode == 2
    for command in ("up", "down", "status", "reset", "test", "doctor"):
        assert f"\n  {command} " in done.stdout


def test_an_unknown_command_is_bad_usage(state_dir: Path) -> None:
    done = run(state_dir, "upp")
    assert done.returncode == 2
    assert "there is no command 'upp'" in done.stderr


def test_an_unknown_option_is_bad_usage(state_dir: Path) -> None:
    assert run(state_dir, "status", "--nonsense").returncode == 2


def test_status_before_anything_is_installed_is_one_json_document(state_dir: Path) -> None:
    done = run(state_dir, "status", "--json")
    assert done.returncode == 3
    assert json.loads(done.stdout)["healthy"] is False


def test_status_of_a_stopped_system_names_every_part(state_dir: Path) -> None:
    first_configuration.complete(state_dir, ports=ports.choose(state_dir, asked={}), mode=Mode.DEMO)
    done = run(state_dir, "status", "--json")
    assert done.returncode == 3
    document = json.loads(done.stdout)
    assert [part["name"] for part in document["parts"]] == [
        "directory",
        "keycloak",
        "service",
        "site-a",
        "site-b",
    ]
    assert {part["state"] for part in document["parts"]} == {"stopped"}


@pytest.mark.parametrize(("command", "code"), [("status", 3), ("down", 0)])
def test_without_an_environment_it_says_that_nothing_is_installed(
    command: str,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(launcher, "VIRTUAL_ENVIRONMENT", tmp_path / "venv")
    monkeypatch.setattr(launcher, "keep_private", lambda: None)
    monkeypatch.setenv("LONGZHENG_VAR", str(tmp_path))
    assert launcher.main([command]) == code
    assert "Nothing is installed" in capsys.readouterr().out


def test_down_of_a_stopped_system_is_done(state_dir: Path) -> None:
    done = run(state_dir, "down")
    assert done.returncode == 0
    assert "Nothing was running" in done.stderr


def test_a_taken_port_that_was_asked_for_is_told_before_anything_is_made(state_dir: Path) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        port = listener.getsockname()[1]
        done = run(state_dir, "up", "--detach", "--port", f"service={port}")
    assert done.returncode == 3
    assert f"longzheng: Port {port} (service) is taken by another program" in done.stderr
    assert not (state_dir / "longzheng.yaml").exists()


def test_a_port_taken_since_is_told_at_the_next_start(state_dir: Path) -> None:
    chosen = ports.choose(state_dir, asked={})
    first_configuration.complete(state_dir, ports=chosen, mode=Mode.DEMO)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", chosen.directory))
        listener.listen(1)
        done = run(state_dir, "up", "--detach")
    assert done.returncode == 3
    assert f"Port {chosen.directory} (directory) is taken by another program" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_of_a_late_part_is_told_before_anything_is_started(state_dir: Path) -> None:
    chosen = ports.choose(state_dir, asked={})
    first_configuration.complete(state_dir, ports=chosen, mode=Mode.DEMO)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", chosen.site_b))
        listener.listen(1)
        done = run(state_dir, "up", "--detach")
    assert done.returncode == 3
    assert f"Port {chosen.site_b} (site_b) is taken by another program: stop it (" in done.stderr
    assert f", process {os.getpid()})" in done.stderr
    assert "which deletes all keys and data" in done.stderr
    assert not control.is_running(state_dir)
    assert not (state_dir / "pki").exists()
    assert not (state_dir / "run" / "wanted").exists()


def test_missing_java_is_told(state_dir: Path, tmp_path: Path) -> None:
    done = run(state_dir, "up", "--detach", JAVA_HOME=str(tmp_path))
    assert done.returncode == 3
    assert f"JAVA_HOME names {tmp_path}, and there is no bin/java: unset JAVA_HOME" in done.stderr


def test_a_directory_with_other_things_in_it_is_not_taken(state_dir: Path) -> None:
    state_dir.mkdir()
    (state_dir / "thesis.txt").touch()
    done = run(state_dir, "up", "--detach")
    assert done.returncode == 2
    assert "holds other things (thesis.txt)" in done.stderr


def test_reset_asks_first(state_dir: Path) -> None:
    first_configuration.complete(state_dir, ports=ports.choose(state_dir, asked={}), mode=Mode.DEMO)
    done = run(state_dir, "reset")
    assert done.returncode == 2
    assert "give --yes" in done.stderr
    assert (state_dir / "longzheng.yaml").exists()


def test_reset_deletes_all_state_and_only_where_there_is_some(state_dir: Path) -> None:
    first_configuration.complete(state_dir, ports=ports.choose(state_dir, asked={}), mode=Mode.DEMO)
    (state_dir / "registry.db").touch()
    (state_dir / "venv").mkdir()
    assert run(state_dir, "reset", "--yes").returncode == 0
    assert [entry.name for entry in state_dir.iterdir()] == ["venv"]
    (state_dir / "strange.txt").touch()
    assert run(state_dir, "reset", "--yes").returncode == 0
    assert (state_dir / "strange.txt").exists()


def test_doctor_tells_findings_with_remedies(state_dir: Path, tmp_path: Path) -> None:
    done = run(state_dir, "doctor", "--json", JAVA_HOME=str(tmp_path))
    assert done.returncode == 1
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert findings["python"]["well"]
    assert not findings["java"]["well"]
    assert "unset JAVA_HOME" in findings["java"]["remedy"]
    assert findings["configuration"]["remedy"] == "./longzheng up sets it up."


def test_doctor_sees_a_loose_secret(state_dir: Path) -> None:
    first_configuration.complete(state_dir, ports=ports.choose(state_dir, asked={}), mode=Mode.DEMO)
    secrets = state_dir / "secrets"
    secrets.mkdir(mode=0o700)
    (secrets / "pin-lz-root").touch(mode=0o644)
    (secrets / "pin-lz-root").chmod(0o644)
    done = run(state_dir, "doctor", "--json")
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert not findings["secrets"]["well"]
    assert "pin-lz-root" in findings["secrets"]["sentence"]
    checks = [finding["check"] for finding in json.loads(done.stdout)["findings"]]
    assert len(checks) == len(set(checks))
    assert findings["part directory"]["sentence"] == "down; its ports are free."


def test_doctor_sees_a_loose_database_and_a_loose_state_directory(state_dir: Path) -> None:
    first_configuration.complete(state_dir, ports=ports.choose(state_dir, asked={}), mode=Mode.DEMO)
    (state_dir / "registry.db").touch()
    (state_dir / "registry.db").chmod(0o644)
    state_dir.chmod(0o755)
    done = run(state_dir, "doctor", "--json")
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert not findings["state directory"]["well"]
    assert f"{state_dir}, {state_dir / 'registry.db'}" in findings["state directory"]["sentence"]


def test_up_tightens_a_state_directory_but_never_one_that_is_not_ours(state_dir: Path) -> None:
    chosen = ports.choose(state_dir, asked={})
    first_configuration.complete(state_dir, ports=chosen, mode=Mode.DEMO)
    accounts = state_dir / "keycloak" / "data" / "h2" / "keycloakdb.mv.db"
    accounts.parent.mkdir(parents=True)
    for file in (accounts, state_dir / "registry.db"):
        file.touch()
        file.chmod(0o644)
    state_dir.chmod(0o755)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", chosen.directory))
        listener.listen(1)
        assert run(state_dir, "up", "--detach").returncode == 3
    for path in (state_dir, state_dir / "keycloak", accounts, state_dir / "registry.db"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert run(state_dir, "reset", "--yes").returncode == 0
    (state_dir / "thesis.txt").touch()
    state_dir.chmod(0o755)
    assert run(state_dir, "up", "--detach").returncode == 2
    assert state_dir.stat().st_mode & 0o777 == 0o755
    assert {entry.name for entry in state_dir.iterdir()} == {"thesis.txt"}


def test_an_attached_start_that_is_interrupted_leaves_nothing_behind(state_dir: Path) -> None:
    with subprocess.Popen(
        [sys.executable, str(CHECKOUT / "longzheng"), "up"],
        env={**os.environ, "LONGZHENG_VAR": str(state_dir)},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stderr is not None
        for line in child.stderr:
            if "Starting Directory" in line:
                break
        child.send_signal(signal.SIGTERM)
        assert "Ending" in child.stderr.read()
        assert child.wait(timeout=120) == 0
    assert not control.is_running(state_dir)
    assert processes.marked(state_dir) == ()


def test_every_door_of_the_command_line_is_a_command() -> None:
    commands = {name: one.module for name, one in launcher.COMMANDS.items()}
    assert {name: door.module for name, door in cli.DOORS.items()}.items() <= commands.items()
