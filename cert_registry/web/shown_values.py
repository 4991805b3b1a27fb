"""What a page shows of a face: names and numbers masked by default, in full on demand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cert_registry.catalog.face_schema import FaceSchema
from idp.identity.masking import mask_name, mask_number

_NUMBER_FORMATS = frozenset({"citizen-number", "credit-code", "holder-number"})


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
            _masked(one.field.format, one.printed) if masked and one.field.sensitive else one.printed,
        )
        for one in schema.walk(face)
    )


def _masked(field_format: str, printed: str) -> str:
    return mask_number(printed) if field_format in _NUMBER_FORMATS else mask_name(printed)
