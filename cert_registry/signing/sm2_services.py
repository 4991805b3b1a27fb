"""The services of the SM2 hierarchy: time stamps, OCSP answers, revocation lists and seals' SM2 credentials.

They stand beside those of `pki/services.py` and are made of the same parts with other keys. Until a certified device
is behind `SealKey`, the keys are those of `unfit_sm2_keys` and production mode refuses them.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509

from cert_registry.signing.credentials import SealCredentials, load_credentials
from cert_registry.signing.document_stamp import DocumentStamper
from cert_registry.signing.keyring import DataCipher
from cert_registry.signing.pki.crl import CrlPublisher
from cert_registry.signing.pki.directory import SEAL_CA, SERVICE_CA, TSA_CA, PkiDirectory
from cert_registry.signing.pki.issuing import Issuer, Subject, issue_certificate
from cert_registry.signing.pki.ocsp import OcspResponder
from cert_registry.signing.pki.profiles import PROFILES
from cert_registry.signing.pki.register import RevocationReason
from cert_registry.signing.pki.tsa import TimeStampAuthority
from cert_registry.signing.sealing import Sealer
from cert_registry.signing.settings import Settings
from cert_registry.signing.token import SigningKey
from cert_registry.signing.unfit_sm2_keys import UnfitForProductionSm2Keys

#: Where the service offers the hierarchy's certificates, lists and answers.
PKI_PATH = "/pki/sm2"
#: The certificate and key that make e-seals.
ESEAL_MAKER = "eseal-maker"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2Services:
    """What seals with SM2 need."""

    pki: PkiDirectory
    keys: UnfitForProductionSm2Keys
    tsa: TimeStampAuthority
    ocsp: OcspResponder
    crls: CrlPublisher
    public_url: str

    @property
    def sealer(self) -> Sealer:
        """What seals with SM2 credentials, with the evidence of the SM2 hierarchy."""
        return Sealer(pki=self.pki, tsa=self.tsa, ocsp=self.ocsp, crls=self.crls)

    @property
    def stamper(self) -> DocumentStamper:
        """What appends document time stamps to files sealed with SM2."""
        return DocumentStamper(pki=self.pki, tsa=self.tsa, ocsp=self.ocsp, crls=self.crls)

    @property
    def eseal_maker(self) -> SigningKey:
        """The key that makes e-seals."""
        return self.keys.signing_key(ESEAL_MAKER)

    @property
    def stamps(self) -> TimeStampAuthority:
        """Where time stamps come from."""
        return self.tsa

    def credentials(
        self, key_label: str, *, now: datetime, like: x509.Certificate | None = None
    ) -> SealCredentials:
        """Return a seal's SM2 credentials.

        Args:
            key_label: The seal's.
            now: Aware UTC time.
            like: The seal's certificate for its key in the token: when the seal has no SM2 key yet, it gets one,
                and a certificate with the same subject and end. None: nothing is made.

        Raises:
            UnknownCertificate: The seal has no SM2 certificate.
            CertificateExpired: It is not valid now, or revoked.
            TokenUnavailable: The token does not answer.
        """
        if like is not None and not self.pki.has(key_label):
            with self._alone():
                if not self.pki.has(key_label):
                    self._equip(key_label, like, now=now)
        return load_credentials(self.keys, self.pki, key_label, now=now)

    def revoke(self, key_label: str, *, reason: RevocationReason, as_of: datetime, now: datetime) -> None:
        """Revoke a seal's SM2 certificate, if it has one, and publish the list at once.

        Raises:
            AuthorityUnavailable: The register cannot be written.
            TokenUnavailable: List or answer cannot be signed; the revocation stands.
        """
        if self.pki.has(key_label):
            serial_number = self.pki.certificate(key_label).serial_number
            self.pki.register.revoke(SEAL_CA, serial_number, reason=reason, now=as_of)
            self.crls.current(SEAL_CA, now=now)
            self.ocsp.prepare(now=now)

    def _equip(self, key_label: str, like: x509.Certificate, *, now: datetime) -> None:
        if not self.keys.has_key(key_label):
            self.keys.generate(key_label)
        certificate = issue_certificate(
            profile=PROFILES["seal"],
            subject=Subject.of(like),
            public_key=self.keys.public_key(key_label),
            issuer=Issuer(
                name=SEAL_CA, key=self.keys.signing_key(SEAL_CA), certificate=self.pki.certificate(SEAL_CA)
            ),
            public_url=self.public_url,
            pki_path=PKI_PATH,
            valid_for=like.not_valid_after_utc - now,
            now=now,
        )
        self.pki.add(key_label, certificate, issuer=SEAL_CA)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.pki.path / ".seal-keys-lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def open_sm2(settings: Settings, *, key_directory: Path) -> Sm2Services:
    """Open the keys and certificates of the SM2 hierarchy.

    Args:
        settings: Of the token: its `keys` opens the encrypted SM2 keys.
        key_directory: Where those are.

    Raises:
        UnknownCertificate: The SM2 ceremony has not been carried out.
        KeyNotFound: Likewise.
        TokenUnavailable: The token does not answer.
    """
    pki = PkiDirectory(settings.pki_directory / "sm2")
    keys = UnfitForProductionSm2Keys(key_directory, DataCipher(settings.open_token("keys"), "key-encryption"))
    unit = pki.certificate("tsa")
    return Sm2Services(
        pki=pki,
        keys=keys,
        public_url=settings.public_url,
        tsa=TimeStampAuthority(
            key=keys.signing_key("tsa"),
            certificate=unit,
            chain=pki.chain(unit),
            register=pki.register,
            policy_oid=settings.tsa_policy_oid,
        ),
        ocsp=OcspResponder(
            pki=pki, authority=SEAL_CA, key=keys.signing_key("ocsp"), certificate=pki.certificate("ocsp")
        ),
        crls=CrlPublisher(pki, {name: keys.signing_key(name) for name in (SEAL_CA, TSA_CA, SERVICE_CA)}),
    )
