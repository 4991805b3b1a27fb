"""The command that grants, ends and lists the right to prove people at a counter."""

import json
from pathlib import Path

import pytest

from deploy import first_configuration, window
from deploy.configuration import FILE_NAME, Mode, Ports
from deploy.errors import BadUsage, ExitCode

GRANT = [
    "grant",
    "fan.jing",
    "--department=1199010000000022XR",
    "--office=3 号窗口",
    "--from=2026-01-01",
    "--basis=示公授〔2026〕1 号",
    "--by=示例市公安局",
]


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    numbers = iter(range(20000, 20100))
    ports = Ports(**{name: next(numbers) for name in Ports.__dataclass_fields__})
    first_configuration.complete(tmp_path, ports=ports, mode=Mode.DEMO)
    assert (tmp_path / FILE_NAME).exists()
    monkeypatch.setenv("LONGZHENG_VAR", str(tmp_path))
    return tmp_path


def listed(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    capsys.readouterr()
    assert window.main(["list", "--json"]) == ExitCode.DONE
    rows: list[dict[str, object]] = json.loads(capsys.readouterr().out)
    return rows


@pytest.mark.usefixtures("state")
def test_a_grant_is_recorded_and_ended_and_stays_on_record(capsys: pytest.CaptureFixture[str]) -> None:
    assert window.main(GRANT) == ExitCode.DONE
    assert [(row["staff_id"], row["to"]) for row in listed(capsys)] == [("fan.jing", None)]
    assert window.main(["end", "fan.jing", "--last-day", "2026-06-30"]) == ExitCode.DONE
    assert [row["to"] for row in listed(capsys)] == ["2026-06-30"]
    assert window.main(["end", "nobody"]) == ExitCode.NEGATIVE
    assert window.main(["list"]) == ExitCode.DONE
    assert "3 号窗口" in capsys.readouterr().out


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("wrong", ["--department=1199010000000022X0", "--to=2025-01-01"])
def test_a_wrong_grant_is_refused_with_a_sentence(wrong: str) -> None:
    with pytest.raises(BadUsage):
        window.main([*GRANT, wrong])


def test_a_day_that_is_none_is_told_with_the_right_form(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        window.main(["grant", *GRANT[1:], "--to=2026-13-01"])
    assert ended.value.code == ExitCode.BAD_USAGE
    assert "2026-13-01 is no day; write it as 2026-01-31" in capsys.readouterr().err
