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
#: Their names, and those of their successors: `tsa-ca-2` follows `tsa-ca`.
_AUTHORITY = re.compile(r"(root|seal-ca|tsa-ca|service-ca)(?:-[1-9][0-9]*)?")

_UNIT = re.compile(r"tsa(-[1-9][0-9]*)?")
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

    def authorities(self) -> tuple[str, ...]:
        """Return the names of all CAs, also of those that have successors and of the successors."""
        names = (file.stem for file in self.path.glob("*.pem"))
        return tuple(sorted(name for name in names if _AUTHORITY.fullmatch(name)))

    def current_unit(self) -> str:
        """Return the name of the time-stamp unit that stamps: the one whose certificate ends last.

        Units are `tsa`, and after rollovers `tsa-2`, `tsa-3`, …; key and certificate have the same name.

        Raises:
            UnknownCertificate: There is no unit.
            AuthorityUnavailable: A certificate cannot be read.
        """
        names = [file.stem for file in self.path.glob("tsa*.pem") if _UNIT.fullmatch(file.stem)]
        if not names:
            raise UnknownCertificate(f"There is no time-stamp unit in {self.path}.")
        return max(names, key=lambda name: (self.certificate(name).not_valid_after_utc, name))

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
        for name in self.authorities():
            candidate = self.certificate(name)
            if candidate.subject == certificate.issuer and _has_key_of(certificate, candidate):
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


def succeeds(name: str, role: str) -> bool:
    """Tell whether a CA has a role: `tsa-ca` and `tsa-ca-2` are both the TSA CA."""
    match = _AUTHORITY.fullmatch(name)
    return match is not None and match[1] == role


def _has_key_of(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell a CA from a successor of the same name by the key identifiers that every profile carries."""
    try:
        named = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        own = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    except x509.ExtensionNotFound:
        return True
    return named.key_identifier is None or named.key_identifier == own.digest
