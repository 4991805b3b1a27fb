"""Keys and signing certificates of seals: made once, under a lock that outlives no process.

A key is made inside the token and never twice. A certificate is signed with a serial number that was stored
before, so that after a power cut the same certificate is made again and never a second one; only what is
stored is put into the register and the directory.
"""

import fcntl
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from cert_registry.signing.durable_files import write_durably
from cert_registry.signing.errors import CertificateExpired, KeyMisuse
from cert_registry.signing.own_signatures import PublicKey
from cert_registry.signing.pki.crl import CrlPublisher
from cert_registry.signing.pki.directory import SEAL_CA, PkiDirectory
from cert_registry.signing.pki.issuing import Issuer, Subject, issue_certificate
from cert_registry.signing.pki.ocsp import OcspResponder
from cert_registry.signing.pki.profiles import PROFILES
from cert_registry.signing.pki.register import RevocationReason
from cert_registry.signing.seal_key import KeyAlgorithm
from cert_registry.signing.seal_requests import certificate_request, require_fit
from cert_registry.signing.token import SigningKey, Token


def draw_serial_number() -> int:
    """A serial number of 159 random bits, never 0."""
    return int.from_bytes(secrets.token_bytes(20)) >> 1 or 1


class Companion(Protocol):
    """A second certificate of a seal, for another key, that ends with the first."""

    def revoke(self, key_label: str, *, reason: RevocationReason, as_of: datetime, now: datetime) -> None:
        """Revoke the seal's second certificate, if it has one."""
        ...


class SealEquipment:
    """Equips seals and takes their certificates back.

    Args:
        pki: Where certificates are kept.
        crls: Publishes the seal CA's list.
        ocsp: Gives its answers.
        authority_key: The seal CA's key.
        seals: The token that holds the seals' keys.
        public_url: Address under which `/pki` is served.
    """

    def __init__(
        self,
        *,
        pki: PkiDirectory,
        crls: CrlPublisher,
        ocsp: OcspResponder,
        authority_key: SigningKey,
        seals: Token,
        public_url: str,
    ) -> None:
        self._pki = pki
        self._crls = crls
        self._ocsp = ocsp
        self._seals = seals
        self._issuer = Issuer(name=SEAL_CA, key=authority_key, certificate=pki.certificate(SEAL_CA))
        self._public_url = public_url
        self.companions: list[Companion] = []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """One process at a time makes or takes back; a process that dies lets go."""
        with (self._pki.path / ".seal-keys-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def ensure_key(self, key_label: str, algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256) -> PublicKey:
        """The seal's public key; the pair is made inside the token if it is not there.

        Raises:
            TokenUnavailable: The token does not answer.
        """
        if not self._seals.has_key(key_label):
            self._seals.generate(key_label, algorithm)
        return self._seals.public_key(key_label)

    def existing_certificate(self, key_label: str, subject: Subject) -> x509.Certificate | None:
        """A certificate of that name that an earlier ceremony or registry made for this key and subject.

        Raises:
            KeyMisuse: There is one, for another key or subject.
            CertificateExpired: There is one, and it is revoked.
            TokenUnavailable: The token does not answer.
        """
        if not self._pki.has(key_label):
            return None
        found = self._pki.certificate(key_label)
        if found.public_key() != self._seals.public_key(key_label) or found.subject != subject.to_name():
            raise KeyMisuse(f"The signing certificate {key_label!r} is for another key or subject.")
        if self._pki.register.revocation_of(SEAL_CA, found.serial_number) is not None:
            raise CertificateExpired(f"The signing certificate {key_label!r} is revoked.")
        return found

    def sign_certificate(
        self, key_label: str, subject: Subject, *, serial_number: int, valid_for: timedelta, now: datetime
    ) -> x509.Certificate:
        """A certificate of the seal CA; it is not on record before `install`.

        Args:
            key_label: The seal's key.
            subject: Department, its credit code and the seal's name.
            serial_number: Drawn and stored before.
            valid_for: Length of validity.
            now: Aware UTC time.

        Raises:
            TokenUnavailable: A token does not answer.
        """
        return issue_certificate(
            profile=PROFILES["seal"],
            subject=subject,
            public_key=self._seals.public_key(key_label),
            issuer=self._issuer,
            public_url=self._public_url,
            valid_for=valid_for,
            now=now,
            serial_number=serial_number,
        )

    def install(self, key_label: str, certificate: x509.Certificate) -> None:
        """Put a stored certificate into the register and the directory; doing it twice changes nothing.

        Raises:
            AuthorityUnavailable: The register cannot be written.
        """
        if (
            self._pki.has(key_label)
            and self._pki.register.is_issued(SEAL_CA, certificate.serial_number)
            and self._pki.certificate(key_label) == certificate
        ):
            return
        self._pki.add(key_label, certificate, issuer=SEAL_CA)

    def revoke(
        self, certificate: x509.Certificate, *, reason: RevocationReason, as_of: datetime, now: datetime
    ) -> None:
        """Revoke: OCSP says so with the next answer, which is signed now, and a new list is published.

        Args:
            certificate: The seal's.
            reason: Of RFC 5280 section 5.3.1.
            as_of: The revocation date; before now only when the key was compromised then.
            now: Aware UTC time.

        Raises:
            AuthorityUnavailable: The register cannot be written.
            TokenUnavailable: List or answer cannot be signed; the revocation stands.
        """
        self._pki.register.revoke(SEAL_CA, certificate.serial_number, reason=reason, now=as_of)
        self._crls.current(SEAL_CA, now=now)
        self._ocsp.prepare(now=now)
        for companion in self.companions:
            for key_label in self._labels_of(certificate):
                companion.revoke(key_label, reason=reason, as_of=as_of, now=now)

    def _labels_of(self, certificate: x509.Certificate) -> list[str]:
        names = (file.stem for file in self._pki.path.glob("seal-*.pem"))
        return [name for name in names if self._pki.certificate(name) == certificate]

    def request(self, key_label: str, subject: Subject) -> bytes:
        """A certificate request (PEM) for a licensed CA; kept beside the certificates, where it accounts for the key.

        Raises:
            KeyNotFound: The seal has no key yet.
            TokenUnavailable: The token does not answer.
        """
        request = certificate_request(self._seals.signing_key(key_label), subject)
        write_durably(self._pki.path / f"{key_label}.csr", request)
        return request

    def require_fit(
        self, key_label: str, subject: Subject, certificate: x509.Certificate, *, now: datetime
    ) -> None:
        """Evidence that a licensed CA's certificate fits the seal.

        Raises:
            CertificateUnfit: Its key, name, usage, time or chain does not.
            AuthorityUnavailable: The CA's revocation list cannot be had.
        """
        require_fit(
            certificate,
            public_key=self._seals.public_key(key_label),
            subject=subject,
            pki_directory=self._pki.path,
            now=now,
        )

    def install_licensed(self, key_label: str, certificate: x509.Certificate) -> None:
        """Put a licensed CA's certificate into the directory; our own CAs' register does not have it."""
        write_durably(self._pki.path / f"{key_label}.pem", certificate.public_bytes(Encoding.PEM))
