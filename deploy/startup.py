"""Brings the system up, step by step; each step looks whether it is already done, so any start can be resumed.

Order: configuration, secrets, key ceremony, directory, Keycloak, realm, service, demo sites, demo data.
"""

import fcntl
import hashlib
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from deploy import (
    code_version,
    control,
    first_configuration,
    health,
    keycloak,
    keycloak_theme,
    ports,
    processes,
    rooms,
    stored_secrets,
)
from deploy.bootstrap import START_BYTES, check_disk, check_java
from deploy.configuration import FILE_NAME, Configuration, Mode, load
from deploy.errors import BadUsage, PartUnhealthy
from deploy.locations import CHECKOUT, private_directory, tighten
from deploy.parts import Part, admin_made_file, parts, shared_environment
from deploy.progress import say, step

WANTED_MARK = "wanted"
BEFORE_CONFIGURATION = frozenset({"run", "log", "longzheng.unfinished"})


def bring_up(state_dir: Path, *, asked_ports: Mapping[str, int], mode: Mode | None = None) -> Configuration:
    """Starts what is down and sets up what is not yet there; changes nothing else.

    Args:
        state_dir: where everything made at run time lives.
        asked_ports: ports given by hand; only heeded at first start.
        mode: demo or production; only heeded at first start, demo when not given.

    Returns:
        The configuration in force.

    Raises:
        DeployError: one sentence that says what to do; running it again goes on from there.
    """
    private_directory(state_dir)
    if not (state_dir / FILE_NAME).exists():
        _check_is_ours(state_dir)
    tighten(state_dir)
    private_directory(state_dir / "run")
    with _alone(state_dir):
        configuration = _configure(state_dir, asked_ports, mode)
        os.environ.update(shared_environment(configuration))
        if _nothing_to_do(configuration):
            say("Everything is running")
            return configuration
        check_disk(state_dir, START_BYTES)
        _check_all_ports(configuration)
        stored_secrets.make_missing(configuration)
        (state_dir / "run" / WANTED_MARK).touch()
        control.ensure_running(state_dir)
        with step("Keys and certificates"):
            rooms.key_ceremony(configuration)
        by_name = {part.name: part for part in parts(configuration)}
        _start_directory(configuration, by_name["directory"])
        _start_keycloak(configuration, by_name["keycloak"])
        for name in ("service", *configuration.sites):
            _stop_older(state_dir, by_name[name])
            _start(state_dir, by_name[name])
        if configuration.mode is Mode.DEMO:
            _once(configuration, "demo data", _seed_digest(), rooms.seed_demo)
    return configuration


def _configure(state_dir: Path, asked_ports: Mapping[str, int], mode: Mode | None) -> Configuration:
    path = state_dir / FILE_NAME
    if path.exists():
        known = load(state_dir)
        chosen, mode = known.ports, known.mode
        for name, port in asked_ports.items():
            if getattr(chosen, name) != port:
                say(
                    f"Ports are fixed at first start: {name} stays {getattr(chosen, name)} (reset chooses anew)"
                )
    else:
        chosen = ports.choose(state_dir, asked=asked_ports)
    first_configuration.complete(state_dir, ports=chosen, mode=mode or Mode.DEMO)
    return load(state_dir)


def _check_is_ours(state_dir: Path) -> None:
    """A state directory that is not the checkout's var/ must be empty at first: reset deletes what is in it."""
    strange = {entry.name for entry in state_dir.iterdir()} - BEFORE_CONFIGURATION
    if strange and state_dir != CHECKOUT / "var":
        raise BadUsage(
            f"LONGZHENG_VAR names {state_dir}, which holds other things ({min(strange)}): name an empty or"
            " new directory."
        )


def _nothing_to_do(configuration: Configuration) -> bool:
    if not control.is_running(configuration.state_dir) or not keycloak.is_built(configuration.keycloak_home):
        return False
    if not keycloak_theme.is_installed(configuration.keycloak_home, demo=configuration.mode is Mode.DEMO):
        return False
    states = control.states(configuration.state_dir)
    if not all(part.name in states and states[part.name].running for part in parts(configuration)):
        return False
    current = code_version.digest()
    if any(
        code_version.is_older(configuration.state_dir, part.name, current) for part in parts(configuration)
    ):
        return False
    done = _is_done(configuration, "realm", _realm_digest(configuration))
    if configuration.mode is Mode.DEMO:
        done = done and _is_done(configuration, "demo data", _seed_digest())
    return done and all(health.ask(part).healthy for part in parts(configuration))


def _start_directory(configuration: Configuration, part: Part) -> None:
    if not _runs(configuration.state_dir, part):
        _check_ports(part)
        with step("Directory entries"):
            rooms.prepare_directory(configuration)
    _start(configuration.state_dir, part)


def _start_keycloak(configuration: Configuration, part: Part) -> None:
    state_dir = configuration.state_dir
    if not keycloak.is_built(configuration.keycloak_home):
        control.stop(state_dir, part.name)
        check_java()
        keycloak.ensure_built(configuration.keycloak_home)
    demo = configuration.mode is Mode.DEMO
    if not keycloak_theme.is_installed(configuration.keycloak_home, demo=demo):
        control.stop(state_dir, part.name)
        keycloak_theme.install(configuration.keycloak_home, demo=demo)
    was_running = _runs(state_dir, part)
    _start(state_dir, part)
    if not admin_made_file(configuration).exists():
        _confirm_administration(configuration, part)
    if not was_running:
        _forget(configuration, "realm")
    _once(configuration, "realm", _realm_digest(configuration), rooms.apply_realm)


def _confirm_administration(configuration: Configuration, part: Part) -> None:
    """A first start that was cut off can leave a database without the administration client: it is remade."""
    if not _administration_answers(configuration):
        say("Keycloak's first start was cut off; starting it over")
        control.stop(configuration.state_dir, part.name)
        for file in (configuration.keycloak_home / "data" / "h2").glob("*"):
            file.unlink()
        _start(configuration.state_dir, part)
        if not _administration_answers(configuration):
            raise PartUnhealthy(
                "Keycloak does not know its administration client: read var/log/keycloak.log;"
                " restore keycloak/data and secrets/ from backup."
            )
    admin_made_file(configuration).touch()


def _administration_answers(configuration: Configuration) -> bool:
    section = configuration.keycloak
    form = {
        "grant_type": "client_credentials",
        "client_id": section.admin_client_id,
        "client_secret": section.admin_secret_file.read_text(encoding="ascii").strip(),
    }
    request = urllib.request.Request(  # noqa: S310  (our own loopback address)
        f"{section.internal_url}/realms/master/protocol/openid-connect/token",
        data=urllib.parse.urlencode(form).encode(),
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as response:
            return "access_token" in json.loads(response.read())
    except (urllib.error.URLError, ValueError):
        return False


def _start(state_dir: Path, part: Part) -> None:
    """Starts a part if it does not run, and waits until it is healthy.

    Raises:
        PortTaken: another program has its port.
        PartUnhealthy: it ended, or did not become healthy in time.
    """
    if not _runs(state_dir, part):
        _check_ports(part)
        with step(f"Starting {part.title}"):
            code_version.remember(state_dir, part.name, code_version.digest())
            control.start(state_dir, part.name)
            _wait(state_dir, part)
    else:
        _wait(state_dir, part)


def _stop_older(state_dir: Path, part: Part) -> None:
    """After an update of the checkout: old code does not know the new templates."""
    if _runs(state_dir, part) and code_version.is_older(state_dir, part.name, code_version.digest()):
        say(f"{part.title} runs older code; starting it afresh")
        control.stop(state_dir, part.name)


def _check_all_ports(configuration: Configuration) -> None:
    """Before anything is started: a start that must fail leaves nothing running."""
    state_dir = configuration.state_dir
    alive = control.is_running(state_dir)
    if not alive:
        processes.end_marked(state_dir)  # what a killed supervisor left has our own ports
    states = control.states(state_dir) if alive else {}
    for part in parts(configuration):
        if part.name not in states or not states[part.name].running:
            _check_ports(part)


def _check_ports(part: Part) -> None:
    for name, port in part.ports.items():
        ports.check_free(port, name)


def _wait(state_dir: Path, part: Part) -> None:
    log = state_dir / "log" / f"{part.name}.log"
    deadline = time.monotonic() + part.start_seconds
    while True:
        answer = health.ask(part)
        if answer.healthy:
            return
        state = control.states(state_dir).get(part.name)
        if state is None or not state.running:
            code = "" if state is None else f" with exit status {state.exit_status}"
            raise PartUnhealthy(
                f"{part.title} ended{code} instead of starting: read the end of {log}, then run up again."
            )
        if time.monotonic() > deadline:
            raise PartUnhealthy(
                f"{part.title} runs but is not healthy after {part.start_seconds} s ({answer.seen}): read {log};"
                " run down and up to start it afresh."
            )
        time.sleep(0.25)


def _runs(state_dir: Path, part: Part) -> bool:
    state = control.states(state_dir).get(part.name)
    return state is not None and state.running


def _once(
    configuration: Configuration, name: str, digest: str, apply: Callable[[Configuration], None]
) -> None:
    """A step that is repeated only when its input changed."""
    if _is_done(configuration, name, digest):
        return
    with step(f"Applying {name}"):
        apply(configuration)
    _done_file(configuration, name).write_text(digest, encoding="ascii")


def _is_done(configuration: Configuration, name: str, digest: str) -> bool:
    file = _done_file(configuration, name)
    return file.exists() and file.read_text(encoding="ascii") == digest


def _forget(configuration: Configuration, name: str) -> None:
    _done_file(configuration, name).unlink(missing_ok=True)


def _done_file(configuration: Configuration, name: str) -> Path:
    return configuration.run_dir / f"done-{name.replace(' ', '-')}"


def _realm_digest(configuration: Configuration) -> str:
    own = configuration.state_dir / FILE_NAME
    return _digest_of([own, CHECKOUT / "deploy" / "realm.py", *_files(CHECKOUT / "realm-config")])


def _seed_digest() -> str:
    return _digest_of(_files(CHECKOUT / "deploy" / "demo"))


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _digest_of(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        if path.exists():
            digest.update(str(path).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@contextmanager
def _alone(state_dir: Path) -> Iterator[None]:
    with (state_dir / "run" / "up.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start is at work on this state directory; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
