import sys

import pytest

from deploy import gates


@pytest.mark.parametrize(
    ("line", "closes"),
    [
        ("38 passed in 3.30s", True),
        ("===== 1 failed, 37 passed, 2 deselected in 65.02s (0:01:05) =====", True),
        ("========= no tests ran in 0.01s =========", True),
        ("  self.warn(f'Module was never imported.')", False),
        ("TOTAL   17113  16932   3340   3   1%", False),
    ],
)
def test_the_closing_line_is_told_from_others(line: str, closes: bool) -> None:  # noqa: FBT001  (a table)
    assert bool(gates.CLOSING_LINE.search(line)) is closes


def test_output_is_passed_on_and_the_closing_line_kept(capfd: pytest.CaptureFixture[str]) -> None:
    script = "print('1 failed, 2 passed in 0.10s'); print('a warning'); raise SystemExit(1)"
    passed, closing_line = gates._run_pytest([sys.executable, "-c", script])
    assert not passed
    assert closing_line == "1 failed, 2 passed in 0.10s"
    assert capfd.readouterr().out.splitlines() == ["1 failed, 2 passed in 0.10s", "a warning"]


def test_a_gate_that_fails_shows_its_output(capfd: pytest.CaptureFixture[str]) -> None:
    assert not gates._passes("trial", (sys.executable, "-c", "print('why'); raise SystemExit(1)"))
    assert "why" in capfd.readouterr().out
    assert gates._passes("trial", (sys.executable, "-c", "print('why')"))
    assert "why" not in capfd.readouterr().out
