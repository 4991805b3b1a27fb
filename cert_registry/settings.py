"""Settings of the registry, read once from the section `registry` of `longzheng.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from cert_registry.archive.settings import read_policy
from cert_registry.catalog.loading import TYPES_DIRECTORY
from cert_registry.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cert_registry.archive.types import RenewalPolicy

_DIRECTORIES: Final = ("objects_dir", "tlog_dir", "pki_dir")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of this package.

    Attributes:
        database: File path, or SQLAlchemy URL.
        objects_dir: Encrypted files.
        tlog_dir: Public tiles.
        log_origin: First line of every checkpoint.
        newest_checkpoint_file: Where the newest checkpoint is remembered, away from the tiles.
        types_dir: Certificate types.
        pki_dir: Certificates of the service's PKI.
        public_url: Scheme, host and port, without a path.
        issuer: Keycloak's `iss`; None when access tokens are not accepted (command line).
        jwks_url: Its key set.
        audience: Audience of this service's API.
        demo: Whether documents are marked 样例.
        archive: When files are renewed.
        eseal_version: Version of the e-seals that are made: 5 or 4.
    """

    database: str
    objects_dir: Path
    tlog_dir: Path
    log_origin: str
    newest_checkpoint_file: Path
    types_dir: Path
    pki_dir: Path
    public_url: str
    issuer: str | None
    jwks_url: str | None
    audience: str
    demo: bool
    archive: RenewalPolicy
    eseal_version: int = 5

    @classmethod
    def from_mapping(cls, section: Mapping[str, Any], *, demo: bool | None = None) -> Settings:
        """Read the section `registry`.

        Args:
            section: `database` (or `database_url`), `objects_dir`, `tlog_dir`, `pki_dir`, `public_url`;
                optionally `types_dir`, `log_origin`, `newest_checkpoint_file`, `issuer`, `jwks_url`,
                `audience`, `demo`, `archive`, `eseal_version`.
            demo: Overrides the section, for the file's `mode`.

        Raises:
            ConfigurationError: With a sentence that says what to change.
        """
        database = section.get("database", section.get("database_url"))
        if not isinstance(database, str | Path) or not str(database):
            raise ConfigurationError("registry.database_url must be a file path or a database URL.")
        directories = {name: _absolute(section.get(name), name) for name in _DIRECTORIES}
        public_url = _origin(section.get("public_url"))
        tlog_dir = directories["tlog_dir"]
        newest = section.get("newest_checkpoint_file", str(tlog_dir.parent / "tlog-newest"))
        marked = section.get("demo", False) if demo is None else demo
        if not isinstance(marked, bool):
            raise ConfigurationError("registry.demo must be true or false.")
        return cls(
            database=str(database),
            objects_dir=directories["objects_dir"],
            tlog_dir=tlog_dir,
            log_origin=str(section.get("log_origin") or f"{urlsplit(public_url).netloc}/log"),
            newest_checkpoint_file=_absolute(newest, "newest_checkpoint_file"),
            types_dir=_absolute(section.get("types_dir", str(TYPES_DIRECTORY)), "types_dir"),
            pki_dir=directories["pki_dir"],
            public_url=public_url,
            issuer=_optional_text(section, "issuer"),
            jwks_url=_optional_text(section, "jwks_url"),
            audience=str(section.get("audience", "longzheng-registry")),
            demo=marked,
            archive=read_policy(section.get("archive")),
            eseal_version=_eseal_version(section.get("eseal_version", 5)),
        )


def _eseal_version(value: object) -> int:
    if value not in {4, 5} or not isinstance(value, int):
        raise ConfigurationError("registry.eseal_version must be 5 (GM/T 0031-2025) or 4 (GB/T 38540-2020).")
    return value


def _absolute(value: object, name: str) -> Path:
    if not isinstance(value, str | Path) or not Path(value).is_absolute():
        raise ConfigurationError(f"registry.{name} must be an absolute path.")
    return Path(value)


def _optional_text(section: Mapping[str, Any], name: str) -> str | None:
    value = section.get(name)
    if value is not None and (not isinstance(value, str) or not value):
        raise ConfigurationError(f"registry.{name} must be an address.")
    return value


def _origin(value: object) -> str:
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/"):
        raise ConfigurationError(
            "registry.public_url must be scheme, host and port, such as https://host:8443."
        )
    return f"{parts.scheme}://{parts.netloc}"
