"""The ceremony file, read strictly: whatever is unknown, missing or points nowhere is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from cert_registry.signing.pki.profiles import PROFILES, CertificateProfile
from cert_registry.signing.seal_key import KeyAlgorithm
from hsm_sim.errors import PlanRefused

PLAN_FILE = Path(__file__).with_name("ceremony.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedKey:
    """A key to be made in a token."""

    token: str
    label: str
    algorithm: KeyAlgorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCertificate:
    """A certificate to be issued."""

    name: str
    profile: CertificateProfile
    key: PlannedKey
    issuer: str
    valid_for: timedelta
    common_name: str
    organisation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The whole ceremony."""

    tokens: tuple[str, ...]
    keys: tuple[PlannedKey, ...]
    certificates: tuple[PlannedCertificate, ...]
    root_crl_life: timedelta

    def key_of(self, name: str) -> PlannedKey:
        """Return the key of a planned certificate."""
        return next(c.key for c in self.certificates if c.name == name)


def read_plan(text: str) -> Plan:
    """Read the ceremony file.

    Raises:
        PlanRefused: With the place that is wrong.
    """
    document = _fields(_load(text), "the file", {"version", "tokens", "certificates", "root_crl_valid_days"})
    if document["version"] != 1:
        raise PlanRefused("version must be 1.")
    tokens: list[str] = []
    keys: dict[str, PlannedKey] = {}
    for token in _items(document, "tokens"):
        fields = _fields(token, "a token", {"label", "keys"})
        label = _text(fields, "label")
        tokens.append(label)
        for key in _items(fields, "keys"):
            named = _fields(key, f"a key of {label}", {"label", "algorithm"})
            planned = PlannedKey(token=label, label=_text(named, "label"), algorithm=_algorithm(named))
            if f"{label}/{planned.label}" in keys:
                raise PlanRefused(f"{label}/{planned.label} is planned twice.")
            keys[f"{label}/{planned.label}"] = planned
    if len(set(tokens)) != len(tokens):
        raise PlanRefused("a token is planned twice.")
    certificates: list[PlannedCertificate] = []
    for item in _items(document, "certificates"):
        certificates.append(_certificate(item, keys, [c.name for c in certificates]))
    return Plan(
        tokens=tuple(tokens),
        keys=tuple(keys.values()),
        certificates=tuple(certificates),
        root_crl_life=_days(document, "root_crl_valid_days"),
    )


def _certificate(item: object, keys: Mapping[str, PlannedKey], above: list[str]) -> PlannedCertificate:
    names = {"name", "profile", "key", "issuer", "valid_days", "common_name", "organisation"}
    fields = _fields(item, "a certificate", names)
    name, issuer, key = _text(fields, "name"), _text(fields, "issuer"), _text(fields, "key")
    if name in above:
        raise PlanRefused(f"the certificate {name} is planned twice.")
    if issuer != name and issuer not in above:
        raise PlanRefused(f"the issuer of {name} must stand above it.")
    if key not in keys:
        raise PlanRefused(f"the key {key} of the certificate {name} is not planned.")
    return PlannedCertificate(
        name=name,
        profile=_profile(fields),
        key=keys[key],
        issuer=issuer,
        valid_for=_days(fields, "valid_days"),
        common_name=_text(fields, "common_name"),
        organisation=_text(fields, "organisation"),
    )


def _load(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise PlanRefused(f"not YAML: {error}") from error


def _fields(value: object, where: str, names: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or set(value) != names:
        raise PlanRefused(f"{where} must hold exactly {', '.join(sorted(names))}.")
    return value


def _items(fields: Mapping[str, Any], name: str) -> list[Any]:
    value = fields[name]
    if not isinstance(value, list):
        raise PlanRefused(f"{name} must be a list.")
    return value


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields[name]
    if not isinstance(value, str) or not value:
        raise PlanRefused(f"{name} must be a text.")
    return value


def _days(fields: Mapping[str, Any], name: str) -> timedelta:
    value = fields[name]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= 36525:
        raise PlanRefused(f"{name} must be a number of days from 1 to 36525.")
    return timedelta(days=value)


def _algorithm(fields: Mapping[str, Any]) -> KeyAlgorithm:
    try:
        return KeyAlgorithm(fields["algorithm"])
    except ValueError as error:
        known = ", ".join(a.value for a in KeyAlgorithm)
        raise PlanRefused(f"algorithm must be one of {known}.") from error


def _profile(fields: Mapping[str, Any]) -> CertificateProfile:
    profile = PROFILES.get(str(fields["profile"]))
    if profile is None:
        raise PlanRefused(f"profile must be one of {', '.join(PROFILES)}.")
    return profile
