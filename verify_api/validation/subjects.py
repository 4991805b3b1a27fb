"""How a certificate's subject is written in a report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography import x509 as readable

if TYPE_CHECKING:
    from asn1crypto import x509


def subject_text(certificate: x509.Certificate) -> str:
    """Return the subject as RFC 4514 text, or as asn1crypto prints it when that fails."""
    try:
        return readable.load_der_x509_certificate(certificate.dump()).subject.rfc4514_string()
    except Exception:  # noqa: BLE001 - only a label; any parser error has the same remedy
        return str(certificate.subject.human_friendly)


def common_name(certificate: x509.Certificate) -> str:
    """Return the common name, else the organisation, for a sentence."""
    names = certificate.subject.native
    for key in ("common_name", "organization_name"):
        value = names.get(key)
        if isinstance(value, str):
            return value
    return "未具名者"
