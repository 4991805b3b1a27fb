"""Licensed certification authorities: whose certificates our seals may have instead of our own CA's.

`licensed-cas.yaml` in the PKI directory names them; without the file there are none::

    - name: example-ca                        # lower-case letters, digits and hyphens
      anchors: licensed/example-root.pem      # files relative to the PKI directory, PEM
      chain: licensed/example-issuing.pem     # the CAs between, nearest to the seal first; may be left out
      crls: [licensed/example.crl, "https://crl.example.cn/issuing.crl"]   # of every CA above a seal, DER

A list given by address is fetched when the kept one is past half of its life, and used until its end if the address
does not answer; a list that nobody of the chain signed, or that has ended, is not used.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import requests
import yaml
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from cert_registry.signing.durable_files import write_durably
from cert_registry.signing.errors import AuthorityUnavailable, ConfigurationError

FILE_NAME = "licensed-cas.yaml"
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_FIELDS = {"name", "anchors", "chain", "crls"}
_TIMEOUT_S = 10.0
_MOST_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class LicensedAuthority:
    """One licensed CA.

    Attributes:
        anchors: What is trusted of it.
        between: The CAs below the anchors, nearest to the seal first.
        sources: Where its lists are: paths or addresses.
    """

    name: str
    anchors: tuple[x509.Certificate, ...]
    between: tuple[x509.Certificate, ...]
    sources: tuple[str, ...]
    directory: Path

    def chain_of(self, certificate: x509.Certificate) -> tuple[x509.Certificate, ...] | None:
        """The CAs above a certificate, nearest first and the anchor last; None when none of them issued it."""
        above: list[x509.Certificate] = []
        current = certificate
        while len(above) <= len(self.between):
            issuer = next((one for one in (*self.anchors, *self.between) if _issued(current, one)), None)
            if issuer is None or issuer in above:
                return None
            above.append(issuer)
            if issuer in self.anchors:
                return tuple(above)
            current = issuer
        return None

    def lists(self, *, now: datetime) -> tuple[bytes, ...]:
        """The revocation lists, DER: fresh, and signed by a CA of the chain.

        Raises:
            AuthorityUnavailable: One cannot be had, has ended, or was signed by somebody else.
        """
        return tuple(self._list(source, now) for source in self.sources)

    def is_revoked(self, certificate: x509.Certificate, *, now: datetime) -> bool:
        """Whether its issuer's list names a certificate.

        Raises:
            AuthorityUnavailable: There is no list of its issuer, or one cannot be had.
        """
        parsed = [x509.load_der_x509_crl(der) for der in self.lists(now=now)]
        own = [one for one in parsed if one.issuer == certificate.issuer]
        if not own:
            raise AuthorityUnavailable(
                f"{FILE_NAME} names no revocation list of the issuer of that certificate."
            )
        return any(one.get_revoked_certificate_by_serial_number(certificate.serial_number) for one in own)

    def _list(self, source: str, now: datetime) -> bytes:
        if not source.startswith(("http://", "https://")):
            return self._checked(_bytes_of(self.directory / source), source, now)
        kept = self.directory / f"licensed-{self.name}-{self.sources.index(source)}.crl"
        try:
            held = self._checked(kept.read_bytes(), source, now)
        except (OSError, AuthorityUnavailable):
            held = b""
        if held and not _is_past_half(held, now):
            return held
        try:
            fetched = self._checked(_fetched(source), source, now)
        except AuthorityUnavailable:
            if held:
                return held
            raise
        write_durably(kept, fetched)
        return fetched

    def _checked(self, der: bytes, source: str, now: datetime) -> bytes:
        try:
            found = x509.load_der_x509_crl(der)
            signers = [one for one in (*self.anchors, *self.between) if one.subject == found.issuer]
            is_signed = any(found.is_signature_valid(one.public_key()) for one in signers)  # type: ignore[arg-type] # what it cannot use it refuses
        except (ValueError, TypeError) as error:
            raise AuthorityUnavailable(f"{source} is not a revocation list (DER).") from error
        if not is_signed:
            raise AuthorityUnavailable(f"{source} was not signed by a CA of {self.name!r}.")
        if found.next_update_utc is None or not found.last_update_utc <= now < found.next_update_utc:
            raise AuthorityUnavailable(f"The revocation list {source} has ended.")
        return der


def read_licensed(directory: Path) -> tuple[LicensedAuthority, ...]:
    """The licensed CAs of a PKI directory; none without its file.

    Raises:
        ConfigurationError: The file is not of its form; the sentence says where.
    """
    file = directory / FILE_NAME
    if not file.is_file():
        return ()
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{file} cannot be read as YAML.") from error
    if not isinstance(document, list):
        raise ConfigurationError(f"{file} must be a list of authorities.")
    found = tuple(_authority(entry, directory, file) for entry in document)
    if len({one.name for one in found}) != len(found):
        raise ConfigurationError(f"{file} names an authority twice.")
    return found


def authority_of(directory: Path, certificate: x509.Certificate) -> LicensedAuthority | None:
    """The licensed CA under which a certificate is; None for our own."""
    return next((one for one in read_licensed(directory) if one.chain_of(certificate) is not None), None)


def _authority(entry: Any, directory: Path, file: Path) -> LicensedAuthority:
    if not isinstance(entry, dict) or not {"name", "anchors", "crls"} <= set(entry) <= _FIELDS:
        raise ConfigurationError(f"{file}: an authority has name, anchors, crls and perhaps chain.")
    name, crls = entry["name"], entry["crls"]
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ConfigurationError(f"{file}: a name is lower-case letters, digits and hyphens.")
    if not isinstance(crls, list) or not crls or not all(isinstance(one, str) for one in crls):
        raise ConfigurationError(f"{file}: crls of {name} must list files or addresses.")
    between = entry.get("chain")
    try:
        return LicensedAuthority(
            name=name,
            anchors=tuple(x509.load_pem_x509_certificates(_bytes_of(directory / str(entry["anchors"])))),
            between=tuple(x509.load_pem_x509_certificates(_bytes_of(directory / str(between))))
            if between
            else (),
            sources=tuple(crls),
            directory=directory,
        )
    except (ValueError, AuthorityUnavailable) as error:
        raise ConfigurationError(f"{file}: the certificates of {name} cannot be read: {error}") from error


def _issued(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        return issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (InvalidSignature, ValueError, TypeError, x509.ExtensionNotFound):
        return False


def _is_past_half(der: bytes, now: datetime) -> bool:
    found = x509.load_der_x509_crl(der)
    end = found.next_update_utc
    return end is None or now > found.last_update_utc + (end - found.last_update_utc) / 2


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AuthorityUnavailable(f"{path} cannot be read.") from error


def _fetched(url: str) -> bytes:
    try:
        with requests.get(url, timeout=_TIMEOUT_S, allow_redirects=False, stream=True) as answer:
            content = b"".join(_bounded(answer.iter_content(65536)))
            if answer.status_code != 200:
                raise AuthorityUnavailable(f"{url} answered {answer.status_code}.")
            return content
    except (requests.RequestException, OSError) as error:
        raise AuthorityUnavailable(f"{url} cannot be reached.") from error


def _bounded(chunks: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > _MOST_BYTES:
            raise AuthorityUnavailable("A revocation list is larger than 8 MiB.")
        yield chunk
