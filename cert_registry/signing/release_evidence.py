"""Whether the evidence in a sealed file proves what its level promises, before the file is released.

For every certificate in the store there must be an answer or a list, by whoever may speak for it, that does not
revoke it; the seal's own must be among them, and each must lead to an anchor. Evidence is used again for some time, so
what was proved once is remembered; only the times are looked at again.

Source: EN 319 142-1 clause 6.3 (B-LT); RFC 6960 sections 2.2 and 4.2.2.2; RFC 5280 section 6.3.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from cert_registry.signing.certificate_keys import der_of, is_issued_by, public_key_of
from cert_registry.signing.errors import ContentDiffers, KeyMisuse
from cert_registry.signing.release_cms import verify_signature
from cert_registry.sm2.errors import SignatureInvalid
from cert_registry.sm2.public_key import Sm2PublicKey

_KEPT = 64
_CLOCKS_MAY_DIFFER = timedelta(minutes=5)
_MAX_STEPS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvidence:
    """What a document security store holds, each value in DER."""

    certificates: tuple[bytes, ...]
    answers: tuple[bytes, ...]
    lists: tuple[bytes, ...]


def check_evidence(
    evidence: StoredEvidence,
    *,
    certificate: x509.Certificate,
    anchors: Sequence[x509.Certificate],
    now: datetime,
) -> None:
    """Check the evidence of a freshly sealed file.

    Args:
        evidence: As it stands in the file.
        certificate: The seal's.
        anchors: Trust anchors.
        now: Aware UTC time.

    Raises:
        ContentDiffers: It does not prove the certificates good now.
    """
    try:
        said_at, until = _proved(
            evidence,
            der_of(certificate),
            tuple(der_of(one) for one in anchors),
        )
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.ExtensionNotFound, KeyMisuse) as error:
        raise ContentDiffers("A part of the evidence cannot be read.") from error
    if not said_at - _CLOCKS_MAY_DIFFER <= now <= until:
        raise ContentDiffers("The evidence does not speak of now.")


@functools.lru_cache(maxsize=_KEPT)
def _proved(evidence: StoredEvidence, seal: bytes, anchors: tuple[bytes, ...]) -> tuple[datetime, datetime]:
    """Return when the last part of the evidence was said, and when the first of it ends."""
    if seal not in evidence.certificates or len(set(evidence.certificates)) != len(evidence.certificates):
        raise ContentDiffers("The seal's certificate must stand in the evidence, and each once.")
    stored = [x509.load_der_x509_certificate(one) for one in evidence.certificates]
    above = [x509.load_der_x509_certificate(one) for one in anchors]
    answers = [ocsp.load_der_ocsp_response(one) for one in evidence.answers]
    lists = [x509.load_der_x509_crl(one) for one in evidence.lists]
    if any(answer.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL for answer in answers):
        raise ContentDiffers("An answer in the evidence is none.")
    used: set[int] = set()
    for one in stored:
        issuer = _issuer_of(one, [*above, *stored])
        _check_leads_up(issuer, stored, above)
        if not _is_exempt(one):
            used |= _check_covered(one, issuer, answers, lists, stored)
    if used != {id(one) for one in (*answers, *lists)}:
        raise ContentDiffers("The evidence holds an answer or a list that proves nothing here.")
    times = [(one.this_update_utc, one.next_update_utc) for one in answers]
    times += [(one.last_update_utc, one.next_update_utc) for one in lists]
    ends = [until for _, until in times if until is not None]
    if not times or len(ends) != len(times):
        raise ContentDiffers("A part of the evidence does not say until when it holds.")
    return max(said for said, _ in times), min(ends)


def _issuer_of(certificate: x509.Certificate, candidates: Sequence[x509.Certificate]) -> x509.Certificate:
    for one in candidates:
        if one.subject == certificate.issuer and one != certificate and is_issued_by(certificate, one):
            return one
    raise ContentDiffers("A certificate in the evidence does not lead to a trust anchor.")


def _check_leads_up(
    certificate: x509.Certificate, stored: Sequence[x509.Certificate], above: Sequence[x509.Certificate]
) -> None:
    current = certificate
    for _ in range(_MAX_STEPS):
        if not current.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            break
        if current in above:
            return
        current = _issuer_of(current, [*above, *stored])
    raise ContentDiffers("A certificate in the evidence does not lead to a trust anchor.")


def _is_exempt(certificate: x509.Certificate) -> bool:
    """Tell whether nobody is asked about a certificate: a responder that says so itself."""
    try:
        certificate.extensions.get_extension_for_class(x509.OCSPNoCheck)
    except x509.ExtensionNotFound:
        return False
    return _may_answer(certificate)


def _may_answer(certificate: x509.Certificate) -> bool:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return ExtendedKeyUsageOID.OCSP_SIGNING in usage


def _check_covered(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    answers: Sequence[ocsp.OCSPResponse],
    lists: Sequence[x509.CertificateRevocationList],
    stored: Sequence[x509.Certificate],
) -> set[int]:
    """Check that somebody speaks for a certificate and nobody against it; returns which did."""
    speaking: set[int] = set()
    for answer in answers:
        if answer.serial_number != certificate.serial_number:
            continue
        responders = [one for one in stored if _may_answer(one) and is_issued_by(one, issuer)]
        if not any(_answered_by(answer, responder) for responder in responders):
            raise ContentDiffers("An answer in the evidence is by somebody who may not give it.")
        if answer.certificate_status is not ocsp.OCSPCertStatus.GOOD:
            raise ContentDiffers("A certificate in the evidence is revoked.")
        speaking.add(id(answer))
    for one in lists:
        if one.issuer != issuer.subject or not _listed_by(one, issuer):
            continue
        if one.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
            raise ContentDiffers("A certificate in the evidence is revoked.")
        speaking.add(id(one))
    if not speaking:
        raise ContentDiffers("For a certificate in the evidence nobody speaks.")
    return speaking


def _answered_by(answer: ocsp.OCSPResponse, responder: x509.Certificate) -> bool:
    try:
        verify_signature(responder, answer.signature, answer.tbs_response_bytes, ContentDiffers)
    except ContentDiffers:
        return False
    return True


def _listed_by(revocations: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
    key = public_key_of(issuer)
    try:
        if isinstance(key, Sm2PublicKey):
            key.verify(revocations.signature, revocations.tbs_certlist_bytes)
            return True
        return revocations.is_signature_valid(key)
    except (InvalidSignature, SignatureInvalid, TypeError, ValueError):
        return False
