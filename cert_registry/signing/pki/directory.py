"""The public side of the PKI on disk: `var/pki/NAME.pem`, one certificate a file."""

import re
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.signing.durable_files import write_durably
from cert_registry.signing.errors import AuthorityUnavailable, UnknownCertificate
from cert_registry.signing.pki.register import AuthorityRegister

ROOT = "root"
SEAL_CA = "seal-ca"
TSA_CA = "tsa-ca"
SERVICE_CA = "service-ca"
AUTHORITIES = (ROOT, SEAL_CA, TSA_CA, SERVICE_CA)

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class PkiDirectory:
    """Reads and adds certificates; file names are the names that the ceremony gives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.register = AuthorityRegister(path / "authority.db")

    def certificate(self, name: str) -> x509.Certificate:
        """Return a certificate by its name.

        Raises:
            UnknownCertificate: There is none of that name.
            AuthorityUnavailable: The file cannot be read or parsed.
        """
        file = self._file(name)
        try:
            return x509.load_pem_x509_certificate(file.read_bytes())
        except FileNotFoundError as error:
            raise UnknownCertificate(f"There is no certificate named {name!r} in {self.path}.") from error
        except (OSError, ValueError) as error:
            raise AuthorityUnavailable(f"The certificate {file} cannot be read: {error}.") from error

    def has(self, name: str) -> bool:
        """Tell whether a certificate of that name exists."""
        return self._file(name).is_file()

    def chain(self, certificate: x509.Certificate) -> tuple[x509.Certificate, ...]:
        """Return the certificates of the CAs above, nearest first, the root last.

        Raises:
            AuthorityUnavailable: No CA of this directory issued it.
        """
        above: list[x509.Certificate] = []
        current = certificate
        while current.subject != current.issuer:
            current = self.certificate(self.issuer_name(current))
            above.append(current)
        return tuple(above)

    def issuer_name(self, certificate: x509.Certificate) -> str:
        """Return the short name of the CA that issued a certificate."""
        for name in AUTHORITIES:
            if self.has(name) and self.certificate(name).subject == certificate.issuer:
                return name
        raise AuthorityUnavailable(f"No CA in {self.path} issued that certificate.")

    def anchors(self) -> tuple[x509.Certificate, ...]:
        """Return the trust anchors: every certificate of `trust.pem`."""
        try:
            return tuple(x509.load_pem_x509_certificates((self.path / "trust.pem").read_bytes()))
        except (OSError, ValueError) as error:
            raise AuthorityUnavailable(f"{self.path / 'trust.pem'} cannot be read: {error}.") from error

    def add(self, name: str, certificate: x509.Certificate, *, issuer: str) -> None:
        """Record a new certificate in the register, then write its file."""
        file = self._file(name)
        self.register.record_issued(issuer, name, certificate)
        write_durably(file, certificate.public_bytes(Encoding.PEM))

    def _file(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise UnknownCertificate("That is not the name of a certificate.")
        return self.path / f"{name}.pem"
