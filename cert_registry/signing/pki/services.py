"""The parts of the PKI that a running service needs, built from the settings in one place."""

from dataclasses import dataclass

from cert_registry.signing.credentials import SealAuthority
from cert_registry.signing.pki.crl import CrlPublisher
from cert_registry.signing.pki.directory import SEAL_CA, SERVICE_CA, TSA_CA, PkiDirectory
from cert_registry.signing.pki.ocsp import OcspResponder
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


def open_pki(settings: Settings) -> PkiServices:
    """Open the token `pki` and the certificates.

    Raises:
        AuthorityUnavailable: The ceremony has not been finished.
        UnknownCertificate: Likewise.
        TokenUnavailable: The token does not answer.
    """
    token = settings.open_token("pki")
    pki = PkiDirectory(settings.pki_directory)
    tsa_certificate = pki.certificate("tsa")
    crls = CrlPublisher(pki, {name: token.signing_key(name) for name in (SEAL_CA, TSA_CA, SERVICE_CA)})
    return PkiServices(
        pki=pki,
        tsa=TimeStampAuthority(
            key=token.signing_key("tsa"),
            certificate=tsa_certificate,
            chain=pki.chain(tsa_certificate),
            register=pki.register,
            policy_oid=settings.tsa_policy_oid,
        ),
        ocsp=OcspResponder(
            pki=pki,
            authority=SEAL_CA,
            key=token.signing_key("ocsp"),
            certificate=pki.certificate("ocsp"),
        ),
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
            authority_key=token.signing_key(SEAL_CA),
            seals=settings.open_token("seals"),
            public_url=settings.public_url,
        ),
    )
