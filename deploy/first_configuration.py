"""Writes longzheng.yaml at first start, and adds keys that an older file lacks; never changes a value."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.configuration import FILE_NAME, Mode, Ports

CHECKOUT = Path(__file__).resolve().parent.parent
SOFTHSM_MODULE = "/usr/lib/softhsm/libsofthsm2.so"
TOKEN_PURPOSES = ("root", "seals", "pki", "log", "receipts", "keys")
SUFFIX = "dc=longzheng"
SITE_TITLES = {"site-a": "示例政务网", "site-b": "示例市民生网"}


def complete(state_dir: Path, *, ports: Ports, mode: Mode) -> None:
    """Writes what longzheng.yaml lacks; values that it has stay as they are."""
    path = state_dir / FILE_NAME
    present = yaml.safe_load(path.read_text(encoding="utf-8") if path.exists() else "") or {}
    wanted = _merged(_document(state_dir, ports=ports, mode=mode), present)
    if wanted != present:
        _write(
            path, "# Generated at first start; see deploy/configuration.py for the keys.\n" + _dump(wanted)
        )


def _document(state_dir: Path, *, ports: Ports, mode: Mode) -> dict[str, Any]:
    secrets = state_dir / "secrets"
    public_url = f"http://localhost:{ports.service}"
    keycloak_url = f"http://localhost:{ports.keycloak}"
    issuer = f"{keycloak_url}/realms/gov"
    jwks_url = f"http://127.0.0.1:{ports.keycloak}/realms/gov/protocol/openid-connect/certs"
    directory = _directory(state_dir, ports=ports, mode=mode)
    document: dict[str, Any] = {
        "mode": mode.value,
        "public_url": public_url,
        "ports": {name: getattr(ports, name) for name in Ports.__dataclass_fields__},
        "keycloak": {
            "issuer": issuer,
            "base_url": keycloak_url,
            "internal_url": f"http://127.0.0.1:{ports.keycloak}",
            "management_url": f"http://127.0.0.1:{ports.keycloak_management}",
            "realm": "gov",
            "admin_client_id": "longzheng-admin",
            "admin_secret_file": str(secrets / "keycloak-admin"),
        },
        "directory": directory,
        "token": {
            "module_path": os.environ.get("LONGZHENG_PKCS11_MODULE", SOFTHSM_MODULE),
            "softhsm_conf": str(state_dir / "softhsm" / "softhsm2.conf"),
            "tokens": {
                name: {"label": f"lz-{name}", "pin_file": str(secrets / f"pin-lz-{name}")}
                for name in TOKEN_PURPOSES
            },
        },
        "pki": {"directory": str(state_dir / "pki")},
        "clients": {"keys_dir": str(secrets / "clients")},
        "idp": _idp(state_dir, public_url=public_url, issuer=issuer, directory=directory, ports=ports),
        "registry": {
            "database_url": f"sqlite:///{state_dir / 'registry.db'}",
            "objects_dir": str(state_dir / "objects"),
            "tlog_dir": str(state_dir / "tlog"),
            "log_origin": f"localhost:{ports.service}/log",
            "pki_dir": str(state_dir / "pki"),
            "public_url": public_url,
            "issuer": issuer,
            "jwks_url": jwks_url,
            "audience": "longzheng-registry",
            "resolver_url": f"http://127.0.0.1:{ports.service}/idp/v1/holder",
            "session_secret_file": str(secrets / "registry-session"),
            "clients_keys_dir": str(secrets / "clients"),
        },
        "verify": {
            "public_url": public_url,
            "issuer": issuer,
            "jwks_url": jwks_url,
            "audience": "longzheng-verify",
            "trust_file": str(state_dir / "pki" / "trust.pem"),
            "max_upload_bytes": 20 * 1024 * 1024,
            "workers": 2,
            "worker_seconds": 20,
            "worker_memory_bytes": 1024 * 1024 * 1024,
        },
    }
    if mode is Mode.DEMO:
        document["sites"] = _sites(secrets, ports)
        document["token"]["sm2"] = {
            "adapter": "software-unfit-for-production",
            "key_directory": str(state_dir / "sm2-keys"),
        }
    return document


def _directory(state_dir: Path, *, ports: Ports, mode: Mode) -> dict[str, Any]:
    secrets = state_dir / "secrets"
    section = {
        "url": f"ldap://127.0.0.1:{ports.directory}",
        "config_dir": str(state_dir / "slapd" / "config"),
        "data_dir": str(state_dir / "slapd" / "data"),
        "population_suffix": f"ou=population,{SUFFIX}",
        "staff_suffix": f"ou=staff,{SUFFIX}",
        "legal_persons_suffix": f"ou=legal-persons,{SUFFIX}",
        "compare_dn": f"cn=compare,ou=services,{SUFFIX}",
        "compare_password_file": str(secrets / "directory-compare"),
        "staff_dn": f"cn=staff-reader,ou=services,{SUFFIX}",
        "staff_password_file": str(secrets / "directory-staff-reader"),
        "admin_dn": f"cn=admin,{SUFFIX}",
        "admin_password_file": str(secrets / "directory-admin"),
        "rdn_key_file": str(secrets / "directory-rdn-key"),
    }
    if mode is Mode.DEMO:
        demo = CHECKOUT / "deploy" / "demo"
        section["people_file"] = str(demo / "people.yaml")
        section["organisations_file"] = str(demo / "organisations.yaml")
        section["staff_initial_password_file"] = str(secrets / "demo-staff-password")
    return section


def _idp(
    state_dir: Path, *, public_url: str, issuer: str, directory: Mapping[str, Any], ports: Ports
) -> dict[str, Any]:
    secrets = state_dir / "secrets"
    kept = ("url", "population_suffix", "legal_persons_suffix", "compare_dn", "compare_password_file")
    section = {
        "issuer": f"{public_url}/idp",
        "database_url": f"sqlite:///{state_dir / 'idp.db'}",
        "signing_key_file": str(secrets / "idp-signing.pem"),
        "broker_client_id": "keycloak",
        "broker_secret_file": str(secrets / "idp-broker"),
        "session_secret_file": str(secrets / "idp-session"),
        "directory": {key: directory[key] for key in (*kept, "rdn_key_file")},
        "keycloak_issuer": issuer,
        "keycloak_internal_url": f"http://127.0.0.1:{ports.keycloak}",
        "audience": "longzheng-idp",
        "sms_gateway": "embedded",
        "number_rights_file": str(state_dir / "id-number-rights.json"),
        "client_names_file": str(state_dir / "client-names.json"),
        "client_keys_dir": str(secrets / "clients"),
    }
    if "people_file" in directory:
        section["mobile_register_file"] = directory["people_file"]
        section["face"] = {
            "url": f"http://127.0.0.1:{ports.service}/idp/simulator/face",
            "client_id": "longzheng-idp",
            "key_file": str(secrets / "idp-face.pem"),
            "provider_key_file": str(secrets / "face-simulator.pem"),
            "simulated": True,
        }
    return section


def _sites(secrets: Path, ports: Ports) -> dict[str, Any]:
    urls = {"site-a": f"http://localhost:{ports.site_a}", "site-b": f"http://localhost:{ports.site_b}"}
    other = {"site-a": "site-b", "site-b": "site-a"}
    purposes = {"site-a": {"number_purpose": "land-transfer"}}
    return {
        name: {
            "title": SITE_TITLES[name],
            "url": urls[name],
            "client_id": name,
            "key_file": str(secrets / "clients" / f"{name}.pem"),
            "session_secret_file": str(secrets / f"{name}-session"),
            "other_url": urls[other[name]],
            **purposes.get(name, {}),
        }
        for name in urls
    }


def _merged(defaults: Mapping[str, Any], present: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(defaults)
    for key, value in present.items():
        default = merged.get(key)
        if isinstance(value, Mapping) and isinstance(default, Mapping):
            merged[key] = _merged(default, value)
        else:
            merged[key] = value
    return merged


class _PlainDumper(yaml.SafeDumper):
    """Repeats a shared mapping instead of writing an anchor, which is hard to read."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _dump(document: Mapping[str, Any]) -> str:
    return yaml.dump(dict(document), Dumper=_PlainDumper, allow_unicode=True, sort_keys=False)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
