"""Making one signing certificate from a profile; the only place that builds X.509 certificates."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from cert_registry.signing.own_signatures import PublicKey
from cert_registry.signing.pki.profiles import CertificateProfile, KeyUse
from cert_registry.signing.pki.signed_structures import (
    authority_identifier,
    key_identifier,
    sign_certificate,
)
from cert_registry.signing.token import SigningKey

#: Clocks differ: a certificate is valid from a little before the moment it was made.
_BACKDATED = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who a certificate is about; `credit_code` becomes organizationIdentifier `NTRCN-…`."""

    common_name: str
    organisation: str
    credit_code: str | None = None

    @classmethod
    def of(cls, certificate: x509.Certificate) -> "Subject":
        """Return the subject of a certificate that was made here."""
        name = certificate.subject
        codes = name.get_attributes_for_oid(NameOID.ORGANIZATION_IDENTIFIER)
        return cls(
            common_name=str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value),
            organisation=str(name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value),
            credit_code=str(codes[0].value).removeprefix("NTRCN-") if codes else None,
        )

    def to_name(self) -> x509.Name:
        """Return the distinguished name C, O, [organizationIdentifier], CN."""
        attributes = [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organisation),
        ]
        if self.credit_code is not None:
            identifier = f"NTRCN-{self.credit_code}"  # EN 319 412-1 clause 5.1.4
            attributes.append(x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, identifier))
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, self.common_name))
        return x509.Name(attributes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """A certification authority: its short name in URLs, its certificate (none for a root) and key."""

    name: str
    key: SigningKey
    certificate: x509.Certificate | None


def issue_certificate(
    *,
    profile: CertificateProfile,
    subject: Subject,
    public_key: PublicKey,
    issuer: Issuer,
    public_url: str,
    valid_for: timedelta,
    now: datetime,
    serial_number: int | None = None,
    pki_path: str = "/pki",
) -> x509.Certificate:
    """Return a new signing certificate with a random serial number of 159 bits.

    Args:
        profile: Its extensions.
        subject: Its subject.
        public_key: The subject's key.
        issuer: Who signs; without a certificate the result is self-signed by `public_key`'s own pair.
        public_url: Address under which `/pki` is served.
        valid_for: Length of validity from `now`, cut at the issuer's own end.
        now: Aware UTC time.
        serial_number: Drawn by the caller, who stored it before.
        pki_path: Where below `public_url` the issuer's certificate, list and answers are.

    Raises:
        TokenUnavailable: The issuer's token does not answer.
    """
    name = subject.to_name()
    not_before = now.replace(microsecond=0) - _BACKDATED
    not_after = now.replace(microsecond=0) + valid_for
    issuer_name = name
    if issuer.certificate is not None:
        issuer_name = issuer.certificate.subject
        not_after = min(not_after, issuer.certificate.not_valid_after_utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer_name)
        .serial_number(serial_number or int.from_bytes(secrets.token_bytes(20)) >> 1 or 1)
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    for extension, critical in _extensions(profile, public_key, issuer, f"{public_url}{pki_path}"):
        builder = builder.add_extension(extension, critical=critical)
    return sign_certificate(builder, public_key=public_key, issuer_key=issuer.key)


def _extensions(
    profile: CertificateProfile, public_key: PublicKey, issuer: Issuer, pki_url: str
) -> list[tuple[x509.ExtensionType, bool]]:
    extensions: list[tuple[x509.ExtensionType, bool]] = [
        (x509.BasicConstraints(ca=profile.is_ca, path_length=profile.path_length), True),
        (_key_usage(profile.key_usage), True),
        (x509.SubjectKeyIdentifier(key_identifier(public_key)), False),
        (authority_identifier(issuer.key.public_key), False),
    ]
    if profile.extended_key_usage is not None:
        usage = x509.ExtendedKeyUsage([profile.extended_key_usage])
        extensions.append((usage, profile.extended_key_usage_critical))
    if profile.policy is not None:
        policy = x509.PolicyInformation(profile.policy, None)
        extensions.append((x509.CertificatePolicies([policy]), False))
    if profile.ocsp_no_check:
        extensions.append((x509.OCSPNoCheck(), False))
    if issuer.certificate is not None:
        issuer_url = x509.UniformResourceIdentifier(f"{pki_url}/{issuer.name}.cer")
        access = [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, issuer_url)]
        if profile.points_to_ocsp:
            ocsp_url = x509.UniformResourceIdentifier(f"{pki_url}/ocsp")
            access.insert(0, x509.AccessDescription(AuthorityInformationAccessOID.OCSP, ocsp_url))
        extensions.append((x509.AuthorityInformationAccess(access), False))
        if profile.points_to_crl:
            crl_url = x509.UniformResourceIdentifier(f"{pki_url}/{issuer.name}.crl")
            point = x509.DistributionPoint([crl_url], None, None, None)
            extensions.append((x509.CRLDistributionPoints([point]), False))
    return extensions


def _key_usage(uses: frozenset[KeyUse]) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=KeyUse.DIGITAL_SIGNATURE in uses,
        content_commitment=KeyUse.CONTENT_COMMITMENT in uses,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=KeyUse.CERTIFICATE_SIGNING in uses,
        crl_sign=KeyUse.CRL_SIGNING in uses,
        encipher_only=False,
        decipher_only=False,
    )
