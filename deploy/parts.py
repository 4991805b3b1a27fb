"""The processes that make up the running system, in the order in which they start."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from deploy.configuration import Configuration
from deploy.locations import CHECKOUT, STATE_VARIABLE, VIRTUAL_ENVIRONMENT

# Set by the gates: what the servers run while they are tested is measured too.
COVERAGE_VARIABLE = "LONGZHENG_COVERAGE"
KEYCLOAK_HEAP = "-Xms64m -Xmx256m"


class Probe(Enum):
    """How a part is asked whether it is healthy."""

    HTTP = "http"
    LDAP = "ldap"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One process: how it starts, how it is asked for its health, and how long it may take to end.

    Attributes:
        address: what a person opens or connects to.
        probe_target: URL for HTTP (200 is healthy), `host:port` for LDAP.
        ports: names of the ports it listens on.
    """

    name: str
    title: str
    argv: tuple[str, ...]
    address: str
    probe: Probe
    probe_target: str
    ports: Mapping[str, int]
    environment: Mapping[str, str] = field(default_factory=dict)
    start_seconds: int = 60
    stop_seconds: int = 15
    open_files: int | None = None


def parts(configuration: Configuration) -> tuple[Part, ...]:
    """All parts of this configuration, in starting order."""
    sites = tuple(
        _site(configuration, name, getattr(configuration.ports, name.replace("-", "_")))
        for name in configuration.sites
    )
    return (_slapd(configuration), _keycloak(configuration), _service(configuration), *sites)


def shared_environment(configuration: Configuration) -> dict[str, str]:
    """What every process of the system, and every step of its setting up, finds in its environment."""
    environment = {STATE_VARIABLE: str(configuration.state_dir), "LC_ALL": "C.UTF-8", "PYTHONUNBUFFERED": "1"}
    if configuration.token.softhsm_conf is not None:
        environment["SOFTHSM2_CONF"] = str(configuration.token.softhsm_conf)
    return environment


def _slapd(configuration: Configuration) -> Part:
    directory = configuration.directory
    port = configuration.ports.directory
    return Part(
        name="directory",
        title="Directory (slapd)",
        argv=(_slapd_program(), "-h", directory.url, "-F", str(directory.config_dir), "-d", "0"),
        address=directory.url,
        probe=Probe.LDAP,
        probe_target=f"127.0.0.1:{port}",
        ports={"directory": port},
        environment=shared_environment(configuration),
        open_files=4096,
    )


def _slapd_program() -> str:
    places = ("/usr/sbin/slapd", "/usr/local/libexec/slapd", "/usr/local/sbin/slapd")
    return next((place for place in places if Path(place).exists()), places[0])


def _keycloak(configuration: Configuration) -> Part:
    ports, keycloak = configuration.ports, configuration.keycloak
    environment = {**shared_environment(configuration), "JAVA_OPTS_KC_HEAP": KEYCLOAK_HEAP}
    if not admin_made_file(configuration).exists():
        environment["KC_BOOTSTRAP_ADMIN_CLIENT_ID"] = keycloak.admin_client_id
        environment["KC_BOOTSTRAP_ADMIN_CLIENT_SECRET"] = _text_of(keycloak.admin_secret_file)
    return Part(
        name="keycloak",
        title="Keycloak",
        argv=(
            str(configuration.keycloak_home / "bin" / "kc.sh"),
            "start",
            "--optimized",
            "--http-enabled=true",
            "--http-host=127.0.0.1",
            f"--http-port={ports.keycloak}",
            "--http-management-host=127.0.0.1",
            f"--http-management-port={ports.keycloak_management}",
            f"--hostname={keycloak.base_url}",
            "--log-console-color=false",
        ),
        address=keycloak.base_url,
        probe=Probe.HTTP,
        probe_target=f"{keycloak.management_url}/health/ready",
        ports={"keycloak": ports.keycloak, "keycloak_management": ports.keycloak_management},
        environment=environment,
        start_seconds=300,
        stop_seconds=30,
    )


def admin_made_file(configuration: Configuration) -> Path:
    """Exists once Keycloak has its administration client, so that the secret is handed to it only once."""
    return configuration.keycloak_home / "data" / ".longzheng-admin-made"


def _service(configuration: Configuration) -> Part:
    port = configuration.ports.service
    return Part(
        name="service",
        title="Service",
        argv=_gunicorn("flask_app:create_application()", port, threads=16),
        address=configuration.public_url,
        probe=Probe.HTTP,
        probe_target=f"http://127.0.0.1:{port}/readyz",
        ports={"service": port},
        environment=shared_environment(configuration),
    )


def _site(configuration: Configuration, name: str, port: int) -> Part:
    site = configuration.sites[name]
    return Part(
        name=name,
        title=f"Demo site {site.title}",
        argv=_gunicorn("deploy.relying_site:create_application()", port, threads=4),
        address=site.url,
        probe=Probe.HTTP,
        probe_target=f"http://127.0.0.1:{port}/healthz",
        ports={name.replace("-", "_"): port},
        environment={**shared_environment(configuration), "LONGZHENG_SITE": name},
    )


def _gunicorn(application: str, port: int, *, threads: int) -> tuple[str, ...]:
    python = str(VIRTUAL_ENVIRONMENT / "bin" / "python")
    measured = ("-m", "coverage", "run", "--parallel-mode") if os.environ.get(COVERAGE_VARIABLE) else ()
    return (
        python,
        *measured,
        "-m",
        "gunicorn",
        application,
        f"--bind=127.0.0.1:{port}",
        f"--chdir={CHECKOUT}",
        "--workers=1",
        "--worker-class=gthread",
        f"--threads={threads}",
        "--timeout=120",
        "--graceful-timeout=10",
        "--worker-tmp-dir=/dev/shm",
        "--no-control-socket",
        "--access-logfile=-",
        # The path without its query: codes and names that a caller put there stay out of the log.
        "--access-logformat=%(t)s %(m)s %(U)s %(s)s %(B)s bytes %(M)s ms",
    )


def _text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() if path.exists() else ""
