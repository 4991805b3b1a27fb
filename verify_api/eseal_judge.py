"""Judges the certificates and time stamps of e-seals by the same chains as those of sealed files."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from asn1crypto import x509

from cert_registry.eseal.ports import Judgement, Standing
from verify_api.validation.chains import Evidence, check_chain
from verify_api.validation.stamps import judge_stamp
from verify_api.validation.verdicts import SubIndication

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from verify_api.validation.trust import TrustAnchors

_STANDINGS: Final = MappingProxyType(
    {
        None: Standing.GOOD,
        SubIndication.REVOKED: Standing.REVOKED,
        SubIndication.REVOKED_CA_NO_POE: Standing.REVOKED,
        SubIndication.OUT_OF_BOUNDS_NO_POE: Standing.EXPIRED,
        SubIndication.NOT_YET_VALID: Standing.NOT_YET_VALID,
        SubIndication.TRY_LATER: Standing.UNKNOWN,
    }
)


class ChainJudge:
    """`cert_registry.eseal.ports.CertificateJudge` over anchors and values at hand; fetches nothing.

    Args:
        trust: Anchors.
        certificates: Further certificates, DER: an e-seal holds its maker's alone, not those above it.
        crls: Revocation lists, DER.
    """

    def __init__(
        self, *, trust: TrustAnchors, certificates: Iterable[bytes] = (), crls: Iterable[bytes] = ()
    ) -> None:
        self._trust = trust
        self._certificates = tuple(certificates)
        self._crls = tuple(crls)

    def judge(self, certificate: bytes, *, at: datetime) -> Judgement:
        """Judge a certificate (DER) at a moment."""
        finding = check_chain(
            x509.Certificate.load(certificate),
            trust=self._trust,
            evidence=self._evidence(),
            control_time=at,
        )
        standing = _STANDINGS.get(finding.problem, Standing.UNTRUSTED)
        return Judgement(standing=standing, revoked_at=finding.revoked_at, detail=finding.detail)

    def stamped_at(self, token: bytes, covered: bytes, *, now: datetime) -> datetime | None:
        """Return the time of a time-stamp token over `covered`; None unless everything about it holds."""
        finding = judge_stamp(
            token,
            [covered],
            kind="signature",
            trust=replace(self._trust, own=frozenset()),
            evidence=self._evidence(),
            control_time=now,
        )
        return finding.proves

    def _evidence(self) -> Evidence:
        evidence = Evidence()
        for der in self._certificates:
            evidence.add_certificate(der)
        for der in self._crls:
            evidence.add_crl(der)
        return evidence
