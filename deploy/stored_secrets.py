"""Random secrets and client keys, each in a file of its own with mode 0600; made once, never changed."""

import base64
import os
import secrets
from pathlib import Path
from typing import Any

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.configuration import Configuration, Mode
from deploy.locations import private_directory

SERVICE_CLIENTS = ("portal", "officer-desk", "idp-account", "idp-accounts", "idp-counter")


def make_missing(configuration: Configuration) -> None:
    """Makes every secret that longzheng.yaml names and that is not there. PINs come from the key ceremony."""
    private_directory(configuration.secrets_dir)
    private_directory(configuration.client_keys_dir)
    directory, idp = configuration.section("directory"), configuration.section("idp")
    texts = [
        configuration.keycloak.admin_secret_file,
        *(Path(value) for key, value in directory.items() if key.endswith("_password_file")),
        Path(idp["broker_secret_file"]),
        Path(idp["session_secret_file"]),
        Path(configuration.section("registry")["session_secret_file"]),
        *(site.session_secret_file for site in configuration.sites.values()),
    ]
    for path in texts:
        _write_once(path, secrets.token_urlsafe(32).encode())
    _write_once(Path(directory["rdn_key_file"]), base64.urlsafe_b64encode(secrets.token_bytes(32)))
    keys = [Path(idp["signing_key_file"])]
    face = idp.get("face") or {}
    keys += [Path(face[name]) for name in ("key_file", "provider_key_file") if name in face]
    keys += [configuration.client_key_file(client_id) for client_id in client_ids(configuration)]
    for path in keys:
        if not path.exists():
            _write_once(path, _new_key())


def client_ids(configuration: Configuration) -> tuple[str, ...]:
    """Clients that sign their assertions with a key of this machine."""
    sites = tuple(site.client_id for site in configuration.sites.values())
    if configuration.mode is not Mode.DEMO:
        return SERVICE_CLIENTS + sites
    organisations: dict[str, Any] = yaml.safe_load(
        Path(configuration.section("directory")["organisations_file"]).read_text(encoding="utf-8")
    )
    departments = tuple(client["client_id"] for client in organisations["department_clients"])
    return SERVICE_CLIENTS + sites + departments


def _new_key() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_once(path: Path, content: bytes) -> None:
    """Whole or not at all: a kill between the two steps leaves only an unfinished file."""
    if path.exists():
        return
    unfinished = path.with_name(path.name + ".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
