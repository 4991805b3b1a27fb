"""realm-config/ as it stands on disk: files read, kinds merged in, placeholders filled.

A placeholder is `${KEY}`: a dotted key of longzheng.yaml (`${directory.url}`), `${file:KEY}` for the content
of the secret file that the key names, or `${client.…}` for what belongs to one client. `$${` is a literal `${`,
which Keycloak's own templates use.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from deploy.configuration import Configuration, Mode
from deploy.errors import DeployError, ExitCode
from deploy.realm_keys import ClientKeys, published_keys
from deploy.site_files import Site, SiteKind, machine_representation, read_site, representation

Representation = dict[str, Any]

DIRECTORY = Path(__file__).resolve().parent.parent / "realm-config"
_PLACEHOLDER = re.compile(r"\$\$\{|\$\{([^}]*)\}")


class RealmConfigWrong(DeployError):
    """A file of realm-config/ is missing, unreadable, or names something that does not exist."""

    code = "realm-config"
    exit_code = ExitCode.BAD_USAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class RealmSettings:
    """All of realm-config/, in Keycloak's own representations except where a file's comment says otherwise."""

    realm: Representation
    user_profile: Representation
    flows: tuple[Representation, ...]
    identity_providers: tuple[Representation, ...]
    required_actions: tuple[Representation, ...]
    roles: tuple[Representation, ...]
    scopes: tuple[Representation, ...]
    clients: tuple[Representation, ...]
    built_in_clients: tuple[Representation, ...]
    federations: tuple[Representation, ...]
    localizations: tuple[Representation, ...]


def read(configuration: Configuration, keys: ClientKeys, *, directory: Path = DIRECTORY) -> RealmSettings:
    """Reads realm-config/ for one installation; demo files are left out in production.

    Raises:
        RealmConfigWrong: a file cannot be read, or a placeholder names nothing.
    """
    reader = _Reader(configuration=configuration, keys=keys, directory=directory)
    return RealmSettings(
        realm=reader.one("realm.yaml"),
        user_profile=reader.one("user-profile.yaml"),
        flows=tuple(reader.each("flows")),
        identity_providers=tuple(reader.each("identity-providers")),
        required_actions=tuple(reader.one("required-actions.yaml")["actions"]),
        roles=tuple(reader.one("roles.yaml")["roles"]),
        scopes=tuple(reader.each("scopes")),
        clients=tuple(reader.clients()),
        built_in_clients=tuple(reader.each("built-in-clients")),
        federations=tuple(reader.each("federation")),
        localizations=tuple(reader.each("localization")),
    )


def read_sites(
    configuration: Configuration, keys: ClientKeys, *, directory: Path = DIRECTORY
) -> tuple[Site, ...]:
    """The files of realm-config/sites/, checked, without asking anybody.

    Raises:
        RealmConfigWrong: a file cannot be read.
        SiteFileWrong: a file says something that cannot be applied.
    """
    return tuple(_Reader(configuration=configuration, keys=keys, directory=directory).sites())


def fill(value: Any, lookup: Callable[[str], str]) -> Any:
    """`value` with every placeholder in every text replaced by `lookup(name)`."""
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda hit: "${" if hit.group(1) is None else lookup(hit.group(1)), value)
    if isinstance(value, Mapping):
        return {key: fill(item, lookup) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, lookup) for item in value]
    return value


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> Representation:
    """`below` overlaid with `above`: mappings are merged key by key, everything else is replaced."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        if isinstance(value, Mapping) and isinstance(under, Mapping):
            merged[key] = merge(under, value)
        else:
            merged[key] = value
    return merged


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    configuration: Configuration
    keys: ClientKeys
    directory: Path

    def one(self, name: str) -> Representation:
        filled: Representation = fill(self._load(self.directory / name), self._lookup)
        return filled

    def each(self, folder: str) -> Iterator[Representation]:
        for path in self._files(folder):
            yield fill(self._load(path), self._lookup)

    def clients(self) -> Iterator[Representation]:
        for folder in ("clients", "departments"):
            for path in self._files(folder):
                raw = self._load(path)
                if self._is_wanted(raw):
                    yield self._client(raw)
        # What sites are told of a person are the mappers of the scope `realname`, each of them by itself.
        claims = {mapper["name"]: mapper for mapper in self.one("scopes/realname.yaml")["mappers"]}
        for site in self.sites():
            kind = "website" if site.kind is SiteKind.WEB else "native-site"
            client = merge(self._load(self.directory / "kinds" / f"{kind}.yaml"), representation(site))
            client["defaultClientScopes"] = ["basic", "acr"]
            client["mappers"] = [*client["mappers"], *(claims[claim] for claim in site.claims)]
            yield self._client(client | {"keys": site.keys})
            if site.id_number is not None:
                machine = merge(
                    self._load(self.directory / "kinds" / "site-machine.yaml"), machine_representation(site)
                )
                yield self._client(machine | {"keys": site.keys}, key_of=site.site_id)

    def sites(self) -> Iterator[Site]:
        for path in self._files("sites"):
            raw = self._load(path)
            if self._is_wanted(raw):
                yield read_site(
                    fill(raw, self._lookup),
                    file=f"realm-config/sites/{path.name}",
                    stem=path.stem,
                    local=self.configuration.mode is Mode.DEMO,
                )

    def _is_wanted(self, raw: Representation) -> bool:
        return not raw.pop("demo", False) or self.configuration.mode is Mode.DEMO

    def _client(self, raw: Representation, *, key_of: str | None = None) -> Representation:
        client_id = str(raw["clientId"])
        keys = raw.pop("keys", None)
        if keys is not None:
            raw["attributes"] = raw["attributes"] | published_keys(keys)
        own: dict[str, str] = {
            "client.url": fill(raw.pop("url", ""), self._lookup),
            "client.department_code": str(raw.pop("department_code", "")),
        }

        def lookup(name: str) -> str:
            if name == "client.public_jwks":
                return self.keys.public_jwks(key_of or client_id)
            if name == "client.salt":
                return self.keys.subject_salt(client_id)
            return own[name] if name in own else self._lookup(name)

        filled: Representation = fill(raw, lookup)
        return filled

    def _files(self, folder: str) -> list[Path]:
        found = sorted((self.directory / folder).glob("*.yaml"))
        if not found:
            raise RealmConfigWrong(f"realm-config/{folder} holds no file: restore it from version control.")
        return found

    def _load(self, path: Path) -> Representation:
        try:
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, yaml.YAMLError) as error:
            raise RealmConfigWrong(f"{path} cannot be read as YAML: mend it.") from error
        if not isinstance(document, dict):
            raise RealmConfigWrong(f"{path} must hold a mapping.")
        representation: Representation = document
        kind = representation.pop("kind", None)
        if kind is None:
            return representation
        return merge(self._load(self.directory / "kinds" / f"{kind}.yaml"), representation)

    def _lookup(self, name: str) -> str:
        is_file = name.startswith("file:")
        value: Any = self.configuration.raw
        for step in name.removeprefix("file:").split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if not isinstance(value, str):
            raise RealmConfigWrong(f"realm-config/ asks for ${{{name}}}, which longzheng.yaml does not hold.")
        if not is_file:
            return value
        try:
            return Path(value).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise RealmConfigWrong(f"The secret file {value} cannot be read: run ./longzheng up.") from error
