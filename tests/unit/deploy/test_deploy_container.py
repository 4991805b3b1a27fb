from pathlib import Path

import yaml

from deploy import system_packages
from deploy.configuration import PORT_NAMES

DEPLOY = Path(__file__).resolve().parents[3] / "deploy"
CONTAINERFILE = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")


def test_the_image_has_every_package_that_a_bare_machine_gets() -> None:
    packages = (
        *system_packages.SERVICE_PACKAGES,
        system_packages.JAVA,
        system_packages.MAVEN,
        system_packages.VENV,
    )
    words = set(CONTAINERFILE.split())
    assert {package.name for package in packages} <= words


def test_the_image_gives_every_port() -> None:
    assert all(f"LONGZHENG_PORT_{name.upper()}=" in CONTAINERFILE for name in PORT_NAMES)


def test_compose_builds_that_image_and_keeps_its_state() -> None:
    compose = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text(encoding="utf-8"))
    service = compose["services"]["longzheng"]
    assert (DEPLOY.parent / service["build"]["dockerfile"]).exists()
    assert "state:/var/lib/longzheng" in service["volumes"]


def test_the_unit_starts_in_the_foreground_and_stops_cleanly() -> None:
    unit = (DEPLOY / "systemd" / "longzheng.service").read_text(encoding="utf-8")
    assert "ExecStart=/opt/longzheng/longzheng up\n" in unit
    assert "ExecStop=/opt/longzheng/longzheng down\n" in unit
