"""Prepares the directory: slapd's configuration, access rules and entries. Run while slapd is down.

Two kinds of reader meet here and must never be confused: the real-name provider, whose account may
*compare* in the population and cannot search, read or list; and Keycloak, whose account reads the staff
tree (without passwords) and cannot touch the population.
"""

import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Final

from idp.errors import DirectoryNotPrepared
from idp.register.directory_entries import directory_entries, to_ldif
from idp.register.directory_settings import DirectorySettings
from idp.secret_files import ensure_secret

_SCHEMA = Path(__file__).with_name("longzheng.schema")
_SYSTEM_SCHEMAS = Path("/etc/ldap/schema")
_MODULES = Path("/usr/lib/ldap")
_PROGRAMS_PATH: Final = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/libexec"
_MARKER = ".prepared-from"


def prepare_directory(settings: DirectorySettings, *, today: date) -> bool:
    """Makes secrets, configuration and entries; does nothing when all inputs are those of the last time.

    Args:
        settings: of the section `directory`.
        today: civil date, to check the numbers of the people file.

    Returns:
        Whether anything was written.

    Raises:
        DirectoryNotPrepared: a program is missing or refused; `code` is `program-missing` or `refused`.
    """
    secrets = _secrets(settings)
    marker = settings.data_dir / _MARKER
    digest = _digest(settings, secrets)
    if marker.exists() and marker.read_text(encoding="ascii") == digest:
        return False
    kept_ids = _staff_ids(settings)
    for directory in (settings.config_dir, settings.data_dir):
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(mode=0o700, parents=True)
    with tempfile.TemporaryDirectory(prefix="longzheng-directory-") as scratch:
        configuration = Path(scratch, "slapd.conf")
        configuration.write_text(_slapd_conf(settings, _hashed(secrets[2])), encoding="utf-8")
        configuration.chmod(0o600)
        entries = directory_entries(
            settings,
            compare_password=_hashed(secrets[0]),
            staff_reader_password=_hashed(secrets[1]),
            staff_password=_hashed(secrets[3]) if secrets[3] else None,
            rdn_key=secrets[4],
            kept_ids=kept_ids,
            today=today,
        )
        ldif = Path(scratch, "entries.ldif")
        ldif.write_bytes(to_ldif(entries))
        ldif.chmod(0o600)
        _run("slapadd", ["-f", str(configuration), "-b", settings.root, "-l", str(ldif)])
        # Last, since it opens the database that slapadd makes.
        _run("slaptest", ["-f", str(configuration), "-F", str(settings.config_dir)])
    marker.write_text(digest, encoding="ascii")
    return True


def slapd_command(settings: DirectorySettings) -> list[str]:
    """The command line of slapd in the foreground, quiet: its log would name entries."""
    return [_program("slapd"), "-F", str(settings.config_dir), "-h", settings.url, "-d", "0"]


def _staff_ids(settings: DirectorySettings) -> dict[str, str]:
    """`entryUUID` by DN of the staff that the directory holds now: Keycloak knows its imported accounts by them."""
    if not settings.config_dir.exists():
        return {}
    options = ["-F", str(settings.config_dir), "-b", settings.root, "-o", "ldif_wrap=no"]
    try:
        dumped = _run("slapcat", [*options, "-a", "(objectClass=inetOrgPerson)"])
    except DirectoryNotPrepared:
        return {}  # never filled, or broken: there is nothing to keep
    kept: dict[str, str] = {}
    for entry in dumped.split("\n\n"):
        values = dict(
            line.split(": ", 1) for line in entry.splitlines() if ": " in line and ":: " not in line
        )
        if "dn" in values and "entryUUID" in values:
            kept[values["dn"]] = values["entryUUID"]
    return kept


def _secrets(settings: DirectorySettings) -> tuple[bytes, bytes, bytes, bytes, bytes]:
    staff = settings.staff_initial_password_file
    return (
        ensure_secret(settings.compare_password_file),
        ensure_secret(settings.staff_password_file),
        ensure_secret(settings.admin_password_file),
        ensure_secret(staff) if staff else b"",
        ensure_secret(settings.rdn_key_file),
    )


def _digest(settings: DirectorySettings, secrets: Sequence[bytes]) -> str:
    parts = [_SCHEMA.read_bytes(), _slapd_conf(settings, "").encode(), Path(__file__).read_bytes(), *secrets]
    parts.append(Path(__file__).with_name("directory_entries.py").read_bytes())
    parts += [
        path.read_bytes() for path in (settings.people_file, settings.organisations_file) if path is not None
    ]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def _slapd_conf(settings: DirectorySettings, admin_password: str) -> str:
    schemas = [_SYSTEM_SCHEMAS / f"{name}.schema" for name in ("core", "cosine", "inetorgperson")]
    includes = "\n".join(f"include {path}" for path in (*schemas, _SCHEMA))
    return f"""{includes}
modulepath {_MODULES}
moduleload back_mdb
moduleload argon2
pidfile {settings.data_dir}/slapd.pid
argsfile {settings.data_dir}/slapd.args
loglevel none
threads 8
require authc
disallow bind_anon
sizelimit 500
timelimit 5
password-hash {{ARGON2}}

database mdb
suffix "{settings.root}"
rootdn "{settings.admin_dn}"
rootpw {admin_password or "unset"}
directory {settings.data_dir}
maxsize 268435456
index objectClass eq
index lzPersonHash eq
index lzCreditCode eq
index uid eq
index member eq

access to attrs=userPassword
  by anonymous auth
  by * none
access to dn.subtree="{settings.population_suffix}"
  by dn.exact="{settings.compare_dn}" compare
  by * none
access to dn.subtree="{settings.legal_persons_suffix}"
  by dn.exact="{settings.compare_dn}" compare
  by * none
access to dn.subtree="{settings.staff_suffix}"
  by dn.exact="{settings.staff_dn}" read
  by * none
access to *
  by * none
"""


def _hashed(password: bytes) -> str:
    with tempfile.NamedTemporaryFile(prefix="longzheng-") as file:  # mode 0600
        file.write(password)
        file.flush()
        options = ["-o", f"module-path={_MODULES}", "-o", "module-load=argon2"]
        return _run("slappasswd", [*options, "-h", "{ARGON2}", "-T", file.name]).strip()


def _program(name: str) -> str:
    found = shutil.which(name, path=_PROGRAMS_PATH)
    if found is None:
        raise DirectoryNotPrepared(
            f"{name} is missing: run apt-get install slapd ldap-utils.", code="program-missing"
        )
    return found


def _run(name: str, arguments: Sequence[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - fixed programs of slapd, arguments are our own paths
            [_program(name), *arguments], check=True, capture_output=True, text=True, timeout=120
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = str(error.stderr or "").strip().splitlines()
        reason = said[-1] if said else "no reason given"
        raise DirectoryNotPrepared(f"{name} refused: {reason}", code="refused") from error
    return done.stdout
