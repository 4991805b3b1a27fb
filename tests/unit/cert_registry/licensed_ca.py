"""A licensed certification authority for tests: root, issuing CA, their lists, and certificates for requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = timedelta(days=1)


def name(text: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"), x509.NameAttribute(NameOID.COMMON_NAME, text)]
    )


def usage(**wanted: bool) -> x509.KeyUsage:
    uses = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    return x509.KeyUsage(**{**uses, **wanted})


@dataclass
class LicensedCa:
    """Made anew for each test that asks."""

    directory: Path
    common_name: str = "示例电子认证有限公司"
    root_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        root_name = name(f"{self.common_name}根CA")
        self.root = self._ca(root_name, root_name, self.root_key, self.root_key)
        self.issuing = self._ca(name(f"{self.common_name}签发CA"), root_name, self.key, self.root_key)

    def _ca(self, subject: x509.Name, issuer: x509.Name, key: Any, signer: Any) -> x509.Certificate:
        return (
            self._builder(subject, issuer, key.public_key(), signer)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(signer, hashes.SHA256())
        )

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, public_key: Any, signer: Any
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - DAY)
            .not_valid_after(self.now + 700 * DAY)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
        )

    def certify(self, request_pem: bytes, **changes: Any) -> bytes:
        """A certificate (PEM) for a request, or for something else where a change says so."""
        request = x509.load_pem_x509_csr(request_pem)
        assert request.is_signature_valid
        subject = changes.get("subject", request.subject)
        public_key = changes.get("public_key", request.public_key())
        builder = (
            self._builder(subject, self.issuing.subject, public_key, self.key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                changes.get("usage", usage(content_commitment=True, digital_signature=True)), critical=True
            )
        )
        if purpose := changes.get("purpose"):
            builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        signed = builder.sign(self.key, hashes.SHA256())
        return signed.public_bytes(Encoding.PEM)

    def certify_until(self, request_pem: bytes, end: datetime) -> bytes:
        """A certificate that ends then."""
        request = x509.load_pem_x509_csr(request_pem)
        builder = (
            x509.CertificateBuilder()
            .subject_name(request.subject)
            .issuer_name(self.issuing.subject)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - 2 * DAY)
            .not_valid_after(end)
            .add_extension(usage(content_commitment=True), critical=True)
        )
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def write_lists(self, *revoked: tuple[x509.Certificate, datetime], ended: bool = False) -> None:
        """Both lists as files."""
        self._write_list("root.crl", self.root.subject, self.root_key, (), ended=False)
        self._write_list("issuing.crl", self.issuing.subject, self.key, revoked, ended=ended)

    def _write_list(self, file: str, issuer: x509.Name, key: Any, revoked: Any, *, ended: bool) -> None:
        made = self.now - 3 * DAY if ended else self.now - timedelta(hours=1)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer)
            .last_update(made)
            .next_update(self.now - DAY if ended else self.now + 7 * DAY)
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
            )
        )
        for certificate, since in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(since).build())
        (self.directory / file).write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER))

    def configure(self, pki: Path) -> None:
        """Name it in a PKI directory."""
        (self.directory / "root.pem").write_bytes(self.root.public_bytes(Encoding.PEM))
        (self.directory / "issuing.pem").write_bytes(self.issuing.public_bytes(Encoding.PEM))
        entry = {
            "name": "example-ca",
            "anchors": str(self.directory / "root.pem"),
            "chain": str(self.directory / "issuing.pem"),
            "crls": [str(self.directory / "root.crl"), str(self.directory / "issuing.crl")],
        }
        (pki / "licensed-cas.yaml").write_text(yaml.safe_dump([entry]), encoding="utf-8")
        self.write_lists()


SERVER = ExtendedKeyUsageOID.SERVER_AUTH
