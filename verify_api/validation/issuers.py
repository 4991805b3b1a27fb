"""Who issued a certificate, and whether somebody at hand did.

Source: RFC 5280 sections 4.1.1.2, 4.2.1.1 and 6.1.3.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from asn1crypto import x509

from verify_api.validation.known import encoding_of
from verify_api.validation.signature_values import signature_verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

_REMEMBERED = 4096  # answers about pairs of certificates; the same few authorities issue most of them


def issuer_verdict(certificate: x509.Certificate, pool: Iterable[x509.Certificate]) -> bool | None:
    """Say whether one of the pool's certificates issued this one.

    Returns:
        True when a signature verifies, False when the named issuer is there and none does, None when the
        issuer is not there or the algorithm is beyond us.
    """
    name = certificate.issuer.hashable
    candidates = [
        issuer for issuer in pool if issuer.subject.hashable == name and _identifiers_fit(certificate, issuer)
    ]
    outer = certificate["signature_algorithm"].dump()
    if outer != certificate["tbs_certificate"]["signature"].dump():
        return False
    verdict: bool | None = None
    for issuer in candidates:
        outcome = _signed_by(certificate.dump(), encoding_of(issuer.public_key))
        if outcome:
            return True
        if outcome is False:
            verdict = False
    return verdict


@lru_cache(maxsize=_REMEMBERED)
def _signed_by(certificate: bytes, public_key: bytes) -> bool | None:
    """Verify a certificate's signature; the answer depends on these bytes alone, so it may be remembered."""
    parsed = x509.Certificate.load(certificate)
    return signature_verdict(
        x509.PublicKeyInfo.load(public_key),
        parsed["signature_algorithm"],
        parsed["tbs_certificate"].dump(),
        parsed["signature_value"].native,
    )


def _identifiers_fit(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    wanted, given = certificate.authority_key_identifier, issuer.key_identifier
    return not wanted or not given or wanted == given


def unexplained(
    certificates: Iterable[x509.Certificate],
    *,
    pool: list[x509.Certificate],
    path: tuple[x509.Certificate, ...],
) -> list[x509.Certificate]:
    """Return the certificates that nothing speaks for: no issuer at hand, and no relation to the path.

    A certificate whose issuer is not at hand cannot be judged, so any of its bytes may have been altered. Honest
    files carry such: what stands above an anchor that is no root, cross certificates of authorities on the path, and
    siblings of one that cannot be judged either. Neither name nor key identifier of their issuer is known here; an
    altered copy of a certificate at hand still shows one of the two.

    Args:
        certificates: Embedded ones, beside the path.
        pool: Every certificate at hand, anchors included.
        path: The signer's path, anchor first; the signer alone where none was found.
    """
    rooted = bool(path) and path[0].issuer.hashable == path[0].subject.hashable
    verdicts = [(one, issuer_verdict(one, pool)) for one in certificates]
    explained = list(path)
    left = [
        (one, verdict is True)
        for one, verdict in verdicts
        if verdict is True or (verdict is None and _is_strange_to(one, pool, rooted=rooted))
    ]
    while True:
        related = [(one, sound) for one, sound in left if _is_related(one, explained)]
        if not related:
            break
        explained += [one for one, _ in related]
        left = [pair for pair in left if pair not in related]
    accepted = {one.dump() for one in explained}
    return [one for one, verdict in verdicts if verdict is None and one.dump() not in accepted]


def _is_related(certificate: x509.Certificate, explained: list[x509.Certificate]) -> bool:
    """Tell whether a certificate issued one of those that are explained, or claims the same issuer as one."""
    origin = (certificate.issuer.hashable, certificate.authority_key_identifier)
    return any(
        issuer_verdict(child, [certificate]) is True
        or (child.issuer.hashable, child.authority_key_identifier) == origin
        for child in explained
    )


def _is_strange_to(certificate: x509.Certificate, pool: list[x509.Certificate], *, rooted: bool) -> bool:
    """Tell whether a certificate's issuer is a stranger by name and by key identifier.

    Below a root everything is at hand, so one without an identifier could be a copy with an altered name.
    """
    wanted = certificate.authority_key_identifier
    known_key = rooted if wanted is None else any(one.key_identifier == wanted for one in pool)
    name = certificate.issuer.hashable
    return not known_key and all(one.subject.hashable != name for one in pool)
