"""longzheng.yaml: read once, typed, paths absolute, secrets as file paths.

Each package reads its own section with its own `Settings.from_mapping`; this module types what `deploy`
and `flask_app` use and hands the other sections out untouched by `Configuration.section(name)`.

The keys (written by `deploy.first_configuration`, which adds keys that an older file lacks):

| key | value |
|---|---|
| mode | `demo` (seeded with invented people) or `production` |
| public_url | `http://localhost:PORT` of the service, no slash at the end |
| ports | service, keycloak, keycloak_management, directory, site_a, site_b |
| keycloak.issuer | `http://localhost:PORT/realms/gov`, in every token |
| keycloak.base_url, .internal_url | for browsers; for calls on this machine (no `/realms/…`) |
| keycloak.management_url | `/health/ready`, `/metrics` |
| keycloak.realm | `gov` |
| keycloak.admin_client_id, .admin_secret_file | service account of realm `master`, client credentials |
| directory.url | `ldap://127.0.0.1:PORT` |
| directory.config_dir, .data_dir | slapd's `-F` directory and its databases |
| directory.population_suffix, .staff_suffix, .legal_persons_suffix | three trees |
| directory.compare_dn, .compare_password_file | may only compare in the population and legal-person trees |
| directory.staff_dn, .staff_password_file | reads the staff tree (Keycloak's federation) |
| directory.admin_dn, .admin_password_file | writes all three (seeding, updates) |
| directory.rdn_key_file | 32 bytes, key of the keyed hash that is the RDN of a person |
| directory.people_file, .organisations_file | demo data to fill from; absent in production |
| directory.staff_initial_password_file | demo mode: the password every demo member of staff starts with |
| token.module_path | PKCS#11 module |
| token.softhsm_conf | exported as `SOFTHSM2_CONF`; absent with a real HSM |
| token.sm2.adapter, .key_directory | demo mode: SM2 keys in software, unfit for production (`docs/sm2.md`) |
| token.tokens.NAME.label, .pin_file | NAME: root, seals, pki, log, receipts, keys; labels `lz-NAME` |
| pki.directory | public certificates: root.pem, seal-ca.pem, … |
| clients.keys_dir | `CLIENT_ID.pem`, PKCS#8 EC P-256: portal, officer-desk, site-a, site-b, dept-… |
| idp.issuer | `PUBLIC_URL/idp` |
| idp.database_url | SQLAlchemy URL |
| idp.signing_key_file | PKCS#8 EC P-256 that signs the ID tokens of the real-name provider |
| idp.broker_client_id, .broker_secret_file | Keycloak as client of the real-name provider |
| idp.session_secret_file | key of the web sessions (32 bytes, base64url text) |
| idp.directory | the same mapping as the section `directory`, without admin and staff accounts |
| idp.keycloak_issuer, .keycloak_internal_url | to check access tokens at `POST /idp/v1/holder` |
| idp.audience | `longzheng-idp` |
| idp.sms_gateway | `embedded` (messages on the operator's page) |
| idp.number_rights_file | which sites may be told an ID number; written when `realm-config/` is applied |
| idp.client_names_file | what people call the sites in their own history; written then too |
| idp.mobile_register_file | demo: which mobile number is registered to whom (people.yaml) |
| registry.database_url, .objects_dir, .tlog_dir, .log_origin, .pki_dir | |
| registry.issuer, .jwks_url, .audience | Keycloak's issuer and JWKS; `longzheng-registry` |
| registry.resolver_url | `…/idp/v1/holder` |
| registry.public_url, .session_secret_file, .clients_keys_dir | the pages (clients portal, officer-desk) |
| verify.issuer, .jwks_url, .audience | likewise; `longzheng-verify` |
| verify.trust_file, .public_url | `var/pki/trust.pem` |
| verify.max_upload_bytes, .workers, .worker_seconds, .worker_memory_bytes | limits of full validation |
| sites.SITE.title, .url, .client_id, .key_file, .session_secret_file, .other_url | SITE: site-a, site-b |
| sites.SITE.number_purpose | for what the site asks for the ID number; absent at sites without the right |
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from deploy.errors import ConfigurationError

FILE_NAME = "longzheng.yaml"
PORT_NAMES = ("service", "keycloak", "keycloak_management", "directory", "site_a", "site_b")


class Mode(Enum):
    """Whether invented people and sites are set up."""

    DEMO = "demo"
    PRODUCTION = "production"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """TCP ports on the loopback interface."""

    service: int
    keycloak: int
    keycloak_management: int
    directory: int
    site_a: int
    site_b: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeycloakSection:
    """Where Keycloak is and how it is configured."""

    issuer: str
    base_url: str
    internal_url: str
    management_url: str
    realm: str
    admin_client_id: str
    admin_secret_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySection:
    """The part of `directory` that starts slapd; the rest is the directory's own affair."""

    url: str
    config_dir: Path
    data_dir: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAccess:
    """One token: its label and the file with its PIN."""

    label: str
    pin_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenSection:
    """The PKCS#11 module and its tokens by purpose."""

    module_path: Path
    softhsm_conf: Path | None
    tokens: Mapping[str, TokenAccess]


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSection:
    """One demo relying site."""

    name: str
    title: str
    url: str
    client_id: str
    key_file: Path
    session_secret_file: Path
    other_url: str
    number_purpose: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The whole of longzheng.yaml."""

    state_dir: Path
    mode: Mode
    public_url: str
    ports: Ports
    keycloak: KeycloakSection
    directory: DirectorySection
    token: TokenSection
    pki_dir: Path
    client_keys_dir: Path
    sites: Mapping[str, SiteSection]
    raw: Mapping[str, Any]

    @property
    def secrets_dir(self) -> Path:
        """One file a secret, mode 0600."""
        return self.state_dir / "secrets"

    @property
    def log_dir(self) -> Path:
        """Logs of all parts."""
        return self.state_dir / "log"

    @property
    def run_dir(self) -> Path:
        """Sockets and locks."""
        return self.state_dir / "run"

    @property
    def keycloak_home(self) -> Path:
        """The built Keycloak of this state directory."""
        return self.state_dir / "keycloak"

    def section(self, name: str) -> Mapping[str, Any]:
        """The section of a package as it stands in the file.

        Raises:
            ConfigurationError: the section is missing or not a mapping.
        """
        return _mapping(self.raw, name, "")

    def client_key_file(self, client_id: str) -> Path:
        """The private key with which a client signs its assertions."""
        return self.client_keys_dir / f"{client_id}.pem"


def load(state_dir: Path) -> Configuration:
    """Reads and checks `state_dir`/longzheng.yaml.

    Raises:
        ConfigurationError: missing, not YAML, a key missing or of the wrong kind; the sentence names it.
    """
    path = state_dir / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"{path} does not exist: run ./longzheng up once, which writes it."
        ) from error
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be read ({error.strerror}): mend its owner and mode."
        ) from error
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{path} is not valid YAML: mend it, or restore it from backup.") from error
    if not isinstance(document, dict):
        raise ConfigurationError(f"{path} holds no mapping: mend it, or restore it from backup.")
    return from_mapping(document, state_dir=state_dir)


def from_mapping(document: Mapping[str, Any], *, state_dir: Path) -> Configuration:
    """Types a parsed longzheng.yaml.

    Raises:
        ConfigurationError: a key is missing or of the wrong kind.
    """
    keycloak = _mapping(document, "keycloak", "")
    directory = _mapping(document, "directory", "")
    return Configuration(
        state_dir=state_dir,
        mode=_mode(document),
        public_url=_text(document, "public_url", ""),
        ports=_ports(_mapping(document, "ports", "")),
        keycloak=KeycloakSection(
            issuer=_text(keycloak, "issuer", "keycloak."),
            base_url=_text(keycloak, "base_url", "keycloak."),
            internal_url=_text(keycloak, "internal_url", "keycloak."),
            management_url=_text(keycloak, "management_url", "keycloak."),
            realm=_text(keycloak, "realm", "keycloak."),
            admin_client_id=_text(keycloak, "admin_client_id", "keycloak."),
            admin_secret_file=_path(keycloak, "admin_secret_file", "keycloak."),
        ),
        directory=DirectorySection(
            url=_text(directory, "url", "directory."),
            config_dir=_path(directory, "config_dir", "directory."),
            data_dir=_path(directory, "data_dir", "directory."),
        ),
        token=_token(_mapping(document, "token", "")),
        pki_dir=_path(_mapping(document, "pki", ""), "directory", "pki."),
        client_keys_dir=_path(_mapping(document, "clients", ""), "keys_dir", "clients."),
        sites=_sites(document.get("sites") or {}),
        raw=MappingProxyType(dict(document)),
    )


def _mode(document: Mapping[str, Any]) -> Mode:
    text = _text(document, "mode", "")
    try:
        return Mode(text)
    except ValueError as error:
        raise ConfigurationError(
            f"longzheng.yaml: mode is {text!r}, but must be demo or production."
        ) from error


def _ports(section: Mapping[str, Any]) -> Ports:
    ports: dict[str, int] = {}
    for name in PORT_NAMES:
        port = section.get(name)
        if not isinstance(port, int) or isinstance(port, bool) or not 0 < port < 65536:
            raise ConfigurationError(f"longzheng.yaml: ports.{name} must be a number from 1 to 65535.")
        ports[name] = port
    if len(set(ports.values())) != len(ports):
        raise ConfigurationError("longzheng.yaml: two of the ports are the same; give each its own.")
    return Ports(**ports)


def _token(section: Mapping[str, Any]) -> TokenSection:
    tokens: dict[str, TokenAccess] = {}
    for name, access in _mapping(section, "tokens", "token.").items():
        where = f"token.tokens.{name}."
        if not isinstance(access, Mapping):
            raise ConfigurationError(f"longzheng.yaml: {where[:-1]} must hold label and pin_file.")
        tokens[str(name)] = TokenAccess(
            label=_text(access, "label", where), pin_file=_path(access, "pin_file", where)
        )
    softhsm_conf = section.get("softhsm_conf")
    return TokenSection(
        module_path=_path(section, "module_path", "token."),
        softhsm_conf=None if softhsm_conf is None else _path(section, "softhsm_conf", "token."),
        tokens=MappingProxyType(tokens),
    )


def _sites(section: Mapping[str, Any]) -> Mapping[str, SiteSection]:
    sites: dict[str, SiteSection] = {}
    for name in section:
        where = f"sites.{name}."
        site = _mapping(section, name, "sites.")
        sites[name] = SiteSection(
            name=name,
            title=_text(site, "title", where),
            url=_text(site, "url", where),
            client_id=_text(site, "client_id", where),
            key_file=_path(site, "key_file", where),
            session_secret_file=_path(site, "session_secret_file", where),
            other_url=_text(site, "other_url", where),
            number_purpose=_text(site, "number_purpose", where) if "number_purpose" in site else None,
        )
    return MappingProxyType(sites)


def _mapping(section: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    value = section.get(key)
    if not isinstance(value, Mapping):
        raise ConfigurationError(f"longzheng.yaml: the section {where}{key} is missing or holds no keys.")
    return value


def _text(section: Mapping[str, Any], key: str, where: str) -> str:
    value = section.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigurationError(f"longzheng.yaml: {where}{key} is missing or is not text.")
    return value


def _path(section: Mapping[str, Any], key: str, where: str) -> Path:
    path = Path(_text(section, key, where))
    if not path.is_absolute():
        raise ConfigurationError(f"longzheng.yaml: {where}{key} must be an absolute path.")
    return path
