"""A throw-away PKI made at test time: root, CA, signers, TSA, OCSP responder, revocation lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from asn1crypto import keys as akeys
from asn1crypto import ocsp as aocsp
from asn1crypto import x509 as ax509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from pyhanko.sign import signers, timestamps
from pyhanko_certvalidator.registry import SimpleCertificateStore

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
START = datetime(2024, 1, 1, tzinfo=UTC)
END = datetime(2034, 1, 1, tzinfo=UTC)
CRL_URL = "http://127.0.0.1:1/ca.crl"
OCSP_URL = "http://127.0.0.1:1/ocsp"


def make_key(kind: str = "p256") -> Any:
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "p384":
        return ec.generate_private_key(ec.SECP384R1())
    if kind == "p521":
        return ec.generate_private_key(ec.SECP521R1())
    if kind == "ed448":
        return ed448.Ed448PrivateKey.generate()
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def digest_for(key: Any) -> Any:
    return None if isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey)) else hashes.SHA256()


@dataclass(frozen=True)
class Party:
    """A key with its certificate."""

    key: object
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def asn1(self) -> ax509.Certificate:
        return ax509.Certificate.load(self.der)

    @property
    def asn1_key(self) -> Any:
        return akeys.PrivateKeyInfo.load(
            self.key.private_bytes(
                serialization.Encoding.DER,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )


def name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "示例省试验"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def issue(
    subject: str,
    issuer: Party | None,
    *,
    ca: bool = False,
    kind: str = "p256",
    extended: list | None = None,
    start: datetime = START,
    end: datetime = END,
    crl_url: str | None = None,
    ocsp_url: str | None = None,
    nocheck: bool = False,
    usage: tuple[bool, bool] = (True, True),
) -> Party:
    key = make_key(kind)
    signer = issuer or Party(key, None)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(issuer.certificate.subject if issuer else name(subject))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=usage[0] and not ca,
                content_commitment=usage[1] and not ca,
                key_encipherment=not any(usage) and not ca,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=ca,
                crl_sign=ca,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if issuer:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
        )
    if extended:
        builder = builder.add_extension(x509.ExtendedKeyUsage(extended), critical=True)
    if crl_url:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(crl_url)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    if ocsp_url:
        access = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(ocsp_url)
        )
        builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
    if nocheck:
        builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    return Party(key, builder.sign(signer.key, digest_for(signer.key)))


@dataclass
class Pki:
    """Root, CA and what hangs below them."""

    kind: str = "p256"
    crl_url: str | None = None
    ocsp_url: str | None = None
    extra: dict = field(default_factory=dict)

    @cached_property
    def root(self) -> Party:
        return issue("试验根", None, ca=True)

    @cached_property
    def ca(self) -> Party:
        return issue("试验签发机构", self.root, ca=True)

    @cached_property
    def signer(self) -> Party:
        return self.signer_of("示例市试验局")

    def signer_of(self, subject: str, **options: Any) -> Party:
        merged = {"kind": self.kind, "crl_url": self.crl_url, "ocsp_url": self.ocsp_url, **options}
        return issue(subject, self.ca, **merged)

    @cached_property
    def tsa(self) -> Party:
        return issue("试验时间戳", self.ca, kind="rsa", extended=[ExtendedKeyUsageOID.TIME_STAMPING])

    def tsa_of(self, **options: Any) -> Party:
        return issue(
            "试验时间戳", self.ca, kind="rsa", extended=[ExtendedKeyUsageOID.TIME_STAMPING], **options
        )

    @cached_property
    def responder(self) -> Party:
        return issue("试验应答", self.ca, extended=[ExtendedKeyUsageOID.OCSP_SIGNING], nocheck=True)

    def pyhanko_signer(self, party: Party | None = None, **options: Any) -> signers.SimpleSigner:
        party = party or self.signer
        store = SimpleCertificateStore()
        store.register_multiple([self.root.asn1, self.ca.asn1])
        return signers.SimpleSigner(
            signing_cert=party.asn1, signing_key=party.asn1_key, cert_registry=store, **options
        )

    def stamper(self, at: datetime, party: Party | None = None) -> timestamps.DummyTimeStamper:
        party = party or self.tsa
        store = SimpleCertificateStore()
        store.register_multiple([self.root.asn1, self.ca.asn1])
        return timestamps.DummyTimeStamper(
            tsa_cert=party.asn1, tsa_key=party.asn1_key, certs_to_embed=store, fixed_dt=at
        )

    def crl(
        self,
        at: datetime,
        revoked: list[tuple[Party, datetime]] = (),
        *,
        issuer: Party | None = None,
        days: int = 7,
    ) -> bytes:
        issuer = issuer or self.ca
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(at)
            .next_update(at + timedelta(days=days))
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
            )
        )
        for party, moment in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(party.certificate.serial_number)
                .revocation_date(moment)
                .build()
            )
        return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def ocsp_response(
        self, party: Party, at: datetime, *, revoked: datetime | None = None
    ) -> aocsp.OCSPResponse:
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=party.certificate,
                issuer=self.ca.certificate,
                algorithm=hashes.SHA256(),
                cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
                this_update=at,
                next_update=at + timedelta(days=7),
                revocation_time=revoked,
                revocation_reason=None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, self.responder.certificate)
            .certificates([self.responder.certificate])
        )
        response = builder.sign(self.responder.key, hashes.SHA256())
        return aocsp.OCSPResponse.load(response.public_bytes(serialization.Encoding.DER))


__all__ = ["END", "NOW", "START", "Party", "Pki", "issue", "padding"]
