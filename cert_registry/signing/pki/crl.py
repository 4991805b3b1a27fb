"""Certificate revocation lists: the issuing CAs' are made by the service, the root's at the ceremony.

Source: RFC 5280 section 5 (CRLNumber, AuthorityKeyIdentifier, reasonCode).
"""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from cryptography import x509

from cert_registry.signing.durable_files import write_durably
from cert_registry.signing.errors import AuthorityUnavailable
from cert_registry.signing.pki.directory import TSA_CA, PkiDirectory, succeeds
from cert_registry.signing.pki.register import Revocation
from cert_registry.signing.pki.signed_structures import authority_identifier, sign_crl
from cert_registry.signing.token import SigningKey

#: A list made by the service is replaced after this time, and at once when something was revoked.
REPUBLISHED_AFTER = timedelta(days=3)
SERVICE_CRL_LIFE = timedelta(days=7)
#: The TSA CA's list is embedded in every seal and must satisfy offline validators for years; it speaks about
#: a handful of units, and a revoked unit makes the service publish a new list at once.
TSA_CRL_LIFE = timedelta(days=1096)


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A signed CRL."""

    der: bytes
    number: int
    this_update: datetime
    next_update: datetime


def build_crl(
    *,
    issuer: x509.Certificate,
    key: SigningKey,
    revocations: Sequence[Revocation],
    number: int,
    life: timedelta,
    now: datetime,
) -> bytes:
    """Return a complete CRL (DER) of one issuer."""
    this_update = now.replace(microsecond=0)
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(this_update)
        .next_update(this_update + life)
        .add_extension(x509.CRLNumber(number), critical=False)
        .add_extension(authority_identifier(key.public_key), critical=False)
    )
    for revocation in revocations:
        entry = (
            x509.RevokedCertificateBuilder()
            .serial_number(revocation.serial_number)
            .revocation_date(revocation.revoked_at)
            .add_extension(x509.CRLReason(x509.ReasonFlags(revocation.reason.value)), critical=False)
        )
        builder = builder.add_revoked_certificate(entry.build())
    return sign_crl(builder, issuer_key=key)


class CrlPublisher:
    """Keeps each CA's list fresh in `var/pki/CA.crl`.

    Args:
        pki: Certificates and register.
        keys: Keys of the CAs whose lists this process may make; other lists are only read.
    """

    def __init__(self, pki: PkiDirectory, keys: dict[str, SigningKey]) -> None:
        self._pki = pki
        self._keys = keys
        self._lock = Lock()

    def current(self, authority: str, *, now: datetime) -> RevocationList:
        """Return a list that is fresh and holds every revocation recorded so far.

        Raises:
            AuthorityUnavailable: The list of a CA without key here is missing, unreadable or out of date.
            TokenUnavailable: A new list is due and the token does not answer.
        """
        with self._lock:
            stored = self._stored(authority)
            if authority not in self._keys:
                if stored is None or stored.next_update <= now:
                    raise AuthorityUnavailable(
                        f"The revocation list of {authority!r} is missing or out of date: repeat the ceremony."
                    )
                return stored
            if stored is not None and self._still_good(authority, stored, now):
                return stored
            life = TSA_CRL_LIFE if succeeds(authority, TSA_CA) else SERVICE_CRL_LIFE
            with self._alone(authority):
                stored = self._stored(authority)  # another process may have made it meanwhile
                if stored is not None and self._still_good(authority, stored, now):
                    return stored
                return self._publish(authority, life=life, now=now)

    def publish(self, authority: str, *, life: timedelta, now: datetime) -> RevocationList:
        """Make and store a new list."""
        with self._alone(authority):
            return self._publish(authority, life=life, now=now)

    def _publish(self, authority: str, *, life: timedelta, now: datetime) -> RevocationList:
        number = self._pki.register.take_numbers(f"crl-{authority}", 1)[0]
        der = build_crl(
            issuer=self._pki.certificate(authority),
            key=self._keys[authority],
            revocations=self._pki.register.revocations(authority),
            number=number,
            life=life,
            now=now,
        )
        write_durably(self._file(authority), der)
        return parse_crl(der)

    @contextmanager
    def _alone(self, authority: str) -> Iterator[None]:
        """One process at a time makes a CA's list, so that the newest number is the one that stays."""
        try:
            lock = (self._pki.path / f".{authority}.crl-lock").open("w")
        except OSError as error:
            raise AuthorityUnavailable(f"{self._pki.path} cannot be written: {error}.") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _still_good(self, authority: str, stored: RevocationList, now: datetime) -> bool:
        entries = x509.load_der_x509_crl(stored.der)
        listed = {(entry.serial_number, entry.revocation_date_utc) for entry in entries}
        revoked = {(r.serial_number, r.revoked_at) for r in self._pki.register.revocations(authority)}
        return stored.this_update <= now < stored.this_update + REPUBLISHED_AFTER and listed == revoked

    def _stored(self, authority: str) -> RevocationList | None:
        try:
            return parse_crl(self._file(authority).read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            if isinstance(error, ValueError) and authority in self._keys:
                return None  # damaged, and can be made anew: numbers are counted in the register
            raise AuthorityUnavailable(f"{self._file(authority)} cannot be read: {error}.") from error

    def _file(self, authority: str) -> Path:
        return self._pki.path / f"{authority}.crl"


def parse_crl(der: bytes) -> RevocationList:
    """Read a CRL made here; raises `ValueError` when it is not one."""
    crl = x509.load_der_x509_crl(der)
    if crl.next_update_utc is None:
        raise ValueError("a CRL without nextUpdate")
    number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    return RevocationList(
        der=der, number=number, this_update=crl.last_update_utc, next_update=crl.next_update_utc
    )
