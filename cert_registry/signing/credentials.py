"""What a seal signs with, and how a new seal gets its signing certificate."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from cryptography import x509

from cert_registry.signing.certificate_keys import public_key_of
from cert_registry.signing.errors import CertificateExpired, KeyMisuse
from cert_registry.signing.pki.directory import SEAL_CA, PkiDirectory
from cert_registry.signing.pki.issuing import Issuer, Subject, issue_certificate
from cert_registry.signing.pki.licensed import LicensedAuthority, authority_of
from cert_registry.signing.pki.profiles import PROFILES
from cert_registry.signing.seal_key import KeyAlgorithm, SealKey
from cert_registry.signing.token import SigningKey, Token

#: Validity of a seal's signing certificate.
SEAL_VALIDITY = timedelta(days=1096)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealCredentials:
    """A seal's key wherever it is, its signing certificate and the CAs above (nearest first, root last).

    Attributes:
        licensed: The licensed CA that issued the certificate; None for our own.
    """

    key_label: str
    key: SealKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    licensed: LicensedAuthority | None = None


class KeyRoom(Protocol):
    """Where keys of seals are: a token, or a store of SM2 keys."""

    def signing_key(self, key_label: str) -> SigningKey:
        """Return a key; raises `KeyNotFound`, `TokenUnavailable`."""
        ...


def load_credentials(token: KeyRoom, pki: PkiDirectory, key_label: str, *, now: datetime) -> SealCredentials:
    """Load key and certificate of the same name, and check that they belong together and may be used now.

    Raises:
        KeyNotFound: The token has no such key.
        UnknownCertificate: No signing certificate has been issued for it.
        KeyMisuse: The certificate is for another key.
        CertificateExpired: Not yet or no longer valid, or revoked.
        TokenUnavailable: The token does not answer.
    """
    certificate = pki.certificate(key_label)
    key = token.signing_key(key_label)
    if public_key_of(certificate) != key.public_key:
        raise KeyMisuse(f"The signing certificate {key_label!r} is for another key.")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise CertificateExpired(f"The signing certificate {key_label!r} is not valid at this time.")
    licensed = authority_of(pki.path, certificate)
    if licensed is not None:
        is_revoked = licensed.is_revoked(certificate, now=now)
        chain = licensed.chain_of(certificate) or ()
    else:
        issuer = pki.issuer_name(certificate)
        is_revoked = pki.register.revocation_of(issuer, certificate.serial_number) is not None
        chain = pki.chain(certificate)
    if is_revoked:
        raise CertificateExpired(f"The signing certificate {key_label!r} is revoked.")
    return SealCredentials(
        key_label=key_label, key=key, certificate=certificate, chain=chain, licensed=licensed
    )


class SealAuthority:
    """Issues signing certificates for seal keys with the seal CA's key in the token.

    Args:
        pki: Where certificates are kept.
        authority_key: The seal CA's key.
        seals: The token that holds the seals' keys.
        public_url: Address under which `/pki` is served.
    """

    def __init__(
        self, *, pki: PkiDirectory, authority_key: SigningKey, seals: Token, public_url: str
    ) -> None:
        self._pki = pki
        self._seals = seals
        self._issuer = Issuer(name=SEAL_CA, key=authority_key, certificate=pki.certificate(SEAL_CA))
        self._public_url = public_url

    def equip(
        self,
        key_label: str,
        subject: Subject,
        *,
        now: datetime,
        algorithm: KeyAlgorithm = KeyAlgorithm.ECDSA_P256,
        valid_for: timedelta = SEAL_VALIDITY,
    ) -> SealCredentials:
        """Give a seal its key and signing certificate; what exists already is kept.

        Args:
            key_label: Label of the key and name of the certificate, `seal-…`.
            subject: Department, its credit code and the seal's name.
            now: Aware UTC time.
            algorithm: Kind of a new key.
            valid_for: Validity of a new certificate.

        Raises:
            TokenUnavailable: A token does not answer.
        """
        if not self._seals.has_key(key_label):
            self._seals.generate(key_label, algorithm)
        if not self._pki.has(key_label):
            certificate = issue_certificate(
                profile=PROFILES["seal"],
                subject=subject,
                public_key=self._seals.public_key(key_label),
                issuer=self._issuer,
                public_url=self._public_url,
                valid_for=valid_for,
                now=now,
            )
            self._pki.add(key_label, certificate, issuer=SEAL_CA)
        return load_credentials(self._seals, self._pki, key_label, now=now)
