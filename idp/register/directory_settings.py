"""Settings of the directory itself, from the section `directory` of longzheng.yaml."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from idp.errors import ConfigurationError
from idp.settings import path_of, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectorySettings:
    """Where the directory lives, who may ask it, and what it is filled from.

    Attributes:
        url: on which slapd listens.
        config_dir: slapd's `-F` directory.
        data_dir: of the database.
        root: the suffix above the three trees.
        population_suffix: compare-only.
        staff_suffix: read by Keycloak's federation.
        legal_persons_suffix: compare-only.
        compare_dn: may compare in the population and legal-person trees, nothing else.
        staff_dn: may read the staff tree without passwords.
        admin_dn: writes; used by seeding and by nobody at run time.
        people_file: None in production.
        organisations_file: None in production.
        staff_initial_password_file: with which every demo member of staff starts.
    """

    url: str
    config_dir: Path
    data_dir: Path
    root: str
    population_suffix: str
    staff_suffix: str
    legal_persons_suffix: str
    compare_dn: str
    compare_password_file: Path
    staff_dn: str
    staff_password_file: Path
    admin_dn: str
    admin_password_file: Path
    rdn_key_file: Path
    people_file: Path | None
    organisations_file: Path | None
    staff_initial_password_file: Path | None

    @classmethod
    def from_mapping(cls, section: Mapping[str, Any]) -> "DirectorySettings":
        """Reads the section `directory`.

        Raises:
            ConfigurationError: a key is missing or wrong, or a DN lies outside the root.
        """
        where = "directory."
        admin_dn = text_of(section, "admin_dn", where)
        root = admin_dn.partition(",")[2]
        dn_keys = ("population_suffix", "staff_suffix", "legal_persons_suffix", "compare_dn", "staff_dn")
        names = {key: text_of(section, key, where) for key in dn_keys}
        for key, name in names.items():
            if not root or not name.endswith(f",{root}") or '"' in name or "\n" in name:
                raise ConfigurationError(f"directory.{key} must lie below {root or 'the root of admin_dn'}.")
        return cls(
            url=text_of(section, "url", where),
            config_dir=path_of(section, "config_dir", where),
            data_dir=path_of(section, "data_dir", where),
            root=root,
            **names,
            compare_password_file=path_of(section, "compare_password_file", where),
            staff_password_file=path_of(section, "staff_password_file", where),
            admin_dn=admin_dn,
            admin_password_file=path_of(section, "admin_password_file", where),
            rdn_key_file=path_of(section, "rdn_key_file", where),
            people_file=_optional(section, "people_file"),
            organisations_file=_optional(section, "organisations_file"),
            staff_initial_password_file=_optional(section, "staff_initial_password_file"),
        )


def _optional(section: Mapping[str, Any], key: str) -> Path | None:
    return path_of(section, key, "directory.") if section.get(key) else None
