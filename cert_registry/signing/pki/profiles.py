"""What each kind of signing certificate says: one frozen profile a kind.

Source: RFC 5280 section 4.2; EN 319 412-2 and -3 (seal of a legal person); RFC 3161 section 2.3 (time-stamp
units: extended key usage critical, nothing else in it); RFC 6960 section 4.2.2.2 (delegated responders).
"""

from dataclasses import dataclass
from enum import Enum

from cryptography.x509.oid import ExtendedKeyUsageOID, ObjectIdentifier

# A UUID's own arc needs no registration (X.667). The first two are known to verify_api/validation/house_form.py.
_ARC = "2.25.61585119918905902897539050929224864800"
#: Marks a root that a ceremony made: below it validation accepts nothing but the form of our sealer.
ROOT_POLICY = ObjectIdentifier(f"{_ARC}.1")
#: Marks the seal CA and seals: nothing else below our root signs documents.
SEAL_POLICY = ObjectIdentifier(f"{_ARC}.2")
#: Extended key usages, critical, so that no validator takes these keys for ones that sign documents.
FOR_RECEIPTS = ObjectIdentifier(f"{_ARC}.3")
FOR_QR_TEXTS = ObjectIdentifier(f"{_ARC}.4")
FOR_MAKING_ESEALS = ObjectIdentifier(f"{_ARC}.5")


class KeyUse(Enum):
    """Bits of KeyUsage; the value is the argument name in `cryptography`."""

    DIGITAL_SIGNATURE = "digital_signature"
    CONTENT_COMMITMENT = "content_commitment"  # formerly nonRepudiation
    CERTIFICATE_SIGNING = "key_cert_sign"
    CRL_SIGNING = "crl_sign"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateProfile:
    """The extensions of one kind of certificate; KeyUsage is always critical."""

    name: str
    key_usage: frozenset[KeyUse]
    is_ca: bool = False
    path_length: int | None = None
    extended_key_usage: ObjectIdentifier | None = None
    extended_key_usage_critical: bool = False
    policy: ObjectIdentifier | None = None
    ocsp_no_check: bool = False
    points_to_ocsp: bool = False
    points_to_crl: bool = True


_CA_USES = frozenset({KeyUse.CERTIFICATE_SIGNING, KeyUse.CRL_SIGNING})
_SIGNATURE = frozenset({KeyUse.DIGITAL_SIGNATURE})

PROFILES = {
    profile.name: profile
    for profile in (
        CertificateProfile(
            name="root", is_ca=True, key_usage=_CA_USES, policy=ROOT_POLICY, points_to_crl=False
        ),
        CertificateProfile(name="seal-ca", is_ca=True, path_length=0, key_usage=_CA_USES, policy=SEAL_POLICY),
        CertificateProfile(name="issuing-ca", is_ca=True, path_length=0, key_usage=_CA_USES),
        CertificateProfile(
            name="seal",
            key_usage=frozenset({KeyUse.CONTENT_COMMITMENT}),
            policy=SEAL_POLICY,
            points_to_ocsp=True,
        ),
        CertificateProfile(
            name="receipt",
            key_usage=_SIGNATURE,
            extended_key_usage=FOR_RECEIPTS,
            extended_key_usage_critical=True,
        ),
        CertificateProfile(
            name="qr",
            key_usage=_SIGNATURE,
            extended_key_usage=FOR_QR_TEXTS,
            extended_key_usage_critical=True,
        ),
        CertificateProfile(
            name="eseal-maker",
            key_usage=_SIGNATURE,
            extended_key_usage=FOR_MAKING_ESEALS,
            extended_key_usage_critical=True,
        ),
        CertificateProfile(
            name="time-stamp-unit",
            key_usage=_SIGNATURE,
            extended_key_usage=ExtendedKeyUsageOID.TIME_STAMPING,
            extended_key_usage_critical=True,
        ),
        CertificateProfile(
            name="ocsp-responder",
            key_usage=_SIGNATURE,
            extended_key_usage=ExtendedKeyUsageOID.OCSP_SIGNING,
            ocsp_no_check=True,
            points_to_crl=False,
        ),
    )
}
