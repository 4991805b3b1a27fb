"""The entries of the three trees, from the files of people and organisations, as LDIF (RFC 2849)."""

import base64
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from idp.identity.citizen_number import parse_citizen_number
from idp.identity.credit_code import parse_credit_code
from idp.identity.person_name import NAME_KEY_VERSION, normalise_name
from idp.register.directory_settings import DirectorySettings
from idp.register.entries import name_key_value, person_dn, person_hash

ROLES: Final = (
    "drafter",
    "signer",
    "checker",
    "operator",
    "auditor",
    "seal-applicant",
    "seal-approver",
    "seal-custodian",
)

Attributes = Mapping[str, str | Iterable[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry: its DN, and attributes with one or several values."""

    dn: str
    attributes: Attributes


def to_ldif(entries: Iterable[Entry]) -> bytes:
    """LDIF with every value in base64, so that no value needs thought."""
    lines: list[str] = []
    for entry in entries:
        lines.append(f"dn:: {_base64(entry.dn)}")
        for name, values in entry.attributes.items():
            listed = [values] if isinstance(values, str) else values
            lines += [f"{name}:: {_base64(value)}" for value in listed]
        lines.append("")
    return "\n".join(lines).encode("ascii")


def directory_entries(
    settings: DirectorySettings,
    *,
    compare_password: str,
    staff_reader_password: str,
    staff_password: str | None,
    rdn_key: bytes,
    kept_ids: Mapping[str, str],
    today: date,
) -> Iterator[Entry]:
    """All entries, parents before children; staff keep the `entryUUID` they have, by DN."""
    yield from _containers(settings)
    yield _account(settings.compare_dn, compare_password)
    yield _account(settings.staff_dn, staff_reader_password)
    people = _read(settings.people_file)
    for person in people.get("people", []):
        yield _person(person, settings.population_suffix, rdn_key, today)
    for legal_person in people.get("legal_persons", []):
        yield _legal_person(legal_person, settings.legal_persons_suffix, rdn_key, today)
    staff = _read(settings.organisations_file).get("staff", [])
    if staff_password is not None:
        for entry in _staff(staff, settings.staff_suffix, staff_password):
            kept = {"entryUUID": kept_ids[entry.dn]} if entry.dn in kept_ids else {}
            yield Entry(dn=entry.dn, attributes={**entry.attributes, **kept})


def _containers(settings: DirectorySettings) -> Iterator[Entry]:
    yield _container(settings.root)
    seen = {settings.root}
    children = (
        settings.population_suffix,
        settings.staff_suffix,
        settings.legal_persons_suffix,
        settings.compare_dn.partition(",")[2],
        settings.staff_dn.partition(",")[2],
        f"ou=people,{settings.staff_suffix}",
        f"ou=groups,{settings.staff_suffix}",
    )
    for dn in children:
        if dn not in seen:
            seen.add(dn)
            yield _container(dn)


def _container(dn: str) -> Entry:
    attribute, _, value = dn.partition(",")[0].partition("=")
    if attribute == "dc":
        classes = ("top", "dcObject", "organization")
        return Entry(dn=dn, attributes={"objectClass": classes, "dc": value, "o": value})
    return Entry(dn=dn, attributes={"objectClass": ("top", "organizationalUnit"), "ou": value})


def _account(dn: str, password: str) -> Entry:
    name = dn.partition(",")[0].partition("=")[2]
    classes = ("top", "organizationalRole", "simpleSecurityObject")
    return Entry(dn=dn, attributes={"objectClass": classes, "cn": name, "userPassword": password})


def _person(person: Mapping[str, Any], suffix: str, key: bytes, today: date) -> Entry:
    number = parse_citizen_number(str(person["number"]), today=today)
    name = normalise_name(str(person["name"]))
    return Entry(
        dn=person_dn(number, key, suffix),
        attributes={
            "objectClass": ("top", "lzPerson"),
            "lzPersonHash": person_hash(number, key),
            "cn": str(person["name"]),
            "lzNameKey": name_key_value(name),
            "lzPersonState": str(person.get("person_state", "normal")),
            "lzDocumentState": str(person.get("document_state", "valid")),
        },
    )


def _legal_person(legal_person: Mapping[str, Any], suffix: str, key: bytes, today: date) -> Entry:
    code = parse_credit_code(str(legal_person["code"])).code
    name = str(legal_person["name"])
    representative = parse_citizen_number(str(legal_person["representative"]), today=today)
    return Entry(
        dn=f"lzCreditCode={code},{suffix}",
        attributes={
            "objectClass": ("top", "lzLegalPerson"),
            "lzCreditCode": code,
            "cn": name,
            "lzNameKey": f"{NAME_KEY_VERSION}:{unicodedata.normalize('NFKC', name).replace(' ', '').upper()}",
            "lzLegalPersonState": str(legal_person["state"]),
            "lzRepresentativeHash": person_hash(representative, key),
        },
    )


def _staff(staff: Iterable[Mapping[str, Any]], suffix: str, password: str) -> Iterator[Entry]:
    members: dict[str, list[str]] = {role: [] for role in ROLES}
    for officer in staff:
        staff_id, name = str(officer["staff_id"]), str(officer["name"])
        dn = f"uid={staff_id},ou=people,{suffix}"
        yield Entry(
            dn=dn,
            attributes={
                "objectClass": ("top", "person", "organizationalPerson", "inetOrgPerson"),
                "uid": staff_id,
                "cn": name,
                "sn": name[:1],
                "givenName": name[1:] or name,
                "departmentNumber": parse_credit_code(str(officer["department"])).code,
                "userPassword": password,
            },
        )
        for role in officer["roles"]:
            members[role].append(dn)
    for role, listed in members.items():
        # A groupOfNames has at least one member; this one does not exist.
        nobody = [f"uid=nobody,ou=people,{suffix}"]
        classes = ("top", "groupOfNames")
        yield Entry(
            dn=f"cn={role},ou=groups,{suffix}",
            attributes={"objectClass": classes, "cn": role, "member": listed or nobody},
        )


def _read(path: Path | None) -> Mapping[str, Any]:
    if path is None:
        return {}
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document if isinstance(document, Mapping) else {}


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8")).decode("ascii")
