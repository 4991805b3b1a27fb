"""Validation of any PDF, in the words of EN 319 102-1; the only place where pyHanko validates."""

from verify_api.validation.pdf_validation import validate_pdf
from verify_api.validation.sandbox import Limits, validate_isolated
from verify_api.validation.trust import TrustAnchors
from verify_api.validation.verdicts import (
    Coverage,
    DocumentReport,
    Indication,
    Level,
    Modifications,
    SignatureReport,
    SubIndication,
    TimestampReport,
    Verdict,
)

__all__ = [
    "Coverage",
    "DocumentReport",
    "Indication",
    "Level",
    "Limits",
    "Modifications",
    "SignatureReport",
    "SubIndication",
    "TimestampReport",
    "TrustAnchors",
    "Verdict",
    "validate_isolated",
    "validate_pdf",
]
