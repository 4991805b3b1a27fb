"""Comparing what the asker holds with the face: yes, no or not held, and no data back."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Mapping

from verify_api.types import ComparedField, FieldResult, RegisteredEcert

RULE_VERSION = "compare-1"
_ROUNDS = 8
_MIDDLE_DOTS = str.maketrans(dict.fromkeys("·•‧・∙⋅｡﹒", "·"))
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―－", "-"))


def comparable(value: object) -> str:
    """Return the form in which two values of a field are compared (rule ``compare-1``).

    NFKC (full width and compatibility forms), one middle dot, one dash, no white space, upper case.
    """
    text = str(value)
    for _ in range(_ROUNDS):  # upper case can yield what NFKC takes apart, and the other way round
        folded = unicodedata.normalize("NFKC", text).translate(_MIDDLE_DOTS).translate(_DASHES).upper()
        folded = "".join(folded.split())
        if folded == text:
            break
        text = folded
    return text


def compare_fields(
    asked: Mapping[str, str], ecert: RegisteredEcert, *, random_bytes: Callable[[int], bytes]
) -> tuple[ComparedField, ...]:
    """Compare each asked field with the face.

    A field that the type does not offer for comparison is answered like one that the face does not hold.

    Args:
        asked: Field name to the value that the asker holds.
        ecert: The registered ecert.
        random_bytes: Source of salts.
    """
    return tuple(
        ComparedField(
            field=field,
            title=ecert.field_titles.get(field, field),
            result=_result(field, value, ecert),
            salt=(salt := random_bytes(16)),
            commitment=commitment(salt, field, value),
        )
        for field, value in asked.items()
    )


def commitment(salt: bytes, field: str, value: str) -> bytes:
    """Return SHA-256(salt ‖ field ‖ 0x00 ‖ value), 32 bytes, which hides the value until the asker opens it."""
    return hashlib.sha256(salt + field.encode() + b"\0" + value.encode()).digest()


def _result(field: str, value: str, ecert: RegisteredEcert) -> FieldResult:
    held = ecert.face.get(field) if field in ecert.field_titles else None
    if held is None or held in ("", []):
        return FieldResult.NOT_HELD
    candidates = held if isinstance(held, list) else [held]
    asked = comparable(value).encode()
    # Every candidate is compared, so that time does not tell which of several holders matched.
    hits = [hmac.compare_digest(comparable(candidate).encode(), asked) for candidate in candidates]
    return FieldResult.MATCH if any(hits) else FieldResult.MISMATCH
