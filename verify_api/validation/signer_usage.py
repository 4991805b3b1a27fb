"""What a signing certificate may be used for.

Source: RFC 5280 sections 4.2.1.3 and 4.2.1.12; RFC 9336 (document signing).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asn1crypto import x509

_SIGNING_USAGES = {"digital_signature", "non_repudiation"}
_NOT_FOR_DOCUMENTS = {"time_stamping", "ocsp_signing"}
_FOR_DOCUMENTS = {
    "any_extended_key_usage",
    "email_protection",  # what most document certificates carry
    "1.3.6.1.5.5.7.3.36",  # id-kp-documentSigning, RFC 9336
    "1.2.840.113583.1.1.5",  # Adobe Authentic Documents Trust
    "1.3.6.1.4.1.311.10.3.12",  # Microsoft document signing
    "microsoft_document_signing",
    "adobe_authentic_documents_trust",
}


def may_sign(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate's usages let it sign documents; a critical restriction must name them."""
    usage = certificate.key_usage_value
    if usage is not None and not set(usage.native) & _SIGNING_USAGES:
        return False
    extended = certificate.extended_key_usage_value
    if extended is None:
        return True
    purposes = set(extended.native)
    if "extended_key_usage" in certificate.critical_extensions:
        return bool(purposes & _FOR_DOCUMENTS)
    return bool(purposes - _NOT_FOR_DOCUMENTS)


def commits(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate is for what its holder stands by; keys of a service's own parts are not."""
    usage = certificate.key_usage_value
    return usage is not None and "non_repudiation" in usage.native
