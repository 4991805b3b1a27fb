"""What a page shows of a face: people's names and numbers masked by default, in full on demand.

A legal person's name and credit code are public and never masked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cert_registry.catalog.certificate_type import CertificateType, HolderKind
from cert_registry.catalog.face_schema import FaceSchema, FaceValue
from idp.identity.masking import mask_name, mask_number

_NUMBER_FORMATS = frozenset({"citizen-number", "credit-code", "holder-number"})
_CODE_TYPE, _CREDIT_CODE = "code_type", "统一社会信用代码"  # in an entry of a list of holders


def shown_values(schema: FaceSchema, face: Mapping[str, Any], *, masked: bool) -> tuple[tuple[str, str], ...]:
    """Return titles and values in the order of the face.

    Args:
        schema: The type's fields.
        face: As registered.
        masked: Whether sensitive fields are masked.
    """
    return tuple(
        (
            one.field.title,
            _masked(one.field.format, one.printed)
            if masked and one.field.sensitive and not _of_legal_person(one, face)
            else one.printed,
        )
        for one in schema.walk(face)
    )


def own_number(certificate_type: CertificateType, face: Mapping[str, Any]) -> str:
    """The certificate's own number, which tells two of a kind apart; none where it may hold an ID number."""
    key = certificate_type.numbering.field
    return "" if certificate_type.face.field(key).sensitive else str(face.get(key, ""))


def holder_names(certificate_type: CertificateType, face: Mapping[str, Any]) -> tuple[tuple[str, bool], ...]:
    """Each holder's name with whether it is a legal person's; others are masked."""
    rule = certificate_type.holder_rule
    entries = [face] if rule.list_field is None else face.get(rule.list_field, ())
    found = []
    for entry in entries:
        name = str(entry.get(rule.name_field, ""))
        legal = certificate_type.holder_kind is HolderKind.LEGAL or _has_credit_code(entry)
        found.append((name if legal else mask_name(name), legal))
    return tuple(found)


def _masked(field_format: str, printed: str) -> str:
    return mask_number(printed) if field_format in _NUMBER_FORMATS else mask_name(printed)


def _of_legal_person(one: FaceValue, face: Mapping[str, Any]) -> bool:
    """Whether a value stands in a list's entry that is about a legal person."""
    key, _, rest = one.path.partition("/")
    index, _, inner = rest.partition("/")
    return bool(inner) and _has_credit_code(face[key][int(index)])


def _has_credit_code(entry: Mapping[str, Any]) -> bool:
    return bool(entry.get(_CODE_TYPE) == _CREDIT_CODE)
