"""Whom to believe: trust anchors, which of them are our own, and extra revocation lists."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asn1crypto import crl, pem, x509

from verify_api.validation.errors import RevocationListUnreadable, TrustListUnreadable
from verify_api.validation.house_form import is_house_root
from verify_api.validation.known import certificate_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def fingerprint(certificate: x509.Certificate) -> bytes:
    """Return SHA-256 of the certificate's DER."""
    return hashlib.sha256(certificate.dump()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnchors:
    """Certificates that end a chain, as DER, and the fingerprints of those that are this service's own.

    Under an own anchor validation is strict (design section 4).
    """

    certificates: tuple[bytes, ...] = ()
    own: frozenset[bytes] = field(default_factory=frozenset)

    @classmethod
    def from_pem(cls, texts: Iterable[bytes], *, own: Iterable[bytes] = ()) -> TrustAnchors:
        """Read anchors from PEM texts (or single DER certificates).

        Args:
            texts: The contents of the trust files.
            own: The contents of the service's own trust list; an anchor named in both is ours.

        Raises:
            TrustListUnreadable: A text holds no readable certificate.
        """
        ders = [der for text in texts for der in read_certificates(text)]
        own_marks = {hashlib.sha256(der).digest() for text in own for der in read_certificates(text)}
        marks = {hashlib.sha256(der).digest() for der in ders}
        return cls(certificates=tuple(dict.fromkeys(ders)), own=frozenset(own_marks & marks))

    @classmethod
    def own_only(cls, text: bytes) -> TrustAnchors:
        """Read the service's own trust list; every anchor in it is ours."""
        return cls.from_pem([text], own=[text])

    @property
    def marks(self) -> frozenset[bytes]:
        """The anchors' fingerprints."""
        return frozenset(hashlib.sha256(der).digest() for der in self.certificates)

    def parsed(self) -> list[x509.Certificate]:
        """Return the anchors parsed."""
        return [certificate_of(der) or x509.Certificate.load(der) for der in self.certificates]

    def is_own(self, anchor: x509.Certificate) -> bool:
        """Tell whether an anchor is this service's own, or a root that a Longzheng ceremony made."""
        return fingerprint(anchor) in self.own or is_house_root(anchor)


def own_anchors(pki_directory: Path) -> TrustAnchors:
    """Read the service's own trust lists: its hierarchy's, and the SM2 hierarchy's if there is one.

    Raises:
        OSError: The first cannot be read.
        TrustListUnreadable: One is damaged.
    """
    texts = [(pki_directory / "trust.pem").read_bytes()]
    sm2 = pki_directory / "sm2" / "trust.pem"
    if sm2.is_file():
        texts.append(sm2.read_bytes())
    return TrustAnchors.from_pem(texts, own=texts)


def read_certificates(text: bytes) -> list[bytes]:
    """Return the DER of every certificate in a PEM text, or of one DER certificate.

    Raises:
        TrustListUnreadable: There is none, or one is damaged.
    """
    try:
        ders = _armoured(text, "CERTIFICATE") if pem.detect(text) else [text]
        for der in ders:
            certificate = x509.Certificate.load(der, strict=True)
            _ = certificate.native, certificate.public_key
    except Exception as error:
        raise TrustListUnreadable("信任列表中的证书无法读取") from error
    if not ders:
        raise TrustListUnreadable("信任列表中没有证书")
    return ders


def read_revocation_lists(text: bytes) -> list[bytes]:
    """Return the DER of every CRL in a PEM text, or of one DER CRL.

    Raises:
        RevocationListUnreadable: There is none, or one is damaged.
    """
    try:
        ders = _armoured(text, "X509 CRL") if pem.detect(text) else [text]
        for der in ders:
            _ = crl.CertificateList.load(der, strict=True)["tbs_cert_list"]["this_update"].native
    except Exception as error:
        raise RevocationListUnreadable("吊销列表无法读取") from error
    if not ders:
        raise RevocationListUnreadable("文件中没有吊销列表")
    return ders


def _armoured(text: bytes, wanted: str) -> list[bytes]:
    return [der for kind, _, der in pem.unarmor(text, multiple=True) if kind == wanted]
