"""The services of the SM2 hierarchy: time stamps, OCSP answers, revocation lists and seals' SM2 credentials.

They stand beside those of `pki/services.py` and are made of the same parts with other keys. Until a certified device
is behind `SealKey`, the keys are those of `unfit_sm2_keys` and production mode refuses them.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cert_registry.signing.credentials import SealCredentials, load_credentials
from cert_registry.signing.keyring import DataCipher
from cert_registry.signing.pki.crl import CrlPublisher
from cert_registry.signing.pki.directory import SEAL_CA, SERVICE_CA, TSA_CA, PkiDirectory
from cert_registry.signing.pki.ocsp import OcspResponder
from cert_registry.signing.pki.tsa import TimeStampAuthority
from cert_registry.signing.sealing import Sealer
from cert_registry.signing.settings import Settings
from cert_registry.signing.token import SigningKey
from cert_registry.signing.unfit_sm2_keys import UnfitForProductionSm2Keys

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

    @property
    def sealer(self) -> Sealer:
        """What seals with SM2 credentials, with the evidence of the SM2 hierarchy."""
        return Sealer(pki=self.pki, tsa=self.tsa, ocsp=self.ocsp, crls=self.crls)

    @property
    def eseal_maker(self) -> SigningKey:
        """The key that makes e-seals."""
        return self.keys.signing_key(ESEAL_MAKER)

    def credentials(self, key_label: str, *, now: datetime) -> SealCredentials:
        """Return a seal's SM2 credentials; raises as `load_credentials`."""
        return load_credentials(self.keys, self.pki, key_label, now=now)


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
