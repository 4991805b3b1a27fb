"""The parts of the PKI that a running service needs, built from the settings in one place."""

from dataclasses import dataclass
from datetime import datetime

from cert_registry.signing.credentials import SealAuthority
from cert_registry.signing.document_stamp import DocumentStamper, TimeStampSource
from cert_registry.signing.pki.clock import NEWEST_STAMP, ClockWatch
from cert_registry.signing.pki.crl import CrlPublisher
from cert_registry.signing.pki.directory import ROOT, SEAL_CA, PkiDirectory, succeeds
from cert_registry.signing.pki.ocsp import OcspResponder
from cert_registry.signing.pki.register import RevocationReason
from cert_registry.signing.pki.remote import HttpTimeStampSource
from cert_registry.signing.pki.tsa import TimeStampAuthority
from cert_registry.signing.seal_equipment import SealEquipment
from cert_registry.signing.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class PkiServices:
    """Time stamps, OCSP, CRLs and the seal CA, all over the token `pki`."""

    pki: PkiDirectory
    tsa: TimeStampAuthority
    ocsp: OcspResponder
    crls: CrlPublisher
    seal_authority: SealAuthority
    seal_equipment: SealEquipment
    stamps: TimeStampSource

    @property
    def stamper(self) -> DocumentStamper:
        """What appends document time stamps."""
        return DocumentStamper(pki=self.pki, tsa=self.stamps, crls=self.crls, ocsp=self.ocsp)

    def newest_stamp(self) -> datetime | None:
        """Return the newest stamped time on record (docs/levels.md, the clock)."""
        return self.pki.register.mark(NEWEST_STAMP)

    def accept_clock(self, now: datetime) -> datetime | None:
        """Take the present time for right although it is before the newest stamp; returns what was on record."""
        return ClockWatch(self.pki.register).accept(now)

    def revoke(self, issuer: str, serial_number: int, *, reason: RevocationReason, now: datetime) -> None:
        """Revoke a signing certificate and publish its CA's list at once; OCSP answers follow the register.

        Raises:
            UnknownCertificate: That CA never issued that serial number.
            AuthorityUnavailable: The register or the list cannot be written.
            TokenUnavailable: It is revoked, but list or answer could not be signed; the next one to ask for it does.
        """
        self.pki.register.revoke(issuer, serial_number, reason=reason, now=now)
        self.crls.current(issuer, now=now)
        self.ocsp.prepare(now=now)


def open_pki(settings: Settings) -> PkiServices:
    """Open the token `pki` and the certificates.

    Raises:
        AuthorityUnavailable: The ceremony has not been finished.
        UnknownCertificate: Likewise.
        TokenUnavailable: The token does not answer.
    """
    token = settings.open_token("pki")
    pki = PkiDirectory(settings.pki_directory)
    crls = CrlPublisher(
        pki, {name: token.signing_key(name) for name in pki.authorities() if not succeeds(name, ROOT)}
    )
    unit = pki.current_unit()
    tsa_certificate = pki.certificate(unit)
    tsa = TimeStampAuthority(
        key=token.signing_key(unit),
        certificate=tsa_certificate,
        chain=pki.chain(tsa_certificate),
        register=pki.register,
        policy_oid=settings.tsa_policy_oid,
        clock=None if settings.tsa_clock is None else settings.tsa_clock.watch(pki.register),
    )
    ocsp = OcspResponder(
        pki=pki, authority=SEAL_CA, key=token.signing_key("ocsp"), certificate=pki.certificate("ocsp")
    )
    return PkiServices(
        pki=pki,
        tsa=tsa,
        stamps=tsa if settings.tsa_url is None else HttpTimeStampSource(settings.tsa_url),
        ocsp=ocsp,
        crls=crls,
        seal_authority=SealAuthority(
            pki=pki,
            authority_key=token.signing_key(SEAL_CA),
            seals=settings.open_token("seals"),
            public_url=settings.public_url,
        ),
        seal_equipment=SealEquipment(
            pki=pki,
            crls=crls,
            ocsp=ocsp,
            authority_key=token.signing_key(SEAL_CA),
            seals=settings.open_token("seals"),
            public_url=settings.public_url,
        ),
    )
