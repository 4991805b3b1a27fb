"""What `doctor` can tell from longzheng.yaml: ports, secrets' modes, token, Keycloak's build, running parts."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from deploy import control, health, keycloak, ports, processes, rooms
from deploy.configuration import FILE_NAME, Configuration, Mode, load
from deploy.doctor import Finding, mode_of
from deploy.errors import ConfigurationError, DeployError
from deploy.locations import databases
from deploy.parts import parts, shared_environment

ROOT = "root"
# A sentence, not a page: the rest is told by the command that the remedy names.
_TOLD = 5


def findings(state_dir: Path) -> list[Finding]:
    """All findings of a state directory; one if nothing was set up there yet."""
    if not (state_dir / FILE_NAME).exists():
        return [
            Finding(
                check="configuration",
                well=False,
                sentence=f"nothing is set up in {state_dir}.",
                remedy="./longzheng up sets it up.",
            )
        ]
    try:
        configuration = load(state_dir)
    except ConfigurationError as error:
        return [Finding(check="configuration", well=False, sentence=str(error), remedy="Mend the file.")]
    return [
        Finding(check="configuration", well=True, sentence=f"{state_dir / FILE_NAME} is complete."),
        _modes(configuration),
        _privacy(configuration),
        _keycloak(configuration),
        _token(configuration),
        _keys(configuration),
        *_sm2(configuration),
        _stamping_clock(configuration),
        *_parts(configuration),
        _realm(configuration),
    ]


def _modes(configuration: Configuration) -> Finding:
    directories = [configuration.secrets_dir, configuration.client_keys_dir]
    files = [path for path in configuration.secrets_dir.rglob("*") if path.is_file()]
    files.append(configuration.state_dir / FILE_NAME)
    loose = [str(path) for path in directories if path.exists() and mode_of(path) & 0o077]
    loose += [str(path) for path in files if mode_of(path) & 0o177]
    return Finding(
        check="secrets",
        well=not loose,
        sentence=f"others may read: {', '.join(loose)}." if loose else f"{len(files)} files, all private.",
        remedy=f"chmod -R u=rwX,go= {configuration.secrets_dir} {configuration.state_dir / FILE_NAME}",
    )


def _privacy(configuration: Configuration) -> Finding:
    """The databases hold people, certificates and password hashes."""
    state_dir = configuration.state_dir
    loose = [str(path) for path in (state_dir, *databases(state_dir)) if mode_of(path) & 0o077]
    return Finding(
        check="state directory",
        well=not loose,
        sentence=f"others may read: {', '.join(loose)}." if loose else "it and its databases are private.",
        remedy="./longzheng up tightens them.",
    )


def _keycloak(configuration: Configuration) -> Finding:
    built = keycloak.is_built(configuration.keycloak_home)
    return Finding(
        check="keycloak build",
        well=built,
        sentence=f"version {keycloak.VERSION}, " + ("built." if built else "not built from these sources."),
        remedy="./longzheng up builds it.",
    )


def _token(configuration: Configuration) -> Finding:
    section = configuration.token
    if not section.module_path.exists():
        sentence = f"the PKCS#11 module {section.module_path} is not there."
        return Finding(
            check="token",
            well=False,
            sentence=sentence,
            remedy="Install softhsm2, or mend token.module_path.",
        )
    certified = (configuration.pki_dir / "root.pem").exists()
    expected = [
        access
        for name, access in section.tokens.items()
        if name != ROOT or access.pin_file.exists() or not certified
    ]
    root_note = "" if len(expected) == len(section.tokens) else " The root's PIN is off this machine."
    absent = [str(access.pin_file) for access in expected if not access.pin_file.exists()]
    if absent:
        sentence = f"PIN files are missing: {', '.join(absent)}."
        remedy = "Restore them from backup." if certified else "./longzheng up carries out the ceremony."
        return Finding(check="token", well=False, sentence=sentence, remedy=remedy)
    program = shutil.which("softhsm2-util")
    if section.softhsm_conf is None or program is None:
        return Finding(
            check="token",
            well=True,
            sentence=f"module {section.module_path}, PIN files are there.{root_note}",
        )
    shown = subprocess.run(
        [program, "--show-slots"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, **shared_environment(configuration)},
    ).stdout
    labels = {line.partition(":")[2].strip() for line in shown.splitlines() if "Label:" in line}
    missing = [access.label for access in expected if access.label not in labels]
    return Finding(
        check="token",
        well=not missing,
        sentence=f"tokens are missing: {', '.join(missing)}."
        if missing
        else f"{len(labels - {''})} tokens.{root_note}",
        remedy="Restore softhsm/ from backup: new tokens would have other keys."
        if certified
        else "./longzheng up carries out the ceremony.",
    )


def _sm2(configuration: Configuration) -> Iterator[Finding]:
    """Nothing where there are no SM2 keys; else a warning, which in production is something to mend."""
    if configuration.section("token").get("sm2") is not None:
        yield Finding(
            check="sm2 keys",
            well=configuration.mode is Mode.DEMO,
            sentence="WARNING: kept in software, unfit for production; for a demonstration alone.",
            remedy="Leave token.sm2 out, or keep the keys in a certified device (docs/sm2.md).",
        )


def _keys(configuration: Configuration) -> Finding:
    """The keys in the tokens are those that the certificates are for."""
    if configuration.token.softhsm_conf is None or not (configuration.pki_dir / "root.pem").exists():
        return Finding(check="keys", well=True, sentence="not compared with pki/.")
    remedy = "Restore softhsm/, secrets/ and pki/ of one moment from backup."
    if not configuration.token.softhsm_conf.exists():
        sentence = f"{configuration.token.softhsm_conf} is not there, but pki/ has certificates."
        return Finding(check="keys", well=False, sentence=sentence, remedy=remedy)
    os.environ.update(shared_environment(configuration))
    try:
        lost = rooms.lost_keys(configuration)
    except DeployError as error:
        return Finding(check="keys", well=False, sentence=str(error), remedy=remedy)
    sentence = " ".join(lost) or "the tokens hold the keys of the certificates in pki/."
    return Finding(check="keys", well=not lost, sentence=sentence, remedy=remedy)


def _stamping_clock(configuration: Configuration) -> Finding:
    """The time-stamp authority would stamp the present time."""
    remedy = "Set the clock (timedatectl set-ntp true); docs/levels.md says what to do after a jump."
    if not (configuration.pki_dir / "authority.db").exists():
        return Finding(check="time stamps", well=True, sentence="nothing was stamped yet.")
    try:
        sentence = rooms.stamping_clock(configuration)
    except DeployError as error:
        return Finding(check="time stamps", well=False, sentence=str(error), remedy=remedy)
    return Finding(check="time stamps", well=True, sentence=sentence)


def _realm(configuration: Configuration) -> Finding:
    """The running realm is as realm-config/ says."""
    remedy = "./longzheng sites drift tells of sites; restarting Keycloak with ./longzheng down and up applies all files."
    state_dir = configuration.state_dir
    states = control.states(state_dir) if control.is_running(state_dir) else {}
    if "keycloak" not in states or not states["keycloak"].running:
        return Finding(check="realm", well=True, sentence="not compared: Keycloak is down.")
    try:
        changes, strangers = rooms.realm_drift(configuration)
    except DeployError as error:
        return Finding(check="realm", well=False, sentence=str(error), remedy=remedy)
    told = [*map(str, changes[:_TOLD]), *(f"client {one} is in no file" for one in strangers[:_TOLD])]
    sentence = (
        f"{len(changes) + len(strangers)} things are not as realm-config/ says: {'; '.join(told)}."
        if told
        else "as realm-config/ says."
    )
    return Finding(check="realm", well=not told, sentence=sentence, remedy=remedy)


def _parts(configuration: Configuration) -> Iterator[Finding]:
    state_dir = configuration.state_dir
    states = control.states(state_dir) if control.is_running(state_dir) else {}
    for part in parts(configuration):
        state = states.get(part.name)
        if state is not None and state.running:
            answer = health.ask(part)
            yield Finding(
                check=f"part {part.name}",
                well=answer.healthy,
                sentence=f"runs; {answer.seen}.",
                remedy=f"Read {configuration.log_dir / part.name}.log; ./longzheng down, then up.",
            )
            continue
        taken = [port for port in part.ports.values() if not ports.is_free(port)]
        holder = processes.listener(taken[0]) if taken else None
        yield Finding(
            check=f"part {part.name}",
            well=not taken,
            sentence=f"down, and another program ({holder or 'unknown'}) has port {taken[0]}."
            if taken
            else "down; its ports are free.",
            remedy=f"Find it with ss -ltnp 'sport = :{taken[0]}' and stop it." if taken else "",
        )
