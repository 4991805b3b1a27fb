"""The commands of `./longzheng`, inside the virtual environment.

Exit codes: 0 done, 1 negative result, 2 bad usage or input, 3 a part is unavailable. Results on standard
output (with `--json` one JSON document), progress on standard error. Source: design section 8.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from deploy import code_version, control, doctor, examination, gates, health, options, ports, processes
from deploy.configuration import FILE_NAME, Mode, load
from deploy.errors import BadUsage, ConfigurationError, DeployError, ExitCode
from deploy.locations import keep_private, state_directory
from deploy.parts import Part, parts, shared_environment
from deploy.progress import say
from deploy.rooms import Door
from deploy.startup import WANTED_MARK, bring_up

DOORS = {
    "demo": Door(module="deploy.demo.story", function="main"),
    "verify": Door(module="verify_api.validation.command", function="main"),
    "archive": Door(module="cert_registry.archive.command", function="main"),
    "ingest": Door(module="cert_registry.ingestion.command", function="main"),
    "eseal": Door(module="verify_api.eseal_command", function="main"),
    "seal": Door(module="cert_registry.seals.command", function="main"),
    "ceremony": Door(module="hsm_sim.checking", function="main"),
    "log": Door(module="cert_registry.tlog.command", function="main"),
    "department": Door(module="deploy.department_client", function="main"),
    "bench": Door(module="bench.command", function="main"),
    "window": Door(module="deploy.window", function="main"),
    "sites": Door(module="deploy.sites_command", function="main"),
}
NEEDS_SYSTEM = frozenset({"demo"})
KEPT_AT_RESET = frozenset({"venv", "cache", "test"})


def main(argv: list[str]) -> int:
    """Runs one command; every expected failure is one sentence on standard error."""
    keep_private()
    name, arguments = argv[0], argv[1:]
    try:
        if name in DOORS:
            return _through_door(name, arguments)
        return COMMANDS[name](arguments)
    except DeployError as error:
        print(f"longzheng: {error}", file=sys.stderr)
        return int(error.exit_code)


def _up(arguments: list[str]) -> int:
    chosen = options.up().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        return _bring_up_and_stay(chosen)
    except KeyboardInterrupt:
        if chosen.detach:
            say("Interrupted: up goes on from here, down ends what was started")
            return int(ExitCode.UNAVAILABLE)
        say("Ending")
        _take_down(state_directory())
        return int(ExitCode.DONE)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _bring_up_and_stay(chosen: argparse.Namespace) -> int:
    """Starts everything; attached, it stays until the system is taken down from elsewhere."""
    state_dir = state_directory()
    configuration = bring_up(
        state_dir,
        asked_ports=ports.asked_for(chosen.port),
        mode=Mode.PRODUCTION if chosen.production else Mode.DEMO,
    )
    for part in parts(configuration):
        print(f"{part.title}: {part.address}")
    sys.stdout.flush()
    if not chosen.detach:
        say("Running; Ctrl-C ends it (or ./longzheng down from elsewhere)")
        while control.is_running(state_dir):
            time.sleep(1)
    return int(ExitCode.DONE)


def _down(arguments: list[str]) -> int:
    argparse.ArgumentParser(prog="longzheng down", description="Stops the system.").parse_args(arguments)
    say("Stopped" if _take_down(state_directory()) else "Nothing was running")
    return int(ExitCode.DONE)


def _take_down(state_dir: Path) -> bool:
    (state_dir / "run" / WANTED_MARK).unlink(missing_ok=True)
    return control.shut_down(state_dir)


def _status(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="longzheng status", description="Tells each part's health.")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    chosen = parser.parse_args(arguments)
    state_dir = state_directory()
    document = report(state_dir)
    if chosen.json:
        print(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for part in document["parts"]:
            print(f"{part['state']:<10} {part['title']}  {part['address']}  {part['detail']}")
        print(document["sentence"])
    return int(ExitCode.DONE if document["healthy"] else ExitCode.UNAVAILABLE)


def report(state_dir: Path) -> dict[str, Any]:
    """Each part's state: `healthy`, `unhealthy` (runs, but does not answer well), `crashed`, `stopped`."""
    if not (state_dir / FILE_NAME).exists():
        sentence = "Nothing is installed in this state directory: run ./longzheng up."
        return {"healthy": False, "state_dir": str(state_dir), "sentence": sentence, "parts": []}
    configuration = load(state_dir)
    alive = control.is_running(state_dir)
    states = control.states(state_dir) if alive else {}
    wanted = (state_dir / "run" / WANTED_MARK).exists()
    current = code_version.digest()
    rows = [_row(part, states.get(part.name), wanted=wanted) for part in parts(configuration)]
    for row in rows:
        row["older_code"] = "process" in row and code_version.is_older(state_dir, row["name"], current)
        row["detail"] += "; older code" if row["older_code"] else ""
    healthy = all(row["state"] == "healthy" for row in rows)
    older = [row["title"] for row in rows if row.get("older_code")]
    if healthy and older:
        sentence = (
            f"Everything is running, but with older code: {', '.join(older)}; ./longzheng up starts afresh."
        )
    elif healthy:
        sentence = "Everything is running."
    elif not wanted:
        sentence = "The system is down: ./longzheng up starts it."
    else:
        sentence = "Not everything is running: ./longzheng up starts what is down."
    if not alive and processes.marked(state_dir):
        sentence += " Processes of an earlier run are left; up or down ends them."
    return {
        "healthy": healthy,
        "state_dir": str(state_dir),
        "mode": configuration.mode.value,
        "sentence": sentence,
        "parts": rows,
    }


def _row(part: Part, state: control.PartState | None, *, wanted: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"name": part.name, "title": part.title, "address": part.address}
    if state is not None and state.running:
        answer = health.ask(part)
        row |= {"state": "healthy" if answer.healthy else "unhealthy", "detail": answer.seen}
        row["process"] = state.process
    elif state is not None:
        row |= {"state": "crashed", "detail": f"ended by itself with exit status {state.exit_status}"}
    elif wanted:
        row |= {"state": "crashed", "detail": "not running, though it was started"}
    else:
        row |= {"state": "stopped", "detail": ""}
    return row


def _reset(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="longzheng reset", description="Deletes all state and keys.")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    chosen = parser.parse_args(arguments)
    state_dir = state_directory()
    if not chosen.yes and not _agreed(state_dir):
        say("Nothing was deleted")
        return int(ExitCode.NEGATIVE)
    _take_down(state_dir)
    for entry in state_dir.iterdir() if (state_dir / FILE_NAME).exists() else ():
        if entry.name in KEPT_AT_RESET:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    say("All state was deleted; up makes new keys, ports and data")
    return int(ExitCode.DONE)


def _agreed(state_dir: Path) -> bool:
    if not sys.stdin.isatty():
        raise BadUsage("reset deletes all keys and data and asks first: give --yes when nobody can answer.")
    answer = input(f"Delete all keys, certificates and data in {state_dir}? Type yes: ")
    return answer.strip() == "yes"


def _doctor(arguments: list[str]) -> int:
    return doctor.main(arguments, examination.findings(state_directory()))


def _through_door(name: str, arguments: list[str]) -> int:
    door = DOORS[name]
    function = door.open()
    state_dir = state_directory()
    if name in NEEDS_SYSTEM and not {"-h", "--help"} & set(arguments):
        options.PARSERS[name]().parse_args(arguments)
        bring_up(state_dir, asked_ports=ports.asked_for([]))
    else:
        with suppress(ConfigurationError):
            os.environ.update(shared_environment(load(state_dir)))
    result = function(arguments)
    return int(result or 0)


COMMANDS = {
    "up": _up,
    "down": _down,
    "status": _status,
    "reset": _reset,
    "doctor": _doctor,
    "test": gates.main,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
