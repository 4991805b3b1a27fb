from pathlib import Path

import pytest

from deploy import cli, code_version, control, first_configuration, health, ports
from deploy.configuration import Mode


@pytest.mark.parametrize(
    "changed", ["flask_app.py", "templates/page.html", "translations/en/m.po", "idp/new.py"]
)
def test_a_changed_file_changes_the_digest(tmp_path: Path, changed: str) -> None:
    (tmp_path / "flask_app.py").write_text("1", encoding="ascii")
    before = code_version.digest(tmp_path)
    assert code_version.digest(tmp_path) == before
    (tmp_path / changed).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / changed).write_text("2", encoding="ascii")
    assert code_version.digest(tmp_path) != before


def test_what_running_makes_does_not_change_the_digest(tmp_path: Path) -> None:
    before = code_version.digest(tmp_path)
    for name in ("idp/__pycache__/a.pyc", "translations/en/m.mo"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    assert code_version.digest(tmp_path) == before


def test_status_tells_which_part_runs_older_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = ports.choose(tmp_path, asked={})
    first_configuration.complete(tmp_path, ports=chosen, mode=Mode.DEMO)
    (tmp_path / "run").mkdir()
    names = ("directory", "keycloak", "service", "site-a", "site-b")
    running = {name: control.PartState(running=True, process=1) for name in names}
    monkeypatch.setattr(control, "is_running", lambda _: True)
    monkeypatch.setattr(control, "states", lambda _: running)
    monkeypatch.setattr(health, "ask", lambda _: health.Health(healthy=True, seen="well"))
    for name in names:
        code_version.remember(tmp_path, name, code_version.digest())
    assert cli.report(tmp_path)["sentence"] == "Everything is running."
    code_version.remember(tmp_path, "service", "0" * 64)
    document = cli.report(tmp_path)
    assert document["sentence"].startswith("Everything is running, but with older code: Service;")
    assert [part["name"] for part in document["parts"] if part["older_code"]] == ["service"]
