"""The first half of every command: installs what the command needs, then hands over to `var/venv`.

Standard library only, since it runs before anything is installed.
"""

import json
import os
import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from deploy import bootstrap, doctor, options, virtual_environment
from deploy.errors import DeployError, ExitCode
from deploy.locations import CHECKOUT, STATE_VARIABLE, VIRTUAL_ENVIRONMENT, keep_private, state_directory


class Needs(Enum):
    """What must be installed before a command can run."""

    ENVIRONMENT = "environment"
    MACHINE = "machine"
    TESTS = "tests"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One line of the list of commands; hidden while `module` is not part of the checkout."""

    summary: str
    needs: Needs
    module: str = "deploy.cli"


COMMANDS = {
    "demo": Command(
        summary="sets up, starts, and plays the main job over HTTP [--out DIR]",
        needs=Needs.MACHINE,
        module="deploy.demo.story",
    ),
    "up": Command(summary="installs and starts everything [--detach] [--port NAME=N]", needs=Needs.MACHINE),
    "down": Command(summary="stops everything", needs=Needs.ENVIRONMENT),
    "status": Command(summary="tells each part's health and address [--json]", needs=Needs.ENVIRONMENT),
    "reset": Command(summary="deletes all keys and data, after asking [--yes]", needs=Needs.ENVIRONMENT),
    "test": Command(summary="runs all gates and tests [--fast | --long]", needs=Needs.TESTS),
    "doctor": Command(summary="looks for what would keep it from working [--json]", needs=Needs.NOTHING),
    "verify": Command(
        summary="validates PDF files; needs no running service",
        needs=Needs.ENVIRONMENT,
        module="verify_api.validation.command",
    ),
    "eseal": Command(
        summary="verifies e-seal structures (SESeal, SES_Signature); needs no running service",
        needs=Needs.ENVIRONMENT,
        module="verify_api.eseal_command",
    ),
    "ingest": Command(
        summary="takes in existing certificates from a file",
        needs=Needs.ENVIRONMENT,
        module="cert_registry.ingestion.command",
    ),
    "archive": Command(
        summary="keeps sealed files provable: forecast, renew, clock",
        needs=Needs.ENVIRONMENT,
        module="cert_registry.archive.command",
    ),
    "seal": Command(
        summary="the life of seals: list, show, apply, approve, suspend, … [--json]",
        needs=Needs.ENVIRONMENT,
        module="cert_registry.seals.command",
    ),
    "ceremony": Command(
        summary="compares the key ceremony's transcript with the tokens [--json]",
        needs=Needs.ENVIRONMENT,
        module="hsm_sim.checking",
    ),
    "log": Command(
        summary="checks the transparency log", needs=Needs.ENVIRONMENT, module="cert_registry.tlog.command"
    ),
    "bench": Command(
        summary="measures beside its peers, as ratios: seal [--json] [--long]",
        needs=Needs.TESTS,
        module="bench.command",
    ),
    "window": Command(
        summary="who may prove people at a counter: grant, end, list",
        needs=Needs.ENVIRONMENT,
        module="deploy.window",
    ),
    "sites": Command(
        summary="sites that sign people in, from realm-config/sites/: check, plan, apply, drift [--json]",
        needs=Needs.ENVIRONMENT,
        module="deploy.sites_command",
    ),
    "department": Command(
        summary="a department's client assertion, for curl: assertion CLIENT",
        needs=Needs.ENVIRONMENT,
        module="deploy.department_client",
    ),
}


def main(argv: list[str]) -> int:
    """Runs `./longzheng`; does not return when it hands over to the virtual environment."""
    keep_private()
    if not argv or argv[0] in {"-h", "--help", "help"}:
        print(_usage(), end="")
        return int(ExitCode.DONE if argv else ExitCode.BAD_USAGE)
    name = argv[0]
    if name not in _present():
        print(f"longzheng: there is no command {name!r}: ./longzheng --help lists them.", file=sys.stderr)
        return int(ExitCode.BAD_USAGE)
    if name in options.PARSERS:
        options.PARSERS[name]().parse_args(argv[1:])  # before anything is installed or started
    os.environ[STATE_VARIABLE] = str(_state_directory(name))
    if name in {"status", "down"} and not VIRTUAL_ENVIRONMENT.exists():
        return _nothing_installed(name, argv)
    try:
        _install(COMMANDS[name].needs, argv)
    except DeployError as error:
        print(f"longzheng: {error}", file=sys.stderr)
        return int(error.exit_code)
    if name == "doctor" and not virtual_environment.is_ready():
        return doctor.main(argv[1:])
    return _hand_over(argv)


def _nothing_installed(name: str, argv: list[str]) -> int:
    """Where nothing was ever installed, nothing runs: that can be told without installing anything."""
    sentence = "Nothing is installed: ./longzheng up installs and starts everything."
    if "--json" in argv and name == "status":
        document = {"healthy": False, "state_dir": str(state_directory()), "sentence": sentence, "parts": []}
        print(json.dumps(document, indent=2))
    else:
        print(sentence)
    return int(ExitCode.UNAVAILABLE if name == "status" else ExitCode.DONE)


def _state_directory(name: str) -> Path:
    """The tests have a system of their own, beside the one that a person may be using."""
    if name == "test" and not os.environ.get(STATE_VARIABLE):
        return state_directory() / "test"
    return state_directory()


def _present() -> dict[str, Command]:
    return {name: command for name, command in COMMANDS.items() if _module_is_there(command.module)}


def _module_is_there(module: str) -> bool:
    path = CHECKOUT.joinpath(*module.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def _usage() -> str:
    lines = [f"  {name:<10} {command.summary}" for name, command in _present().items()]
    return "Usage: ./longzheng COMMAND [OPTIONS]\n\n" + "\n".join(lines) + "\n"


def _install(needs: Needs, argv: list[str]) -> None:
    if {"-h", "--help"} & set(argv):
        needs = Needs.ENVIRONMENT
    match needs:
        case Needs.ENVIRONMENT:
            bootstrap.prepare_environment()
        case Needs.MACHINE:
            bootstrap.prepare_machine()
        case Needs.TESTS:
            bootstrap.prepare_machine(tests=True)
        case Needs.NOTHING:
            return


def _hand_over(argv: list[str]) -> int:
    python = VIRTUAL_ENVIRONMENT / "bin" / "python"
    path = os.pathsep.join(filter(None, (str(CHECKOUT), os.environ.get("PYTHONPATH"))))
    os.environ["PYTHONPATH"] = path
    sys.stdout.flush()
    return os.execv(python, [str(python), "-m", "deploy.cli", *argv])  # noqa: S606  (no shell is wanted)
