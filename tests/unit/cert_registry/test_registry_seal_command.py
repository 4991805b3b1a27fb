"""`./longzheng seal …` as an operator types it: documents, sentences, exit codes."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from registry_rooms import food_order, open_rooms

from cert_registry.composition import RegistryRooms
from cert_registry.errors import StoreUnavailable
from cert_registry.issuance import issue
from cert_registry.seals.command import main

LAND = "119901000000002112"
APPLYING = (
    "--name",
    "示例市自然资源局证照专用章",
    "--types",
    "real-estate-title",
    "--filing-number",
    "9901000000299",
)
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="42mm" height="42mm" viewBox="0 0 42 42">'
    '<circle cx="21" cy="21" r="19" fill="none" stroke="#c81022"/></svg>'
)


@pytest.fixture
def run(rooms: RegistryRooms, capsys: pytest.CaptureFixture[str]) -> Any:
    def command(*arguments: str, expected: int = 0, as_json: bool = True) -> Any:
        capsys.readouterr()
        code = main([*arguments, *(["--json"] if as_json else [])], open_rooms=lambda: rooms)
        out = capsys.readouterr().out
        assert code == expected, out
        return json.loads(out) if as_json else out

    return command


def test_a_seal_from_application_to_its_end(run: Any, tmp_path: Path) -> None:
    picture = tmp_path / "seal.svg"
    picture.write_text(SVG)
    asked = (
        "--department",
        LAND,
        "--as",
        "wen.tao",
        "--reason",
        "新设",
        "--picture",
        str(picture),
        "--usage-limit",
        "5",
    )
    applied = run("apply", *asked, *APPLYING)
    seal = applied["seal"]
    assert (applied["state"], applied["usage_limit"]) == ("applied", 5)
    assert (
        run("approve", seal, "--as", "wen.tao", "--reason", "同意", expected=1)["error"]
        == "seal-right-missing"
    )
    assert run("approve", seal, "--as", "ji.lan", "--reason", "同意")["state"] == "endorsed"
    assert (
        run("approve", seal, "--as", "ji.lan", "--reason", "同意", expected=1)["error"] == "seal-two-persons"
    )
    active = run("approve", seal, "--as", "xie.qiu", "--reason", "同意")
    assert (active["state"], len(active["certificate_sha256"])) == ("active", 64)
    assert run("suspend", seal, "--as", "cen.yu", "--reason", "疑似泄露")["state"] == "suspended"
    assert run("resume", seal, "--as", "ji.lan", "--reason", "排除")["state"] == "resuming"
    assert run("resume", seal, "--as", "xie.qiu", "--reason", "排除")["state"] == "active"
    successor = run("replace", seal, "--as", "wen.tao", "--reason", "换印模")
    assert (successor["replaces"], successor["types"]) == (seal, ["real-estate-title"])
    assert run("refuse", successor["seal"], "--as", "cen.yu", "--reason", "暂不更换")["state"] == "refused"
    assert run("revoke", seal, "--as", "cen.yu", "--reason", "不再使用")["state"] == "revoked"
    assert run("revoke", seal, "--as", "cen.yu", "--reason", "不再使用", expected=1)["error"] == "seal-state"
    life = run("show", seal)
    assert [event["act"] for event in life["events"]] == [
        *("apply", "approve", "approve", "activate", "suspend", "agree-to-resume", "resume", "revoke"),
    ]
    assert {event["channel"] for event in life["events"] if event["actor"]} == {"command-line"}
    text = run("show", seal, as_json=False)
    assert "已注销" in text
    assert "疑似泄露" in text


def test_what_is_listed(run: Any, rooms: RegistryRooms) -> None:
    issue(food_order(rooms, "SC-1"), room=rooms.issuing, now=datetime.now(UTC))
    listed = run("list", "--department", "119901000000002037")["seals"]
    assert "seal-city-market" in [one["seal"] for one in listed]
    assert "共 " in run("list", as_json=False)
    uses = run("uses", "seal-city-market", "--since", "2026-01-01", "--limit", "1")
    assert uses["count"] >= len(uses["uses"]) == 1
    assert "已用于" in run("uses", "seal-city-market", as_json=False)


def test_bad_input_is_told_by_field_and_has_its_exit_code(run: Any, tmp_path: Path) -> None:
    assert run("show", "seal-nobody", expected=2)["error"] == "unknown-seal"
    asked = ("apply", "--department", LAND, "--as", "wen.tao", "--reason", "新设")
    refused = run(*asked, "--name", "章", "--types", "no-such-type", "--filing-number", "1", expected=2)
    assert [one["field"] for one in refused["findings"]] == ["name", "filing_number", "types"]
    picture = tmp_path / "seal.svg"
    picture.write_text(SVG.replace("<circle", "<script/><circle"))
    refused = run(*asked, *APPLYING, "--picture", str(picture), expected=2)
    assert refused["error"] == "seal-image-refused"
    run(*asked, *APPLYING, "--picture", str(tmp_path / "none.png"), expected=2)
    for since in ("yesterday", "2026-01-01T00:00:00"):
        with pytest.raises(SystemExit) as caught:
            main(["compromised", "seal-city-land", "--since", since, "--as", "ji.lan"])
        assert caught.value.code == 2
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    run("compromised", "seal-city-land", "--since", tomorrow, "--as", "ji.lan", expected=2)


def test_an_absent_part_has_its_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    def away() -> RegistryRooms:
        raise StoreUnavailable("the registry's database did not answer a query")

    assert main(["list", "--json"], open_rooms=away) == 3
    assert json.loads(capsys.readouterr().out)["error"] == "store-unavailable"


def test_the_drill_stops_revokes_and_lists_what_to_seal_again(
    ceremony_state: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rooms = open_rooms(ceremony_state, tmp_path)
    replacing = ("replace", "seal-city-market", "--as", "wen.tao", "--reason", "演练")
    assert main(replacing, open_rooms=lambda: rooms) == 0
    for who in ("ji.lan", "xie.qiu"):
        main(("approve", "seal-city-market-2", "--as", who, "--reason", "同意"), open_rooms=lambda: rooms)
    since = datetime.now(UTC)
    done = issue(food_order(rooms, "SC-drill"), room=rooms.issuing, now=datetime.now(UTC))
    assert rooms.seals.book.find("seal-city-market-2").used == 1
    capsys.readouterr()
    drill = ("compromised", "seal-city-market-2", "--since", since.isoformat(), "--as", "mu.chen")
    assert main(drill, open_rooms=lambda: rooms) == 0
    text = capsys.readouterr().out
    assert "加盖 1 份，其中 1 份" in text
    assert done.identifier in text
    rooms.database.dispose()
